package dataset

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// VerifyOptions are the options of Verify. The zero value is fine.
type VerifyOptions struct {
	// Progress, where set, is called with the number of receipts that have been read
	// back, and the number of all, by one goroutine at a time, not always the same.
	Progress func(done, total int64)
}

// Verify reads everything in a dataset back: that each sample that was asked
// for is there once, and that every picture is the one that was written, to its
// last byte, with the format and size that its receipt tells; that all that is
// recorded was asked for; that shards holds no file that is not the dataset's, since
// loaders that read every file there would read it; and that an index has a row for each
// sample that is recorded, and no other. It reads as many
// shards at once as there are CPUs, 32 from a bucket, a picture at a time.
//
// What is wrong with the dataset is in the report. Where no request is on record it is not
// known what the dataset should have, so it is not complete. The error is for what prevents
// a report: the dataset cannot be read, or ctx is done.
func (d *Dataset) Verify(ctx context.Context, options VerifyOptions) (Report, error) {
	v := newVerifier(d, options)
	if err := v.run(ctx); err != nil {
		return Report{}, fmt.Errorf("verifying the dataset %q: %w", d.dir, err)
	}
	return v.result(), nil
}

type verifier struct {
	*Dataset
	progress func(done, total int64)
	trusts   func(ledger.Entry) bool // where set, says whose pictures were read back before
	found    findings
	cover    covers

	mu          sync.Mutex // guards what follows
	report      Report
	done, total int64
	requested   bool // a request is on record

	// What Repair goes by; collected where spoiled is not nil.
	damages []*ledger.DamagedError
	spoiled map[ledger.Entry]bool // of pictures that are missing or corrupt: whether all of them could be read
	useless []frame.Span          // shards without a receipt whose samples are all in others
}

func newVerifier(d *Dataset, options VerifyOptions) *verifier {
	return &verifier{
		Dataset: d, progress: options.Progress, cover: make(covers),
		report: Report{
			Schema: ReportSchema, Dataset: d.dir, Gaps: make(map[string]int64), Drops: make(map[string]int64),
		},
	}
}

func (v *verifier) result() Report {
	r := v.report
	r.Failed = r.Gaps[frame.Failed]
	r.Complete = r.Missing == 0 && r.Duplicate == 0 && r.Corrupt == 0 && r.Failed == 0 && r.Damaged == 0 &&
		r.Unasked == 0 && r.Foreign == 0 && !r.Stale && v.requested
	if !v.requested {
		v.found.note("no request is on record: what the dataset should have is not known")
	}
	r.Problems = v.found.list()
	return r
}

func (v *verifier) run(ctx context.Context) error {
	if err := v.readRequests(ctx); err != nil {
		return err
	}
	if err := v.countReceipts(ctx); err != nil {
		return err
	}
	if err := v.readShards(ctx); err != nil {
		return err
	}
	for _, c := range v.cover {
		v.addUp(c)
	}
	if err := v.checkIndex(ctx); err != nil {
		return err
	}
	return v.findStrays(ctx)
}

func (v *verifier) readRequests(ctx context.Context) error {
	spans, err := v.ledger.Requests(ctx)
	v.requested = len(spans) > 0 || err != nil
	for _, span := range spans {
		v.cover.of(span.Series).ask(span)
	}
	for _, err := range fault.Split(err) {
		var damaged *ledger.DamagedError
		if !errors.As(err, &damaged) {
			return err
		}
		v.damaged(damaged)
	}
	return nil
}

// countReceipts only serves the progress.
func (v *verifier) countReceipts(ctx context.Context) error {
	if v.progress == nil {
		return nil
	}
	all, err := v.ledger.Series(ctx)
	for _, series := range all {
		entries, err := v.ledger.Have(ctx, series)
		if err != nil {
			return err
		}
		v.total += int64(len(entries))
	}
	return err
}

func (v *verifier) readShards(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(v.parallel())
	var fatal error
	for receipt, err := range v.ledger.All(ctx) {
		if groupCtx.Err() != nil {
			break
		}
		var damaged *ledger.DamagedError
		switch {
		case errors.As(err, &damaged):
			v.damaged(damaged)
			v.finish(Report{})
			continue
		case err != nil:
			fatal = err
		case checkPath(v.format, receipt) != nil:
			entry := entryOf(receipt)
			v.damaged(&ledger.DamagedError{Path: entry.Path(), Entry: entry, Err: checkPath(v.format, receipt)})
			v.finish(Report{})
			continue
		default:
			if err := checkTransforms(v.desc, receipt); err != nil {
				v.alien(entryOf(receipt).Path(), err)
			}
			v.record(receipt)
			group.Go(func() error { return v.readShard(groupCtx, receipt) })
		}
	}
	return errors.Join(group.Wait(), fatal, ctx.Err())
}

func (v *verifier) record(receipt *framepb.Receipt) {
	span := receipt.Span()
	if twice := v.cover.of(span.Series).record(span); twice.Samples > 0 {
		v.found.harm("%s: %s are in a receipt before it, too", entryOf(receipt).Path(), samplesOf(twice))
	}
}

// alien takes note of a receipt that another dataset's writer made. Repair leaves it and
// its pictures: the description may as well be what is another dataset's.
func (v *verifier) alien(path string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Damaged++
	v.found.harm("%s: %v: it or %s is another dataset's: put back what belongs here, or move the receipt and its shard "+
		"away (repair leaves them)", path, err, descriptionFile)
}

func entryOf(receipt *framepb.Receipt) ledger.Entry {
	return ledger.Entry{Span: receipt.Span(), Failed: ledger.Failed(receipt)}
}

// finish adds what one receipt came to.
func (v *verifier) finish(part Report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := &v.report
	r.Shards += part.Shards
	r.Frames += part.Frames
	r.Missing += part.Missing
	r.Corrupt += part.Corrupt
	r.Repairable = r.Repairable || part.Repairable
	r.Foreign += part.Foreign
	for reason, n := range part.Gaps {
		r.Gaps[reason] += n
	}
	for reason, n := range part.Drops {
		r.Drops[reason] += n
	}
	v.done++
	if v.progress != nil {
		v.progress(v.done, max(v.done, v.total))
	}
}

func (v *verifier) damaged(damage *ledger.DamagedError) {
	v.mu.Lock()
	v.report.Damaged++
	if isRequest(damage) {
		v.report.DamagedRequests++
	}
	v.report.Repairable = true
	if v.spoiled != nil {
		v.damages = append(v.damages, damage)
	}
	v.mu.Unlock()
	if span := damage.Entry.Span; span.Samples > 0 {
		v.cover.of(span.Series).ask(span)
	}
	v.found.harm("%v", damage)
}

// isRequest reports whether what is damaged is a request, not a receipt.
func isRequest(damage *ledger.DamagedError) bool { return strings.HasPrefix(damage.Path, "requests/") }

func (v *verifier) addUp(c *coverage) {
	asked := frame.Union(c.asked)
	uncovered, unasked := frame.Minus(asked, c.recorded), frame.Minus(c.recorded, asked)
	for _, span := range uncovered {
		v.found.harm("%s: %s were asked for and are not there", span.Series.StreamName, samplesOf(span))
	}
	for _, span := range unasked {
		v.found.harm("%s: %s are recorded, and no request on record asks for them: the same backfill writes down what it "+
			"asks for",
			span.Series.StreamName, samplesOf(span))
	}
	recorded := frame.Count(c.recorded)
	v.report.Repairable = v.report.Repairable || c.samples > recorded
	v.report.Missing += frame.Count(uncovered)
	v.report.Samples += recorded + frame.Count(uncovered)
	v.report.Duplicate += c.samples - recorded
	v.report.Unasked += frame.Count(unasked)
}

func samplesOf(span frame.Span) string {
	return fmt.Sprintf("%d samples from %s to %s", span.Samples, frame.Clock(span.Series.At(span.First)),
		frame.Clock(span.Series.At(span.End()-1)))
}
