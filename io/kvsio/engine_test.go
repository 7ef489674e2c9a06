package kvsio

import (
	"testing"
	"testing/synctest"
	"time"
)

// The bundles of a job, and a job and its preflight, share an engine, however
// short the time between them; when all is over it is forgotten.
func TestEnginesOfJobsThatAreOverAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := ReadParams{AWS: AWSParams{Region: "us-east-1", EndpointURL: "http://engine.test"}}
		use := func() *engine {
			e, err := engineFor(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		first, second := use(), use()
		first.release()
		time.Sleep(2 * engineLife)
		if third := use(); first != second || third != first {
			t.Error("an engine that is used is replaced")
		}
		first.release()
		first.release()
		time.Sleep(engineLife - time.Second)
		if e := use(); e != first {
			t.Error("an engine is forgotten before its time")
		}
		time.Sleep(2 * engineLife)
		if e := use(); e != first {
			t.Error("an engine is forgotten while it is used")
		}
		first.release()
		first.release()
		time.Sleep(engineLife + time.Second)
		synctest.Wait()
		if _, known := engines.of[p.withDefaults().engineKey()]; known {
			t.Error("the engine of a job that is over is kept")
		}
	})
}
