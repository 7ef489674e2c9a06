package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/pipeline"
	"github.com/kvsframes/kvsframes/transforms"
)

var backfillOptions = []option[pipeline.Options]{
	{
		"out", "`place` of the dataset: a folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX; made where it does not exist",
		func(o *pipeline.Options, s string) error {
			if s == "" {
				return errors.New("it must name a folder, or a place in a bucket")
			}
			o.Out = s
			return nil
		},
	},
	{
		"dataset-format", "`form` in which frames are written: " + strings.Join(dataset.Formats(), ", ") +
			" (default: the dataset's; " + dataset.DefaultFormat + " for a new one)",
		func(o *pipeline.Options, s string) (err error) {
			o.DatasetFormat, err = parseFormat(s)
			return err
		},
	},
	{
		"resize", "`size` that all pictures get, as 512x512:crop: WxH[:MODE[:FILTER[:qN]]], with a mode of " +
			fault.List(transforms.Modes) +
			", a filter of " + fault.List(transforms.Filters) +
			" and a quality of JPEGs (default: the dataset's; none for a new one)",
		func(o *pipeline.Options, s string) error { return addStep(o, s, transforms.ParseResize) },
	},
	{
		"dedupe", "drop pictures whose hashes of 64 bits differ by at most `N` bits, as 3, from that of the last one kept " +
			"in their shard (default: the dataset's; none for a new one)",
		func(o *pipeline.Options, s string) error { return addStep(o, s, transforms.ParseDedupe) },
	},
	{
		"tensor", "`type` of .npy files that are written in place of pictures, or beside them with :beside, as " +
			"float32:beside: " + fault.List(transforms.Dtypes) + " (default: the dataset's; none for a new one)",
		func(o *pipeline.Options, s string) error { return addStep(o, s, transforms.ParseTensor) },
	},
	{
		"shard-samples",
		"`N`: samples that are fetched, written and resumed as one (default: the dataset's; 100 for a new one)",
		func(o *pipeline.Options, s string) (err error) {
			o.Read.ShardSamples, err = parseCount(s, dataset.MaxShardSamples)
			return err
		},
	},
	{"max-in-flight", "`N`: calls under way at once (default 32)", func(o *pipeline.Options, s string) (err error) {
		o.Read.MaxInFlight, err = parseCount(s, 10_000)
		return err
	}},
	{
		"memory-budget", "`size` of the memory that shards may take while they are fetched and written, as 512MiB or 4GB " +
			"(default 2GiB)",
		func(o *pipeline.Options, s string) error {
			n, err := humanize.ParseBytes(s)
			if err != nil || n < kvsio.LeastMemoryBudget || n > math.MaxInt64 {
				return errors.New("it must be a size of at least 1MiB, such as 512MiB or 4GB")
			}
			o.Read.MemoryBudget = int64(n)
			return nil
		},
	},
	{
		"call-timeout", "`time` limit of one call, its answer included, 1s–1h (default 1m)",
		func(o *pipeline.Options, s string) (err error) {
			o.Read.CallTimeout, err = parseDuration(s, kvsio.LeastCallTimeout, kvsio.MostCallTimeout)
			return err
		},
	},
	{
		"throttle-patience", "`time` that a stream may answer with nothing but throttles before the job fails (default 15m)",
		func(o *pipeline.Options, s string) (err error) {
			o.Read.ThrottlePatience, err = parseDuration(s, kvsio.LeastThrottlePatience, math.MaxInt64)
			return err
		},
	},
	{
		"stream-quota", "`N`: images a second that the service grants a stream; 0: unknown, go as fast as throttles allow " +
			"(default 500)",
		func(o *pipeline.Options, s string) error {
			n, err := strconv.ParseFloat(s, 64)
			if err != nil || n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
				return errors.New("it must be a number of images a second, or 0 for unknown")
			}
			o.Read.StreamQuota = n
			if n == 0 {
				o.Read.StreamQuota = kvsio.UnknownQuota
			}
			return nil
		},
	},
	{
		"quota-share",
		"`X`: share of a stream's quota to take; everyone who watches the stream shares the quota (default 0.5)",
		func(o *pipeline.Options, s string) (err error) {
			o.Read.QuotaShare, err = strconv.ParseFloat(s, 64)
			if err != nil || !(o.Read.QuotaShare > 0 && o.Read.QuotaShare <= 1) {
				return errors.New("it must be a number over 0 and up to 1")
			}
			return nil
		},
	},
	{
		"min-sampling-interval", "least sampling `interval` that is allowed; the service calls 3s a soft limit and " +
			"supports 200ms (default 3s)",
		func(o *pipeline.Options, s string) (err error) {
			o.Read.MinInterval, err = kvsio.ParseInterval(s)
			if err == nil && o.Read.MinInterval < kvsio.LowestMinInterval {
				err = fmt.Errorf("it must be at least %v", kvsio.LowestMinInterval)
			}
			return err
		},
	},
	{
		"align", "`grid` that start and end are moved down to: " + pipeline.AlignDataset + ", what the dataset has of the " +
			"stream, or else " + pipeline.AlignEpoch + ", multiples of the interval since 1970 (default: times that depend on " +
			"now go to the dataset's)",
		func(o *pipeline.Options, s string) error {
			if s != pipeline.AlignDataset && s != pipeline.AlignEpoch {
				return fmt.Errorf("it must be %s or %s", pipeline.AlignDataset, pipeline.AlignEpoch)
			}
			o.Align = s
			return nil
		},
	},
	{
		"settle", "`age` from which samples are fetched; younger ones, whose footage may not be in the archive yet, are left " +
			"pending for the next backfill; 0: none are (default 2m)",
		func(o *pipeline.Options, s string) (err error) {
			if o.Settle, err = parseDuration(s, 0, math.MaxInt64); o.Settle == 0 {
				o.Settle = -1
			}
			return err
		},
	},
	{
		"refetch", "`reasons` of gaps to fetch again, such as no_media,not_returned; failed ones are always fetched again",
		setRefetch,
	},
	{
		"wait", "`time` to wait for another backfill into the dataset that is under way, as 2h (default: run beside it, and " +
			"pay twice for what both have in hand)",
		func(o *pipeline.Options, s string) (err error) {
			o.Wait, err = parseDuration(s, 0, math.MaxInt64)
			return err
		},
	},
	{
		"look-again", "`age`, such as 48h, up to which no_media gaps of the streams are looked at again, whatever their range; " +
			"what has footage by now is fetched (default 0: none)",
		func(o *pipeline.Options, s string) (err error) {
			o.Read.LookAgain, err = parseDuration(s, 0, math.MaxInt64)
			return err
		},
	},
	{
		"max-gap-ratio", "`X`: largest share of a stream's samples, 0–1, that may be gaps or missing; more make exit status 3, " +
			"with the stream's name (default 1)",
		func(o *pipeline.Options, s string) error {
			x, err := strconv.ParseFloat(s, 64)
			if err != nil || !(x >= 0 && x <= 1) {
				return errors.New("it must be a number from 0 to 1, such as 0.2")
			}
			o.MaxGapRatio = &x
			return nil
		},
	},
	{
		"aws-region", "`region` of the streams (default: that of --stream-arn, or as every AWS tool finds it)",
		func(o *pipeline.Options, s string) error {
			o.Read.AWS.Region = s
			return nil
		},
	},
	{
		"aws-endpoint-url", "`URL` of the Kinesis Video Streams control plane (default: the region's)",
		func(o *pipeline.Options, s string) error {
			o.Read.AWS.EndpointURL = s // checked with the parameters: it may hold a secret, which no error may show
			return nil
		},
	},
	{"aws-profile", "`profile` of the shared AWS config files", func(o *pipeline.Options, s string) error {
		o.Read.AWS.Profile = s
		return nil
	}},
	{"aws-role-arn", "`ARN` of a role to assume", func(o *pipeline.Options, s string) error {
		o.Read.AWS.RoleARN = s
		return nil
	}},
	{
		"aws-web-identity", "`" + kvsio.WebIdentityGCP + "`: workers are machines of Google's, and assume --aws-role-arn " +
			"with the ID tokens of their service account, without AWS keys",
		func(o *pipeline.Options, s string) error {
			o.Read.AWS.WebIdentity = s
			return nil
		},
	},
}

// addStep adds a transform: they are done in the order of the options.
func addStep[S transforms.Step](o *pipeline.Options, text string, parse func(string) (S, error)) error {
	step, err := parse(text)
	if err != nil {
		return errors.New(strings.ReplaceAll(fault.In(err, stepNames.of), "\n", "; "))
	}
	o.Transforms = append(o.Transforms, step)
	return nil
}

// parseDuration reads a Go duration from least to most.
func parseDuration(s string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	switch {
	case err == nil && least <= d && d <= most:
		return d, nil
	case most == math.MaxInt64:
		return 0, fmt.Errorf("it must be a duration of at least %v, such as 90s or 30m", least)
	default:
		return 0, fmt.Errorf("it must be a duration from %v to %v, such as 90s", least, most)
	}
}

func parseFormat(s string) (string, error) {
	if !slices.Contains(dataset.Formats(), s) {
		return "", fmt.Errorf("it must be one of %s", strings.Join(dataset.Formats(), ", "))
	}
	return s, nil
}

func parseCount(s string, most int) (int, error) {
	if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= most {
		return n, nil
	}
	return 0, fmt.Errorf("it must be a whole number, 1–%d", most)
}

func setRefetch(o *pipeline.Options, s string) error {
	for _, word := range strings.Split(s, ",") {
		reason := suggest(strings.TrimSpace(word), frame.GapReasons)
		if reason == "" || plain(reason) != plain(strings.TrimSpace(word)) {
			return fmt.Errorf("%q is not a reason for a gap%s; it must be one of %s",
				word, didYouMean(word, "", frame.GapReasons), strings.Join(frame.GapReasons, ", "))
		}
		o.Read.Refetch = append(o.Read.Refetch, reason)
	}
	return nil
}

// backfillFlags are the flags that say what to backfill.
type backfillFlags struct {
	names, arns *[]string
	file        *string
	fields      map[string]*text // by the field's name in the API
	zone        *text
	options     optionFlags[pipeline.Options]
	newPhase    *bool
	keepGoing   *bool
	metricsFile *string
}

func newBackfillFlags(flags *pflag.FlagSet) *backfillFlags {
	flags.SortFlags = false
	f := &backfillFlags{fields: map[string]*text{}}
	f.names = flags.StringArray("stream-name", nil, "`name` of a stream; repeat it for more")
	f.arns = flags.StringArray("stream-arn", nil, "`ARN` of a stream; repeat it for more")
	f.file = flags.String("requests", "", "YAML `file` that lists requests")
	for _, field := range fields {
		if field.usage != "" {
			f.fields[field.api] = textFlag(flags, field.flagName(), field.usage)
		}
	}
	f.zone = zoneFlag(flags)
	f.options = newOptionFlags(flags, backfillOptions)
	f.newPhase = flags.Bool("new-phase", false, "fetch instants beside those that the dataset has of a stream, and pay "+
		"for all of them")
	f.keepGoing = flags.Bool("keep-going", false, "make the samples of what fails for good FAILED gaps, and leave those "+
		"of streams that cannot be read missing, instead of failing the job")
	f.metricsFile = flags.String("metrics-file", "", "`file` that the result is written to, in Prometheus' text format")
	return f
}

// parse returns what the flags and the requests file ask for, or all that is
// wrong with them.
func (f *backfillFlags) parse(cmd *cobra.Command) (pipeline.Options, error) {
	o := pipeline.Options{Runner: *runners.Runner}
	o.Read.KeepGoing, o.NewPhase = *f.keepGoing, *f.newPhase
	clock, err := clockOf(cmd, string(*f.zone))
	o.Now = clock.now
	o.Read.ClockSkew = time.Until(clock.now).Round(time.Second)
	faults := append([]error{err}, f.options.apply(cmd, &o)...)
	faults = append(faults, emptyFlags(cmd, "requests", "metrics-file")...)
	if *f.metricsFile != "" {
		faults = append(faults, checkMetricsFile(*f.metricsFile))
	}
	if !cmd.Flags().Changed("out") {
		faults = append(faults, errors.New("--out is not set: name the folder of the dataset, or its place in a bucket"))
	}
	// Not an option's own mistake: those are shown with what was typed, which may be a
	// secret here.
	if err := store.Check(o.Out); err != nil {
		faults = append(faults, fmt.Errorf("--out: %w", err))
	}
	faults = append(faults, checkEndpoint(o.Runner))
	faults = append(faults, backfillNames.each(pipeline.CheckRunner(o.Runner))...)
	faults = append(faults, backfillNames.each(o.Read.AWS.Validate())...)
	if o.Align != "" && o.NewPhase {
		faults = append(faults, errors.New("--align and --new-phase are both given: it must be one of the two"))
	}
	drafts, wrong := f.drafts(cmd, clock)
	faults = append(faults, wrong...)
	for _, d := range drafts {
		faults = append(faults, d.check(o.Read.MinInterval, o.Now)...)
		d.request.Tag = strings.ToValidUTF8(d.at, "?")
		o.Requests, o.Relative = append(o.Requests, d.request), append(o.Relative, d.relative())
	}
	for i, err := range kvsio.CheckRegions(o.Read.AWS, o.Requests) {
		faults = append(faults, drafts[i].named(err)...)
	}
	if err := mistakes(faults...); err != nil {
		return o, err
	}
	return o, nil
}

// drafts returns the requests, as they are asked for one by one.
func (f *backfillFlags) drafts(cmd *cobra.Command, clock clock) ([]*draft, []error) {
	base := newDraft(backfillNames, clock)
	for _, field := range fields {
		if cmd.Flags().Changed(field.flagName()) && field.usage != "" {
			base.set(field, field.flag(), string(*f.fields[field.api]))
		}
	}
	if *f.file != "" {
		drafts, errs := f.fromFile(base)
		return drafts, append(base.faults, errs...)
	}
	switch {
	case len(*f.names) > 0 && len(*f.arns) > 0:
		base.fail(fields[0], errors.New("--stream-name and --stream-arn are both given: it must be one of the two, or "+
			"--requests"))
		return []*draft{base}, nil
	case len(*f.names)+len(*f.arns) == 0:
		base.fail(fields[0], errors.New("no stream is named: give --stream-name, --stream-arn or --requests"))
		return []*draft{base}, nil
	}
	var drafts []*draft
	for i, list := range [][]string{*f.names, *f.arns} {
		for _, stream := range list {
			drafts = append(drafts, base.stream(fields[i], stream))
		}
	}
	return drafts, nil
}

func (f *backfillFlags) fromFile(base *draft) ([]*draft, []error) {
	if len(*f.names)+len(*f.arns) > 0 {
		return nil, []error{errors.New("--requests names the streams itself: leave out --stream-name and --stream-arn")}
	}
	text, err := os.ReadFile(*f.file)
	if err != nil {
		return nil, []error{fmt.Errorf("--requests: %w", err)}
	}
	return parseRequests(*f.file, text, base)
}
