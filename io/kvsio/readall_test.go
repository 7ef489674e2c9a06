package kvsio_test

import (
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/typex"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestReadAllRefusesUnbounded: requests that never end are refused before there is a job.
func TestReadAllRefusesUnbounded(t *testing.T) {
	_, s := beam.NewPipelineWithRoot()
	of := typex.New(reflect.TypeFor[kvsio.Request]())
	endless := beam.External(s, "test:endless", nil, []beam.PCollection{beam.Impulse(s)}, []beam.FullType{of}, false)[0]
	derived := beam.ParDo(s, same, endless)
	for _, requests := range []beam.PCollection{endless, derived} {
		err := orPanic(func() error { kvsio.ReadAll(s, kvsio.ReadParams{}, requests); return nil })
		if err == nil || !strings.Contains(err.Error(), "requests is unbounded: it must be a bounded PCollection") {
			t.Errorf("the error is %v", err)
		}
	}
	bounded := beam.Create(s, request("cam", newYear, time.Minute))
	if err := orPanic(func() error { kvsio.ReadAll(s, kvsio.ReadParams{}, bounded); return nil }); err != nil {
		t.Error(err)
	}
}

// TestTags: what several requests ask for is read once, and comes out once for each tag.
func TestTags(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{
		Name: "cam", Quota: noQuota(), Media: []kvstest.Range{{From: newYear, To: newYear.Add(10 * time.Minute)}},
	}}})
	defer server.Close()
	asked := func(tag string, from, minutes int) kvsio.Request {
		r := request("cam", newYear.Add(time.Duration(from)*time.Minute), time.Duration(minutes)*time.Minute)
		r.Tag = tag
		return r
	}
	requests := []kvsio.Request{
		asked("event 1", 0, 6), asked("event 2", 4, 8), asked("event 1", 5, 2), asked("", 11, 2), asked("é", 6, 1),
	}
	want := map[string]int{
		"frame event 1": 140, "frame event 2": 120, "gap event 2": 40, "gap ": 40, "frame é": 20,
	}
	for _, runner := range runners {
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprint(runner, " ReadAll ", all), func(t *testing.T) {
				id, before := t.Name(), server.Stats().Images
				pipeline, s := beam.NewPipelineWithRoot()
				var frames, gaps beam.PCollection
				if all {
					frames, gaps, _ = kvsio.ReadAll(s, paramsOf(server), beam.CreateList(s, requests))
				} else {
					frames, gaps = kvsio.Read(s, paramsOf(server), requests...)
				}
				beam.ParDo0(s, &collectFrames{Run: id}, beam.Reshuffle(s, frames))
				beam.ParDo0(s, &collectGaps{Run: id}, beam.Reshuffle(s, gaps))
				if _, err := beam.Run(t.Context(), runner, pipeline); err != nil {
					t.Fatal(err)
				}
				got, once := map[string]int{}, map[string]bool{}
				for _, f := range collected.frames[id] {
					got["frame "+f.Tag]++
					once[f.Tag+f.Key()] = true
				}
				for _, g := range collected.gaps[id] {
					got["gap "+g.Tag]++
					once[g.Tag+frame.Key(g.Stream, g.SampleMs)] = true
				}
				if !maps.Equal(got, want) || len(once) != 360 {
					t.Errorf("%v, %d of them different, want %v", got, len(once), want)
				}
				if images := server.Stats().Images - before; images > 260+20 { // 13 minutes, and what is asked again
					t.Errorf("%d images asked for", images)
				}
			})
		}
	}
}

// TestFailures: what cannot be read comes out as requests for exactly that, one for all
// that stands together, and the job reads the rest.
func TestFailures(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}}})
	defer server.Close()
	bad := request("cam", newYear, time.Minute)
	bad.SamplingInterval += time.Nanosecond // which a row cannot say
	gone := request("gone", newYear.Add(time.Second), 30*time.Minute)
	gone.Tag = "a"
	same := gone
	same.EndTimestamp = same.EndTimestamp.Add(10 * time.Minute)
	other := gone
	other.Tag = "b"
	later := gone
	later.StartTimestamp, later.EndTimestamp = same.EndTimestamp.Add(time.Hour), same.EndTimestamp.Add(2*time.Hour)
	requests := []kvsio.Request{request("cam", newYear, time.Minute), bad, gone, same, other, later}
	for _, runner := range runners {
		t.Run(runner, func(t *testing.T) {
			id := t.Name()
			pipeline, s := beam.NewPipelineWithRoot()
			p := paramsOf(server)
			p.KeepGoing, p.Works = true, 3
			frames, gaps, failures := kvsio.ReadAll(s, p, beam.CreateList(s, requests))
			beam.ParDo0(s, &collectFrames{Run: id}, frames)
			beam.ParDo0(s, &collectGaps{Run: id}, gaps)
			beam.ParDo0(s, &collectFailures{Run: id}, beam.Reshuffle(s, failures))
			if _, err := beam.Run(t.Context(), runner, pipeline); err != nil {
				t.Fatal(err)
			}
			if n, gaps := len(collected.frames[id]), len(collected.gaps[id]); n != 20 || gaps != 800+600+1200 {
				t.Errorf("%d frames and %d gaps", n, gaps)
			}
			want := map[string]bool{}
			for _, r := range []kvsio.Request{same, other, later} {
				want[r.Tag+r.Span().String()] = true
			}
			for _, f := range collected.failures[id] {
				switch r := f.Request; {
				case f.Invalid:
					if r.StreamName != "cam" || !strings.Contains(f.Problem, "SamplingInterval is 3.") {
						t.Errorf("invalid: %+v", f)
					}
				case !want[r.Tag+r.Span().String()] || r.Validate() != nil || r.Span().Series != gone.Span().Series:
					t.Errorf("failed: %+v", f)
				case !strings.Contains(f.Problem, "ResourceNotFoundException"):
					t.Errorf("the problem is %q", f.Problem)
				default:
					delete(want, r.Tag+r.Span().String())
				}
			}
			if len(want) != 0 || len(collected.failures[id]) != 4 {
				t.Errorf("%d failures, without %v", len(collected.failures[id]), want)
			}
		})
	}
}

func init() { register.Function1x1(same) }

func same(r kvsio.Request) kvsio.Request { return r }
