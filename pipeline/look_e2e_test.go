//go:build e2e

package pipeline

import (
	"testing"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms"
)

// TestLateFootage: footage that comes later is fetched, and nothing that was fetched before.
// What comes of it is what is fetched afresh.
func TestLateFootage(t *testing.T) {
	resize, err := transforms.ParseResize("64x36")
	if err != nil {
		t.Fatal(err)
	}
	one := []string{"webdataset"}
	beside := []transforms.Step{resize, transforms.TensorParams{Beside: true}}
	for _, c := range []struct {
		name    string
		late    [2]int // seconds
		steps   []transforms.Step
		place   string
		formats []string
		again   int // images that are served while the footage is not there
		images  int // and when it is
	}{
		// The media begins where the gap does: no range begins inside a fragment. That there is
		// none yet takes a range that begins 20 s earlier, of 6 images that are there.
		{"at a fragment", [2]int{60, 240}, nil, "folder", dataset.Formats(), 6, 60},
		{"in memory", [2]int{60, 240}, nil, "mem", one, 6, 60},
		{"in a bucket", [2]int{60, 240}, nil, "s3", one, 6, 60},
		{"over two shards", [2]int{240, 420}, nil, "folder", one, 6, 60},
		{"resized", [2]int{60, 240}, []transforms.Step{resize}, "folder", one, 6, 60},
		{"with tensors", [2]int{60, 240}, beside, "folder", one, 6, 60},
		{"only tensors", [2]int{60, 240}, []transforms.Step{resize, transforms.TensorParams{}}, "folder", one, 6, 60},
		{"deduped", [2]int{60, 240}, []transforms.Step{transforms.DedupeParams{}}, "folder", one, 40, 100},
		// The range begins inside a fragment: its first sample takes one that begins 20 s earlier.
		{"inside a fragment", [2]int{61, 241}, nil, "folder", one, 6, 66},
	} {
		for _, format := range c.formats {
			t.Run(c.name+" "+format, func(t *testing.T) {
				early := camera(t, [2]int{0, c.late[0]}, [2]int{c.late[1], 600})
				whole := camera(t, [2]int{0, c.late[0]}, c.late, [2]int{c.late[1], 600})
				o := Options{DatasetFormat: format, Transforms: c.steps, Out: newPlace(t, c.place)}
				backfillFrom(t, early, o)
				before := stamps(t, o.Out)
				o.Read.Refetch = []string{frame.NoMedia}
				if _, n := backfillFrom(t, early, o); n != c.again {
					t.Errorf("%d images were served where nothing is new, want %d", n, c.again)
				}
				for name, at := range stamps(t, o.Out) {
					if !at.Equal(before[name]) {
						t.Errorf("a look that found nothing touched %s", name)
					}
				}
				s, n := backfillFrom(t, whole, o)
				if n != c.images || s.Gaps[frame.NoMedia] != 0 || !s.Complete {
					t.Errorf("%d images were served for 60 that were late, want %d: %+v", n, c.images, s)
				}
				if c.images < 100 && (s.Fetched.Samples != 60 || s.Fetched.Frames != 60) {
					t.Errorf("60 samples were asked for, and fetched is %+v", s.Fetched)
				}
				afresh := Options{DatasetFormat: format, Transforms: c.steps, Out: newPlace(t, c.place)}
				backfillFrom(t, whole, afresh)
				equalPlaces(t, o.Out, afresh.Out)
			})
		}
	}
}
