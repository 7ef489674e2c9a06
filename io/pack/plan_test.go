package pack

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// drawGroups draws the row groups of an index: series by series, each in time
// order.
func drawGroups(t *rapid.T) [][]dataset.Sample {
	var all []dataset.Sample
	for s := range rapid.IntRange(1, 6).Draw(t, "series") {
		stream := fmt.Sprint("cam-", rapid.IntRange(0, 3).Draw(t, "stream"))
		for i, f := range rapid.SliceOfN(rapid.Bool(), 0, 60).Draw(t, "frames") {
			sample := dataset.Sample{
				Stream: stream, Series: fmt.Sprint(stream, "_", s), SampleMs: 1767225600000 + int64(i)*6*3600*1000,
				Kind: ledger.Gap, Outcome: frame.NoMedia,
			}
			if f {
				sample.Kind, sample.Outcome, sample.Size = ledger.Frame, "FRAME", 1000
				sample.SHA256 = sha256.Sum256(fmt.Append(nil, s, i))
			}
			all = append(all, sample)
		}
	}
	return slices.Collect(slices.Chunk(all, rapid.IntRange(1, 100).Draw(t, "rows")))
}

func planOf(o Options, groups [][]dataset.Sample) (*Plan, error) {
	o = o.defaults()
	plan := &Plan{dir: "frames"}
	plan.where = arrangement{Selection: selectionOf(o), Divider: newDivider(o.SplitBy, o.Splits), Seed: o.ShuffleSeed}
	counts := make([]*groupCount, len(groups))
	for i, samples := range groups {
		counts[i] = new(plan.where.count(samples))
	}
	return plan, plan.arrange(o, counts)
}

// TestPlacesAreExact: over all splits each frame has one place, no file has a hole,
// and no unit is in two splits.
func TestPlacesAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := drawGroups(t)
		o := Options{
			SamplesPerFile: rapid.IntRange(1, 40).Draw(t, "per file"), Splits: drawSplits(t),
			SplitBy: rapid.SampledFrom(SplitUnits).Draw(t, "by"),
		}
		if rapid.Bool().Draw(t, "shuffled") {
			o.ShuffleSeed = new(rapid.Int64().Draw(t, "seed"))
		}
		plan, err := planOf(o, groups)
		var empty *EmptySplitError
		if errors.As(err, &empty) || plan.Set.Frames == 0 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		taken := make(map[place]bool)
		splitOf := make(map[string]string)
		var before, files, frames int64
		for _, split := range plan.Set.Splits {
			files += split.Files
			frames += split.Frames
		}
		groups = slices.DeleteFunc(groups, func(samples []dataset.Sample) bool { return plan.where.count(samples).frames == 0 })
		for i, work := range plan.works {
			for s, at := range plan.where.places(groups[i], work.Starts) {
				name, n := plan.where.file(at.file)
				if taken[at] || at.file < 0 || at.file >= files || at.slot < 0 || int64(at.slot) >= n {
					t.Fatalf("a frame is at %v, of %d files, the file of %d", at, files, n)
				}
				taken[at] = true
				split, _, _ := strings.Cut(name, "-")
				unit := plan.where.Divider.unit(s.Stream, s.SampleMs)
				if was, ok := splitOf[unit]; ok && was != split {
					t.Fatalf("%s is in %s and in %s", unit, was, split)
				}
				splitOf[unit] = split
				if at := at.file*int64(o.SamplesPerFile) + int64(at.slot); o.ShuffleSeed == nil && len(o.Splits) == 1 {
					if at != before {
						t.Fatalf("frame %d is at %d", before, at)
					}
					before++
				}
			}
		}
		if int64(len(taken)) != plan.Set.Frames || frames != plan.Set.Frames {
			t.Fatalf("%d frames have places, the splits have %d, the set %d", len(taken), frames, plan.Set.Frames)
		}
	})
}

// frameAt is a frame of a stream, n samples after 2026-01-01.
func frameAt(stream string, n int64) dataset.Sample {
	at := door.At(first + n)
	return dataset.Sample{
		Stream: stream, Series: stream + "_1", SampleMs: at, ImageMs: at, Kind: ledger.Frame,
		Outcome: "FRAME", Size: 1000, Format: frame.JPEG,
	}
}

func TestPlanSelects(t *testing.T) {
	gap := dataset.Sample{Stream: "b", Series: "b_1", SampleMs: door.At(first), Kind: ledger.Gap, Outcome: frame.NoMedia}
	groups := [][]dataset.Sample{{frameAt("a", 0), frameAt("a", 1)}, {frameAt("a", 2), gap, frameAt("b", 1)}}
	at := func(n int64) time.Time { return time.UnixMilli(door.At(first + n)) }
	for _, test := range []struct {
		name   string
		o      Options
		frames int64
	}{
		{"all", Options{}, 4},
		{"a stream", Options{Streams: []string{"a"}}, 3},
		{"a start", Options{Start: at(1)}, 3},
		{"a start after a sample", Options{Start: at(1).Add(time.Nanosecond)}, 1},
		{"an end, itself not", Options{End: at(1)}, 1},
		{"an end after a sample", Options{End: at(1).Add(time.Nanosecond)}, 3},
		{"all three", Options{Streams: []string{"b", "a"}, Start: at(1), End: at(2)}, 2},
	} {
		if plan, err := planOf(test.o, groups); err != nil || plan.Set.Frames != test.frames {
			t.Errorf("%s: %d frames, want %d (%v)", test.name, plan.Set.Frames, test.frames, err)
		}
	}
	var unknown *UnknownStreamError
	_, err := NewPlan(t.Context(), opened(t, archive(t, "webdataset")), Options{Streams: []string{"c"}})
	if !errors.As(err, &unknown) || !slices.Equal(unknown.Known, []string{"front.door", "yard"}) {
		t.Errorf("a stream that is not there: %v", err)
	}
	if _, err := planOf(Options{Start: at(100)}, groups); err == nil || !strings.Contains(err.Error(), "no frame") {
		t.Errorf("nothing selected: %v", err)
	}
	var empty *EmptySplitError
	if _, err := planOf(Options{Splits: []Split{{"train", 0.9}, {"val", 0.1}}}, groups); !errors.As(err, &empty) ||
		empty.Units != 2 || !slices.Equal(empty.Splits, []string{"val"}) {
		t.Errorf("an empty split: %v", err)
	}
}

// The selection's fingerprint tells of every frame and picture.
func TestSelectionSum(t *testing.T) {
	samples := []dataset.Sample{frameAt("a", 0), frameAt("a", 1)}
	sum := func(change func(s *dataset.Sample)) string {
		changed := slices.Clone(samples)
		change(&changed[1])
		plan, err := planOf(Options{}, [][]dataset.Sample{changed})
		if err != nil {
			t.Fatal(err)
		}
		return plan.Set.Selection
	}
	was := sum(func(*dataset.Sample) {})
	for name, change := range map[string]func(s *dataset.Sample){
		"series": func(s *dataset.Sample) { s.Series = "a_2" }, "time": func(s *dataset.Sample) { s.SampleMs++ },
		"picture":    func(s *dataset.Sample) { s.SHA256[31]++ },
		"image time": func(s *dataset.Sample) { s.ImageMs++ }, "width": func(s *dataset.Sample) { s.Width++ },
		"none": func(s *dataset.Sample) { s.Kind = ledger.Gap },
	} {
		if sum(change) == was {
			t.Errorf("another %s makes no difference", name)
		}
	}
	if sum(func(s *dataset.Sample) { s.File, s.Offset = "elsewhere", 7 }) != was {
		t.Error("it makes a difference where a picture lies")
	}
}

// Only series that share a stream's name have it in their keys which they are.
func TestKeysAreUnique(t *testing.T) {
	twin := frameAt("a", 0)
	twin.Series = "a_2"
	plan, err := planOf(Options{}, [][]dataset.Sample{{frameAt("a", 0), twin, frameAt("b", 0)}})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, s := range []dataset.Sample{frameAt("a", 0), twin, frameAt("b", 0)} {
		m := plan.where.member(&s)
		keys = append(keys, m.Key())
	}
	want := []string{"a_1_20260101T000000000Z", "a_2_20260101T000000000Z", "b_20260101T000000000Z"}
	if !slices.Equal(keys, want) {
		t.Errorf("the keys are %v, want %v", keys, want)
	}
}

func TestFileSize(t *testing.T) {
	groups := [][]dataset.Sample{{frameAt("a", 0), frameAt("a", 1)}}
	for format, want := range map[string]int64{"files": 1000, "webdataset": 389, "parquet": 878, "tfrecord": 780} {
		plan, err := planOf(Options{Format: format, FileSize: 1_000_000}, groups)
		if got := plan.Set.SamplesPerFile; err != nil || got < want*9/10 || got > want*11/10 {
			t.Errorf("%s: %d samples a file, want about %d (%v)", format, got, want, err)
		}
	}
}

func TestPackOptionsValidate(t *testing.T) {
	err := Options{
		Format: "zip", SamplesPerFile: -1, FileSize: 10, Splits: []Split{{"a", 2}}, SplitBy: "week",
		Start: time.Unix(10, 0), End: time.Unix(10, 0),
	}.Validate()
	for _, want := range []string{
		`"zip"`, "SamplesPerFile is -1", "10 bytes", "both given", "the share of a is 2",
		`"week"`, "the end must be later",
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v\nmust contain %q", err, want)
		}
	}
	if err := (Options{}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestSelectedSpan(t *testing.T) {
	span := frame.Span{Series: door, First: first, Samples: 10}
	rapid.Check(t, func(t *rapid.T) {
		s := selection{StartMs: door.At(first) + rapid.Int64Range(-5000, 40_000).Draw(t, "start")}
		s.EndMs = s.StartMs + rapid.Int64Range(0, 40_000).Draw(t, "length")
		var want int64
		for i := span.First; i < span.End(); i++ {
			if at := door.At(i); s.StartMs <= at && at < s.EndMs {
				want++
			}
		}
		if part := s.span(span); part.Samples != want {
			t.Fatalf("%v selects %d samples, want %d", s, part.Samples, want)
		}
	})
}
