package pipeline

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/pipeline/internal/beamrun"
	"github.com/kvsframes/kvsframes/transforms"
)

// progressEvery is how often Options.Progress is called.
const progressEvery = 200 * time.Millisecond

// Backfill fetches what the requests ask for and the dataset does not have, and,
// where the job came to its end, writes the dataset's index and card.
// beam.Init must have been called.
//
// With Beam's --async it returns once the job is submitted, with the JobID in the
// Summary: a [JobServer] knows how the job is, and the same backfill, once the
// job is over.
//
// Its errors are a [*UsageError], where nothing was fetched; a [*JobError]; an
// [*IncompleteError]; or [ErrInterrupted], when ctx ended first. With the last
// three the Summary says what the dataset holds, or why that is not known.
func Backfill(ctx context.Context, o Options) (Summary, error) {
	summary, err := backfill(ctx, o)
	if summary.Schema != "" {
		summary.end(err)
	}
	return summary, err
}

func backfill(ctx context.Context, o Options) (Summary, error) {
	began := time.Now()
	o.Runner, o.Now = cmp.Or(o.Runner, DefaultRunner), o.now()
	given := o
	o, err := prepare(ctx, given)
	var ds *dataset.Dataset // nil on a dry run, and where all samples are pending
	var held *dataset.Hold
	if err == nil && !beamrun.IsDryRun() && len(o.allRequests()) > 0 {
		ds, held, err = o.hold(ctx)
	}
	if ds != nil {
		defer ds.Sweep(context.WithoutCancel(ctx)) // however it ends; what stays all the same does no harm
	}
	defer held.Release()
	if err == nil && held != nil && held.Waited { // the dataset is another one now
		o, err = prepare(ctx, given)
	}
	var plan *kvsio.Plan
	if err == nil {
		plan, err = o.begin(ctx, ds)
	}
	if ctx.Err() != nil {
		return Summary{}, ErrInterrupted
	}
	if err != nil {
		return Summary{}, usage(err)
	}
	summary := Summary{Schema: SummarySchema, Dataset: o.Out, Requests: len(o.asked), DryRun: beamrun.IsDryRun()}
	if held != nil {
		summary.Beside = held.Beside
	}
	o.foretell(ctx, plan, &summary)
	jobErr := o.job(ctx, plan, &summary)
	left := summary.DryRun || summary.JobID != ""
	var contents dataset.Contents
	if jobErr == nil && !left && ds != nil {
		contents, jobErr = o.finish(ctx, ds)
	}
	total, err := o.account(ctx, ds, plan, &jobErr, &summary)
	summary.Seconds = time.Since(began).Seconds()
	if err != nil {
		summary.Unknown = err.Error()
	}
	switch {
	case jobErr != nil:
		return summary, jobErr
	case err != nil:
		return summary, &JobError{Runner: o.Runner, Cause: outside.Text(err.Error()), Err: err}
	case left:
		return summary, nil
	}
	return summary, o.judge(&summary, total, contents.Damaged)
}

// account fills in what the ledger says when the job is over. Where all that was fetched has FAILED, by an outage, it
// makes that the job's error.
func (o Options) account(ctx context.Context, ds *dataset.Dataset, plan *kvsio.Plan, jobErr *error, s *Summary) (
	total ledger.Tally, err error,
) {
	ctx, stop := told(ctx)
	defer stop()
	book := ledger.Open(o.Out)
	count := book.Tally
	if ds != nil {
		count = ds.Tally
	}
	var ranges map[stream]Range
	s.Range, ranges = rangesOf(o.asked)
	total, nothing, err := s.tally(ctx, count, plan, ranges, o.pendingOf())
	if err == nil {
		s.Late, err = lateFootage(ctx, book, plan)
	}
	if err == nil && *jobErr == nil && nothing {
		cause := ""
		if cause, err = outage(ctx, book, plan.Missing); cause != "" {
			*jobErr = &JobError{Runner: o.Runner, Cause: cause}
		}
	}
	if err == nil && *jobErr != nil {
		s.Unsealed, err = unsealed(ctx, book, plan)
	}
	return total, err
}

// judge returns an *IncompleteError where what was asked for is not as it was asked for, or
// something of the dataset is damaged, or nil.
func (o Options) judge(s *Summary, total ledger.Tally, damaged []string) error {
	lacking := &IncompleteError{
		Dir: o.Out, Missing: total.Missing, Failed: total.Gaps[frame.Failed], Duplicates: total.Duplicates,
		Damaged: damaged,
	}
	if o.MaxGapRatio != nil {
		lacking.MaxGapRatio, lacking.Gappy = *o.MaxGapRatio, tooManyGaps(s.Streams, *o.MaxGapRatio)
	}
	problems := make(map[stream]error)
	for _, r := range o.unread {
		if of := streamOf(r.Span().Series); problems[of] == nil {
			problems[of] = r.problem
			lacking.Unread = append(lacking.Unread, r.problem)
		}
	}
	for i, of := range s.Streams {
		if problem := problems[stream{of.Stream, of.StreamARN}]; problem != nil {
			s.Streams[i].Reason = outside.Text(problem.Error())
		}
	}
	if total.Complete() && len(lacking.Gappy)+len(damaged) == 0 {
		return nil
	}
	return lacking
}

// told is for as long as the summary may take: of an interrupted job, whose store
// may not answer any more, not long.
func told(ctx context.Context) (context.Context, context.CancelFunc) {
	base := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		return context.WithTimeout(base, beamrun.Grace)
	}
	return context.WithCancel(base)
}

// prepare does all that comes before the dataset is written: it is known then that all
// streams can be read.
func prepare(ctx context.Context, o Options) (Options, error) {
	if !beam.Initialized() {
		return o, errors.New("beam.Init was not called: call it first, after flag.Parse")
	}
	if err := o.Validate(); err != nil {
		return o, err
	}
	has, err := dataset.Check(ctx, o.Out, o.dataset())
	if err != nil {
		return o, err
	}
	o.Read.ShardSamples = int(has.ShardSamples)
	if len(o.Transforms) == 0 {
		if o.Transforms, err = stepsOf(has.Transforms); err != nil {
			return o, err
		}
	}
	if err := o.check(ctx); err != nil {
		return o, err
	}
	if err := o.alignAll(ctx); err != nil {
		return o, err
	}
	o.asked = o.allRequests()
	o.leavePending()
	if err := o.runner().Prepare(ctx, o.Out); err != nil {
		return o, err
	}
	o.Read.Ledger, err = store.Resolve(o.Out)
	return o, err
}

// begin records what is asked for, and makes the plan. Without a dataset it is a dry run, or all samples
// are pending, and it writes nothing.
func (o Options) begin(ctx context.Context, ds *dataset.Dataset) (plan *kvsio.Plan, err error) {
	if len(o.allRequests()) == 0 {
		return new(kvsio.Plan), nil
	}
	var spans []frame.Span
	for _, r := range o.allRequests() {
		if r.StreamARN != "" { // else the stream may get another name once it can be described
			spans = append(spans, r.Span())
		}
	}
	o.Read.Runner = o.Runner
	if ds == nil {
		if errors.Is(openDataset(ctx, o.Out), dataset.ErrNoDataset) {
			o.Read.Ledger = "" // nothing is there yet
		}
		return o.plan(ctx)
	}
	if err = ds.Begin(ctx, spans...); err == nil {
		plan, err = o.plan(ctx)
	}
	if err != nil {
		err = begun(ctx, o.Out, err, openDataset, dataset.ErrNoDataset)
	}
	return plan, err
}

// plan plans what can be read; what cannot is asked for, all the same.
func (o Options) plan(ctx context.Context) (*kvsio.Plan, error) {
	plan := new(kvsio.Plan)
	if len(o.Requests) > 0 {
		var err error
		read := o.Read
		read.Retention = o.retention
		if plan, err = kvsio.NewPlan(ctx, read, o.Requests); err != nil {
			return nil, err
		}
	}
	for _, r := range o.unread {
		plan.Asked = append(plan.Asked, r.Span())
	}
	return plan, nil
}

// allRequests returns what is asked for, of streams that cannot be read, too.
func (o Options) allRequests() []kvsio.Request {
	all := slices.Clone(o.Requests)
	for _, r := range o.unread {
		all = append(all, r.Request)
	}
	return all
}

func openDataset(ctx context.Context, dir string) error {
	_, err := dataset.Open(ctx, dir)
	return err
}

// job runs the Beam job, unless there is nothing to fetch.
func (o Options) job(ctx context.Context, plan *kvsio.Plan, summary *Summary) error {
	if plan.Shards == 0 {
		summary.GetImagesCalls, summary.Retries, summary.Throttles = new(int64), new(int64), new(int64)
		return nil
	}
	p, s := beam.NewPipelineWithRoot()
	shards := kvsio.ReadPlan(s, o.Read, plan)
	if len(o.Transforms) > 0 {
		shards = transforms.Shards(s, shards, o.Transforms...)
	}
	dataset.Write(s, dataset.WriteParams{Dir: o.Read.Ledger}, shards)

	before := kvsio.Counters()
	stop := o.watch(plan)
	id, err := o.runner().Run(ctx, "backfill", p)
	stop()
	if id != "" {
		summary.JobID = id
		return nil
	}
	summary.calls(o.runner(), since(before))
	switch {
	case ctx.Err() != nil:
		return ErrInterrupted
	case err != nil:
		return &JobError{Runner: o.Runner, Cause: beamrun.CauseOf(err), Err: err}
	}
	return nil
}

// finish writes the dataset's index and card.
func (o Options) finish(ctx context.Context, ds *dataset.Dataset) (dataset.Contents, error) {
	options := dataset.FinishOptions{}
	if o.Progress != nil {
		options.Progress = func(done, total int64) { o.Progress(Progress{Receipts: total, Indexed: done}) }
	}
	contents, err := ds.Finish(ctx, options)
	switch {
	case ctx.Err() != nil:
		return contents, ErrInterrupted
	case err != nil:
		return contents, &JobError{Runner: o.Runner, Cause: outside.Text("its shards are written, but " + err.Error()), Err: err}
	}
	return contents, nil
}

// watch reports progress until stop is called.
func (o Options) watch(plan *kvsio.Plan) (stop func()) {
	if o.Progress == nil {
		return func() {}
	}
	began, before := time.Now(), kvsio.Counters()
	streams := watchStreams(plan.Missing)
	total := Progress{Samples: frame.Count(plan.Missing), Shards: plan.Shards, Streams: int64(len(streams.left))}
	aging := o.aging(plan)
	return every(func() {
		p := total
		p.Done, p.Elapsed = since(before), time.Since(began)
		p.StreamsDone, p.Slowest = streams.done()
		p.losses(aging)
		o.Progress(p)
	})
}

// every calls report now and then until stop is called, and once more then.
func every(report func()) (stop func()) {
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(progressEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				report()
			case <-quit:
				report()
				return
			}
		}
	}()
	return func() {
		close(quit)
		<-ended
	}
}

func since(before kvsio.Counts) kvsio.Counts {
	now := kvsio.Counters()
	return kvsio.Counts{
		Shards: now.Shards - before.Shards, Skipped: now.Skipped - before.Skipped,
		Frames: now.Frames - before.Frames, Gaps: now.Gaps - before.Gaps, Bytes: now.Bytes - before.Bytes,
		Calls: now.Calls - before.Calls, Retries: now.Retries - before.Retries, Throttles: now.Throttles - before.Throttles,
	}
}
