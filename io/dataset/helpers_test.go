package dataset

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

func TestMain(m *testing.M) { ptest.Main(m) }

var door = framepb.Series{
	StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000, Format: framepb.JPEG,
}

// first is the sample at 2026-01-01T00:00:00Z.
const first = 1767225600000 / 3000

// draw makes a picture whose bytes differ from one shade to the next.
func draw(format string, width, height int, shade byte) []byte {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for x := range width {
		img.SetGray(x, int(shade)%height, color.Gray{Y: shade})
	}
	var data bytes.Buffer
	var err error
	if format == framepb.PNG {
		err = png.Encode(&data, img)
	} else {
		err = jpeg.Encode(&data, img, nil)
	}
	if err != nil {
		panic(err)
	}
	return data.Bytes()
}

// shardOf makes a shard with one sample a letter: f and g frames (of different
// pictures), n and F gaps (NO_MEDIA, FAILED), d a drop. It begins offset samples
// after first.
func shardOf(series framepb.Series, offset int64, outcomes string) framepb.Shard {
	shard := framepb.Shard{Span: framepb.Span{Series: series, First: first + offset, Samples: int64(len(outcomes))}}
	for i, c := range outcomes {
		at := series.At(shard.Span.First + int64(i))
		switch c {
		case 'f', 'g':
			shard.Frames = append(shard.Frames, framepb.Frame{
				Stream: series.StreamName, SampleMs: at, ImageMs: at - 40, Format: series.Format, Width: 16, Height: 9,
				Data: draw(series.Format, 16, 9, byte(i)+byte(c)),
			})
		case 'n':
			shard.Gaps = append(shard.Gaps, framepb.Gap{SampleMs: at, Reason: framepb.NoMedia})
		case 'F':
			shard.Gaps = append(shard.Gaps, framepb.Gap{SampleMs: at, Reason: framepb.Failed, Cause: "no route"})
		case 'd':
			shard.Drops = append(shard.Drops, framepb.Drop{SampleMs: at, Reason: "SAME"})
		}
	}
	return shard
}

// create makes a new dataset of single files in a new folder.
func create(t testing.TB) string { return createIn(t, "files") }

func createIn(t testing.TB, format string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{Format: format}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writer(t testing.TB, dir string) *Writer {
	t.Helper()
	w, err := NewWriter(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// write writes shards, and asks for them.
func write(t testing.TB, dir string, shards ...framepb.Shard) {
	t.Helper()
	w := writer(t, dir)
	for _, shard := range shards {
		if err := ledger.Open(dir).Request(shard.Span); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(context.Background(), shard); err != nil {
			t.Fatal(err)
		}
	}
}

// tree maps every path below dir to its content; folders end in a slash.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			files[name+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// settled is tree once all writers are done: they have left nothing in tmp, and
// Sweep removes it.
func settled(t testing.TB, dir string) map[string]string {
	t.Helper()
	wantNoLeftovers(t, dir, "settled")
	if err := Sweep(dir); err != nil {
		t.Error(err)
	}
	return tree(t, dir)
}

func wantNoLeftovers(t testing.TB, dir, when string) {
	t.Helper()
	if left := leftovers(t, dir); len(left) > 0 {
		t.Errorf("%s: in tmp is left %v", when, left)
	}
}

func leftovers(t testing.TB, dir string) []string {
	t.Helper()
	left, err := store.Folder(dir).Under(context.Background(), "tmp")
	if err != nil {
		t.Error(err)
	}
	return left
}

func equalTrees(t testing.TB, got, want map[string]string, when string) {
	t.Helper()
	for name, data := range want {
		if have, ok := got[name]; !ok || have != data {
			t.Errorf("%s: %s is there: %v, same: %v", when, name, ok, have == data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is left over", when, name)
		}
	}
}
