package frame

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func FuzzInstant(f *testing.F) {
	for _, s := range []string{
		"20260101T000003000Z", "19700101T000000000Z", "22620411T234716854Z", "20260230T000000000Z",
		"20260101T000000+00Z", "2026", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if ms, err := ParseInstant(s); err == nil && Instant(ms) != s {
			t.Errorf("%q is read as %s", s, Instant(ms))
		}
	})
}

func TestInstantRoundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, 9_223_372_036_854).Draw(t, "ms") // 1970 to 2262
		got, err := ParseInstant(Instant(ms))
		if err != nil || got != ms {
			t.Fatalf("%d is written as %s and read as %d, %v", ms, Instant(ms), got, err)
		}
	})
}

// Index and At are each other's inverse, and every instant is at or after the
// sample that Index names, by less than an interval.
func TestGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.Int32Range(200, 1<<31-1).Draw(t, "interval")
		s := Series{IntervalMs: interval, PhaseMs: rapid.Int32Range(0, interval-1).Draw(t, "phase")}
		ms := rapid.Int64Range(0, 9_223_372_036_854).Draw(t, "ms")
		i := s.Index(ms)
		if late := ms - s.At(i); late < 0 || late >= int64(interval) || s.Index(s.At(i)) != i {
			t.Fatalf("sample %d at %d is %d before %d", i, s.At(i), late, ms)
		}
	})
}

func TestFileName(t *testing.T) {
	long := strings.Repeat("a.", 128)
	for _, c := range []struct{ stream, want string }{
		{"front-door", "front-door"},
		{"back.yard", "back~yard"},
		{"..", "~~"},
		{"_x", "+x"},
		{"__y", "+_y"},
		{"._z_", "~_z_"},
	} {
		if got := FileName(c.stream); got != c.want {
			t.Errorf("%s becomes %s, want %s", c.stream, got, c.want)
		}
	}
	if name := FileName(long); len(name) > 200 || name == FileName(long[:255]+"b") || strings.Contains(name, ".") {
		t.Errorf("a long name becomes %s", name)
	}
}

// Readers pass over names that begin with "_" or ".": none of ours does, whatever
// the stream is called, and names of two streams differ.
func TestNamesAreSeen(t *testing.T) {
	names := rapid.StringMatching(`[._]{0,3}[a-zA-Z0-9_.-]{1,253}`)
	rapid.Check(t, func(t *rapid.T) {
		stream, other := names.Draw(t, "stream"), names.Draw(t, "other")
		series := Series{StreamName: stream, IntervalMs: 1000}
		for _, name := range []string{
			FileName(stream), series.ID(), Key(stream, 0),
			Span{Series: series, Samples: 1}.Name(),
		} {
			if strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".") || len(name) > 255 {
				t.Fatalf("%s has the name %s", stream, name)
			}
		}
		if stream != other && FileName(stream) == FileName(other) {
			t.Fatalf("%s and %s are both %s", stream, other, FileName(stream))
		}
	})
}

// Whatever differs between two series makes their names differ.
func TestSeriesID(t *testing.T) {
	base := Series{
		StreamARN: "arn", StreamName: "cam", ImageSelectorType: "S", IntervalMs: 3000, Format: JPEG,
		JPEGQuality: 80,
	}
	ids := map[string]Series{base.ID(): base}
	for _, change := range []func(*Series){
		func(s *Series) { s.StreamARN = "other" },
		func(s *Series) { s.StreamName = "cam2" },
		func(s *Series) { s.ImageSelectorType = "P" },
		func(s *Series) { s.IntervalMs = 3001 },
		func(s *Series) { s.PhaseMs = 1 },
		func(s *Series) { s.Format = PNG },
		func(s *Series) { s.JPEGQuality = 81 },
		func(s *Series) { s.WidthPixels = 1 },
		func(s *Series) { s.HeightPixels = 1 },
	} {
		s := base
		change(&s)
		if other, ok := ids[s.ID()]; ok {
			t.Errorf("%+v and %+v are both %s", s, other, s.ID())
		}
		ids[s.ID()] = s
	}
}
