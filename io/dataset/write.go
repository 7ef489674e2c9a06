package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

func init() {
	beam.RegisterDoFn(&writeFn{})
	register.Function4x1((&writeFn{}).ProcessElement)
	register.Emitter1[*framepb.Receipt]()
	register.Emitter2[string, *framepb.Request]()
}

// WriteParams are the parameters of Write.
type WriteParams struct {
	// Dir is the folder, or the URL, of a dataset that Create made. It is required, and every
	// worker must reach the same place under that name, which [store.Resolve] returns for
	// other machines: a worker that does not find the dataset fails, it does not start one of
	// its own. For a URL each worker finds credentials for itself.
	Dir string
}

// Validate returns an error that names each field that is wrong.
func (p WriteParams) Validate() error {
	if p.Dir == "" {
		return fault.New("WriteParams.Dir", "empty", "the folder of a dataset, or its URL")
	}
	if err := store.Check(p.Dir); err != nil {
		return fault.Of("WriteParams.Dir", ": %w", err)
	}
	return nil
}

// Write writes a PCollection<frame.Shard> to a dataset and returns their
// receipts, a PCollection<*framepb.Receipt> with the shards' event times. What has come out
// of a bundle is recorded when the bundle has ended; into a folder, up to 4 shards, of 64 MiB
// of pictures in all or a larger one alone, wait in memory until the disk has them while
// others are written. A shard that cannot be written fails its bundle, and so the job. When
// all are written, the receipts are sealed, block by block, on the workers: that makes the index.
//
// Call [Dataset.Begin] with what is asked for before the job, and [Dataset.Finish] after it:
// a dataset with samples that no request asks for is not complete. A shard that is cut
// otherwise than the dataset's fails the job with the text of a [CutError], one whose frames
// went through other transforms with that of a [TransformsError].
//
// Of a second look ([frame.Shard.Again]) nothing comes out where the shard was taken away
// meanwhile, which is logged: the next backfill fetches what is missing then.
//
// It counts "shards_written", "frames_written" and "bytes_written" (of pictures)
// in the namespace "kvsframes/dataset"; of a second look the frames that it found.
//
// Write panics if p is not valid: check [WriteParams.Validate] where p comes
// from elsewhere.
func Write(s beam.Scope, p WriteParams, shards beam.PCollection) (receipts beam.PCollection) {
	s = s.Scope("dataset.Write")
	if err := p.Validate(); err != nil {
		panic(fmt.Errorf("dataset.Write: %w", err))
	}
	receipts, blocks := beam.ParDo2(s, &writeFn{Dir: p.Dir}, shards)
	seal(s, p, blocks)
	return receipts
}

const namespace = "kvsframes/dataset"

type writeFn struct {
	Dir string

	writer                *Writer
	shards, frames, bytes beam.Counter
	blocks                map[frame.Span]bool // that this bundle has emitted
	recording             *recording          // of this bundle
}

func (fn *writeFn) Setup(ctx context.Context) error {
	fn.shards = beam.NewCounter(namespace, "shards_written")
	fn.frames = beam.NewCounter(namespace, "frames_written")
	fn.bytes = beam.NewCounter(namespace, "bytes_written")
	ds, err := Open(ctx, fn.Dir)
	if err != nil {
		return err
	}
	fn.writer, err = ds.NewWriter()
	return err
}

func (fn *writeFn) StartBundle(context.Context, func(*framepb.Receipt), func(string, *framepb.Request)) {
	fn.blocks = make(map[frame.Span]bool)
	fn.recording = newRecording()
}

// FinishBundle waits until all shards of the bundle are recorded.
func (fn *writeFn) FinishBundle(context.Context, func(*framepb.Receipt), func(string, *framepb.Request)) error {
	return fn.recording.wait()
}

func (fn *writeFn) ProcessElement(ctx context.Context, shard frame.Shard, emit func(*framepb.Receipt),
	written func(string, *framepb.Request),
) error {
	receipt, record, err := fn.writer.begin(ctx, shard)
	if gone := (*GoneError)(nil); errors.As(err, &gone) {
		log.Warn(ctx, gone)
		return nil
	}
	if err == nil && record != nil {
		err = fn.recording.add(ctx, receipt.Bytes, record)
	}
	if err != nil {
		fn.recording.wait()
		return err
	}
	fn.tell(shard.Span, written)
	emit(receipt)
	if failed(shard) && !ledger.Failed(receipt) {
		log.Warnf(ctx, "samples of %v could not be fetched; what the dataset has of them stays", shard.Span)
		if len(shard.Again) == 0 {
			return nil
		}
	}
	frames, bytes := int64(receipt.Frames), receipt.Bytes
	if len(shard.Again) > 0 {
		if frames, bytes = int64(len(shard.Frames)), pictureBytes(shard); frames == 0 {
			return nil // a receipt at most was written
		}
	}
	fn.shards.Inc(ctx, 1)
	fn.frames.Inc(ctx, frames)
	fn.bytes.Inc(ctx, bytes)
	return nil
}

// tell emits the block of a shard, once a bundle.
func (fn *writeFn) tell(shard frame.Span, written func(string, *framepb.Request)) {
	block := ledger.BlockOf(shard, fn.writer.of.Options().ShardSamples)
	if fn.blocks[block] {
		return
	}
	fn.blocks[block] = true
	written(block.Series.ID()+"/"+block.Name(), framepb.RequestOf(block))
}

func pictureBytes(shard frame.Shard) (bytes int64) {
	for i := range shard.Frames {
		bytes += int64(len(shard.Frames[i].Data))
	}
	return bytes
}

func failed(shard frame.Shard) bool {
	return slices.ContainsFunc(shard.Gaps, func(gap frame.Gap) bool { return gap.Reason == frame.Failed })
}
