package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// catalogFile is what the sealed files come to, so that a card costs no look at those
// that were counted before: their names change with what they say. Whatever is wrong with it
// is counted anew, and Verify never asks it.
const catalogFile = "catalog.json"

// catalogLimit is more than the catalog of a million files takes.
const catalogLimit = 1 << 30

// catalog is counts of files of sealed receipts, by path.
type catalog map[string]*fileCount

// readCatalog returns the catalog of a dataset, or an empty one, and what its file holds.
// Damage is what is wrong with that.
func (d *Dataset) readCatalog(ctx context.Context) (counts catalog, data []byte, damage, err error) {
	err = store.Twice(d.store, func() (err error) {
		counts, damage = make(catalog), nil
		if data, err = d.store.Read(ctx, catalogFile, catalogLimit); err != nil {
			return err
		}
		var object []byte
		if object, damage = framepb.CutChecksum(data); damage == nil {
			damage = json.Unmarshal(object, &counts)
		}
		maps.DeleteFunc(counts, func(_ string, c *fileCount) bool { return c != nil && c.isOld() })
		return damage
	}, func(err error) bool { return err == damage })
	switch {
	case damage != nil || isNoFile(err):
		return make(catalog), data, cmp.Or(damage, err), nil
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	return counts, data, nil, err
}

// fill reads the counts of files that the catalog does not know, many at once, and of those that
// have not the size any more that they had when they were counted. Those that are damaged have no
// count. sizes are of the files below sealed.
func (c catalog) fill(ctx context.Context, l *ledger.Ledger, files []ledger.Entry, sizes map[string]int64) error {
	sizeOf := func(file ledger.Entry) int64 { return sizes[strings.TrimPrefix(file.Path(), "sealed/")] }
	files = slices.DeleteFunc(files, func(file ledger.Entry) bool {
		count := c[file.Path()]
		return count != nil && count.Size == sizeOf(file)
	})
	counts := make([]*fileCount, len(files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bucketReaders)
	for i, file := range files {
		group.Go(func() (err error) {
			if counts[i], err = countFile(ctx, l, file); counts[i] != nil {
				counts[i].Size = sizeOf(file)
			}
			return err
		})
	}
	err := group.Wait()
	for i, file := range files {
		c[file.Path()] = counts[i]
	}
	return err
}

// countFile counts by the footer of a file. It returns nil for one that is damaged, and counts
// nothing for one that has gone.
func countFile(ctx context.Context, l *ledger.Ledger, file ledger.Entry) (*fileCount, error) {
	tables, err := l.Tables(ctx, file)
	if err != nil && notDamaged(err) == nil {
		return nil, nil
	}
	if err != nil {
		return new(fileCount), notGone(err)
	}
	count := new(fileCount)
	var stretches []ledger.Stretch
	for _, table := range tables {
		count.Shards++
		count.Bytes += table.Bytes
		count.add(table, table.Span())
		stretches = append(stretches, ledger.StretchesIn(table, table.Span())...)
	}
	count.keepStretches(stretches, file.Span)
	return count, nil
}

// keep writes the catalog of what was counted, where it is another one than before.
func (c *cataloger) keep(ctx context.Context) error {
	now := make(catalog, len(c.counted))
	for _, file := range c.counted {
		if count := c.catalog[file.Path()]; count != nil {
			now[file.Path()] = count
		}
	}
	object, err := json.Marshal(now)
	if err != nil {
		return err
	}
	data := framepb.AppendChecksum(append(object, '\n'))
	if bytes.Equal(data, c.had) {
		return nil
	}
	return store.WriteFile(ctx, c.store, catalogFile, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}
