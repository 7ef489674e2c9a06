package foldertest

import (
	"runtime/metrics"
	"time"
)

// Watched is a figure of the runtime that is looked at until Stop is called.
type Watched struct {
	samples    []metrics.Sample
	quit, done chan struct{}
	First      uint64 // what it was in the beginning
	most       uint64
}

// Watch begins to look at a figure, less others.
func Watch(figure string, less ...string) *Watched {
	w := &Watched{samples: []metrics.Sample{{Name: figure}}, quit: make(chan struct{}), done: make(chan struct{})}
	for _, name := range less {
		w.samples = append(w.samples, metrics.Sample{Name: name})
	}
	w.look()
	w.First = w.most
	go func() {
		defer close(w.done)
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				w.look()
			case <-w.quit:
				return
			}
		}
	}()
	return w
}

func (w *Watched) look() {
	metrics.Read(w.samples)
	value := w.samples[0].Value.Uint64()
	for _, less := range w.samples[1:] {
		value -= less.Value.Uint64()
	}
	w.most = max(w.most, value)
}

// Stop returns the most that there was.
func (w *Watched) Stop() uint64 {
	close(w.quit)
	<-w.done
	return w.most
}
