package dataset

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// VerifyOptions are the options of Verify. The zero value is fine.
type VerifyOptions struct {
	// Since, where set, has shards read back that have a sample at or after it, and no others:
	// of these, receipts are counted by footers of sealed files, and their files are looked for by
	// name. What happened to the bytes of older pictures, or of rows of the index, is not found.
	Since time.Time

	// Books has nothing read back: the files of shards are compared by name and size, from
	// listings, with what their receipts tell. What happened to bytes within a file is not
	// found, but for receipts. In a bucket it takes few requests for 1,000 shards. Set it, or
	// Since, or neither.
	Books bool

	// Progress, where set, is called with the number of receipts that have been read
	// back, and the number of all, by one goroutine at a time, not always the same.
	Progress func(done, total int64)
}

// Verify reads everything in a dataset back: that each sample that was asked
// for is there once, and that every picture is the one that was written, to its
// last byte, with the format and size that its receipt tells; that all that is
// recorded was asked for; that shards holds no file that is not the dataset's, since
// loaders that read every file there would read it; and that the rows of the index, which are
// receipts, name the places of their pictures. It reads as many shards at once as there are
// CPUs, 32 from a bucket, a picture at a time. With Since or Books it reads less, and the report
// says so.
//
// What is wrong with the dataset is in the report. Where no request is on record it is not
// known what the dataset should have, so it is not complete. The error is for what prevents
// a report: the dataset cannot be read, the options are wrong, or ctx is done.
func (d *Dataset) Verify(ctx context.Context, options VerifyOptions) (Report, error) {
	v := newVerifier(d, options)
	if err := v.run(ctx); err != nil {
		return Report{}, fmt.Errorf("verifying the dataset %q: %w", d.dir, err)
	}
	return v.result(), nil
}

type verifier struct {
	*Dataset
	options VerifyOptions
	trusts  func(ledger.Entry) bool // where set, says whose pictures were read back before
	found   findings
	cover   covers
	listing listing // of the series whose shards are looked up

	mu          sync.Mutex // guards what follows
	report      Report
	done, total int64
	requested   bool // a request is on record

	// What Repair goes by; collected where spoiled is not nil.
	damages []*ledger.DamagedError
	spoiled map[ledger.Entry]bool // of pictures that are missing or corrupt: whether all of them could be read
	useless []frame.Span          // shards without a receipt whose samples are all in others
	unknown []frame.Span          // shards without a receipt that can be recorded
	stale   []ledger.Entry        // files of sealed receipts whose rows are not what these say

	unindexed []frame.Span // blocks whose file in the index is not what sealed receipts say

	badCatalog bool // it says of files what they do not say
}

func newVerifier(d *Dataset, options VerifyOptions) *verifier {
	return &verifier{
		Dataset: d, options: options, cover: make(covers),
		report: Report{
			Schema: ReportSchema, Dataset: d.dir, Scope: options.scope(),
			Gaps: make(map[string]int64), Drops: make(map[string]int64),
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
	if err := v.options.check(); err != nil {
		return err
	}
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
	if v.options.Progress == nil {
		return nil
	}
	all, err := v.ledger.Series(ctx)
	for _, series := range all {
		shards, _, err := v.ledger.Shards(ctx, series, nil)
		if err != nil {
			return err
		}
		v.total += int64(len(shards))
	}
	return err
}

func (v *verifier) readShards(ctx context.Context) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(v.parallel())
	var fatal error
	footers := func(shard frame.Span) bool { return !v.options.Books && !v.options.reads(shard) }
	for recorded, err := range v.ledger.AllBut(ctx, footers) {
		if groupCtx.Err() != nil || fatal != nil {
			break
		}
		receipt, entry := recorded.Receipt, recorded.Entry
		var damaged *ledger.DamagedError
		switch {
		case errors.As(err, &damaged):
			v.damaged(damaged)
			v.finish(Report{})
			continue
		case err != nil:
			fatal = err
		case checkPath(v.format, receipt) != nil:
			v.damaged(&ledger.DamagedError{Path: entry.Path(), Entry: entry, Err: checkPath(v.format, receipt)})
			v.finish(Report{})
			continue
		default:
			if err := checkTransforms(v.desc, receipt); err != nil {
				v.alien(entry.Path(), err)
			}
			v.record(entry)
			if v.options.reads(entry.Span) {
				group.Go(func() error { return v.readShard(groupCtx, receipt, entry) })
			} else {
				fatal = v.lookUp(ctx, receipt)
			}
		}
	}
	return errors.Join(group.Wait(), fatal, ctx.Err())
}

func (v *verifier) record(entry ledger.Entry) {
	if twice := v.cover.of(entry.Span.Series).record(entry.Span); twice.Samples > 0 {
		v.found.harm("%s: %s are in a receipt before it, too", entry.Path(), samplesOf(twice))
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

// finish adds what one receipt came to.
func (v *verifier) finish(part Report) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r := &v.report
	r.Shards += part.Shards
	r.Unread += part.Unread
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
	if v.options.Progress != nil {
		v.options.Progress(v.done, max(v.done, v.total))
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
