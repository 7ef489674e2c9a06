package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// attempts bounds how often a step is done again because another process
// removed an empty folder, or what it took for the leftover of a killed writer,
// from under it.
const attempts = 20

// The largest files of a ledger: what is larger is not written, and not read.
//
// A receipt of the most samples that a shard of a dataset may have, 10,000, takes
// 1.4 MB where all are frames with tensors, and 22 MB where all are gaps with causes
// of 1 kB in which every character is escaped: 10 MB remain, 1 kB a sample, for
// labels and longer causes. A request is a series, whose longest texts are an ARN of
// 1,024 characters and a name of 256, and two numbers.
const (
	receiptLimit = 32 << 20
	requestLimit = 64 << 10
)

func limitOf(m proto.Message) int64 {
	if _, ok := m.(*framepb.Request); ok {
		return requestLimit
	}
	return receiptLimit
}

// read reads and checks one file; whatever is wrong with its content is a
// *DamagedError. check may be called more than once.
func (l *Ledger) read(ctx context.Context, path string, m proto.Message, check func() error) error {
	return store.Twice(l.store, func() error { return l.readOnce(ctx, path, m, check) }, isDamaged)
}

func (l *Ledger) readOnce(ctx context.Context, path string, m proto.Message, check func() error) error {
	data, err := l.store.Read(ctx, path, limitOf(m))
	var unfit *store.UnfitError
	if errors.As(err, &unfit) {
		return &DamagedError{Path: path, Err: errors.New("it " + unfit.Problem)}
	}
	if err != nil {
		return err
	}
	err = framepb.DecodeJSON(data, m)
	if err == nil && check != nil {
		err = check()
	}
	if err != nil {
		return &DamagedError{Path: path, Err: err}
	}
	return nil
}

// write makes the file path hold m, whole or not at all. What is being written
// stands in tmp, under the span's name.
func (l *Ledger) write(ctx context.Context, span frame.Span, path string, m proto.Message) error {
	data, err := encode(path, m)
	if err != nil {
		return err
	}
	return l.writeData(ctx, span, path, data, renameLocked)
}

// make is write for a receipt of a shard that has none yet, as far as names tell. Where it has
// one, that stays.
func (l *Ledger) make(ctx context.Context, span frame.Span, path string, m proto.Message) error {
	data, err := encode(path, m)
	if err != nil {
		return err
	}
	if bucket, ok := l.store.(interface {
		Make(ctx context.Context, path string, data []byte) error
	}); ok {
		if has, err := l.hasReceipt(ctx, span); has || err != nil {
			return err
		}
		return bucket.Make(ctx, path, data)
	}
	move := func(from, to string) error {
		defer disk.Lock(filepath.Dir(to))()
		has, err := l.hasReceipt(ctx, span) // once more: it has taken a while to flush what was written
		if has || err != nil {
			return errors.Join(err, disk.Remove(from))
		}
		return linkNew(from, to)
	}
	return l.publish(span, path, func(temp string) error { return disk.Write(temp, data) }, move)
}

func (l *Ledger) hasReceipt(ctx context.Context, span frame.Span) (bool, error) {
	known, err := l.Known(ctx, span)
	return known.Complete || known.Failed || !known.Void && len(known.Sealed) > 0, err
}

// linkNew is a rename to a name that stays what it is where there is a file of it.
func linkNew(from, to string) error {
	err := disk.Link(from, to)
	if err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) { // there are no links
		if disk.Exists(to) {
			return disk.Remove(from)
		}
		return disk.Rename(from, to)
	}
	if err == nil || errors.Is(err, fs.ErrExist) {
		err = disk.Remove(from)
	}
	return err
}

func encode(path string, m proto.Message) ([]byte, error) {
	data, err := framepb.EncodeJSON(m)
	if err != nil {
		return nil, err
	}
	if limit := limitOf(m); int64(len(data)) > limit {
		return nil, fmt.Errorf("%s takes %d bytes, it must be at most %d: make shards of fewer samples, or labels shorter",
			path, len(data), limit)
	}
	return data, nil
}

// renameLocked keeps to the lock of [Ledger.RemoveLoose].
func renameLocked(from, to string) error {
	defer disk.Lock(filepath.Dir(to))()
	return disk.Rename(from, to)
}

// writeData is write for a file that is no message.
func (l *Ledger) writeData(ctx context.Context, span frame.Span, path string, data []byte,
	move func(from, to string) error,
) error {
	if bucket, ok := l.store.(interface {
		Put(ctx context.Context, path string, data []byte) error
	}); ok {
		return bucket.Put(ctx, path, data)
	}
	return l.publish(span, path, func(temp string) error { return disk.Write(temp, data) }, move)
}

// publish gives the file that create makes its path, by move, and makes the folder that it is in.
func (l *Ledger) publish(span frame.Span, path string, create func(temp string) error,
	move func(from, to string) error,
) error {
	err := disk.CheckParents(l.dir, path)
	if err != nil {
		return err
	}
	target := filepath.Join(l.dir, path)
	for range attempts {
		if err = l.replace(span, target, create, move); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := disk.MkdirAll(filepath.Dir(target)); err != nil {
			return err
		}
	}
	return err
}

func (l *Ledger) replace(span frame.Span, target string, create func(temp string) error,
	move func(from, to string) error,
) error {
	temp, err := l.Temp(span, create)
	if err != nil {
		return err
	}
	if err = l.reach("rename"); err == nil {
		err = move(temp, target)
	}
	if err != nil {
		disk.Remove(temp)
		return err
	}
	return disk.FlushNames(l.dir, target)
}

// Flush flushes to the disk which receipts there are of a series: also those that another
// process has removed, or has put in the place of others. In a bucket there is nothing to do.
func (l *Ledger) Flush(series frame.Series) error { return l.flush(series.ID()) }

func (l *Ledger) flush(id string) error {
	if l.dir == "" {
		return nil
	}
	for _, folder := range []string{"sealed", "ledger"} {
		if err := disk.FlushNames(l.dir, filepath.Join(l.dir, folder, id, "receipt")); err != nil {
			return err
		}
	}
	return nil
}

// Temp returns a new path, on the file system of the ledger, where create has
// made a file or a folder for what is being written of a shard; nothing is there
// where create fails. Its writer renames it to where it belongs, or removes it;
// whoever completes the same shard later does it for a writer that was killed.
//
// The folder that it is in stays until [Ledger.Sweep]: to a file system, making
// folders is what costs most.
func (l *Ledger) Temp(span frame.Span, create func(path string) error) (path string, err error) {
	return store.Folder(l.dir).Temp(tempName(span), create)
}

// clear removes what other writers of a shard left in tmp. One of them may
// still be alive: each folder is taken away in one step, so that such a writer
// fails at its next file and never publishes a part.
func (l *Ledger) clear(span frame.Span) error {
	if l.dir == "" {
		return nil // in a bucket what is being written is not there yet
	}
	of := tempName(span)
	return disk.Sweep(l.tmp(), func(name string, _ fs.DirEntry) bool { return name == of })
}

// Sweep removes from tmp what belongs to shards that are complete, or is older
// than age: the leftovers of killed writers. A writer of a complete shard that is
// still alive tries again, and finds it complete. Whatever has no name of [Temp]
// stays, and so does what is behind a link. It removes tmp where that leaves
// nothing. Call it when a dataset is opened for writing and when a job has
// ended; other shards' leftovers go when the shards are completed.
func (l *Ledger) Sweep(ctx context.Context, age time.Duration) error {
	if l.dir == "" {
		return nil
	}
	_, ids, err := l.store.List(ctx, "ledger")
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	whole := make(map[string]string)
	for _, id := range ids {
		whole[tempID(id)] = id
	}
	before := time.Now().Add(-age)
	err = disk.Sweep(l.tmp(), func(name string, entry fs.DirEntry) bool {
		id, span, _ := strings.Cut(name, ".")
		if _, _, failed, ok := splitName(span + ".json"); !ok || failed || !endsInHash.MatchString(id) {
			return false
		}
		_, absent := os.Lstat(filepath.Join(l.dir, "ledger", whole[id], span+".json"))
		info, err := entry.Info()
		return err == nil && (absent == nil || info.ModTime().Before(before))
	})
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	disk.Rmdir(l.tmp()) // unlike a removal, it leaves a link alone
	return nil
}

func (l *Ledger) tmp() string { return filepath.Join(l.dir, "tmp") }

// tempName is what the names of all that is being written of a span are made of.
// Neither a series' ID nor a span's name holds a dot.
func tempName(span frame.Span) string { return tempID(span.Series.ID()) + "." + span.Name() }

// endsInHash recognizes a series' ID, also where tempID has cut it.
var endsInHash = regexp.MustCompile(`_[0-9a-f]{12}$`)

// tempID cuts long IDs, but for the hash at their end: what follows them in tmp
// is longer than in other folders, and file systems give a name 255 bytes.
func tempID(id string) string { return id[max(0, len(id)-150):] }
