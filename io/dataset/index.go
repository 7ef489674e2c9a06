package dataset

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// indexGlob is what readers of the index read.
const indexGlob = "index/*/*.parquet"

// Readers open what they have listed, maybe seconds ago. So what they list keeps its name: each
// block has one file in the index, which is replaced whole when files of sealed receipts have
// come, before those go that they take the place of. The index is not asked for anything: it
// can be made of the sealed receipts at any time.

// index makes the file of a block in the index what its sealed receipts say, but for those of
// files that are about to go. data is what some files have, to save reading them.
//
// It ends when no other process has sealed receipts of the block since they were listed: who
// writes last has listed what the others have sealed.
func (d *Dataset) index(ctx context.Context, block frame.Span, going []ledger.Entry, data map[ledger.Entry][]byte) error {
	if err := d.checkWay(ledger.IndexPath(block)); err != nil {
		return err
	}
	defer d.ledger.LockIndex(block.Series)()
	var indexed []ledger.Entry
	for try := range sealTries {
		files, err := d.ledger.SealedIn(ctx, block)
		if err != nil {
			return err
		}
		files = slices.DeleteFunc(files, func(e ledger.Entry) bool { return slices.Contains(going, e) })
		if try > 0 && slices.Equal(files, indexed) {
			return nil
		}
		if err := d.indexFiles(ctx, block, files, data); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		} else if err == nil {
			indexed = files
		}
	}
	return fmt.Errorf("indexing %v: its receipts change too often", block)
}

func (d *Dataset) indexFiles(ctx context.Context, block frame.Span, files []ledger.Entry,
	data map[ledger.Entry][]byte,
) error {
	if len(files) == 0 {
		return d.ledger.RemoveIndex(ctx, block)
	}
	if len(files) == 1 {
		if done, err := d.ledger.LinkIndex(block, files[0]); done || err != nil {
			return err
		}
	}
	rows, err := d.indexOf(ctx, files, data)
	if err != nil || rows == nil {
		return err
	}
	return d.ledger.PutIndex(ctx, block, rows)
}

// sealedLimit is more than a file of sealed receipts takes.
const sealedLimit = 1 << 30

// indexOf returns what the index has of files of sealed receipts of one block: what the file
// has, or the rows of all files; nil where they are damaged, for Verify to tell.
func (d *Dataset) indexOf(ctx context.Context, files []ledger.Entry, data map[ledger.Entry][]byte) ([]byte, error) {
	if len(files) == 1 {
		if data := data[files[0]]; data != nil {
			return data, nil
		}
		return d.store.Read(ctx, files[0].Path(), sealedLimit)
	}
	s := &sealing{Dataset: d, chosen: make(map[shardKey]chosen)}
	if err := s.read(ctx, ledger.Files{Sealed: files}); err != nil {
		return nil, err
	}
	var receipts []*framepb.Receipt
	for _, c := range s.chosen {
		receipts = append(receipts, c.receipt)
	}
	if len(receipts) == 0 {
		return nil, nil
	}
	slices.SortFunc(receipts, func(a, b *framepb.Receipt) int { return a.Span().Compare(b.Span()) })
	var rows bytes.Buffer
	if err := sealed.WriteRows(&rows, d.format, receipts); err != nil {
		return nil, fmt.Errorf("indexing %v: %w", files[0].Span, err)
	}
	return rows.Bytes(), nil
}

// blocksIn lists the blocks of files of sealed receipts, in time order, and their files.
func (d *Dataset) blocksIn(files []ledger.Entry) (blocks []frame.Span, of map[frame.Span][]ledger.Entry) {
	of = make(map[frame.Span][]ledger.Entry)
	for _, file := range files {
		block := ledger.BlockOf(file.Span, int(d.desc.ShardSamples))
		if of[block] == nil {
			blocks = append(blocks, block)
		}
		of[block] = append(of[block], file)
	}
	slices.SortFunc(blocks, frame.Span.Compare)
	return blocks, of
}

// indexAll gives each block that has sealed receipts its file in the index, and removes files of
// other blocks.
func (d *Dataset) indexAll(ctx context.Context, all []ledger.Survey) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(bucketReaders)
	for _, survey := range all {
		group.Go(func() error {
			have, err := d.ledger.Indexed(ctx, survey.Series)
			if err != nil {
				return err
			}
			if err := d.checkSize(ledger.Files{}, have); err != nil {
				return err
			}
			want, files := d.blocksIn(survey.Files.Sealed)
			for _, block := range notInBoth(want, have) {
				if err := d.index(ctx, block, nil, nil); err != nil {
					return err
				}
			}
			for _, block := range want {
				if len(files[block]) == 1 && slices.Contains(have, block) && d.isOther(block, files[block][0]) {
					if err := d.reindex(ctx, block); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// isOther reports whether, in a folder, the file of a block in the index is not the sealed one
// that it would be linked to, nor as long: a look at names alone is all that this may cost.
func (d *Dataset) isOther(block frame.Span, file ledger.Entry) bool {
	if d.folder == "" || d.ledger.IsLinked(block, file) {
		return false
	}
	size := func(path string) int64 {
		info, err := os.Stat(filepath.Join(d.folder, filepath.FromSlash(path)))
		if err != nil || !info.Mode().IsRegular() {
			return -1
		}
		return info.Size()
	}
	return size(ledger.IndexPath(block)) != size(file.Path())
}

// notInBoth returns the spans that are in one of two lists alone.
func notInBoth(a, b []frame.Span) (some []frame.Span) {
	for _, lists := range [][2][]frame.Span{{a, b}, {b, a}} {
		for _, span := range lists[0] {
			if !slices.Contains(lists[1], span) {
				some = append(some, span)
			}
		}
	}
	return some
}
