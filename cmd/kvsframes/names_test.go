package main

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/pack"
	"github.com/kvsframes/kvsframes/pipeline"
)

const irishARN = "arn:aws:kinesisvideo:eu-west-1:111122223333:stream/cam/1"

// backfillOf returns what is wrong with the flags of a backfill.
func backfillOf(t *testing.T, args ...string) error {
	cmd := new(cobra.Command)
	cmd.SetContext(t.Context())
	flags := newBackfillFlags(cmd.Flags())
	parseFlags(t, cmd, args)
	_, err := flags.parse(cmd)
	return err
}

func imagesOf(t *testing.T, args ...string) error {
	cmd := new(cobra.Command)
	cmd.SetContext(t.Context())
	flags := newGetImagesFlags(cmd.Flags())
	parseFlags(t, cmd, append(args, "--start-timestamp", "2026-01-01", "--end-timestamp", "2026-01-02",
		"--sampling-interval", "3s"))
	_, err := flags.parse(cmd)
	return err
}

func packOf(t *testing.T, dir, out string, args ...string) error {
	cmd := new(cobra.Command)
	flags := newPackFlags(cmd.Flags())
	parseFlags(t, cmd, args)
	_, err := flags.parse(cmd, []string{dir, out})
	return err
}

func parseFlags(t *testing.T, cmd *cobra.Command, args []string) {
	t.Helper()
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
}

// TestValuesThatLookLikeNames: the names of fields are said as flags, and what the user
// typed is said as it was typed, whatever it looks like.
func TestValuesThatLookLikeNames(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"} {
		t.Setenv(name, "")
	}
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, os.DevNull)
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	there, full := filepath.Join(t.TempDir(), "Out is here"), filepath.Join(t.TempDir(), "choose another folder")
	if _, err := dataset.Create(t.Context(), there, dataset.Options{ShardSamples: 20}); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(full, "of"), 0o777); err != nil {
		t.Fatal(err)
	}
	checked := func(dir string, o dataset.Options) error {
		_, err := dataset.Check(t.Context(), dir, o)
		return err
	}
	resolved := func(p kvsio.AWSParams, requests ...kvsio.Request) error {
		_, err := kvsio.ResolveAWS(t.Context(), p, requests...)
		return err
	}
	early := func(err error) error { return &pipeline.UsageError{Faults: []error{err}} }
	irish := kvsio.Request{StreamARN: irishARN}

	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"endpoint": {
			backfillOf(t, "--aws-endpoint-url", "RoleARN is EndpointURL is"),
			`--aws-endpoint-url is "RoleARN is EndpointURL is": it must be a URL like https://kinesisvideo.`,
		},
		"password": {
			backfillOf(t, "--aws-endpoint-url", "x@y"),
			"--aws-endpoint-url names a user or a password: leave it out",
		},
		"role": {
			backfillOf(t, "--aws-role-arn", "without RoleARN"),
			`--aws-role-arn is "without RoleARN": it must be arn:aws:iam`,
		},
		"identity": {
			backfillOf(t, "--aws-web-identity", "RoleARN"),
			`--aws-web-identity is RoleARN without --aws-role-arn: name the role`,
		},
		"ARN": {
			backfillOf(t, "--stream-arn", "AWS.Region or StreamName"),
			`--stream-arn is "AWS.Region or StreamName": it must be arn:PARTITION`,
		},
		"name": {
			backfillOf(t, "--stream-name", "after StartTimestamp"),
			`--stream-name is "after StartTimestamp": it must be 1–256 characters`,
		},
		"region": {
			backfillOf(t, "--stream-arn", irishARN, "--aws-region", "StreamARN"),
			`--stream-arn is "` + irishARN + `": it must be in StreamARN, the region that is read: leave --aws-region out`,
		},
		"size": {
			backfillOf(t, "--stream-name", "HeightPixels", "--width-pixels", "5"),
			"--width-pixels is 5 without --height-pixels: it must be given together with --height-pixels, or",
		},
		"a step": {
			backfillOf(t, "--resize", "8x8:ResizeParams.Width"),
			`--resize is "8x8:ResizeParams.Width": the mode is "ResizeParams.Width": it must be one of`,
		},
		"out": {
			backfillNames.translate(early(checked(there, dataset.Options{ShardSamples: 30}))),
			"--shard-samples is 30, but the dataset " + there + " has 20: leave --shard-samples out, or choose another --out",
		},
		"format": {
			backfillNames.translate(early(checked(there, dataset.Options{Format: "parquet"}))),
			"--dataset-format is parquet, but the dataset " + there + " has webdataset: leave --dataset-format out, or choose " +
				"another --out",
		},
		"taken": {
			backfillNames.translate(early(checked(full, dataset.Options{}))),
			strconv.Quote(full) + " is not empty and not a kvsframes dataset: choose another --out",
		},
		"no place": {backfillNames.translate(pipeline.Options{Out: "s3://Out#"}.Validate()), "--out: the s3:// URL has a #"},
		"stream": {
			backfillNames.translate(early(fmt.Errorf("stream EndTimestamp: %w", kvsio.Request{}.Validate()))),
			"stream EndTimestamp: --stream-name is not set, and neither is --stream-arn",
		},
		"beside": {
			backfillNames.translate(early(resolved(kvsio.AWSParams{Region: "x"}, irish))),
			"request 1 (" + irishARN + `): --stream-arn is "` + irishARN +
				`": it must be in x, the region that is read: leave --aws-region out`,
		},
		"profile": {
			backfillNames.translate(early(resolved(kvsio.AWSParams{Profile: "AWS.Region"}))),
			`--aws-profile is "AWS.Region": there is no profile "AWS.Region" in ` + os.DevNull,
		},
		"no region": {
			backfillNames.translate(early(resolved(kvsio.AWSParams{}))),
			"or a region in the shared config file, or give --aws-region",
		},
		"no keys": {
			backfillNames.translate(early(resolved(kvsio.AWSParams{Region: "x"}))),
			"name a profile with --aws-profile, or run where a role is given: ",
		},
		"twice": {
			backfillNames.translate(&pipeline.IncompleteError{Dir: "dataset.Repair", Duplicates: 5}),
			"dataset.Repair is not complete: 5 samples are recorded more than once: kvsframes verify --repair leaves each",
		},

		"pack's out": {packOf(t, "Dir is", "s3://Out is"), "OUT: the s3:// URL cannot be read"},
		"pack's dir": {packOf(t, "s3:Out is", "Out is"), "DIR: s3: is followed by no //"},
		"pack's times": {
			packOf(t, "Start", "End", "--start-timestamp", "2026-01-02", "--end-timestamp", "2026-01-01"),
			"--start-timestamp is 2026-01-02T00:00:00Z and --end-timestamp is 2026-01-01T00:00:00Z: the end must be later",
		},
		"pack's runner": {
			packNames.translate(pipeline.PackOptions{Dir: "Dir", Out: "Out", Runner: "Out is"}.Validate()),
			`--runner is "Out is", which is not linked`,
		},
		"another pack": {packNames.translate(early(&pack.MismatchError{
			Place: "/data/SplitBy", Field: "Streams", Want: "Format",
			Have: "Splits",
		})), "--stream-name is Format, but for what /data/SplitBy holds it was Splits: pack it in the same " +
			"way, or choose another OUT"},
		"no stream": {
			packNames.translate(early(&pack.UnknownStreamError{Stream: "SplitBy", Known: []string{"Streams"}})),
			`--stream-name: the dataset has no stream "SplitBy": it has Streams`,
		},
		"an empty split": {packNames.translate(early(&pack.EmptySplitError{
			By: pack.ByStream, Units: 1,
			Splits: []string{"SplitBy"},
		})), "the split SplitBy would be empty: there is one stream to split: give --split-by " +
			"day or --split-by sample, or"},
		"a set's place": {
			packNames.translate(early(pack.Check(t.Context(), full))),
			strconv.Quote(full) + " is not empty and not a packed set: choose another OUT",
		},

		"get-images' token": {
			imagesOf(t, "--stream-name", "Out", "--starting-token", "PaginationConfig.StartingToken is"),
			`--starting-token is "PaginationConfig.StartingToken is": it must be a resume token`,
		},
		"get-images' one": {
			imagesOf(t, "--stream-name", "Out", "--next-token", "a b"),
			`--next-token is "a b": it must be a resume token`,
		},
		"get-images' ARN": {
			imagesOf(t, "--stream-name", "Out", "--stream-arn", "StreamName"),
			`--stream-name is "Out" beside a --stream-arn: it must be left out, or --stream-arn (`,
		},
		"get-images' URL": {
			imagesOf(t, "--stream-name", "Out", "--endpoint-url", "EndpointURL is"),
			`--endpoint-url is "EndpointURL is": it must be a URL`,
		},
		"get-images' profile": {
			imagesOf(t, "--stream-name", "Out", "--profile", "name a profile AWS.Region"),
			`--profile is "name a profile AWS.Region": there is no profile "name a profile AWS.Region" in ` + os.DevNull,
		},
		"get-images' region": {
			imagesOf(t, "--stream-arn", irishARN, "--region", "Region"),
			"it must be in Region, the region that is read: leave --region out, or set it to eu-west-1",
		},
		"get-images' odd region": {
			imagesOf(t, "--stream-name", "Out", "--region", "AWS.Region"),
			`--region is "AWS.Region": it must be the name of a region`,
		},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%s: %v\nmust contain %s", name, test.err, test.want)
		}
	}
	for text, wants := range map[string][]string{
		"- {stream_name: StreamARN, stream_arn: StreamName}":                                              {`r.yaml:1: stream_name is "StreamARN" beside a stream_arn:`, `r.yaml:1: stream_arn is "StreamName": it must be arn:`},
		"- {stream_name: without HeightPixels, width_pixels: 5}":                                          {`r.yaml:1: stream_name is "without HeightPixels": it`, "r.yaml:1: width_pixels is 5 without height_pixels: it"},
		"- {stream_name: EndTimestamp, start_timestamp: 2026-01-02, end_timestamp: after StartTimestamp}": {`r.yaml:1: end_timestamp is "after StartTimestamp": it`},
		"- {stream_name: a, sampling_interval: 1s}":                                                       {"r.yaml:1: sampling_interval is \"1s\": it must be at least 3s, which --min-sampling-interval can lower to 200ms"},
	} {
		_, err := parsed(t, text, nil)
		for _, want := range wants {
			if !strings.Contains(fmt.Sprint(err), want) {
				t.Errorf("%s: %v\nmust contain %s", text, err, want)
			}
		}
	}
}

// TestRenamedErrorsKeepTheirStatus: what is said in other words still ends the command as it did.
func TestRenamedErrorsKeepTheirStatus(t *testing.T) {
	for err, want := range map[error]int{
		&pipeline.IncompleteError{Dir: "out", Duplicates: 1}:               exitIncomplete,
		&pipeline.UsageError{Faults: []error{errors.New("x")}}:             exitUsage,
		&pipeline.JobError{Runner: "direct", Cause: "x", Err: fs.ErrExist}: exitFailed,
		pipeline.ErrInterrupted:                                            exitInterrupted,
	} {
		if got := exitStatus(backfillNames.translate(err)); got != want {
			t.Errorf("%v: exit status %d, want %d", err, got, want)
		}
	}
	if err := backfillNames.translate(nil); err != nil {
		t.Error(err)
	}
}

// TestLibrariesDoNotSpeakFlags: what libraries say is for who calls them, from whatever
// program. Flags of Beam's are names that all its users know, and the AWS CLI's are its own.
func TestLibrariesDoNotSpeakFlags(t *testing.T) {
	var own, commands []string
	for _, cmd := range newRoot().Commands() {
		commands = append(commands, cmd.Name())
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if flag.Lookup(f.Name) == nil {
				own = append(own, f.Name)
			}
		})
	}
	words := regexp.MustCompile(`--(` + strings.Join(own, "|") + `)\b|\bOUT\b|\bkvsframes (` +
		strings.Join(commands, "|") + `)\b`)
	ofAWS := regexp.MustCompile(`\baws [^:,]*`)
	if !words.MatchString("choose another --out") || len(commands) < 9 {
		t.Fatalf("the words are %v", words)
	}
	files := 0
	for _, room := range []string{"internal", "io", "pipeline", "transforms"} {
		err := filepath.WalkDir(filepath.Join("../..", room), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files++
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if said := words.FindString(ofAWS.ReplaceAllString(literal.Value, "")); said != "" {
						t.Errorf("%v: %q is the command's word", set.Position(literal.Pos()), said)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if files < 100 {
		t.Errorf("%d files were looked at", files)
	}
}
