package pack

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	//lint:ignore SA1019 prism, which Beam would have in its place, opens a port to everybody
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"
)

// TestPackWithoutCreate: a job writes nothing into a place that is not that of its set.
func TestPackWithoutCreate(t *testing.T) {
	dir := archive(t, "webdataset")
	plan := planned(t, dir, Options{SamplesPerFile: 20})
	empty, another, strange := filepath.Join(t.TempDir(), "set"), t.TempDir(), t.TempDir()
	if err := planned(t, dir, Options{SamplesPerFile: 5}).Create(t.Context(), another); err != nil {
		t.Fatal(err)
	}
	overwrite(t, strange, "photo.jpg", nil)
	for place, want := range map[string]string{
		empty:   "not a packed set: it has no pack.json: call Plan.Create for it before the job",
		strange: "not a packed set: it has no pack.json: call Plan.Create for it before the job",
		another: "SamplesPerFile is 20, but for what " + another + " holds it was 5",
	} {
		before := filesAt(t, place)
		p, s := beam.NewPipelineWithRoot()
		Pack(s, Params{Dir: dir, Place: place}, plan)
		if _, err := beam.Run(t.Context(), "direct", p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		equalTrees(t, filesAt(t, place), before, want)
	}
}

// TestNothingToPack: what nobody opened, or planned, is said by its name.
func TestNothingToPack(t *testing.T) {
	if _, err := NewPlan(t.Context(), nil, Options{}); err == nil || !strings.Contains(err.Error(), "source is nil") {
		t.Errorf("the error of NewPlan is %v", err)
	}
	for _, plan := range []*Plan{nil, {}} {
		place := filepath.Join(t.TempDir(), "set")
		if err := plan.Create(t.Context(), place); err == nil || !strings.Contains(err.Error(), "plan is nil or empty") {
			t.Errorf("the error of Create is %v", err)
		}
		if files := filesAt(t, place); len(files) > 0 {
			t.Errorf("Create wrote %v", files)
		}
		func() {
			defer func() {
				if said := fmt.Sprint(recover()); !strings.Contains(said, "pack.Pack: plan is nil or empty") {
					t.Errorf("Pack panics with %s", said)
				}
			}()
			_, s := beam.NewPipelineWithRoot()
			Pack(s, Params{Dir: t.TempDir(), Place: t.TempDir()}, plan)
		}()
	}
}
