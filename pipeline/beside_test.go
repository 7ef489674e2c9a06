package pipeline

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

// TestBeside: a backfill into a dataset that another one writes into says so and runs beside it, or waits
// for it, and then fetches what is missing by then, or fails for now.
func TestBeside(t *testing.T) {
	o, server := options(t)
	half := o
	half.Requests = []kvsio.Request{o.Requests[0]}
	half.Requests[0].EndTimestamp = start.Add(150 * time.Second)
	if s, err := Backfill(t.Context(), half); err != nil || s.Beside != nil {
		t.Fatalf("alone: %+v, %v", s.Beside, err)
	}
	ds, err := dataset.Open(t.Context(), o.Out)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ds.Hold(t.Context(), dataset.HoldOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Backfill(t.Context(), half)
	if err != nil || s.Beside == nil || s.Beside.PID != os.Getpid() || s.Status != StatusComplete {
		t.Errorf("beside another one: %+v, %v", s, err)
	}

	waits := o
	waits.Wait = time.Millisecond
	s, err = Backfill(t.Context(), waits)
	if KindOf(err) != KindBusy || StatusOf(err) != StatusFailed || s.Schema != "" ||
		!strings.Contains(err.Error(), "which had not ended after 1ms") {
		t.Errorf("waited in vain: %+v, %v", s, err)
	}
	calls := server.Stats().GetImagesCalls
	waits.Wait = time.Hour
	waits.Progress = func(p Progress) {
		if p.WaitingFor == nil || other == nil {
			return
		}
		other.Release()
		other = nil
	}
	s, err = Backfill(t.Context(), waits)
	if err != nil || s.Beside != nil || s.Status != StatusComplete || s.Fetched.Samples != 50 || other != nil {
		t.Errorf("waited: %+v, %v", s, err)
	}
	if server.Stats().GetImagesCalls == calls {
		t.Error("nothing was fetched")
	}
	wantNoTmp(t, o)
	waits.Wait = -1
	if err := waits.Validate(); KindOf(err) != KindMistake || !strings.Contains(err.Error(), "Wait") {
		t.Errorf("a negative time: %v", err)
	}
}

// TestBesideAnotherGrid: who waited goes by the grid that the other one has begun meanwhile.
func TestBesideAnotherGrid(t *testing.T) {
	o, server := options(t)
	first := o
	first.Requests = []kvsio.Request{o.Requests[0]}
	first.Requests[0].StartTimestamp = start.Add(time.Second)
	ds, err := dataset.Create(t.Context(), o.Out, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	other, err := ds.Hold(t.Context(), dataset.HoldOptions{})
	if err != nil {
		t.Fatal(err)
	}
	o.Relative, o.Wait = []Relative{{Start: true}}, time.Hour
	o.Requests[0].StartTimestamp = start.Add(2 * time.Second)
	o.Progress = func(p Progress) {
		if p.WaitingFor == nil || other == nil {
			return
		}
		if _, err := Backfill(t.Context(), first); err != nil {
			t.Error(err)
		}
		other.Release()
		other = nil
	}
	s, err := Backfill(t.Context(), o)
	if err != nil || s.Fetched.Samples != 0 || s.Range.From.Time != start.Add(time.Second) {
		t.Errorf("%+v, %v", s, err)
	}
	if n := server.Stats().Images; n > 81 {
		t.Errorf("%d images were paid for", n)
	}
}
