package dataset

import (
	"runtime/metrics"
	"time"
)

// watched is a figure of the runtime that is looked at until stop is called.
type watched struct {
	samples    []metrics.Sample
	quit, done chan struct{}
	first      uint64 // what it was in the beginning
	most       uint64
}

// watch begins to look at a figure, less others.
func watch(figure string, less ...string) *watched {
	w := &watched{samples: []metrics.Sample{{Name: figure}}, quit: make(chan struct{}), done: make(chan struct{})}
	for _, name := range less {
		w.samples = append(w.samples, metrics.Sample{Name: name})
	}
	w.look()
	w.first = w.most
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

func (w *watched) look() {
	metrics.Read(w.samples)
	value := w.samples[0].Value.Uint64()
	for _, less := range w.samples[1:] {
		value -= less.Value.Uint64()
	}
	w.most = max(w.most, value)
}

// stop returns the most that there was.
func (w *watched) stop() uint64 {
	close(w.quit)
	<-w.done
	return w.most
}
