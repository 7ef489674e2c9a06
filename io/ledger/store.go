package ledger

import (
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
	data, err := os.ReadFile(filepath.Join(l.dir, path))
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
	temp, discard, err := l.Temp(span)
	if err != nil {
		return err
	}
	defer discard()
	file := filepath.Join(temp, "json")
	if err := os.WriteFile(file, data, 0o666); err != nil {
		return err
	}
	if err := l.reach("rename"); err != nil {
		return err
	}
	return os.Rename(file, target)
}

// Temp makes a new folder, on the file system of the ledger, for whatever is
// being written of a shard. Once all of it has been renamed to where it belongs,
// or will not be needed, discard removes the folder; whoever completes the same
// shard later does it for a writer that was killed.
func (l *Ledger) Temp(span framepb.Span) (dir string, discard func(), err error) {
	parent := l.tempParent(span)
	dir = filepath.Join(parent, span.Name()+"."+rand.Text())
	for range attempts {
		if err = os.MkdirAll(parent, 0o777); err == nil {
			err = os.Mkdir(dir, 0o777)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return "", nil, fmt.Errorf("making a folder for what is being written: %w", err)
	}
	return dir, func() {
		os.RemoveAll(dir)
		l.tidy(parent)
	}, nil
}

// clear removes what other writers of a shard left in tmp. One of them may
// still be alive: each folder is taken away in one step, so that such a writer
// fails at its next file and never publishes a part.
func (l *Ledger) clear(span framepb.Span) error {
	parent := l.tempParent(span)
	names, err := l.list("tmp", filepath.Base(parent))
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, span.Name()+".") {
			takeAway(filepath.Join(parent, name))
		}
	}
	l.tidy(parent)
	return nil
}

// Sweep removes from tmp what belongs to shards that are complete, or is older
// than age: the leftovers of killed writers. Call it when a dataset is opened for
// writing; other shards' leftovers go when the shards are completed.
func (l *Ledger) Sweep(age time.Duration) error {
	ids, err := l.list("tmp")
	if err != nil {
		return fmt.Errorf("sweeping tmp: %w", err)
	}
	before := time.Now().Add(-age)
	for _, id := range ids {
		parent := filepath.Join(l.dir, "tmp", id)
		names, err := l.list("tmp", id)
		if err != nil { // a file
			names, parent = []string{id}, filepath.Dir(parent)
		}
		for _, name := range names {
			span, _, _ := strings.Cut(name, ".")
			_, absent := os.Lstat(filepath.Join(l.dir, "ledger", id, span+".json"))
			path := filepath.Join(parent, name)
			if info, err := os.Lstat(path); err == nil && (absent == nil || info.ModTime().Before(before)) {
				takeAway(path)
			}
		}
		l.tidy(parent)
	}
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

// tidy removes tmp's folders where they are empty.
func (l *Ledger) tidy(parent string) {
	os.Remove(parent)
	os.Remove(filepath.Join(l.dir, "tmp"))
}

func (l *Ledger) tempParent(span framepb.Span) string {
	return filepath.Join(l.dir, "tmp", span.Series.ID())
}
