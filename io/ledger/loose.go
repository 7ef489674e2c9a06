package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
)

// RemoveLoose removes loose receipts of a series, of which was is what they said when they were
// sealed. One that another process has written anew since then says more, and stays: the first
// result is how many there are of these. It begins with a flush, as [Ledger.RemoveFiles] does.
//
// Complete ones in a bucket are not read a second time, which would cost a request a shard: only a
// second look replaces them.
func (l *Ledger) RemoveLoose(ctx context.Context, entries []Entry, was []*framepb.Receipt) (left int, err error) {
	if len(entries) == 0 {
		return 0, nil
	}
	if l.dir == "" {
		left, err = l.removeLooseObjects(ctx, entries, was)
	} else {
		left, err = l.removeLooseFiles(ctx, entries, was)
	}
	if err != nil {
		return 0, fmt.Errorf("removing receipts that are sealed: %w", err)
	}
	return left, nil
}

func (l *Ledger) removeLooseObjects(ctx context.Context, entries []Entry, was []*framepb.Receipt) (int, error) {
	gone := make([]string, len(entries))
	err := each(len(entries), func(i int) error {
		same, err := true, error(nil)
		if entries[i].Failed {
			same, err = l.says(ctx, entries[i], was[i])
		}
		if same {
			gone[i] = entries[i].Path()
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	paths := slices.DeleteFunc(gone, func(path string) bool { return path == "" })
	return len(entries) - len(paths), l.removeAll(ctx, paths)
}

func (l *Ledger) removeLooseFiles(ctx context.Context, entries []Entry, was []*framepb.Receipt) (int, error) {
	series := entries[0].Span.Series
	if err := l.Flush(series); err != nil {
		return 0, err
	}
	defer l.lockLoose(series)()
	var left atomic.Int64
	err := each(len(entries), func(i int) error {
		if err := l.reach("remove"); err != nil {
			return err
		}
		same, err := l.says(ctx, entries[i], was[i])
		if !same {
			left.Add(1)
			return err
		}
		return disk.OrNone(disk.RemoveOwn(l.dir, entries[i].Path()))
	})
	return int(left.Load()), err
}

// says reports whether a loose receipt is there and still what it was.
func (l *Ledger) says(ctx context.Context, entry Entry, was *framepb.Receipt) (bool, error) {
	now, err := l.Read(ctx, entry)
	if isDamaged(err) || errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return proto.Equal(now, was), err
}

// lockLoose keeps other processes from writing loose receipts of a series until unlock is called,
// where a file system can do that: one that is written between the look at it and its
// removal would be lost.
func (l *Ledger) lockLoose(series frame.Series) (unlock func()) {
	return disk.Lock(filepath.Join(l.dir, "ledger", series.ID()))
}
