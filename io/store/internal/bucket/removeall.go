package bucket

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/store"
)

// mostRemoved is how many objects S3 removes in one request.
const mostRemoved = 1000

// RemoveAll is as [store.Bucket] says.
func (b *Bucket) RemoveAll(ctx context.Context, paths []string) error {
	if b.client.RemoveAll != nil && len(paths) > 1 {
		var err error
		if paths, err = b.removeMany(ctx, paths); err != nil {
			return err
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(store.UploadsAtOnce)
	for _, path := range paths {
		group.Go(func() error { return b.Remove(ctx, path) })
	}
	return group.Wait()
}

// removeMany removes many objects in each request. It returns the paths of those that are
// left. A request that removes nothing is the last: the service may not know it.
func (b *Bucket) removeMany(ctx context.Context, paths []string) (left []string, err error) {
	for done := 0; done < len(paths); done += mostRemoved {
		some := paths[done:min(done+mostRemoved, len(paths))]
		kept, err := b.removeSome(ctx, some)
		if err != nil {
			return nil, err
		}
		if len(kept) == len(some) {
			return append(left, paths[done:]...), nil
		}
		left = append(left, kept...)
	}
	return left, nil
}

func (b *Bucket) removeSome(ctx context.Context, paths []string) (left []string, err error) {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	keys := slices.Clone(paths)
	for i := range keys {
		keys[i] = b.key(keys[i])
	}
	if left, err = b.client.RemoveAll(ctx, keys); err != nil {
		return nil, b.fault(ctx, "removing", paths[0], err)
	}
	for i := range left {
		left[i] = strings.TrimPrefix(left[i], b.place.Prefix)
	}
	return left, nil
}
