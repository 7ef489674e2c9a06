package dataset

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

func init() {
	open := func(file store.File) (ledger.SealedFile, error) { return sealed.Open(file) }
	ledger.RegisterSealed(open, sealed.Digest)
}

// blocksAtOnce bounds how many blocks are sealed at once in a process: each holds up to
// [ledger.SealedSamples] samples.
const blocksAtOnce = 2

// seal seals all blocks that have something to seal, lists their series anew, and has all blocks
// in the index.
func (d *Dataset) seal(ctx context.Context, all []ledger.Survey, progress func(done, total int64)) error {
	var mu sync.Mutex
	var done, total int64
	blocks := make([][]looseBlock, len(all))
	for i := range all {
		blocks[i] = d.blocksOf(all[i].Files)
		for _, block := range blocks[i] {
			total += block.loose
		}
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(blocksAtOnce)
	for _, blocks := range blocks {
		for _, block := range blocks {
			group.Go(func() error {
				if err := d.sealBlock(groupCtx, block.Span); err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				if done += block.loose; progress != nil {
					progress(done, total)
				}
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i := range all {
		if len(blocks[i]) == 0 {
			continue
		}
		var err error
		if all[i].Files, err = d.ledger.Files(ctx, all[i].Series); err != nil {
			return err
		}
	}
	return d.indexAll(ctx, all)
}

// sealTries bounds how often a block is sealed again because another process changed it.
const sealTries = 10

// sealBlock folds the receipts of a block into as few files as hold them, each a run of
// shards that follow each other: the complete ones, and those with FAILED gaps. It adds
// before it removes, so that whoever reads finds each receipt at any time, and a kill loses
// none. Two processes that seal the same block at once may leave files that overlap, which
// the next one mends.
//
// A receipt that is damaged stays where it is, for Verify to tell.
func (d *Dataset) sealBlock(ctx context.Context, block frame.Span) error {
	for try := range sealTries {
		files, err := d.ledger.FilesIn(ctx, block)
		if err != nil {
			return err
		}
		again, err := d.sealFiles(ctx, block, files, try > 0)
		if err != nil || !again {
			return err
		}
	}
	return fmt.Errorf("sealing the receipts of %v: they change too often", block)
}

// sealFiles seals what was listed. It reports whether the list proved out of date. restored says that
// what the index has was sealed already, if it was to be.
func (d *Dataset) sealFiles(ctx context.Context, block frame.Span, files ledger.Files, restored bool) (
	again bool, err error,
) {
	if len(files.Loose)+len(files.Void) == 0 && areApart(files.Sealed) {
		return false, nil
	}
	s := &sealing{Dataset: d, chosen: make(map[shardKey]chosen), written: make(map[ledger.Entry][]byte)}
	if err := s.read(ctx, files); err != nil {
		return errors.Is(err, fs.ErrNotExist), notGone(err)
	}
	if s.damaged && !restored { // before the file of the index is replaced, which may still have what it said
		if done, err := d.sealIndexed(ctx, block); done || err != nil {
			return true, err
		}
	}
	// What was replaced or taken away while it was read must not come back.
	if now, err := d.ledger.FilesIn(ctx, block); err != nil || !now.Has(files) {
		return true, err
	}
	targets, err := s.write(ctx, files.Sealed)
	if err != nil {
		return false, err
	}
	old := ledger.Files{Void: files.Void}
	if old.Loose, err = s.unchanged(ctx); err != nil {
		return false, err
	}
	for _, file := range s.sealed {
		if !slices.Contains(targets, file) {
			old.Sealed = append(old.Sealed, file)
		}
	}
	if err := d.index(ctx, block, old.Sealed, s.written); err != nil {
		return false, err
	}
	return len(old.Loose) < len(s.loose), d.ledger.RemoveFiles(ctx, old)
}

// unchanged returns the loose receipts that still are what was read: where another process has
// written a shard meanwhile, what it has recorded must stay. Complete ones in a bucket are not
// read a second time, which would cost a request a shard: only a second look replaces them.
func (s *sealing) unchanged(ctx context.Context) (same []ledger.Entry, err error) {
	changed := make([]bool, len(s.loose))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(bucketReaders)
	for i, entry := range s.loose {
		if s.folder == "" && !entry.Failed {
			continue
		}
		group.Go(func() error {
			now, err := s.ledger.Read(groupCtx, entry)
			changed[i] = !proto.Equal(now, s.looseReceipts[i])
			return notGone(notDamaged(err))
		})
	}
	err = group.Wait()
	for i, entry := range s.loose {
		if !changed[i] {
			same = append(same, entry)
		}
	}
	return same, err
}

func notGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// looseBlock is a block that has something to seal.
type looseBlock struct {
	frame.Span
	loose int64 // receipts
}

// blocksOf lists the blocks of files that have something to seal.
func (d *Dataset) blocksOf(files ledger.Files) (blocks []looseBlock) {
	counts := make(map[frame.Span]int64)
	n := int(d.desc.ShardSamples)
	for _, entry := range files.Loose {
		counts[ledger.BlockOf(entry.Span, n)]++
	}
	for _, span := range files.Void {
		counts[ledger.BlockOf(span, n)] += 0
	}
	_, sealed := d.blocksIn(files.Sealed)
	for block, files := range sealed {
		if !areApart(files) {
			counts[block] += 0
		}
	}
	for block, loose := range counts {
		blocks = append(blocks, looseBlock{block, loose})
	}
	slices.SortFunc(blocks, func(a, b looseBlock) int { return a.Compare(b.Span) })
	return blocks
}

// areApart reports whether files of sealed receipts are as sealing leaves them.
func areApart(files []ledger.Entry) bool {
	end := make(map[bool]int64)
	for _, file := range files {
		if last, ok := end[file.Failed]; ok && file.Span.First <= last {
			return false
		}
		end[file.Failed] = file.Span.End()
	}
	return true
}

// sealing is what is read of a block.
type sealing struct {
	*Dataset
	chosen map[shardKey]chosen
	loose  []ledger.Entry // that were read, and what they said
	sealed []ledger.Entry // files that were read

	damaged bool // a file of sealed receipts is

	looseReceipts []*framepb.Receipt

	written map[ledger.Entry][]byte // files
}

type shardKey struct{ first, samples int64 }

// chosen is the receipt of a shard that is sealed.
type chosen struct {
	entry   ledger.Entry
	receipt *framepb.Receipt
}

// read reads all receipts, and chooses one a shard: as [ledger.Claims] does.
func (s *sealing) read(ctx context.Context, files ledger.Files) error {
	loose := make([]*framepb.Receipt, len(files.Loose))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(bucketReaders)
	for i, entry := range files.Loose {
		group.Go(func() (err error) {
			loose[i], err = s.ledger.Read(groupCtx, entry)
			if err == nil && s.isForeign(loose[i]) {
				loose[i] = nil
			}
			return notDamaged(err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, entry := range files.Loose {
		if loose[i] != nil {
			s.loose, s.looseReceipts = append(s.loose, entry), append(s.looseReceipts, loose[i])
			if err := s.choose(ctx, entry, loose[i]); err != nil {
				return err
			}
		}
	}
	for _, file := range files.Sealed {
		receipts, err := s.ledger.Receipts(ctx, file)
		if err != nil {
			if notDamaged(err) != nil {
				return err
			}
			s.damaged = true
			continue
		}
		s.sealed = append(s.sealed, file)
		for _, receipt := range receipts {
			entry := file
			if entry.Span = receipt.Span(); slices.Contains(files.Void, entry.Span) {
				continue
			}
			if err := s.choose(ctx, entry, receipt); err != nil {
				return err
			}
		}
	}
	return nil
}

// isForeign reports whether no writer of the dataset can have made a receipt: it stays, for
// Verify to tell.
func (d *Dataset) isForeign(receipt *framepb.Receipt) bool {
	return cmp.Or(d.format.Check(receipt), checkPath(d.format, receipt), checkTransforms(d.desc, receipt)) != nil
}

func notDamaged(err error) error {
	var damaged *ledger.DamagedError
	if errors.As(err, &damaged) {
		return nil
	}
	return err
}

// choose takes the receipt of a shard, unless one that counts before it is there.
func (s *sealing) choose(ctx context.Context, entry ledger.Entry, receipt *framepb.Receipt) error {
	key := shardKey{entry.Span.First, entry.Span.Samples}
	have, ok := s.chosen[key]
	switch {
	case !ok || have.entry.Failed && !entry.Failed:
	case have.entry.Failed != entry.Failed || proto.Equal(have.receipt, receipt),
		have.entry.Sealed == "" && !entry.Failed:
		return nil
	default:
		// A process that was slow has sealed what another one had replaced: the shard's file
		// tells which of the two is right. Of two that differ in gaps alone, the one that has found
		// out more is younger.
		there := &stored{ctx: ctx, store: s.store, path: s.format.Path(entry.Span)}
		if !there.holds(s.format, receipt) ||
			failedSamples(receipt) >= failedSamples(have.receipt) && there.holds(s.format, have.receipt) {
			return ctx.Err()
		}
	}
	s.chosen[key] = chosen{entry, receipt}
	return nil
}

// write writes the files of sealed receipts that are not there yet, and returns all that
// are to be.
func (s *sealing) write(ctx context.Context, there []ledger.Entry) (targets []ledger.Entry, err error) {
	for _, failed := range []bool{false, true} {
		for _, run := range s.runs(failed) {
			file := ledger.SealedEntry(spanOf(run), failed, sealed.Digest(run))
			targets = append(targets, file)
			if slices.Contains(there, file) {
				continue
			}
			if s.written[file], err = s.putSealed(ctx, file, run); err != nil {
				return nil, err
			}
		}
	}
	return targets, nil
}

// putSealed writes a file of sealed receipts, and returns what it has.
func (d *Dataset) putSealed(ctx context.Context, file ledger.Entry, receipts []*framepb.Receipt) ([]byte, error) {
	var data bytes.Buffer
	if err := sealed.Write(&data, d.format, receipts); err != nil {
		return nil, fmt.Errorf("sealing the receipts of %v: %w", file.Span, err)
	}
	return data.Bytes(), d.ledger.PutSealed(ctx, file, data.Bytes())
}

// runs returns the chosen receipts of shards that follow each other. One that overlaps
// another is in another run.
func (s *sealing) runs(failed bool) (runs [][]*framepb.Receipt) {
	var all []*framepb.Receipt
	for _, c := range s.chosen {
		if c.entry.Failed == failed {
			all = append(all, c.receipt)
		}
	}
	slices.SortFunc(all, func(a, b *framepb.Receipt) int { return a.Span().Compare(b.Span()) })
	for _, receipt := range all {
		follows := func(run []*framepb.Receipt) bool { return spanOf(run).End() == receipt.First }
		if i := slices.IndexFunc(runs, follows); i >= 0 {
			runs[i] = append(runs[i], receipt)
		} else {
			runs = append(runs, []*framepb.Receipt{receipt})
		}
	}
	return runs
}

// spanOf returns the samples of shards that follow each other.
func spanOf(run []*framepb.Receipt) frame.Span {
	span := run[0].Span()
	return span.Slice(span.First, run[len(run)-1].Span().End())
}
