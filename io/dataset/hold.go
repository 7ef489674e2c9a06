package dataset

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// holdFile is there while a backfill writes into the dataset, and tells which.
const holdFile = "tmp/backfill.lock"

// Holder is a process that backfills a dataset.
type Holder struct {
	Host  string    `json:"host"`
	PID   int       `json:"pid"`
	Since time.Time `json:"since"` // in UTC, in whole seconds
}

func (h Holder) String() string {
	if h.PID == 0 { // it has just begun
		return "another process"
	}
	return fmt.Sprintf("process %d on %s, since %s", h.PID, outside.Name(h.Host), h.Since.Format(time.RFC3339))
}

// thisProcess returns who this process is, from now on.
func thisProcess() Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return Holder{host, os.Getpid(), time.Now().UTC().Truncate(time.Second)}
}

// Hold tells other processes that this one backfills a dataset. It keeps nobody from writing.
type Hold struct {
	Beside *Holder // who held the dataset already, and was not waited for; nil: nobody
	Waited bool    // somebody did, and has ended

	stop context.CancelFunc
	done chan struct{}
}

// HoldOptions are the options of Hold. The zero value is fine.
type HoldOptions struct {
	Wait    time.Duration // how long to wait for a process that holds the dataset; default: not at all
	Waiting func(Holder)  // where set, called now and then while Hold waits
}

// HeldError says that another process still held a dataset when the time to wait for it was over.
type HeldError struct {
	Dir    string
	Holder Holder
	Waited time.Duration
}

func (e *HeldError) Error() string { return e.Unwrap().Error() }

// Unwrap returns an error that names the option Wait.
func (e *HeldError) Unwrap() error {
	return fault.Errorf("%q is being backfilled by %v, which had not ended after %v: run the same command again later, "+
		"or with a longer %s; without %[4]s it runs beside the other one, and fetches twice what both have in hand",
		e.Dir, e.Holder, e.Waited, fault.Name("Wait"))
}

// mark is what a process that holds a dataset leaves there for others.
type mark interface {
	// take leaves the mark, unless there is one of another process, which it returns.
	take(ctx context.Context) (other *Holder, err error)
	// renew shows that the process is alive.
	renew(ctx context.Context) error
	remove(ctx context.Context) error
	// every is how often to look at a mark of another process, and to renew one's own.
	every() time.Duration
}

// Hold holds the dataset until Release is called or the process ends. Where another process holds it,
// Hold waits as the options say; the error is a *[HeldError] when that time is over. Without waiting it
// returns at once, and holds the dataset when the other process does no more.
//
// A folder is locked, as far as its file system can do that: elsewhere nobody ever holds it. In a
// bucket an object is renewed twice a minute, and counts no more when it is three minutes old, or its
// process was one of this machine's and has ended. That takes 5 requests, and those to renew it.
func (d *Dataset) Hold(ctx context.Context, o HoldOptions) (*Hold, error) {
	m := d.mark(thisProcess())
	other, err := d.takeMark(ctx, m)
	waits := err == nil && other != nil && o.Wait > 0
	if waits {
		other, err = d.await(ctx, m, *other, o)
	}
	if err != nil {
		return nil, err
	}
	h := &Hold{Beside: other, Waited: waits, done: make(chan struct{})}
	ctx, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	go h.keep(ctx, m, other == nil)
	return h, nil
}

func (d *Dataset) takeMark(ctx context.Context, m mark) (*Holder, error) {
	other, err := m.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("finding out who backfills the dataset %q: %w", d.dir, err)
	}
	return other, nil
}

// await waits until nobody else holds the dataset any more.
func (d *Dataset) await(ctx context.Context, m mark, other Holder, o HoldOptions) (*Holder, error) {
	for end := time.Now().Add(o.Wait); ; {
		left := time.Until(end)
		if left <= 0 {
			return nil, &HeldError{d.dir, other, o.Wait}
		}
		if o.Waiting != nil {
			o.Waiting(other)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(m.every(), left)):
		}
		found, err := d.takeMark(ctx, m)
		if err != nil || found == nil {
			return nil, err
		}
		other = *found
	}
}

// keep holds the dataset until ctx is done, as soon as nobody else does.
func (h *Hold) keep(ctx context.Context, m mark, ours bool) {
	defer close(h.done)
	for {
		select {
		case <-ctx.Done():
			if ours {
				ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
				defer stop()
				m.remove(ctx) // else it counts no more in some minutes
			}
			return
		case <-time.After(m.every()):
		}
		if ours {
			m.renew(ctx) // or the next time
			continue
		}
		other, err := m.take(ctx)
		ours = err == nil && other == nil
	}
}

// Release ends the hold. It does nothing to a nil Hold.
func (h *Hold) Release() {
	if h != nil {
		h.stop()
		<-h.done
	}
}

func (d *Dataset) mark(us Holder) mark {
	if bucket, ok := d.store.(store.Bucket); ok {
		return &objectMark{bucket: bucket, us: us}
	}
	return &fileMark{path: filepath.Join(d.folder, filepath.FromSlash(holdFile)), us: us}
}

// fileMark is a file that its process has locked.
type fileMark struct {
	path    string
	us      Holder
	release func()
}

func (m *fileMark) take(context.Context) (*Holder, error) {
	content, err := json.Marshal(m.us)
	if err != nil {
		return nil, err
	}
	release, held := disk.Hold(m.path, content)
	if release != nil {
		m.release = release
		return nil, nil
	}
	other := new(Holder)
	if json.Unmarshal(held, other) != nil { // not written yet
		*other = Holder{}
	}
	return other, nil
}

func (m *fileMark) renew(context.Context) error { return nil }

func (m *fileMark) remove(context.Context) error {
	m.release()
	return nil
}

func (m *fileMark) every() time.Duration { return time.Second }
