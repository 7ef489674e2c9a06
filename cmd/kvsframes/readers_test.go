//go:build readers

package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Run .ci/readers first: it installs the readers.
//
//	go test -tags readers ./cmd/kvsframes -run 'TestReaders|TestPython'

// readers are the functions of testdata/readers/python/read.py, and the format
// that each reads.
var readers = []struct{ name, format string }{
	{"webdataset", "webdataset"},
	{"datasets_webdataset", "webdataset"},
	{"datasets_parquet", "parquet"},
	{"pyarrow", "parquet"},
	{"duckdb", "parquet"},
	{"tfrecord", "tfrecord"},
	{"tensorflow", "tfrecord"},
}

// readerCameras are of names that readers may trip over, with gaps of two kinds.
func readerCameras() kvstest.Config {
	door, yard := camera("front.door_v1.2"), camera("back_yard")
	long := camera(strings.Repeat("long.name-", 15))
	door.MediaErrors = []kvstest.Range{{From: demoStart.Add(time.Minute), To: demoStart.Add(2 * time.Minute)}}
	yard.Media = []kvstest.Range{
		{From: demoStart, To: demoStart.Add(30 * time.Second)},
		{From: demoStart.Add(2 * time.Minute), To: demoStart.Add(time.Hour)},
	}
	return kvstest.Config{Streams: []kvstest.Stream{door, yard, long, camera("_x"), camera("__y")}}
}

// backfillFormat backfills three minutes of the cameras into out, in shards of which one is
// all gaps, and returns how many frames that came to.
func backfillFormat(u *user, format, imageFormat, out string) float64 {
	args := ask(0, 3, "--dataset-format", format, "--format", imageFormat, "--shard-samples", "10", "--json", "--out", out)
	cameras := readerCameras().Streams
	args[2] = cameras[0].Name // in place of ask's
	for _, camera := range cameras[1:] {
		args = append(args, "--stream-name", camera.Name)
	}
	u.must(0, args...)
	return object(u.t, u.must(0, "verify", out, "--json"))["frames"].(float64)
}

// TestReaders has real readers read every format. They must tell of each frame
// what the ledger does, and show the picture that the camera took then.
func TestReaders(t *testing.T) {
	for _, reader := range readers {
		for _, imageFormat := range []string{frame.JPEG, frame.PNG} {
			t.Run(reader.name+"/"+imageFormat, func(t *testing.T) {
				u := newUser(t, readerCameras())
				frames := backfillFormat(u, reader.format, imageFormat, "out")
				want := recorded(t, filepath.Join(u.dir, "out"))
				if len(want) != int(frames) || frames != 300-20-30 {
					t.Fatalf("the ledger has %d frames, verify read back %v", len(want), frames)
				}
				checkSamples(t, u.read(reader.name), want)
			})
		}
	}
}

// TestReadersOfBuckets: what lies in a bucket is the files of a folder, whatever the
// format and the store, so that a synced copy is read as any dataset.
func TestReadersOfBuckets(t *testing.T) {
	reads := map[string][]string{"webdataset": {"webdataset"}, "parquet": {"pyarrow", "duckdb"}}
	for _, format := range dataset.Formats() {
		local := newUser(t, readerCameras())
		backfillFormat(local, format, frame.JPEG, "out")
		want := tree(t, filepath.Join(local.dir, "out"))
		for store, make := range map[string]func(*testing.T) bucket{"s3": newBucket, "gs": newGoogleBucket} {
			t.Run(format+"/"+store, func(t *testing.T) {
				u, b := generic(newUser(t, readerCameras())), make(t)
				backfillFormat(u, format, frame.JPEG, b.out)
				objects := b.tree()
				sameTree(t, objects, want)
				for name, data := range objects {
					path := filepath.Join(u.dir, "out", name)
					if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(data), 0o666); err != nil {
						t.Fatal(err)
					}
				}
				for _, reader := range reads[format] {
					checkSamples(t, u.read(reader), recorded(t, filepath.Join(u.dir, "out")))
				}
			})
		}
	}
}

// TestReadersPrune: DuckDB leaves alone the row groups whose times it is not asked
// for.
func TestReadersPrune(t *testing.T) {
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	u.must(0, ask(0, 10, "--dataset-format", "parquet", "--shard-samples", "200")...)
	want := recorded(t, filepath.Join(u.dir, "out"))
	for key, s := range want {
		if s.SampleMs >= demoStart.Add(5*time.Minute).UnixMilli() {
			delete(want, key)
		}
	}
	checkSamples(t, u.read("duckdb_prunes"), want)
}

// TestReadersIndex: by the index of a dataset of any format, readers find every
// picture's bytes; and by its card datasets loads it, with nothing said but where it
// is.
func TestReadersIndex(t *testing.T) {
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			u := newUser(t, readerCameras())
			backfillFormat(u, format, frame.JPEG, "out")
			for _, reader := range []string{"index_duckdb", "index_pyarrow", "card"} {
				checkSamples(t, u.read(reader), recorded(t, filepath.Join(u.dir, "out")))
			}
			u.runCard("out", 3)
		})
	}
}

// TestPythonLines runs the lines that users are shown.
func TestPythonLines(t *testing.T) {
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			u := newUser(t, readerCameras())
			frames := backfillFormat(u, format, frame.JPEG, "out")
			u.load(card.PythonLine(format, "out"), frames)
		})
	}
}

func TestPythonLineOfDemo(t *testing.T) {
	u := newUser(t, kvstest.Config{})
	text := u.must(0, "demo")
	_, line, ok := strings.Cut(text, "\nIn Python:\n  ")
	frames := regexp.MustCompile(`samples: ([0-9,]+) frames`).FindAllStringSubmatch(text, -1)
	if !ok || frames == nil {
		t.Fatalf("the demo says\n%s", text)
	}
	total := frames[len(frames)-1][1] // after those of streams that lack frames
	var n float64
	if _, err := fmt.Sscan(strings.ReplaceAll(total, ",", ""), &n); err != nil {
		t.Fatal(err)
	}
	u.load(line, n)
}

// load runs a line of Python and counts the frames.
func (u *user) load(line string, want float64) {
	u.t.Helper()
	out := u.python("-c", line+"\nprint(sum(1 for _ in frames))")
	if got := strings.TrimSpace(string(out)); got != fmt.Sprint(want) {
		u.t.Errorf("%s\nloads %s frames, want %v", line, got, want)
	}
}

var codeBlock = regexp.MustCompile("(?s)```python\n(.*?)```")

// runCard runs each of the ways to load a dataset that its card shows, in its folder.
func (u *user) runCard(dir string, ways int) {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.dir, dir, "README.md"))
	if err != nil {
		u.t.Fatal(err)
	}
	blocks := codeBlock.FindAllSubmatch(text, -1)
	if len(blocks) != ways {
		u.t.Errorf("the card shows %d ways to load the dataset, want %d:\n%s", len(blocks), ways, text)
	}
	for _, block := range blocks {
		u.python("-c", fmt.Sprintf("import os\nos.chdir(%q)\n%s", dir, block[1]))
	}
}

// sample is what a reader makes of a frame.
type sample struct {
	Key, Stream   string
	SampleMs      int64 `json:"sample_ms"`
	ImageMs       int64 `json:"image_ms"`
	Width, Height int
	Format        string
	Decoded       [2]int // width and height
	RGB           string // base64
}

// recorded lists the frames of a dataset by their keys, as the ledger has them.
func recorded(t *testing.T, dir string) map[string]sample {
	t.Helper()
	frames := make(map[string]sample)
	for recorded, err := range ledger.Open(dir).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		receipt, series := recorded.Receipt, recorded.Entry.Span.Series
		for o := range ledger.Outcomes(receipt) {
			if o.Kind != ledger.Frame {
				continue
			}
			at := series.At(o.Index)
			key := frame.Key(series.StreamName, at)
			frames[key] = sample{
				Key: key, Stream: series.StreamName, SampleMs: at, ImageMs: at + int64(o.OffsetMs),
				Width: int(o.Width), Height: int(o.Height), Format: ledger.Format(receipt), Decoded: [2]int{160, 90},
			}
		}
	}
	return frames
}

// read has a reader read the dataset, or what else is named.
func (u *user) read(reader string, where ...string) []sample {
	u.t.Helper()
	program, err := filepath.Abs("../../testdata/readers/python/read.py")
	if err != nil {
		u.t.Fatal(err)
	}
	var samples []sample
	if len(where) == 0 {
		where = []string{"out"}
	}
	for line := range strings.Lines(string(u.python(append([]string{program, reader}, where...)...))) {
		var s sample
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			u.t.Fatalf("%v: %.200s", err, line)
		}
		samples = append(samples, s)
	}
	return samples
}

// python runs Python with the readers installed, out of reach of the network.
func (u *user) python(args ...string) []byte {
	u.t.Helper()
	installed := os.Getenv("KVSFRAMES_READERS")
	if installed == "" {
		installed = "../../.cache/readers"
	}
	python, err := filepath.Abs(installed + "/python/bin/python")
	if err != nil {
		u.t.Fatal(err)
	}
	cmd := exec.Command(python, args...)
	cmd.Dir = u.dir
	cmd.Env = append(u.env, "TZ=America/New_York", "HF_HUB_OFFLINE=1", "HF_HOME="+u.t.TempDir())
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		u.t.Fatalf("%s: %v\n%s", args[0], err, &said)
	}
	return out
}

// checkSamples takes every sample once, in any order.
func checkSamples(t *testing.T, samples []sample, want map[string]sample) {
	t.Helper()
	for _, s := range samples {
		img := rgb(t, s)
		s.RGB = ""
		if s != want[s.Key] {
			t.Errorf("a reader makes %+v of what is %+v", s, want[s.Key])
		}
		delete(want, s.Key)
		code, err := kvstest.ReadTimecode(img)
		if err != nil {
			t.Errorf("%s: %v", s.Key, err)
		}
		late := time.UnixMilli(s.SampleMs).Sub(code.Time)
		if code.Stream != kvstest.StreamCode(s.Stream) || late < 0 || late >= time.Second/10 {
			t.Errorf("%s shows stream %x at %v", s.Key, code.Stream, code.Time)
		}
	}
	if len(samples) == 0 || len(want) > 0 {
		t.Errorf("%d samples are read, %d are not", len(samples), len(want))
	}
}

func rgb(t *testing.T, s sample) image.Image {
	t.Helper()
	pixels, err := base64.StdEncoding.DecodeString(s.RGB)
	if err != nil || len(pixels) != 3*s.Decoded[0]*s.Decoded[1] {
		t.Fatalf("%s: %d bytes for %v pixels, %v", s.Key, len(pixels), s.Decoded, err)
	}
	img := image.NewRGBA(image.Rect(0, 0, s.Decoded[0], s.Decoded[1]))
	for i := 0; i < len(pixels); i += 3 {
		img.Set(i/3%s.Decoded[0], i/3/s.Decoded[0], color.RGBA{pixels[i], pixels[i+1], pixels[i+2], 255})
	}
	return img
}
