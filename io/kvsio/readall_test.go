package kvsio_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/typex"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/kvsio"
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

func init() { register.Function1x1(same) }

func same(r kvsio.Request) kvsio.Request { return r }
