package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kvsframes/kvsframes/io/internal/placetest"
	"github.com/kvsframes/kvsframes/io/store"
)

func held(t *testing.T, d *Dataset, o HoldOptions) *Hold {
	t.Helper()
	h, err := d.Hold(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestHold: in every kind of place a second process is told of the first, and nothing stays of either.
func TestHold(t *testing.T) {
	for kind, place := range placetest.Kinds {
		t.Run(kind, func(t *testing.T) {
			name, _ := place(t)
			d, err := Create(t.Context(), name, Options{})
			if err != nil {
				t.Fatal(err)
			}
			want := placetest.Files(t, name)
			first := held(t, d, HoldOptions{})
			if first.Beside != nil || first.Waited {
				t.Errorf("the first one is told of %v", first.Beside)
			}
			second := held(t, d, HoldOptions{})
			if by := second.Beside; by == nil || by.PID != os.Getpid() || by.Host == "" || time.Since(by.Since) > time.Hour {
				t.Errorf("the second one is told of %+v", by)
			}
			second.Release()
			if third := held(t, d, HoldOptions{}); third.Beside == nil {
				t.Error("who was second took away the first one's hold")
			} else {
				third.Release()
			}
			first.Release()
			last := held(t, d, HoldOptions{})
			if last.Beside != nil {
				t.Errorf("a hold was left: %v", last.Beside)
			}
			last.Release()
			if err := d.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			equalTrees(t, placetest.Files(t, name), want, "after it")
		})
	}
}

// TestHoldWaits: who waits goes on when the other one ends, and not before, or fails when its time is over.
func TestHoldWaits(t *testing.T) {
	inMemory(t, func(t *testing.T, d *Dataset) {
		first := held(t, d, HoldOptions{})
		began := time.Now()
		time.AfterFunc(time.Hour, first.Release)
		asked := 0
		second := held(t, d, HoldOptions{Wait: 2 * time.Hour, Waiting: func(Holder) { asked++ }})
		defer second.Release()
		took := time.Since(began)
		if took < time.Hour || took > time.Hour+2*renewEvery || !second.Waited || second.Beside != nil {
			t.Errorf("it waited %v; %+v", took, second)
		}
		if asked == 0 {
			t.Error("nobody was told that it waits")
		}
		began = time.Now()
		_, err := d.Hold(t.Context(), HoldOptions{Wait: 10 * time.Minute})
		var busy *HeldError
		if !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() || time.Since(began) != 10*time.Minute {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if !strings.Contains(err.Error(), "which had not ended after 10m0s") {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err = d.Hold(ctx, HoldOptions{Wait: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("interrupted: %v", err)
		}
	})
}

// TestHoldTakesOver: who goes on beside another one holds the dataset when that one ends.
func TestHoldTakesOver(t *testing.T) {
	inMemory(t, func(t *testing.T, d *Dataset) {
		first, second := held(t, d, HoldOptions{}), held(t, d, HoldOptions{})
		first.Release()
		time.Sleep(2 * renewEvery)
		third := held(t, d, HoldOptions{})
		if third.Beside == nil {
			t.Error("a third one is not told of the second")
		}
		second.Release()
		third.Release()
	})
}

// TestHoldOfTheDead: what a process that was killed leaves in a bucket counts no more in some minutes, also
// where its clock was ahead, and one that lives is not taken for dead in a day.
func TestHoldOfTheDead(t *testing.T) {
	inMemory(t, func(t *testing.T, d *Dataset) {
		alive := held(t, d, HoldOptions{})
		time.Sleep(24 * time.Hour)
		if h := held(t, d, HoldOptions{}); h.Beside == nil {
			t.Error("after a day it counts as dead")
		} else {
			h.Release()
		}
		alive.Release()
		leave := func(ahead time.Duration) error {
			left, err := json.Marshal(content{Holder{"host", 1, time.Now()}, "dead", time.Now().Add(ahead)})
			return errors.Join(err, d.store.(store.Bucket).Put(t.Context(), holdFile, left))
		}
		for _, ahead := range []time.Duration{-time.Minute, 0, 5 * time.Hour} {
			if err := leave(ahead); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			h := held(t, d, HoldOptions{Wait: time.Hour})
			if took := time.Since(began); took > deadAfter+2*renewEvery || !h.Waited {
				t.Errorf("clock %v ahead: it waited %v for who is dead", ahead, took)
			}
			h.Release()
		}
		if err := leave(-2 * deadAfter); err != nil {
			t.Fatal(err)
		}
		h := held(t, d, HoldOptions{})
		if h.Beside != nil {
			t.Errorf("who died long ago is said to be alive: %v", h.Beside)
		}
		h.Release()
	})
}

// TestHoldOfTheDeadHere: what a process of this machine has left counts no more at all.
func TestHoldOfTheDeadHere(t *testing.T) {
	process := exec.Command(os.Args[0], "-test.run=^$")
	if err := process.Run(); err != nil {
		t.Fatal(err)
	}
	dead := thisProcess()
	dead.PID = process.Process.Pid
	name, _ := placetest.Kinds["mem"](t)
	d, err := Create(t.Context(), name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	left := &objectMark{bucket: d.store.(store.Bucket), us: dead}
	if _, err := left.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := held(t, d, HoldOptions{})
	if h.Beside != nil {
		t.Errorf("who has ended is said to be alive: %v", h.Beside)
	}
	h.Release()
}

// inMemory does something with a dataset in memory, by a clock of its own.
func inMemory(t *testing.T, do func(*testing.T, *Dataset)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		name, _ := placetest.Kinds["mem"](t)
		d, err := Create(t.Context(), name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		do(t, d)
	})
}

// TestHoldRequests: a hold costs five requests, whatever the dataset has, and an answer that is no mark is none.
func TestHoldRequests(t *testing.T) {
	name, front := placetest.Kinds["s3"](t)
	d, err := Create(t.Context(), name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	front.Set(func(http.ResponseWriter, *http.Request) bool {
		requests.Add(1)
		return false
	})
	held(t, d, HoldOptions{}).Release()
	if n := requests.Load(); n != 5 {
		t.Errorf("%d requests", n)
	}
	for _, text := range []string{"", "{}", "[", strings.Repeat("x", 1<<20)} {
		if err := d.store.(store.Bucket).Put(t.Context(), holdFile, []byte(text)); err != nil {
			t.Fatal(err)
		}
		h := held(t, d, HoldOptions{})
		if h.Beside != nil {
			t.Errorf("%.10q is taken for a mark of %v", text, h.Beside)
		}
		h.Release()
	}
}
