package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // for pictures' headers
	_ "image/png"  // for pictures' headers
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/claim"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// VerifyOptions are the options of Verify. The zero value is fine.
type VerifyOptions struct {
	// Progress, where set, is told how many receipts of how many have been
	// read back. It is called by one goroutine at a time, not always the same.
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
// a report: it satisfies ErrNoDataset or ErrForeign, or the dataset cannot be read, or ctx
// is done.
func Verify(ctx context.Context, dir string, options VerifyOptions) (Report, error) {
	v, err := newVerifier(ctx, dir, options)
	if err != nil {
		return Report{}, err
	}
	if err := v.run(ctx); err != nil {
		return Report{}, fmt.Errorf("verifying the dataset %q: %w", dir, err)
	}
	return v.result(), nil
}

type verifier struct {
	dir      string
	store    store.Store
	desc     *framepb.Dataset
	format   container.Format
	ledger   *ledger.Ledger
	progress func(done, total int64)
	trusts   func(ledger.Entry) bool // where set, says whose pictures were read back before
	found    findings
	cover    map[frame.Series]*coverage

	mu          sync.Mutex // guards what follows
	report      Report
	done, total int64
	requested   bool // a request is on record

	// What Repair goes by; collected where spoiled is not nil.
	damages []*ledger.DamagedError
	spoiled map[ledger.Entry]bool // of pictures that are missing or corrupt: whether all of them could be read
	useless []frame.Span          // shards without a receipt whose samples are all in others
}

func newVerifier(ctx context.Context, dir string, options VerifyOptions) (*verifier, error) {
	desc, format, root, err := opened(ctx, dir)
	if err != nil {
		return nil, err
	}
	return &verifier{
		dir: dir, store: root, desc: desc, format: format, ledger: ledger.Open(dir).WithContext(ctx), progress: options.Progress,
		cover: make(map[frame.Series]*coverage),
		report: Report{
			Schema: ReportSchema, Dataset: dir, Gaps: make(map[string]int64), Drops: make(map[string]int64),
		},
	}, nil
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
	if err := v.readRequests(); err != nil {
		return err
	}
	if err := v.countReceipts(); err != nil {
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

func (v *verifier) readRequests() error {
	spans, err := v.ledger.Requests()
	v.requested = len(spans) > 0 || err != nil
	for _, span := range spans {
		v.coverageOf(span.Series).ask(span)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if err != nil && !ok {
		return err
	}
	if ok {
		for _, err := range joined.Unwrap() {
			var damaged *ledger.DamagedError
			if errors.As(err, &damaged) { // each of them is
				v.damaged(damaged)
			}
		}
	}
	return nil
}

// countReceipts only serves the progress.
func (v *verifier) countReceipts() error {
	if v.progress == nil {
		return nil
	}
	all, err := v.ledger.Series()
	for _, series := range all {
		entries, err := v.ledger.Have(series)
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
	for receipt, err := range v.ledger.All() {
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
	if twice := v.coverageOf(span.Series).record(span); twice.Samples > 0 {
		v.found.harm("%s: %s are in a receipt before it, too", entryOf(receipt).Path(), samplesOf(twice))
	}
}

// parallel is how many shards are read at once: in a bucket reading is waiting,
// not work.
func (v *verifier) parallel() int {
	if _, local := v.store.(store.Folder); local {
		return runtime.GOMAXPROCS(0)
	}
	return bucketReaders
}

// bucketReaders is how many shards are read at once from a bucket, a picture of
// each.
const bucketReaders = 32

// alien takes note of a receipt that another dataset's writer made. Repair leaves it and
// its pictures: the description may as well be what is another dataset's.
func (v *verifier) alien(path string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Damaged++
	v.found.harm("%s: %v: it or %s is another dataset's: put back what belongs here, or move the receipt and its shard away "+
		"(repair leaves them)", path, err, descriptionFile)
}

// checkPath holds the place of a receipt's pictures against where those of its shard
// belong.
func checkPath(format container.Format, receipt *framepb.Receipt) error {
	want := ""
	if receipt.Frames > 0 {
		want = format.Path(receipt.Span())
	}
	if receipt.Path == want {
		return nil
	}
	return fmt.Errorf("its pictures are at %q, they must be at %q", receipt.Path, want)
}

// checkTransforms holds what was done to a receipt's frames against what is done to the
// frames of the dataset.
func checkTransforms(desc *framepb.Dataset, receipt *framepb.Receipt) error {
	if slices.Equal(receipt.Transforms, desc.Transforms) {
		return nil
	}
	return fmt.Errorf("what was done to its frames is %q, in the dataset it is %q", receipt.Transforms, desc.Transforms)
}

func entryOf(receipt *framepb.Receipt) ledger.Entry {
	return ledger.Entry{Span: receipt.Span(), Failed: ledger.Failed(receipt)}
}

// readShard reads one shard back.
func (v *verifier) readShard(ctx context.Context, receipt *framepb.Receipt) error {
	part := Report{Shards: 1, Gaps: make(map[string]int64), Drops: make(map[string]int64)}
	for outcome := range ledger.Outcomes(receipt) {
		switch outcome.Kind {
		case ledger.Gap:
			part.Gaps[outcome.Reason]++
		case ledger.Drop:
			part.Drops[outcome.Reason]++
		}
	}
	entry := entryOf(receipt)
	if v.trusts != nil && v.trusts(entry) {
		part.Frames = int64(receipt.Frames)
		if receipt.Frames > 0 {
			shard, err := v.openedBefore(ctx, receipt)
			if err == nil {
				err = v.findForeign(shard, &part)
			}
			if err != nil {
				return err
			}
		}
		v.finish(part)
		return nil
	}
	readable, err := v.readPictures(ctx, receipt, &part, &v.found)
	if err != nil {
		return err
	}
	if v.spoiled != nil && part.Missing+part.Corrupt > 0 {
		v.mu.Lock()
		v.spoiled[entry] = readable
		v.mu.Unlock()
	}
	v.finish(part)
	return nil
}

// readPictures reads the pictures of a shard back, and once more where a bucket has some
// that are damaged. Those that could not be read count as corrupt, but are no proof of
// anything: the shard is not readable.
func (v *verifier) readPictures(ctx context.Context, receipt *framepb.Receipt, part *Report, found *findings) (readable bool, err error) {
	spoiled := errors.New("some are not as they were written")
	shard := &stored{ctx: ctx, store: v.store, path: v.format.Path(receipt.Span())}
	before := *part
	var now *findings
	err = store.Twice(v.store, func() (err error) {
		*part, now = before, new(findings)
		readable, err = v.readPicturesOnce(ctx, receipt, shard, part, now)
		if err == nil && part.Missing+part.Corrupt > before.Missing+before.Corrupt {
			err = spoiled
		}
		return err
	}, func(err error) bool { return err == spoiled })
	if err != nil && err != spoiled {
		return false, err
	}
	found.take(now)
	if receipt.Frames == 0 {
		return readable, nil
	}
	return readable, v.findForeign(shard, part)
}

func (v *verifier) readPicturesOnce(
	ctx context.Context, receipt *framepb.Receipt, shard *stored, part *Report, found *findings,
) (readable bool, err error) {
	series := receipt.GetSeries().Value()
	if receipt.Frames == 0 {
		names, err := v.store.Under(ctx, shard.path)
		if len(names) > 0 {
			found.foreign(part, shard.path)
		}
		return true, err
	}
	readable = true
	spoiled := make(map[int]bool) // frames
	for blob, err := range shard.blobs(v.format, receipt) {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		// A store that does not answer is no proof of anything.
		if failed := (*store.Error)(nil); errors.As(err, &failed) {
			return false, failed
		}
		if err == nil {
			err = checkHeader(blob, ledger.Format(receipt))
		}
		if err == nil {
			continue
		}
		missing := errors.Is(err, fs.ErrNotExist)
		readable = readable && (missing || !isUnreadable(err))
		switch {
		case spoiled[blob.Frame]: // a frame counts once
		case missing:
			part.Missing++
		default:
			part.Corrupt++
		}
		spoiled[blob.Frame] = true
		at := frame.Clock(series.At(blob.Index))
		found.harm("%s: the %s of %s at %s: %v", shard.path, blob.Blob.Kind(), series.StreamName, at, err)
	}
	part.Frames = int64(int(receipt.Frames) - len(spoiled))
	return readable, nil
}

// isUnreadable says that a file system does not give a file away: so nothing is
// known of what is in it.
func isUnreadable(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno) && errno != syscall.ENOENT && errno != syscall.EISDIR && errno != syscall.ENOTDIR
}

// checkHeader looks at what decoders will see first.
func checkHeader(blob readBlob, format string) error {
	if blob.Tensor || format == frame.NPY {
		return container.CheckNPY(blob.Data)
	}
	header, kind, err := image.DecodeConfig(bytes.NewReader(blob.Data))
	if err != nil {
		return fmt.Errorf("it is no picture: %w", err)
	}
	if !strings.EqualFold(kind, format) {
		return fmt.Errorf("it is a picture in %s, its receipt says %s", strings.ToUpper(kind), format)
	}
	if header.Width != int(blob.Width) || header.Height != int(blob.Height) {
		return fmt.Errorf("it has %d×%d pixels, its receipt says %d×%d", header.Width, header.Height, blob.Width, blob.Height)
	}
	return claim.Check(format, len(blob.Data), header.Width, header.Height)
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
	if v.spoiled != nil {
		v.damages = append(v.damages, damage)
	}
	v.mu.Unlock()
	if span := damage.Entry.Span; span.Samples > 0 {
		v.coverageOf(span.Series).ask(span)
	}
	v.found.harm("%v", damage)
}

func (v *verifier) addUp(c *coverage) {
	asked := frame.Union(c.asked)
	uncovered, unasked := frame.Minus(asked, c.recorded), frame.Minus(c.recorded, asked)
	for _, span := range uncovered {
		v.found.harm("%s: %s were asked for and are not there", span.Series.StreamName, samplesOf(span))
	}
	for _, span := range unasked {
		v.found.harm("%s: %s are recorded, and no request on record asks for them: the same backfill writes down what it asks for",
			span.Series.StreamName, samplesOf(span))
	}
	recorded := frame.Count(c.recorded)
	v.report.Missing += frame.Count(uncovered)
	v.report.Samples += recorded + frame.Count(uncovered)
	v.report.Duplicate += c.samples - recorded
	v.report.Unasked += frame.Count(unasked)
}

func samplesOf(span frame.Span) string {
	return fmt.Sprintf("%d samples from %s to %s", span.Samples, frame.Clock(span.Series.At(span.First)), frame.Clock(span.Series.At(span.End()-1)))
}

func (v *verifier) coverageOf(series frame.Series) *coverage {
	c := v.cover[series]
	if c == nil {
		c = new(coverage)
		v.cover[series] = c
	}
	return c
}
