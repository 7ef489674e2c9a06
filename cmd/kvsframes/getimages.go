package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

const getImagesHelp = `Print the images of one stream as JSON: what the AWS CLI (version 1) prints for
  aws kinesis-video-archived-media get-images
with the same flags and the same tokens. Unlike the AWS CLI, it finds and keeps the
data endpoint, tries again after throttles and cut answers, takes ranges longer than
300 s, and with --out writes pictures instead of base64.

--endpoint-url is that of the control plane, or a data endpoint. Without it the
region's control plane is asked for one. A range over 300 s is read in parts of at most
300 s; it includes the image at --end-timestamp, and what a part lacks is asked for
again. Times are read to the millisecond; the AWS CLI drops fractions of a second.

For --query, text and tables use jq, or the AWS CLI. For datasets use
kvsframes backfill.

Exit status: 0 all images are printed; 1 the service or the network failed, or an
answer had empty entries, which are printed as null; 2 a mistake, nothing was
fetched; 130 interrupted.`

const getImagesExample = `  # a minute of pictures, as files in a folder
  kvsframes get-images --stream-name front-door --sampling-interval 3000 \
    --start-timestamp 2026-01-31T10:00:00Z --end-timestamp 2026-01-31T10:01:00Z --out pictures

  # ten at a time, as the AWS CLI does it
  kvsframes get-images --stream-name front-door --image-selector-type PRODUCER_TIMESTAMP --format JPEG \
    --sampling-interval 3000 --start-timestamp 1769853600 --end-timestamp 1769853900 --max-items 10`

// awsOnly are flags of the AWS CLI that are left to it.
var awsOnly = []string{"query", "cli-input-json", "generate-cli-skeleton"}

// getImagesFlags are the flags of get-images.
type getImagesFlags struct {
	fields     map[string]*text // by the field's name in the API
	texts      map[string]*text // the others, by name
	noPaginate *bool
}

func newGetImages() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get-images (--stream-name NAME | --stream-arn ARN) --start-timestamp TIME --end-timestamp TIME " +
			"--sampling-interval INTERVAL",
		Short:   "Print the images of a stream as the AWS CLI does, or write them to files",
		Long:    getImagesHelp,
		Example: getImagesExample,
		Args:    noArgs,

		DisableFlagsInUseLine: true,
	}
	flags := newGetImagesFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		images, err := flags.parse(cmd)
		if err != nil {
			return err
		}
		return images.run(cmd)
	}
	return cmd
}

func newGetImagesFlags(flags *pflag.FlagSet) *getImagesFlags {
	flags.SortFlags = false
	f := &getImagesFlags{fields: map[string]*text{}, texts: map[string]*text{}}
	for _, field := range fields {
		usage := field.usage
		switch field.api {
		case "StreamName":
			usage = "`name` of the stream"
		case "StreamARN":
			usage = "`ARN` of the stream, in place of its name"
		case "EndTimestamp":
			usage = "`time` at which the range ends"
		}
		f.fields[field.api] = textFlag(flags, field.flagName(), usage)
	}
	for _, flag := range [][2]string{
		{"max-items", "`N`: images to print at most; NextToken then says how to go on"},
		{"page-size", "`N`: images to ask for in one call, 1–100 (default: as many as the service thinks right)"},
		{"starting-token", "`token` to go on from: the NextToken of an earlier call"},
		{"max-results", "`N`: images to ask for in the one call of --no-paginate, 1–100"},
		{"next-token", "`token` of the service to go on from, with --no-paginate"},
		{"out", "`folder` to write pictures to; the JSON then has their names, as File"},
		{"region", "`region` of the stream (default: that of --stream-arn, or as every AWS tool finds it)"},
		{"profile", "`profile` of the shared AWS config files"},
		{"endpoint-url", "`URL` of the Kinesis Video Streams control plane, or a data endpoint (default: the region's " +
			"control plane)"},
		{"output", "`form` of what is printed: json"},
	} {
		f.texts[flag[0]] = textFlag(flags, flag[0], flag[1])
	}
	f.noPaginate = flags.Bool("no-paginate", false, "make one call and print its page; --max-results and --next-token "+
		"do so, too")
	for _, name := range awsOnly {
		f.texts[name] = textFlag(flags, name, "only in the AWS CLI")
		flags.Lookup(name).Hidden = true
	}
	return f
}

// parse returns what the flags ask for, or all that is wrong with them.
func (f *getImagesFlags) parse(cmd *cobra.Command) (*imageListing, error) {
	l := &imageListing{out: string(*f.texts["out"]), endpointFrom: "--endpoint-url"}
	faults := f.paging(cmd, l)
	d := newDraft(l.names(), clock{})
	for _, field := range fields {
		if cmd.Flags().Changed(field.flagName()) {
			d.set(field, field.flag(), string(*f.fields[field.api]))
		}
	}
	faults = append(faults, emptyFlags(cmd, "starting-token", "next-token", "out", "region", "profile", "endpoint-url",
		"output")...)
	if strings.Contains(l.out, "://") {
		faults = append(faults, errors.New("--out is a URL: get-images writes pictures to folders only, name a folder"))
	}
	if form := *f.texts["output"]; form != "" && form != "json" {
		faults = append(faults, fmt.Errorf("--output is %s: it must be json; the AWS CLI has text and tables",
			quoted(string(form))))
	}
	for _, name := range awsOnly {
		if cmd.Flags().Changed(name) {
			faults = append(faults, fmt.Errorf("--%s is only in the AWS CLI: leave it out and use jq on what is printed, or "+
				"use the AWS CLI", name))
		}
	}
	params := kvsio.PaginatorParams{AWS: kvsio.AWSParams{
		Region: string(*f.texts["region"]), Profile: string(*f.texts["profile"]),
		EndpointURL: string(*f.texts["endpoint-url"]),
	}}
	if url := os.Getenv(mediaEndpoint); params.AWS.EndpointURL == "" && url != "" {
		params.AWS.EndpointURL, l.endpointFrom = url, mediaEndpoint
	}
	l.stream, l.format = streamOf(d.request), d.request.Format
	var err error
	l.pages, err = kvsio.NewPaginator(cmd.Context(), params, inputOf(d.request), l.config)
	faults = append(faults, d.explain(err)...)
	if err == nil && len(faults) == 0 {
		_, err = kvsio.ResolveAWS(cmd.Context(), params.AWS, d.request)
	}
	if wrong := (*kvsio.RequestError)(nil); err != nil && !errors.As(err, &wrong) {
		faults = append(faults, l.explain(err))
	}
	return l, mistakes(faults...)
}

// mediaEndpoint is where the AWS CLI sends GetImages where no flag says it.
const mediaEndpoint = "AWS_ENDPOINT_URL_KINESIS_VIDEO_ARCHIVED_MEDIA"

// paging reads what the flags say of pages.
func (f *getImagesFlags) paging(cmd *cobra.Command, l *imageListing) (faults []error) {
	given := cmd.Flags().Changed
	number := func(name string, least, most int) *int {
		if !given(name) {
			return nil
		}
		n, err := strconv.Atoi(string(*f.texts[name]))
		if err != nil || n < least || n > most {
			faults = append(faults, fmt.Errorf("--%s is %s: it must be a whole number, %d–%d", name,
				quoted(string(*f.texts[name])), least, most))
			return nil
		}
		return &n
	}
	l.onePage = *f.noPaginate || given("max-results") || given("next-token")
	if !l.onePage {
		l.config = kvsio.PaginationConfig{
			MaxItems: number("max-items", 0, math.MaxInt32), PageSize: number("page-size", 1, 100),
			StartingToken: string(*f.texts["starting-token"]), SplitRange: true,
		}
		return faults
	}
	l.config = kvsio.PaginationConfig{
		PageSize:      number("max-results", 1, 100),
		StartingToken: string(*f.texts["next-token"]),
	}
	for _, name := range []string{"max-items", "page-size", "starting-token"} {
		if given(name) {
			faults = append(faults, fmt.Errorf("--%s does not go with --no-paginate, --max-results and --next-token, which "+
				"make one call: leave one of the two out", name))
		}
	}
	return faults
}

// inputOf is a request as the operation takes it. What was not said is left
// out.
func inputOf(r kvsio.Request) *media.GetImagesInput {
	in := &media.GetImagesInput{
		ImageSelectorType: types.ImageSelectorType(r.ImageSelectorType), Format: types.Format(r.Format),
		FormatConfig:   r.FormatConfig,
		StartTimestamp: &r.StartTimestamp, EndTimestamp: &r.EndTimestamp,
	}
	if r.StreamName != "" {
		in.StreamName = &r.StreamName
	}
	if r.StreamARN != "" {
		in.StreamARN = &r.StreamARN
	}
	if ms := r.SamplingInterval.Milliseconds(); ms != 0 {
		in.SamplingInterval = aws.Int32(int32(min(ms, math.MaxInt32)))
	}
	if r.WidthPixels != 0 {
		in.WidthPixels = aws.Int32(int32(r.WidthPixels))
	}
	if r.HeightPixels != 0 {
		in.HeightPixels = aws.Int32(int32(r.HeightPixels))
	}
	return in
}

// streamOf returns the name of a stream that may be named by its ARN.
func streamOf(r kvsio.Request) string {
	if parts := strings.Split(r.StreamARN, "/"); len(parts) > 1 {
		return parts[1]
	}
	return r.StreamName
}
