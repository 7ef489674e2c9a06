package disk

import (
	"errors"
	"os"
	"sync"
)

// group lets one flush of a file system serve all who wait for one.
type group struct {
	mu   sync.Mutex
	last *round // the latest that began; nil before the first
	next *round // of those who came since; nil where nobody did
}

// round is a flush, and those who wait for it.
type round struct {
	done chan struct{}
	err  error
}

// do returns when a flush has ended that began after do was called.
func (g *group) do(flush func() error) error {
	g.mu.Lock()
	r, last := g.next, g.last
	if r != nil {
		g.mu.Unlock()
		<-r.done
		return r.err
	}
	r = &round{done: make(chan struct{})}
	g.next = r
	g.mu.Unlock()

	if last != nil {
		<-last.done
	}
	g.mu.Lock()
	g.last, g.next = r, nil // who comes from now on may have changed what this flush does not see
	g.mu.Unlock()
	r.err = flush()
	close(r.done)
	return r.err
}

// flushTogether flushes files of a folder, and their names, with all else that waits for a
// flush of their file system. Each file of its own costs more: a commit of the file system
// that others of the process wait for, or a flush of the disk's cache.
func flushTogether(g *group, folder *os.File, names []string) error {
	return Do(Change{Kind: TreeFlush, Path: folder.Name()}, func() error {
		if err := g.do(func() error { return flushSystem(folder) }); err != nil {
			return err
		}
		// Of what went wrong syncfs tells nothing before Linux 5.8 where it is a file's, and
		// before 5.17 where it is the file system's, which the folder's flush tells.
		return errors.Join(each(folder.Name(), names, finishWriting), folder.Sync())
	})
}
