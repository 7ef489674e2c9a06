package pipeline

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"maps"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/transforms"
)

// camera is a stand-in of one stream that has footage in some seconds of the time from start
// on.
func camera(t *testing.T, seconds ...[2]int) *kvstest.Server {
	t.Helper()
	s := kvstest.Stream{Name: "cam", Width: 160, Height: 90, Quota: &kvstest.Quota{}}
	for _, r := range seconds {
		at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
		s.Media = append(s.Media, kvstest.Range{From: at(r[0]), To: at(r[1])})
	}
	server := kvstest.NewServer(kvstest.Config{Streams: []kvstest.Stream{s}})
	t.Cleanup(server.Close)
	return server
}

// useServer makes a stand-in the service.
func useServer(t *testing.T, server *kvstest.Server) {
	t.Helper()
	for _, entry := range server.Env() {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
}

// tenMinutes asks for 200 samples, in two shards.
func tenMinutes() []kvsio.Request {
	return []kvsio.Request{{
		StreamName: "cam", ImageSelectorType: kvsio.ProducerTimestamp, StartTimestamp: start,
		EndTimestamp: start.Add(10 * time.Minute), SamplingInterval: 3 * time.Second, Format: frame.JPEG,
	}}
}

// backfillFrom asks a stand-in for ten minutes, and returns how many images it served.
func backfillFrom(t *testing.T, server *kvstest.Server, o Options) (Summary, int) {
	t.Helper()
	useServer(t, server)
	o.Requests = tenMinutes()
	before := server.Stats().Images
	s, err := Backfill(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s, server.Stats().Images - before
}

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

// newPlace returns a place where nothing is yet.
func newPlace(t *testing.T, kind string) string {
	t.Helper()
	switch kind {
	case "mem":
		return "mem://" + rand.Text() + "/a"
	case "s3":
		server := httptest.NewServer(storetest.S3(t, "bucket"))
		t.Cleanup(server.Close)
		return "s3://bucket/a?region=us-east-1&endpoint=" + server.URL
	}
	return filepath.Join(t.TempDir(), "out")
}

// stamps are the times of shards and receipts of a dataset in a folder.
func stamps(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	times := make(map[string]time.Time)
	if strings.Contains(dir, "://") {
		return times
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if name, _ := filepath.Rel(dir, path); err == nil &&
			(strings.HasPrefix(name, "shards/") || strings.HasPrefix(name, "ledger/")) {
			times[name] = info.ModTime()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return times
}

func equalPlaces(t *testing.T, a, b string) {
	t.Helper()
	got, want := filesIn(t, a, ""), filesIn(t, b, "")
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name, content := range want {
		if got[name] != content {
			t.Errorf("%s is not what is fetched afresh", name)
		}
	}
}

// filesIn maps the path of every file below a folder of a place to its content.
func filesIn(t *testing.T, place, folder string) map[string]string {
	t.Helper()
	root, err := store.At(place)
	if err != nil {
		t.Fatal(err)
	}
	files, folders, err := root.List(context.Background(), folder)
	all := make(map[string]string)
	for _, name := range files {
		data, failed := root.Read(context.Background(), path.Join(folder, name), 64<<20)
		if failed != nil {
			err = failed
		}
		all[path.Join(folder, name)] = string(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range folders {
		maps.Copy(all, filesIn(t, place, path.Join(folder, name)))
	}
	return all
}

// TestDamagedPictureOfASecondLook: a picture that is found damaged on the way costs itself
// alone, and the job goes on without a runner's retries.
func TestDamagedPictureOfASecondLook(t *testing.T) {
	for _, runner := range []string{"direct", "prism"} {
		t.Run(runner, func(t *testing.T) { testDamagedPicture(t, runner) })
	}
}

func testDamagedPicture(t *testing.T, runner string) {
	early := camera(t, [2]int{0, 60}, [2]int{240, 600})
	whole := camera(t, [2]int{0, 60}, [2]int{60, 240}, [2]int{240, 600})
	o := Options{Runner: runner, DatasetFormat: "files", Out: newPlace(t, "folder")}
	backfillFrom(t, early, o)
	pictures, err := filepath.Glob(o.Out + "/shards/*/*/*_20260101T000030000Z.jpg")
	if err != nil || len(pictures) != 1 {
		t.Fatalf("%v, %v", pictures, err)
	}
	if err := os.Truncate(pictures[0], 100); err != nil {
		t.Fatal(err)
	}
	o.Read.Refetch = []string{frame.NoMedia}
	useServer(t, whole)
	o.Requests = tenMinutes()
	_, err = Backfill(t.Context(), o)
	if incomplete := (*IncompleteError)(nil); !errors.As(err, &incomplete) || incomplete.Failed != 1 ||
		incomplete.Missing != 0 {
		t.Fatalf("the error is %v, want an *IncompleteError of one sample", err)
	}
	o.Read.Refetch = nil
	if s, n := backfillFrom(t, whole, o); n > 7 || s.Fetched.Samples != 1 {
		t.Errorf("%d images were served for one sample: %+v", n, s.Fetched)
	}
	afresh := Options{DatasetFormat: "files", Out: newPlace(t, "folder")}
	backfillFrom(t, whole, afresh)
	equalPlaces(t, o.Out, afresh.Out)
}
