//go:build references

package transforms

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

// python runs a script of testdata/references with what .ci/references installs.
func python(t testing.TB, script string, args ...string) string {
	t.Helper()
	installed := os.Getenv("KVSFRAMES_REFERENCES")
	if installed == "" {
		installed = "../.cache/references"
	}
	out, err := exec.Command(filepath.Join(installed, "python/bin/python"),
		append([]string{filepath.Join(references.Scripts, script)}, args...)...).Output()
	if err != nil {
		var stderr []byte
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = exit.Stderr
		}
		t.Fatalf("%s: %v: %s", script, err, stderr)
	}
	return strings.TrimSpace(string(out))
}

// What is kept in testdata is what Pillow, numpy and imagehash make now.
func TestReferencesLive(t *testing.T) {
	made := filepath.Join(t.TempDir(), "expected.npz")
	python(t, "expected.py", references.Pictures, made)
	load := func(t testing.TB, prefix string) map[string]references.Array {
		return references.LoadFrom(t, made, prefix)
	}
	for _, r := range referenceTests {
		t.Run(r.name, func(t *testing.T) { r.test(t, load) })
	}
	kept, now := references.Load(t, ""), load(t, "")
	if len(kept) != len(now) {
		t.Errorf("%d arrays are kept, %d are made", len(kept), len(now))
	}
	for name, array := range now {
		if !bytes.Equal(kept[name].Data, array.Data) {
			t.Errorf("%s is not what is kept", name)
		}
	}
}

// JPEGs of any size, quality, sampling and restart interval are decoded and resized as Pillow does it now.
func TestCorpusLive(t *testing.T) {
	made := filepath.Join(t.TempDir(), "corpus.npz")
	python(t, "corpus.py", made)
	arrays := references.LoadFrom(t, made, "")
	for key, want := range arrays {
		kind, rest, _ := strings.Cut(key, "/")
		if kind == "jpeg" {
			continue
		}
		number, how, _ := strings.Cut(rest, "/")
		data := arrays["jpeg/"+number].Data
		t.Run(key, func(t *testing.T) {
			if kind == "decode" {
				denominator, err := strconv.Atoi(how)
				if err != nil {
					t.Fatal(err)
				}
				got, err := pixels.Decode(data, pixels.Options{}, denominator)
				if err != nil {
					t.Fatal(err)
				}
				want.Compare(t, got.Data, got.Width, got.Height, 0)
				return
			}
			resize, err := ParseResize(how)
			if err != nil {
				t.Fatal(err)
			}
			f := frame.Frame{Stream: "front.door", SampleMs: 1_767_225_600_000, Format: frame.JPEG, Data: data}
			got := through(t, f, DecodeParams{}, resize, DecodeParams{})
			want.Compare(t, got.frame.Data, int(got.frame.Width), int(got.frame.Height), 0)
		})
	}
}

// BenchmarkPillow puts Pillow beside us: decoding a picture of 1080p, in full and smaller, and resizing its pixels in
// one thread, and making tensors of 224 × 224 of a shard of 100 on two cores.
func BenchmarkPillow(b *testing.B) {
	const turns = 5
	files := make([]string, 5)
	for i := range files {
		files[i] = filepath.Join(b.TempDir(), strconv.Itoa(i)+".jpg")
		if err := os.WriteFile(files[i], picture(1920, 1080, 1+i), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	pillow := func(what, times string) time.Duration {
		seconds, err := strconv.ParseFloat(python(b, "bench.py", append([]string{what, times}, files...)...), 64)
		if err != nil {
			b.Fatal(err)
		}
		return time.Duration(seconds * float64(time.Second))
	}
	data := picture(1920, 1080, 1)
	decode := decoders(b, data)
	whole, err := pixels.Decode(data, pixels.Options{}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name, what string
		times      int // in one turn
		cores      int
		ways       []alternative
	}{
		{"Decode", "decode/1", 20, 1, decode[:1]},
		{"Decode at a half", "decode/2", 20, 1, decode[1:2]},
		{"Decode at a quarter", "decode/4", 20, 1, decode[2:3]},
		{"Decode at an eighth", "decode/8", 20, 1, decode[3:4]},
		{"Resize to 224", "resize/224x224", 20, 1, resizers(whole, 224, 224)},
		{"Resize to 640", "resize/640x360", 20, 1, resizers(whole, 640, 360)},
		{"Shard", "shard", 2, 2, shardWays(b)},
		{"Shard, drafted", "drafted", 2, 2, shardWays(b)[:1]},
	} {
		b.Run(c.name, func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.cores))
			ways := append([]alternative{{name: "Pillow"}}, c.ways...)
			best := make([]time.Duration, len(ways))
			for b.Loop() {
				for range turns {
					best[0] = least(best[0], pillow(c.what, strconv.Itoa(c.times)))
					for i, way := range c.ways {
						for range c.times {
							began := time.Now()
							if err := way.do(); err != nil {
								b.Fatal(err)
							}
							best[i+1] = least(best[i+1], time.Since(began))
						}
					}
				}
			}
			tell(b, ways, best)
		})
	}
}

// resizers resize pixels in one way, ours.
func resizers(whole pixels.Image, width, height int) []alternative {
	from := pixels.Rect{Right: float32(whole.Width), Bottom: float32(whole.Height)}
	return []alternative{{"kvsframes", func() error {
		out := whole.Resize(pixels.Bilinear, from, width, height)
		out.Release()
		return nil
	}}}
}

func least(a, b time.Duration) time.Duration {
	if a == 0 || b < a {
		return b
	}
	return a
}
