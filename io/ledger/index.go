package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/disk"
)

// IndexPath returns where readers find what the sealed receipts of a block say, see [BlockOf]:
// under one name, whatever files of sealed receipts the block has.
func IndexPath(block frame.Span) string {
	return path.Join("index", block.Series.ID(), block.Name()+sealedSuffix)
}

// parseIndexName reads the name of a file of the index.
func parseIndexName(series frame.Series, name string) (block frame.Span, ok bool) {
	stem, ok := strings.CutSuffix(name, sealedSuffix)
	entry, isSpan := parseName(series, stem+looseSuffix)
	return entry.Span, ok && isSpan && !entry.Failed && entry.Span.Samples <= SealedSamples
}

// Indexed lists the blocks of a series that have a file in the index, in time order.
func (l *Ledger) Indexed(ctx context.Context, series frame.Series) (blocks []frame.Span, err error) {
	names, _, err := l.store.List(ctx, path.Join("index", series.ID()))
	if err != nil {
		return nil, fmt.Errorf("listing the index of %s: %w", series.StreamName, err)
	}
	for _, name := range names { // in the order of names, which is that of time
		if block, ok := parseIndexName(series, name); ok {
			blocks = append(blocks, block)
		}
	}
	return blocks, nil
}

// PutIndex makes the file of a block in the index hold data, whole or not at all. Who has
// opened the file before goes on reading what it was.
func (l *Ledger) PutIndex(ctx context.Context, block frame.Span, data []byte) error {
	err := l.reach("index")
	if err == nil {
		err = l.writeData(ctx, block, IndexPath(block), data, disk.Rename)
	}
	if err == nil {
		err = l.clear(block)
	}
	return indexing(block, err)
}

// LinkIndex is [Ledger.PutIndex] of what a file of sealed receipts has, which takes no room. It
// reports whether the ledger is in a folder whose file system can do that.
func (l *Ledger) LinkIndex(block frame.Span, file Entry) (bool, error) {
	if l.dir == "" {
		return false, nil
	}
	if err := l.reach("index"); err != nil {
		return false, indexing(block, err)
	}
	if l.IsLinked(block, file) { // who made it may have been killed before it was flushed
		return true, indexing(block, disk.FlushNames(l.dir, filepath.Join(l.dir, IndexPath(block))))
	}
	from := filepath.Join(l.dir, file.Path())
	link := func(temp string) error { return disk.Link(from, temp) }
	err := l.publish(block, IndexPath(block), link, disk.Rename)
	var failed *os.LinkError
	if errors.As(err, &failed) && failed.Op == "link" && disk.OrNone(err) != nil {
		return false, nil
	}
	if err == nil {
		err = l.clear(block)
	}
	return true, indexing(block, err)
}

// IsLinked reports whether [Ledger.LinkIndex] has made the file of a block, of that file. To rename
// one of two such names to the other changes nothing.
func (l *Ledger) IsLinked(block frame.Span, file Entry) bool {
	if l.dir == "" {
		return false
	}
	one, err := os.Lstat(filepath.Join(l.dir, file.Path()))
	if err != nil {
		return false
	}
	other, err := os.Lstat(filepath.Join(l.dir, IndexPath(block)))
	return err == nil && os.SameFile(one, other)
}

// RemoveIndex removes the file of a block from the index.
func (l *Ledger) RemoveIndex(ctx context.Context, block frame.Span) error {
	err := l.remove(ctx, IndexPath(block))
	if err == nil && l.dir != "" {
		err = disk.FlushNames(l.dir, filepath.Join(l.dir, IndexPath(block)))
	}
	return indexing(block, err)
}

func indexing(block frame.Span, err error) error {
	if err != nil {
		return fmt.Errorf("indexing %v: %w", block, err)
	}
	return nil
}

// LockIndex keeps other processes from changing the index of a series until unlock is called,
// where a file system can do that: who does not know what another one has just sealed would
// else take it away from readers, for a moment.
func (l *Ledger) LockIndex(series frame.Series) (unlock func()) {
	if l.dir == "" {
		return func() {}
	}
	return disk.Lock(filepath.Join(l.dir, "index", series.ID()))
}
