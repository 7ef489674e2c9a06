package ledger

import (
	"slices"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestPhases: series are alike that differ in their phase alone, whatever else a stream has.
func TestPhases(t *testing.T) {
	l := Open(t.TempDir())
	with := func(change func(s *frame.Series)) frame.Series {
		s := door
		change(&s)
		return s
	}
	at := func(phase int32) frame.Series { return with(func(s *frame.Series) { s.PhaseMs = phase }) }
	for _, span := range []frame.Span{
		{Series: at(700), First: 100, Samples: 10},
		{Series: at(200), First: 0, Samples: 500},
		{Series: at(1), First: 200, Samples: 10},
		{Series: with(func(s *frame.Series) { s.IntervalMs = 4000 }), Samples: 9000},
		{Series: with(func(s *frame.Series) { s.StreamName += "_0123456789ab" }), Samples: 9000},
		{Series: with(func(s *frame.Series) { s.StreamName = "front" }), Samples: 9000},
	} {
		if err := l.Request(t.Context(), span); err != nil {
			t.Fatal(err)
		}
	}
	p, err := l.Phases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	three := []frame.Series{at(1), at(200), at(700)}
	for _, test := range []struct {
		of     frame.Series
		has    bool
		want   []frame.Series
		newest frame.Series
	}{
		{at(0), false, three, at(200)},
		{at(700), true, three, at(200)},
		{with(func(s *frame.Series) { s.IntervalMs, s.PhaseMs = 4000, 0 }), false, []frame.Series{
			with(func(s *frame.Series) { s.IntervalMs = 4000 }),
		}, with(func(s *frame.Series) { s.IntervalMs = 4000 })},
		{with(func(s *frame.Series) { s.WidthPixels, s.HeightPixels = 64, 36 }), false, nil, frame.Series{}},
		{with(func(s *frame.Series) { s.StreamName = "back" }), false, nil, frame.Series{}},
	} {
		got, err := p.Of(t.Context(), test.of)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%+v: %+v, %v; want %+v", test.of, got, err, test.want)
		}
		if p.Has(test.of) != test.has {
			t.Errorf("%+v is there: %t, want %t", test.of, !test.has, test.has)
		}
		if len(got) == 0 {
			continue
		}
		if newest, err := p.Newest(t.Context(), got); err != nil || newest != test.newest {
			t.Errorf("%+v: the newest is %+v, %v, want %+v", test.of, newest, err, test.newest)
		}
	}
	if p, err := Open(t.TempDir()).Phases(t.Context()); err != nil || p.Has(door) {
		t.Errorf("an empty ledger: %v, %v", p, err)
	}
}
