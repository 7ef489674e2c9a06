package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/header"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// parallel is how many shards are read at once: in a bucket reading is waiting,
// not work.
func (d *Dataset) parallel() int {
	if _, local := d.store.(store.Folder); local {
		return runtime.GOMAXPROCS(0)
	}
	return bucketReaders
}

// bucketReaders is how many shards are read at once from a bucket, a picture of
// each.
const bucketReaders = 32

// partOf returns what a receipt, which may be a table, says of gaps and drops.
func (v *verifier) partOf(receipt *framepb.Receipt) Report {
	part := Report{Shards: 1, Gaps: make(map[string]int64), Drops: make(map[string]int64)}
	for run := range ledger.Runs(receipt, receipt.Span()) {
		switch run.Kind {
		case ledger.Gap:
			part.Gaps[run.Reason] += run.Samples
		case ledger.Drop:
			part.Drops[run.Reason] += run.Samples
		}
	}
	return part
}

// readShard reads one shard back.
func (v *verifier) readShard(ctx context.Context, receipt *framepb.Receipt, entry ledger.Entry) error {
	part := v.partOf(receipt)
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
	spoiled := part.Missing+part.Corrupt > 0
	part.Repairable = spoiled && readable
	if v.spoiled != nil && spoiled {
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
func (v *verifier) readPictures(ctx context.Context, receipt *framepb.Receipt, part *Report,
	found *findings,
) (readable bool, err error) {
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
		return header.CheckNPY(blob.Data)
	}
	return header.CheckPicture(blob.Data, format, int(blob.Width), int(blob.Height), "its receipt")
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
