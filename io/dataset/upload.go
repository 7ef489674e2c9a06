package dataset

import (
	"context"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/store"
)

// upload writes a shard into a bucket. There is no place there to prepare it in,
// and no rename: an object stands under its final name once it is whole. So the
// receipts of what is replaced go before the first object comes.
//
// Where it fails, the objects that it has written stay. They do no harm, and
// another writer of the shard may count on them.
func (w *Writer) upload(ctx context.Context, bucket store.Bucket, shard frame.Shard) (*framepb.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, isFolder := w.of.format.(container.Folder); shard.New && !isFolder {
		return w.uploadNew(ctx, bucket, shard)
	}
	path := w.of.format.Path(shard.Span)
	var receipt, have *framepb.Receipt
	var old []string // what is at path
	look, lookCtx := errgroup.WithContext(ctx)
	look.Go(func() (err error) {
		receipt, err = w.receiptOf(shard)
		return err
	})
	look.Go(func() (err error) {
		have, err = w.of.ledger.Ask(lookCtx, shard.Span)
		return err
	})
	look.Go(func() (err error) {
		old, err = bucket.Under(lookCtx, path)
		return err
	})
	if err := look.Wait(); err != nil {
		return nil, err
	}
	if kept, err := w.keeps(ctx, have, receipt); err != nil || kept != nil {
		return kept, err
	}
	if w.stands(ctx, have, receipt) {
		return have, nil
	}
	if !proto.Equal(have, receipt) {
		if err := w.of.ledger.Remove(ctx, shard.Span); err != nil {
			return nil, err
		}
	}
	if err := w.reach("upload"); err != nil {
		return nil, err
	}
	names, err := w.put(ctx, bucket, shard)
	if err != nil {
		return nil, err
	}
	old = slices.DeleteFunc(old, func(name string) bool { return slices.Contains(names, name) })
	if err := removeObjects(ctx, bucket, shard.Span, path, old); err != nil {
		return nil, err
	}
	if err := w.reach("record"); err != nil {
		return nil, err
	}
	return receipt, w.of.ledger.Put(ctx, receipt)
}

// uploadNew writes a shard of one object of which the ledger has nothing: it takes two
// requests. Another writer of the same shard writes the same bytes.
func (w *Writer) uploadNew(ctx context.Context, bucket store.Bucket, shard frame.Shard) (*framepb.Receipt, error) {
	receipt, err := w.receiptOf(shard)
	if err == nil {
		err = w.reach("upload")
	}
	if err == nil {
		_, err = w.put(ctx, bucket, shard)
	}
	if err == nil {
		err = w.reach("record")
	}
	if err != nil {
		return nil, err
	}
	return receipt, w.of.ledger.PutNew(ctx, receipt)
}

// put writes the objects of a shard, and returns their names within its path.
func (w *Writer) put(ctx context.Context, bucket store.Bucket, shard frame.Shard) (names []string, err error) {
	if len(shard.Frames) == 0 {
		return nil, nil
	}
	out := store.NewUploads(ctx, bucket, w.of.format.Path(shard.Span))
	defer out.Cancel()
	err = w.of.format.Write(shard, func(name string) (io.WriteCloser, error) {
		if err := w.reach("create"); err != nil {
			return nil, err
		}
		return out.Create(name)
	})
	err = out.Finish(err)
	return out.Names(), err
}

// removeObjects removes objects of a shard that are not of it any more. What else
// somebody keeps at its path stays.
func removeObjects(ctx context.Context, bucket store.Bucket, span frame.Span, path string, names []string) error {
	var paths []string
	for _, name := range names {
		switch {
		case name == "":
			paths = append(paths, path)
		case container.IsMember(span, name):
			paths = append(paths, path+"/"+name)
		}
	}
	return bucket.RemoveAll(ctx, paths)
}
