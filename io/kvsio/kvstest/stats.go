package kvstest

import (
	"maps"
	"sync"
)

// Stats is what a server has counted since it started or since ResetStats: in
// all, and for each stream of the configuration.
type Stats struct {
	Counts
	// IdentityTokens were handed out by the metadata server, and Sessions, which
	// are a role's credentials, by the Security Token Service.
	IdentityTokens int               `json:"identity_tokens"`
	Sessions       int               `json:"sessions"`
	Streams        map[string]Counts `json:"streams"`
}

// Counts are the figures of a server or of one stream.
type Counts struct {
	// GetImagesCalls are GetImages requests that reached a data endpoint, the
	// refused ones too.
	GetImagesCalls int `json:"get_images_calls"`
	// ListFragmentsCalls are ListFragments requests that reached a data endpoint, the refused ones
	// too.
	ListFragmentsCalls int `json:"list_fragments_calls"`
	// Images are entries with picture bytes in answers, also in answers that a
	// fault cut short or damaged.
	Images int `json:"images"`
	// Refused counts answers by error code, those of the control plane too.
	Refused map[string]int `json:"refused"`
	// MaxConcurrent is the highest number of GetImages under way at once.
	MaxConcurrent int `json:"max_concurrent"`
	// DescribeStreamCalls and GetDataEndpointCalls are requests that were well
	// signed, the refused ones too.
	DescribeStreamCalls  int `json:"describe_stream_calls"`
	GetDataEndpointCalls int `json:"get_data_endpoint_calls"`
}

// recorder keeps Stats. Each count is made in all and, where the stream is
// known, for the stream.
type recorder struct {
	mu      sync.Mutex
	all     tally
	streams map[string]*tally

	tokens, sessions int
}

type tally struct {
	Counts
	underway int
}

func newRecorder(streams []Stream) *recorder {
	r := &recorder{streams: map[string]*tally{}}
	for _, s := range streams {
		r.streams[s.Name] = &tally{}
	}
	return r
}

func (r *recorder) count(stream string, add func(*tally)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	add(&r.all)
	if t := r.streams[stream]; t != nil {
		add(t)
	}
}

// begin counts a GetImages call until end is called.
func (r *recorder) begin(stream string) (end func()) {
	r.count(stream, func(t *tally) {
		t.GetImagesCalls++
		t.underway++
		t.MaxConcurrent = max(t.MaxConcurrent, t.underway)
	})
	return func() { r.count(stream, func(t *tally) { t.underway-- }) }
}

func (r *recorder) images(stream string, n int) {
	r.count(stream, func(t *tally) { t.Images += n })
}

func (r *recorder) refused(stream, code string) {
	r.count(stream, func(t *tally) {
		if t.Refused == nil {
			t.Refused = map[string]int{}
		}
		t.Refused[code]++
	})
}

func (r *recorder) identityToken() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tokens++
}

func (r *recorder) session() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions++
}

func (r *recorder) snapshot() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Stats{Counts: r.all.copied(), IdentityTokens: r.tokens, Sessions: r.sessions, Streams: map[string]Counts{}}
	for name, t := range r.streams {
		s.Streams[name] = t.copied()
	}
	return s
}

func (t *tally) copied() Counts {
	c := t.Counts
	c.Refused = map[string]int{}
	maps.Copy(c.Refused, t.Refused)
	return c
}

// reset starts anew; calls under way stay under way.
func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all.reset()
	r.tokens, r.sessions = 0, 0
	for _, t := range r.streams {
		t.reset()
	}
}

func (t *tally) reset() {
	t.Counts = Counts{MaxConcurrent: t.underway}
}
