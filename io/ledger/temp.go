package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// attempts bounds how often a step is done again because another process
// removed an empty folder, or what it took for the leftover of a killed writer,
// from under it.
const attempts = 20

// oldSuffix marks what is about to be removed.
const oldSuffix = ".old"

// read reads and checks one file; whatever is wrong with its content is a
// *DamagedError.
func (l *Ledger) read(path string, m proto.Message, check func() error) error {
	data, err := l.store.Read(l.ctx, path)
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
func (l *Ledger) write(span framepb.Span, path string, m proto.Message) error {
	data, err := framepb.EncodeJSON(m)
	if err != nil {
		return err
	}
	if store, ok := l.store.(interface {
		Put(ctx context.Context, path string, data []byte) error
	}); ok {
		return store.Put(l.ctx, path, data)
	}
	target := filepath.Join(l.dir, path)
	for range attempts {
		if err = l.replace(span, target, data); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return err
		}
	}
	return err
}

func (l *Ledger) replace(span framepb.Span, target string, data []byte) error {
	temp, err := l.Temp(span, func(path string) error { return os.WriteFile(path, data, 0o666) })
	if err != nil {
		return err
	}
	if err = l.reach("rename"); err == nil {
		err = os.Rename(temp, target)
	}
	if err != nil {
		os.Remove(temp)
	}
	return err
}

// Temp returns a new path, on the file system of the ledger, where create has
// made a file or a folder for what is being written of a shard; nothing is there
// where create fails. Its writer renames it to where it belongs, or removes it;
// whoever completes the same shard later does it for a writer that was killed.
//
// The folder that it is in stays until [Ledger.Sweep]: to a file system, making
// folders is what costs most.
func (l *Ledger) Temp(span framepb.Span, create func(path string) error) (path string, err error) {
	path = filepath.Join(l.tmp(), tempPrefix(span)+rand.Text())
	err = create(path)
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < attempts; try++ {
		// That it exists is said also where it was removed a moment later.
		if err = os.MkdirAll(l.tmp(), 0o777); err == nil || errors.Is(err, fs.ErrExist) {
			err = create(path)
		}
	}
	if err != nil {
		os.RemoveAll(path)
		return "", err
	}
	return path, nil
}

// clear removes what other writers of a shard left in tmp. One of them may
// still be alive: each folder is taken away in one step, so that such a writer
// fails at its next file and never publishes a part.
func (l *Ledger) clear(span framepb.Span) error {
	names, err := l.leftovers()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, tempPrefix(span)) {
			takeAway(filepath.Join(l.tmp(), name))
		}
	}
	return nil
}

// Sweep removes from tmp what belongs to shards that are complete, or is older
// than age: the leftovers of killed writers. It removes tmp where that leaves
// nothing. Call it when a dataset is opened for writing and when a job has
// ended; other shards' leftovers go when the shards are completed.
func (l *Ledger) Sweep(age time.Duration) error {
	if l.dir == "" {
		return nil
	}
	names, err := l.leftovers()
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	_, ids, err := l.store.List(l.ctx, "ledger")
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	whole := make(map[string]string)
	for _, id := range ids {
		whole[tempID(id)] = id
	}
	before := time.Now().Add(-age)
	for _, name := range names {
		id, rest, _ := strings.Cut(name, ".")
		span, _, _ := strings.Cut(rest, ".")
		_, absent := os.Lstat(filepath.Join(l.dir, "ledger", whole[id], span+".json"))
		path := filepath.Join(l.tmp(), name)
		if info, err := os.Lstat(path); err == nil && (absent == nil || info.ModTime().Before(before)) {
			takeAway(path)
		}
	}
	os.Remove(l.tmp())
	return nil
}

// takeAway removes a file or folder as one step to whoever writes in it.
// Leftovers are not worth an error: the next writer tries again.
func takeAway(path string) {
	if !strings.HasSuffix(path, oldSuffix) && os.Rename(path, path+oldSuffix) == nil {
		path += oldSuffix
	}
	os.RemoveAll(path)
}

// leftovers lists what stands in tmp. In a bucket nothing ever does: an object
// that is being written is not there yet.
func (l *Ledger) leftovers() ([]string, error) {
	if l.dir == "" {
		return nil, nil
	}
	files, folders, err := l.store.List(l.ctx, "tmp")
	return append(files, folders...), err
}

func (l *Ledger) tmp() string { return filepath.Join(l.dir, "tmp") }

// tempPrefix is how the names of all that is being written of a span begin.
// Neither a series' ID nor a span's name holds a dot.
func tempPrefix(span framepb.Span) string { return tempID(span.Series.ID()) + "." + span.Name() + "." }

// tempID cuts long IDs, but for the hash at their end: what follows them in tmp
// is longer than in other folders, and file systems give a name 255 bytes.
func tempID(id string) string { return id[max(0, len(id)-150):] }
