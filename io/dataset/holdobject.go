package dataset

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/kvsframes/kvsframes/io/store"
)

const (
	renewEvery = 30 * time.Second
	// deadAfter is for how long a process that is alive may not get through to renew its mark, and by
	// how much the clocks of two machines may differ.
	deadAfter = 3 * time.Minute
)

// objectMark is an object that its process renews.
type objectMark struct {
	bucket store.Bucket
	us     Holder
	id     string // of our own mark

	// What the object of another process was when it was first found as it is.
	seen   content
	seenAt time.Time
}

// content is what an object says that is a mark.
type content struct {
	Holder
	ID      string    `json:"id"`
	Renewed time.Time `json:"renewed"`
}

func (m *objectMark) take(ctx context.Context) (*Holder, error) {
	found, err := m.read(ctx)
	if err != nil {
		return nil, err
	}
	if found != nil {
		if m.isAlive(*found) {
			return &found.Holder, nil
		}
		if err := m.remove(ctx); err != nil {
			return nil, err
		}
	}
	if m.id == "" {
		m.id = rand.Text()
	}
	if err := m.bucket.Make(ctx, holdFile, m.says()); err != nil {
		return nil, err
	}
	found, err = m.read(ctx)
	if err != nil || found == nil || found.ID == m.id {
		return nil, err
	}
	return &found.Holder, nil // which was first
}

// read returns the mark that is there, and nil where there is none, or none that can be read.
func (m *objectMark) read(ctx context.Context) (*content, error) {
	data, err := m.bucket.Read(ctx, holdFile, 4096)
	unfit := (*store.UnfitError)(nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil && !errors.As(err, &unfit) {
		return nil, err
	}
	found := new(content)
	if err != nil || json.Unmarshal(data, found) != nil {
		return new(content), nil // older than any
	}
	return found, nil
}

// isAlive reports whether the process of a mark still renews it: by what it says, and by whether it
// changes while it is looked at, since the clock of its machine may be ahead. One of this machine may
// be known to have ended.
func (m *objectMark) isAlive(found content) bool {
	if now := time.Now(); found.ID != m.seen.ID || !found.Renewed.Equal(m.seen.Renewed) {
		m.seen, m.seenAt = found, now
	}
	if found.Host == m.us.Host && hasEnded(found.PID) {
		return false
	}
	return time.Since(found.Renewed) < deadAfter && time.Since(m.seenAt) < deadAfter
}

// hasEnded reports whether there is no such process on this machine any more.
func hasEnded(pid int) bool {
	process, err := os.FindProcess(pid)
	return err == nil && errors.Is(process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}

func (m *objectMark) says() []byte {
	data, _ := json.Marshal(content{m.us, m.id, time.Now().UTC()})
	return data
}

func (m *objectMark) renew(ctx context.Context) error { return m.bucket.Put(ctx, holdFile, m.says()) }

func (m *objectMark) remove(ctx context.Context) error { return m.bucket.Remove(ctx, holdFile) }

func (m *objectMark) every() time.Duration { return renewEvery }
