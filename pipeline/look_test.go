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
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/store"
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
