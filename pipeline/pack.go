package pipeline

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/pack"
	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
)

// PackOptions is what to pack, from where, to where and how.
type PackOptions struct {
	pack.Options

	// Dir is the folder of a dataset, or its URL.
	Dir string

	// Out is where the set is made: a folder, or the URL of a place in a bucket.
	// It is made where it does not exist; what it has of the same set stays.
	Out string

	// Runner is as in [Options].
	Runner string

	// Warn, where set, is told in a sentence what the dataset is missing.
	Warn func(text string)

	// Progress, where set, is called now and then while the job runs, and once
	// when it is over, never from two goroutines at once.
	Progress func(PackProgress)
}

// PackProgress is how far a pack in this process is. One that runs elsewhere shows
// nothing here.
type PackProgress struct {
	Files, Frames int64 // of the set
	Done          pack.Counts
	Elapsed       time.Duration
}

// PackSummarySchema names the form of a PackSummary as JSON.
const PackSummarySchema = "kvsframes.pack/1"

// PackSummary is what a pack came to.
type PackSummary struct {
	Schema         string `json:"schema"`
	Status         Status `json:"status"`
	Dataset        string `json:"dataset"`
	Out            string `json:"out"`
	Format         string `json:"dataset_format"`
	SamplesPerFile int64  `json:"samples_per_file"`
	Frames         int64  `json:"frames"`
	Bytes          int64  `json:"bytes"` // of the pictures
	Files          int64  `json:"files"`
	// not made; 0 unless the job failed; null as JSON where Unknown is set
	FilesToMake    int64             `json:"files_missing"`
	Unknown        string            `json:"unknown,omitempty"` // why the set could not be read to tell what is missing
	MissingSamples int64             `json:"missing_samples"`   // asked for, and not in the dataset
	FailedSamples  int64             `json:"failed_samples"`    // FAILED gaps of the dataset
	Splits         []pack.SplitFiles `json:"splits"`
	Seconds        float64           `json:"seconds"`
	Error          *Problem          `json:"error"` // what Pack returns, for programs; nil for nil
}

// MarshalJSON writes null for what is not known.
func (s PackSummary) MarshalJSON() ([]byte, error) {
	type known PackSummary
	if s.Unknown == "" {
		return json.Marshal(known(s))
	}
	return json.Marshal(struct {
		known
		FilesToMake *int64 `json:"files_missing"`
	}{known: known(s)})
}

// Validate returns a *UsageError that names everything that is wrong with the
// options and with the flags of Beam's that the runner goes by, or nil. It touches
// no file.
func (o PackOptions) Validate() error {
	errs := []error{o.Options.Validate()}
	for _, field := range []struct{ name, value string }{{"Dir", o.Dir}, {"Out", o.Out}} {
		if field.value == "" {
			errs = append(errs, fault.New(field.name, "not set", "a folder, or a place in a bucket"))
		} else if err := store.Check(field.value); err != nil {
			errs = append(errs, fault.Of(field.name, ": %w", err))
		}
		errs = append(errs, beamrun.Named(o.Runner).CheckPlace(field.name, field.value))
	}
	errs = append(errs, CheckRunner(o.Runner))
	if *jobopts.Async {
		errs = append(errs, errors.New("--async is set, but a pack has still to list its files when the job is over: leave "+
			"--async out"))
	}
	return usage(errs...)
}

// Pack makes a training set of a dataset's frames: those files of it that are not
// there. beam.Init must have been called.
//
// Its errors are a [*UsageError], where nothing was packed; a [*JobError]; or
// [ErrInterrupted], when ctx ended first. With the last two the PackSummary says
// what there is.
func Pack(ctx context.Context, o PackOptions) (PackSummary, error) {
	summary, err := runPack(ctx, o)
	if summary.Schema != "" {
		summary.Status, summary.Error = StatusOf(err), ProblemOf(err)
	}
	return summary, err
}

func runPack(ctx context.Context, o PackOptions) (PackSummary, error) {
	began := time.Now()
	o.Runner = cmp.Or(o.Runner, DefaultRunner)
	plan, params, err := o.prepare(ctx)
	if ctx.Err() != nil {
		return PackSummary{}, ErrInterrupted
	}
	if err != nil {
		return PackSummary{}, usage(err)
	}
	summary := o.summary(plan)
	if o.Warn != nil && plan.Missing+plan.Failed > 0 {
		o.Warn(incomplete(o.Dir, plan))
	}
	jobErr := o.job(ctx, params, plan)
	bound, stop := told(ctx)
	defer stop()
	missing, err := plan.Finish(bound, o.Out)
	if err != nil {
		summary.Unknown = err.Error()
	} else {
		summary.FilesToMake = int64(missing)
	}
	summary.Seconds = time.Since(began).Seconds()
	switch {
	case jobErr != nil:
		return summary, jobErr
	case err != nil:
		return summary, o.failed(err)
	case missing > 0:
		return summary, o.failed(fmt.Errorf("%d of %d files are not there though the job has ended: the same pack makes them",
			missing, summary.Files))
	}
	return summary, nil
}

func (o PackOptions) failed(err error) error {
	return &JobError{Runner: o.Runner, Cause: outside.Text(err.Error()), Err: err}
}

func incomplete(dir string, plan *pack.Plan) string {
	err := &IncompleteError{Dir: dir, Missing: plan.Missing, Failed: plan.Failed}
	return err.Error() + ". What it has is packed"
}

// prepare does all that comes before the first file, and says where workers find
// both places.
func (o PackOptions) prepare(ctx context.Context) (*pack.Plan, pack.Params, error) {
	var params pack.Params
	if !beam.Initialized() {
		return nil, params, errors.New("beam.Init was not called: call it first, after flag.Parse")
	}
	if err := o.Validate(); err != nil {
		return nil, params, err
	}
	source, err := dataset.Open(ctx, o.Dir)
	if err != nil {
		return nil, params, err
	}
	if err := pack.Check(ctx, o.Out); err != nil {
		return nil, params, err
	}
	if err := beamrun.Named(o.Runner).Prepare(ctx, o.Dir, o.Out); err != nil {
		return nil, params, err
	}
	plan, err := pack.NewPlan(ctx, source, o.Options)
	if err != nil {
		return nil, params, err
	}
	if params.Dir, err = store.Resolve(o.Dir); err != nil {
		return nil, params, err
	}
	if params.Place, err = store.Resolve(o.Out); err != nil {
		return nil, params, err
	}
	err = plan.Create(ctx, o.Out)
	if another := (*pack.MismatchError)(nil); err != nil && !errors.As(err, &another) {
		err = begun(ctx, o.Out, err, openPacked, pack.ErrNoSet)
	}
	return plan, params, err
}

func openPacked(ctx context.Context, place string) error {
	_, err := pack.Open(ctx, place)
	return err
}

func (o PackOptions) summary(plan *pack.Plan) PackSummary {
	set := plan.Set
	s := PackSummary{
		Schema: PackSummarySchema, Dataset: o.Dir, Out: o.Out, Format: set.Format, SamplesPerFile: set.SamplesPerFile,
		Frames: set.Frames, Bytes: set.Bytes, MissingSamples: plan.Missing, FailedSamples: plan.Failed, Splits: set.Shards(),
	}
	for _, split := range set.Splits {
		s.Files += split.Files
	}
	return s
}

// job runs the Beam job.
func (o PackOptions) job(ctx context.Context, params pack.Params, plan *pack.Plan) error {
	p, s := beam.NewPipelineWithRoot()
	pack.Pack(s, params, plan)
	stop := o.watch(plan)
	_, err := beamrun.Named(o.Runner).Run(ctx, "pack", p)
	stop()
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case err != nil:
		return &JobError{Runner: o.Runner, Cause: beamrun.CauseOf(err), Err: err}
	}
	return nil
}

// watch reports progress until stop is called.
func (o PackOptions) watch(plan *pack.Plan) (stop func()) {
	if o.Progress == nil {
		return func() {}
	}
	began, before := time.Now(), pack.Counters()
	total := PackProgress{Frames: plan.Set.Frames}
	for _, split := range plan.Set.Splits {
		total.Files += split.Files
	}
	return every(func() {
		p, now := total, pack.Counters()
		p.Done = pack.Counts{
			Files: now.Files - before.Files, Frames: now.Frames - before.Frames,
			Bytes: now.Bytes - before.Bytes, There: now.There - before.There,
		}
		p.Elapsed = time.Since(began)
		o.Progress(p)
	})
}
