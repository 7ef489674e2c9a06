package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/pack"
	"github.com/kvsframes/kvsframes/pipeline"
)

// names are what the users of a command call what libraries name in errors: fields,
// arguments and functions. Fields of a request that are not among them are flags.
type names map[string]string

var backfillNames = names{
	"Out": "--out", "folder": "--out", "Ledger": "--out",
	"Format": "--dataset-format", "ShardSamples": "--shard-samples",
	"MaxGapRatio": "--max-gap-ratio", "KeepGoing": "--keep-going",
	"MinInterval": "--min-sampling-interval", "Refetch": "--refetch", "Requests": "--requests",
	"StreamQuota": "--stream-quota", "QuotaShare": "--quota-share", "Align": "--align", "NewPhase": "--new-phase",
	"Wait":   "--wait",
	"Runner": "--runner", "JobServer": "--endpoint",
	"AWS.Region": "--aws-region", "AWS.EndpointURL": "--aws-endpoint-url", "AWS.STSEndpointURL": "AWS_ENDPOINT_URL_STS",
	"AWS.Profile": "--aws-profile", "AWS.RoleARN": "--aws-role-arn", "AWS.WebIdentity": "--aws-web-identity",
	"dataset.Repair": "kvsframes verify --repair",
}

var packNames = names{
	"Dir": "DIR", "folder": "DIR", "Out": "OUT", "place": "OUT",
	"Format": "--dataset-format", "SamplesPerFile": "--samples-per-file", "FileSize": "--file-size",
	"ShuffleSeed": "--shuffle-seed", "Splits": "--splits", "SplitBy": "--split-by",
	"Streams": "--stream-name", "Start": "--start-timestamp", "End": "--end-timestamp",
	"Runner": "--runner", "JobServer": "--endpoint",
}

var removeNames = names{"folder": "DIR", "dataset.Repair": "kvsframes verify --repair"}

var jobNames = names{"JobServer": "--endpoint"}

// stepNames are for the value of a flag that is a transform.
var stepNames = names{
	"ResizeParams": "they", "ResizeParams.Width": "the width", "ResizeParams.Height": "the height",
	"ResizeParams.Mode": "the mode", "ResizeParams.Filter": "the filter", "ResizeParams.Quality": "the quality",
	"DedupeParams.Threshold": "the number of bits",
}

func (n names) of(name string) string {
	if word, ok := n[name]; ok {
		return word
	}
	if f, ok := findField(name); ok {
		return f.flag()
	}
	return name
}

// translate returns a job's error in these names.
func (n names) translate(err error) error {
	if early := (*pipeline.UsageError)(nil); errors.As(err, &early) {
		translated := mistakes(n.each(early)...)
		if same := (*pipeline.UsageError)(nil); errors.As(translated, &same) {
			same.Begun = early.Begun
		}
		return translated
	}
	if err == nil {
		return nil
	}
	return &renamed{fault.In(err, n.of), err}
}

// renamed is an error in other names.
type renamed struct {
	text string
	error
}

func (e *renamed) Error() string { return e.text }
func (e *renamed) Unwrap() error { return e.error }

// each returns in these names each of the errors that one joins.
func (n names) each(err error) (faults []error) {
	for _, err := range fault.Split(err) {
		faults = append(faults, n.one(err))
	}
	return faults
}

// stepFlags returns descriptions of transforms as the flags that say them. Those that only
// programs of other people have are no flags.
func stepFlags(descriptions any) string {
	steps, _ := descriptions.([]string)
	if len(steps) == 0 {
		return "no transforms"
	}
	flags := slices.Clone(steps)
	for i, step := range steps {
		if name, _, _ := strings.Cut(step, " "); slices.Contains([]string{"resize", "dedupe", "tensor"}, name) {
			flags[i] = "--" + step
		}
	}
	return strings.Join(flags, " ")
}

func (n names) one(err error) error {
	text := fault.In(err, n.of)
	other := (*dataset.MismatchError)(nil)
	if errors.As(err, &other) && other.Field == "Transforms" { // which are flags of their own
		text = fmt.Sprintf("the dataset %s is made with %s, not with %s: leave --resize, --dedupe and --tensor out, "+
			"or choose another --out", other.Dir, stepFlags(other.Have), stepFlags(other.Want))
	}
	if unknown := (*pack.UnknownStreamError)(nil); errors.As(err, &unknown) {
		text = "--stream-name: " + text + didYouMean(unknown.Stream, "", unknown.Known)
	}
	return &renamed{text, err}
}
