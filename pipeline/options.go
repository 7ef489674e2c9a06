// Package pipeline runs a backfill: it makes a dataset hold what is asked for.
//
// [Backfill] validates its [Options], describes every stream, writes down what
// is asked for, takes away what the dataset has, and runs what is left as a
// Beam job: source, transforms and sink. The [Summary] comes from the dataset's
// ledger, so it says what is there, whichever runner did the work.
//
// Jobs run in this process on Beam's direct runner, which accepts no connections,
// unless [Options].Runner names another.
package pipeline

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
	"github.com/kvsframes/kvsframes/transforms"
)

// DefaultRunner is Beam's runner that runs the job in this process and accepts no
// connections.
const DefaultRunner = "direct"

// Options is what to backfill, from where, to where and how.
type Options struct {
	// Requests is what is asked for. At least one; they may overlap. A Tag is where a request
	// comes from, as errors say it, such as cameras.yaml:3.
	//
	// A stream that cannot be read fails the backfill before anything is fetched, unless nothing
	// of it is to be fetched, or Read.KeepGoing is set: then its samples stay missing.
	Requests []kvsio.Request

	// Relative says which instants of each request, in their order, depend on Now. Such an
	// instant means no certain sample: it is moved down, by less than an interval, to the grid
	// that the dataset has of the stream, and where it has none, to that of phase 0, the
	// multiples of SamplingInterval since 1970; an end after a start that is not relative, to
	// the grid of that start. Default: none is relative.
	Relative []Relative

	// Align, where set, moves start and end of every request down, each by less than an interval, to
	// a grid: AlignDataset or AlignEpoch.
	Align string

	// NewPhase lets a request have another phase than what the dataset has of the same stream
	// that is sampled alike. Without it, and without Align, such a request is refused, unless its
	// start is relative: it asks for images a moment beside those that are there, and all of
	// them are paid for. Not together with Align.
	NewPhase bool

	// Now is when the backfill is asked for: what is later is in the future. Default: when
	// Backfill, or Validate, is called.
	Now time.Time

	// Settle is how old a sample must be at Now: younger ones are left for a later backfill
	// (Summary.Pending), because their footage may not be in the archive yet. They are not recorded as
	// asked for. Where a producer's clock is ahead, samples up to its newest footage are old enough.
	// Default DefaultSettle (2 minutes); negative: all samples are old enough.
	Settle time.Duration

	// Read says how the streams are read. Its Ledger is set to Out, its Runner to
	// Runner, and its ShardSamples, where 0, to what the dataset has.
	Read kvsio.ReadParams

	// Out is the folder of the dataset, or the URL of a place in a bucket; see
	// package store. It is made where it does not exist. The URL travels in the
	// pipeline and stands in the Summary: it holds nothing secret.
	Out string

	// DatasetFormat is the form that frames are written in. Default: what the
	// dataset has, and [dataset.DefaultFormat] for a new one.
	DatasetFormat string

	// Transforms is what is done to frames before they are written, in order. It is
	// part of the dataset, so that all of its shards are alike. Default: what the
	// dataset has, and nothing for a new one. Pixels of a decode step are no files:
	// a tensor step must follow. A program with functions of its own calls [Init] first.
	Transforms []transforms.Step

	// Runner is the name of a Beam runner that is linked into the program:
	// direct, prism, flink and dataflow always are, and so is universal, which
	// submits to the job server at Beam's --endpoint, as flink does. Default direct.
	// Prism runs any program of whoever can connect to this process, on every
	// network, until the process ends.
	Runner string

	// MaxGapRatio, where set, is the largest share of a stream's samples, from 0 to 1, that may be
	// gaps or missing: a backfill that leaves a stream with more is an *[IncompleteError]. Drops
	// are no gaps.
	MaxGapRatio *float64

	// Wait is how long to wait for another backfill into the dataset that is under way. Where that is
	// not over by then, the error has a *[dataset.HeldError], of the kind KindBusy. Default: not at
	// all; both run at the same time, which does no harm, but what both have in hand is paid for twice.
	// A job that was submitted and left (Beam's --async) counts as over.
	Wait time.Duration

	// Progress, where set, is called now and then while the backfill waits and while the job runs,
	// once when it is over, and then while the index is written, never from two goroutines at once.
	Progress func(Progress)

	unread  []unread        // what is not in Requests any more, after the preflight
	tags    []string        // of Requests, likewise: the samples of a dataset have none
	ahead   []time.Time     // for each request, up to when footage is there that is ahead of Now
	asked   []kvsio.Request // all that is asked for, on its grid
	pending []frame.Span    // the part of it that is left for a later backfill

	retention map[string]time.Duration // of streams, by ARN, as far as it is known
}

// Validate returns a *UsageError that names everything that is wrong with the
// options and with the flags of Beam's that the runner goes by, or nil. It makes
// no calls and touches no file.
func (o Options) Validate() error {
	var errs []error
	if len(o.Requests) == 0 {
		errs = append(errs, fault.New("Requests", "empty", "at least one"))
	}
	for i, r := range o.Requests {
		if err := CheckRequest(r, o.Read.MinInterval, o.now()); err != nil {
			errs = append(errs, fmt.Errorf("request %d: %w", i+1, err))
		}
	}
	for i, err := range kvsio.CheckRegions(o.Read.AWS, o.Requests) {
		if err != nil {
			errs = append(errs, fmt.Errorf("request %d: %w", i+1, err))
		}
	}
	if err := o.Read.Validate(); err != nil {
		errs = append(errs, err)
	}
	if o.Out == "" {
		errs = append(errs, fault.New("Out", "not set", "the folder of the dataset, or its URL"))
	}
	if err := store.Check(o.Out); err != nil {
		errs = append(errs, fault.Of("Out", ": %w", err))
	}
	if o.Wait < 0 {
		errs = append(errs, fault.New("Wait", o.Wait, "0 or more"))
	}
	if r := o.MaxGapRatio; r != nil && !(*r >= 0 && *r <= 1) {
		errs = append(errs, fault.New("MaxGapRatio", *r, "a number from 0 to 1"))
	}
	return usage(append(errs, o.checkGrids(), checkSteps(o.Transforms), CheckRunner(o.Runner),
		o.runner().CheckPlace("Out", o.Out), o.checkAsync())...)
}

func (o Options) checkAsync() error {
	if !*jobopts.Async || !o.runner().IsLocal() {
		return nil
	}
	return fmt.Errorf("--async is set, but the workers are of this process (--runner %s, --environment_type %q): they "+
		"end with it; leave --async out, or submit to a cluster", cmp.Or(o.Runner, DefaultRunner), *jobopts.EnvironmentType)
}

// CheckRunner returns an error where no runner of that name is linked into the
// program, or Beam's flags are not what the runner needs. The empty name stands
// for the default.
func CheckRunner(name string) error { return beamrun.Check(name) }

// CheckRequest is [kvsio.Request.ValidateFloor] for a backfill, which does not
// ask for what is still to come: that would be recorded as gaps. Whether a producer's
// clock is ahead of now shows only once the stream is asked. The error is a
// [*kvsio.RequestError].
func CheckRequest(r kvsio.Request, floor time.Duration, now time.Time) error {
	var wrong *kvsio.RequestError
	if !errors.As(r.ValidateFloor(floor), &wrong) {
		wrong = &kvsio.RequestError{}
	}
	if r.EndTimestamp.After(now) && r.ImageSelectorType != kvsio.ProducerTimestamp {
		wrong.Faults = append(wrong.Faults, inFuture(r, now))
	}
	if len(wrong.Faults) == 0 {
		return nil
	}
	return wrong
}

func inFuture(r kvsio.Request, now time.Time) *kvsio.Fault {
	return fault.New("EndTimestamp", fault.Errorf("%s, in the future", r.EndTimestamp.UTC().Format(time.RFC3339Nano)),
		"at most now, "+now.UTC().Format(time.RFC3339))
}

func checkSteps(steps []transforms.Step) error {
	if len(steps) == 0 {
		return nil
	}
	if err := transforms.Validate(steps...); err != nil {
		return fault.Of("Transforms", ": %w", err)
	}
	if transforms.EndInPixels(steps...) {
		return fault.New("Transforms", "steps that end in pixels, which a dataset does not hold",
			"without DecodeParams, or with TensorParams after them")
	}
	return nil
}

// stepsOf are the transforms of a dataset that is there.
func stepsOf(descriptions []string) ([]transforms.Step, error) {
	var steps []transforms.Step
	for _, description := range descriptions {
		step, err := transforms.Parse(description)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func (o Options) runner() beamrun.Runner { return beamrun.Named(o.Runner) }

func (o Options) now() time.Time {
	if o.Now.IsZero() {
		return time.Now()
	}
	return o.Now
}

func (o Options) dataset() dataset.Options {
	of := dataset.Options{Format: o.DatasetFormat, ShardSamples: o.Read.ShardSamples}
	if len(o.Transforms) > 0 {
		of.Transforms = transforms.Describe(o.Transforms...)
	}
	return of
}
