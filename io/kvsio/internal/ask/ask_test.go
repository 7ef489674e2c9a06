package ask

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// pageSize is how many images the model is asked for at most.
const pageSize = 25

// archive is a model of the service: what it holds is known sample by sample.
type archive struct {
	stretches []stretch // of media, in order
	fragment  int64     // ms
	period    int64     // between frames, ms
	pageSize  int
	inclusive bool
	instants  bool  // what TimeStamps are: else those of frames
	oldest    int64 // ranges that begin before are refused

	// harm, where set, may spoil a page and what follows it.
	harm   func(w grid.Window, first int, entries []Answer, next string) ([]Answer, string, error)
	asked  int // images
	calls  int
	ranges []grid.Window
	camera *Camera
}

type stretch struct{ from, to int64 }

func (a *archive) stretchAt(ms int64) (stretch, bool) {
	for _, s := range a.stretches {
		if s.from <= ms && ms < s.to {
			return s, true
		}
	}
	return stretch{}, false
}

// truth is the right answer for an instant.
func (a *archive) truth(ms int64) Answer {
	if ms < a.oldest {
		return Answer{Kind: OutOfRetention, MS: ms}
	}
	s, ok := a.stretchAt(ms)
	if !ok {
		return Answer{Kind: NoMedia, MS: ms}
	}
	f := s.from + (ms-s.from)/a.period*a.period
	picture := Answer{Kind: Pictured, MS: f, Data: fmt.Append(nil, f)}
	if a.instants {
		picture.MS = ms
	}
	return picture
}

func (a *archive) Most() int { return pageSize }

func (a *archive) Camera() *Camera {
	if a.camera == nil {
		a.camera = new(Camera)
	}
	return a.camera
}

func (a *archive) Page(_ context.Context, w grid.Window, token string, n int) ([]Answer, string, error) {
	a.calls++
	a.asked += n
	if n < 1 || n > pageSize || w.End()-w.Start > grid.MaxRange {
		return nil, "", fmt.Errorf("a page of %d of %+v", n, w)
	}
	if w.Start < a.oldest {
		return nil, "", ErrOutOfRetention
	}
	at := 0
	if token != "" {
		fmt.Sscan(token, &at)
	} else {
		a.ranges = append(a.ranges, w)
	}
	var entries []Answer
	var next string
	for k := at; ; k++ {
		ms := w.Start + int64(k)*w.Step
		if ms > w.End() || ms == w.End() && !a.inclusive {
			break
		}
		if len(entries) == min(n, a.pageSize) {
			next = fmt.Sprint(k)
			break
		}
		entries = append(entries, a.answer(w, ms))
	}
	if a.harm != nil {
		return a.harm(w, at, entries, next)
	}
	return entries, next, nil
}

// answer leaves out the fragment that the range starts inside.
func (a *archive) answer(w grid.Window, ms int64) Answer {
	if s, ok := a.stretchAt(w.Start); ok {
		into := (w.Start - s.from) % a.fragment
		if into > 0 && ms < min(w.Start-into+a.fragment, s.to) {
			return Answer{Kind: Empty, MS: ms}
		}
	}
	return a.truth(ms)
}

func drawArchive(t *rapid.T, span frame.Span) *archive {
	a := &archive{
		fragment:  rapid.Int64Range(500, longestFragment).Draw(t, "fragment"),
		period:    rapid.SampledFrom([]int64{33, 100, 1000, 2500, 5000, 9000, 20_000}).Draw(t, "period"),
		pageSize:  rapid.IntRange(1, 40).Draw(t, "page size"),
		inclusive: rapid.Bool().Draw(t, "inclusive"),
		instants:  rapid.Bool().Draw(t, "instants"),
	}
	at := max(0, span.Series.At(span.First)-rapid.Int64Range(0, 60_000).Draw(t, "before"))
	for at < span.Series.At(span.End()) {
		at += rapid.Int64Range(0, 40_000).Draw(t, "hole")
		length := rapid.Int64Range(1, 400_000).Draw(t, "length")
		a.stretches = append(a.stretches, stretch{at, at + length})
		at += length
	}
	return a
}

func drawShard(t *rapid.T) frame.Span {
	interval := rapid.SampledFrom([]int32{
		200, 1000, 3000, 3001, 7000, 20000, 60000, 299_999, 300_000, 300_001,
		3_600_000,
	}).Draw(t, "interval")
	series := frame.Series{
		StreamName: "a", IntervalMs: interval, PhaseMs: rapid.Int32Range(0, interval-1).Draw(t, "phase"), Format: frame.JPEG,
	}
	return frame.Span{
		Series: series, First: rapid.Int64Range(200, 1<<33).Draw(t, "first"),
		Samples: rapid.Int64Range(1, 150).Draw(t, "samples"),
	}
}

// checkShard holds each sample of a shard against the archive.
func checkShard(t *rapid.T, a *archive, span frame.Span, shard frame.Shard) {
	got := make(map[int64]Answer)
	for _, f := range shard.Frames {
		got[f.SampleMs] = Answer{Kind: Pictured, MS: f.ImageMs, Data: f.Data}
	}
	for _, g := range shard.Gaps {
		kind := slices.IndexFunc([]string{frame.NoMedia, frame.OutOfRetention}, func(r string) bool { return r == g.Reason })
		if kind < 0 {
			t.Fatalf("gap %+v", g)
		}
		got[g.SampleMs] = Answer{Kind: []Kind{NoMedia, OutOfRetention}[kind], MS: g.SampleMs}
	}
	if len(got) != int(span.Samples) || len(shard.Frames)+len(shard.Gaps) != int(span.Samples) {
		t.Fatalf("%d frames and %d gaps of %d samples", len(shard.Frames), len(shard.Gaps), span.Samples)
	}
	for i := span.First; i < span.End(); i++ {
		ms := span.Series.At(i)
		if want := a.truth(ms); got[ms].Kind != want.Kind || got[ms].MS != want.MS || !bytes.Equal(got[ms].Data, want.Data) {
			t.Fatalf("sample at %d is %+v, want %+v", ms, got[ms], want)
		}
	}
}

func TestShardGetsWhatTheArchiveHas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := drawShard(t)
		a := drawArchive(t, span)
		shard, err := Shard(context.Background(), a, span, []frame.Span{span})
		if err != nil {
			t.Fatal(err)
		}
		checkShard(t, a, span, shard)
	})
}

// TestSomeOfAShard: samples that are asked for alone get the answers that they get among
// all of their shard.
func TestSomeOfAShard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := drawShard(t)
		a := drawArchive(t, span)
		var asked []frame.Span
		for i := span.First; i < span.End(); i++ {
			if rapid.Bool().Draw(t, "asked") {
				asked = append(asked, span.Slice(i, i+1))
			}
		}
		shard, err := Shard(context.Background(), a, span, frame.Union(asked))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(shard.Frames) + len(shard.Gaps); n != len(asked) || shard.Span != span {
			t.Fatalf("%d frames and gaps of %d samples, of %v", n, len(asked), shard.Span)
		}
		for _, one := range asked {
			checkShard(t, a, one, only(shard, one.Series.At(one.First)))
		}
	})
}

// only returns the frames and gaps of a shard at an instant.
func only(shard frame.Shard, ms int64) (some frame.Shard) {
	for _, f := range shard.Frames {
		if f.SampleMs == ms {
			some.Frames = append(some.Frames, f)
		}
	}
	for _, g := range shard.Gaps {
		if g.SampleMs == ms {
			some.Gaps = append(some.Gaps, g)
		}
	}
	return some
}

// Nothing that passes loses a sample, as long as no sample is hit twice.
func TestShardSurvivesHarm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := drawShard(t)
		a := drawArchive(t, span)
		a.harm = (&harm{t: t, archive: a, hit: make(map[int64]bool)}).spoil
		shard, err := Shard(context.Background(), a, span, []frame.Span{span})
		if err != nil {
			t.Fatal(err)
		}
		checkShard(t, a, span, shard)
	})
}

// harm spoils pages, and no sample twice.
type harm struct {
	t       *rapid.T
	archive *archive
	hit     map[int64]bool // by instant
	over    bool
	extra   bool // an entry too many may stand for one that is then left out
}

func (h *harm) spoil(w grid.Window, first int, entries []Answer, next string) ([]Answer, string, error) {
	kind := rapid.IntRange(0, 16).Draw(h.t, "harm")
	switch {
	case h.over || len(entries) == 0:
	case kind == 0 && next != "" && !h.extra && h.hitAll(w, first, len(entries)): // the page is left out
		return nil, next, nil
	case kind == 1 && len(h.hit) == 0 && !h.extra: // the token is refused: the rest of the range is hit
		h.over = true
		return nil, "", ErrBadToken
	case kind >= 2 && kind < 6:
		k := rapid.IntRange(0, len(entries)-1).Draw(h.t, "entry")
		return h.spoilEntry(kind, w, first, entries, k), next, nil
	}
	return entries, next, nil
}

func (h *harm) spoilEntry(kind int, w grid.Window, first int, entries []Answer, k int) []Answer {
	e := entries[k]
	if kind == 2 { // one too many
		h.extra = true
		return slices.Insert(entries, k+1, h.archive.answer(w, w.At(first+k)+w.Step/2))
	}
	if e.Kind != Pictured || h.extra && kind == 5 || !h.hitAll(w, first+k, 1) {
		return entries
	}
	switch kind {
	case 3:
		entries[k] = Answer{Kind: Empty, MS: e.MS}
	case 4:
		entries[k] = Answer{Kind: Corrupt, MS: e.MS}
	default:
		entries = slices.Delete(entries, k, k+1)
	}
	return entries
}

// hitAll marks n samples as hit, unless one is already.
func (h *harm) hitAll(w grid.Window, first, n int) bool {
	for k := first; k < first+n; k++ {
		if h.hit[w.At(k)] {
			return false
		}
	}
	for k := first; k < first+n; k++ {
		h.hit[w.At(k)] = true
	}
	return true
}

func TestShardAtTheEdgeOfRetention(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := drawShard(t)
		a := drawArchive(t, span)
		a.fragment = 1 // at the edge, what a range starts inside cannot be had
		a.oldest = span.Series.At(rapid.Int64Range(span.First, span.End()).Draw(t, "oldest"))
		shard, err := Shard(context.Background(), a, span, []frame.Span{span})
		if err != nil {
			t.Fatal(err)
		}
		checkShard(t, a, span, shard)
	})
}

func TestShardCosts(t *testing.T) {
	series := frame.Series{StreamName: "a", IntervalMs: 3000, Format: frame.JPEG}
	span := frame.Span{Series: series, First: 1000, Samples: 100}
	start := series.At(1000)
	always := []stretch{{0, 1 << 50}}
	for _, c := range []struct {
		name     string
		archive  archive
		calls    int
		mostAsks int
	}{
		{"fragments that fit", archive{stretches: always, fragment: 4000}, 4, 100},
		{"fragments that do not", archive{stretches: always, fragment: 7000}, 5, 110},
		{"long fragments that do not", archive{stretches: []stretch{{7000, 1 << 50}}, fragment: 20_000}, 5, 110},
		{"a fragment that begins just before", archive{stretches: []stretch{{start - 1, 1 << 50}}, fragment: 20_000}, 5, 108},
		{
			"a fragment that ends just after",
			archive{stretches: []stretch{{start - 19_999, 1 << 50}}, fragment: 20_000},
			5,
			108,
		},
		{"a gap at the head", archive{stretches: []stretch{{start + 9000, 1 << 50}}, fragment: 4000}, 6, 118},
		{"a long gap at the head", archive{stretches: []stretch{{start + 24_000, 1 << 50}}, fragment: 4000}, 5, 114},
		{"no media at all", archive{fragment: 4000}, 5, 114},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.archive.period, c.archive.pageSize = 100, 25
			if _, err := Shard(context.Background(), &c.archive, span, []frame.Span{span}); err != nil {
				t.Fatal(err)
			}
			if c.archive.calls != c.calls || c.archive.asked > c.mostAsks {
				t.Errorf("%d calls for %d images, want %d for at most %d", c.archive.calls, c.archive.asked, c.calls, c.mostAsks)
			}
		})
	}
}

// A call that fails for good leaves what came before it.
func TestShardKeepsWhatItHas(t *testing.T) {
	series := frame.Series{StreamName: "a", IntervalMs: 3000, Format: frame.JPEG}
	span := frame.Span{Series: series, First: 0, Samples: 100}
	a := &archive{stretches: []stretch{{0, 1 << 50}}, fragment: 4000, period: 100, pageSize: 25}
	broken := errors.New("broken")
	a.harm = func(_ grid.Window, _ int, entries []Answer, next string) ([]Answer, string, error) {
		if a.calls == 3 {
			return nil, "", broken
		}
		return entries, next, nil
	}
	shard, err := Shard(context.Background(), a, span, []frame.Span{span})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if len(shard.Frames) != 50 || len(shard.Gaps) != 50 {
		t.Fatalf("%d frames, %d gaps", len(shard.Frames), len(shard.Gaps))
	}
	if g := shard.Gaps[0]; g.Reason != frame.Failed || g.Cause != "broken" {
		t.Errorf("%+v", g)
	}
}

// A TimeStamp that no picture of the sample can have is that sample's trouble.
func TestShardBelievesNoFarTime(t *testing.T) {
	series := frame.Series{StreamName: "a", IntervalMs: 3000, Format: frame.JPEG}
	span := frame.Span{Series: series, First: 1 << 20, Samples: 100}
	day := (24 * time.Hour).Milliseconds()
	for _, period := range []int64{100, 10_000} {
		for _, off := range []int64{-series.At(span.First + 50), -day, day, math.MaxInt64 / 2, math.MinInt64 / 2} {
			a := &archive{stretches: []stretch{{0, 1 << 50}}, fragment: 3000, period: period, pageSize: 25}
			a.harm = func(w grid.Window, first int, entries []Answer, next string) ([]Answer, string, error) {
				for k := range entries {
					if w.At(first+k) == series.At(span.First+50) {
						entries[k].MS += off
					}
				}
				return entries, next, nil
			}
			shard, err := Shard(context.Background(), a, span, []frame.Span{span})
			if err != nil {
				t.Fatal(err)
			}
			if len(shard.Frames) != 99 || len(shard.Gaps) != 1 || shard.Gaps[0].SampleMs != series.At(span.First+50) ||
				shard.Gaps[0].Reason != frame.Corrupt || !strings.Contains(shard.Gaps[0].Cause, "TimeStamp") {
				t.Errorf("period %d, %d ms off: %d frames, gaps %+v", period, off, len(shard.Frames), shard.Gaps)
			}
		}
	}
}
