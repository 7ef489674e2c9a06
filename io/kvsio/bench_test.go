package kvsio_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// world is a stand-in whose answers cost it little, and what is read from it:
// one frame each 3 s of every stream, 25 pictures in turn.
type world struct {
	worldConfig
	server *kvstest.Server
	names  []string // of the streams
}

// worldConfig says what a world is like.
type worldConfig struct {
	streams int
	picture int // bytes of each
	latency time.Duration
	quota   kvstest.Quota
}

const perPage = 25

func newWorld(b *testing.B, c worldConfig) *world {
	b.Helper()
	w, folder := &world{worldConfig: c}, pictures(b, c.picture)
	config := kvstest.Config{Latency: kvstest.Latency{PerCall: c.latency}}
	for i := range c.streams {
		name := fmt.Sprintf("cam-%02d", i)
		w.names = append(w.names, name)
		config.Streams = append(config.Streams, kvstest.Stream{
			Name: name, Folder: folder, FrameRate: 1, Fragment: 3 * time.Second, Quota: &c.quota,
			Media: []kvstest.Range{{From: newYear, To: newYear.Add(10 * 24 * time.Hour)}},
		})
	}
	w.server = kvstest.NewServer(config)
	b.Cleanup(w.server.Close)
	return w
}

// ask asks for frames of every stream, as the pictures are.
func (w *world) ask(frames int) (requests []kvsio.Request) {
	for _, name := range w.names {
		r := request(name, newYear, time.Duration(frames)*3*time.Second)
		r.FormatConfig, r.WidthPixels, r.HeightPixels = nil, 0, 0
		requests = append(requests, r)
	}
	return requests
}

// pictures makes a folder of JPEGs of size bytes.
func pictures(b *testing.B, size int) string {
	b.Helper()
	dir := b.TempDir()
	for i := range perPage {
		var small bytes.Buffer
		if err := jpeg.Encode(&small, image.NewGray(image.Rect(0, 0, 160, 90)), nil); err != nil {
			b.Fatal(err)
		}
		file := filepath.Join(dir, fmt.Sprintf("%02d.jpg", i))
		if err := os.WriteFile(file, pad(small.Bytes(), size, uint8(i)), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// pad makes a JPEG size bytes long, with comments where a real one has its
// pixels: so its size is found in its first bytes, as in a real one.
func pad(picture []byte, size int, seed uint8) []byte {
	const head, most = 4, 2 + 65535 // bytes of a comment
	random := rand.NewChaCha8([32]byte{seed})
	var comments []byte
	for missing := size - len(picture); missing > 0; {
		n := min(missing, most)
		if rest := missing - n; rest > 0 && rest < head {
			n -= head
		}
		comment := make([]byte, n)
		random.Read(comment)
		copy(comment, []byte{0xFF, 0xFE, byte((n - 2) >> 8), byte(n - 2)})
		comments, missing = append(comments, comment...), missing-n
	}
	return slices.Insert(picture, bytes.Index(picture, []byte{0xFF, 0xDA}), comments...)
}

// takeShards is a sink that forgets what it takes. It takes one shard at a time
// in the process, and PerShard for each.
type takeShards struct{ PerShard time.Duration }

var (
	taking sync.Mutex
	taken  atomic.Int64 // bytes of pictures
)

func init() { beam.RegisterDoFn(&takeShards{}) }

func (t *takeShards) ProcessElement(shard frame.Shard) {
	take(shard)
	if t.PerShard > 0 {
		taking.Lock()
		defer taking.Unlock()
		time.Sleep(t.PerShard)
	}
}

func take(shard frame.Shard) {
	for _, f := range shard.Frames {
		taken.Add(int64(len(f.Data)))
	}
}

// readInto reads requests into a sink.
func readInto(sink *takeShards, runner string, p kvsio.ReadParams, requests []kvsio.Request) error {
	pipeline, s := beam.NewPipelineWithRoot()
	beam.ParDo0(s, sink, kvsio.ReadShards(s, p, requests...))
	_, err := beam.Run(context.Background(), runner, pipeline)
	return err
}

// timed returns the seconds that read takes, which must take frames of a world.
func (w *world) timed(b *testing.B, frames int, read func() error) float64 {
	b.Helper()
	taken.Store(0)
	began := time.Now()
	if err := read(); err != nil {
		b.Fatal(err)
	}
	took := time.Since(began)
	if n, want := taken.Load(), int64(frames*w.picture); n != want {
		b.Fatalf("%d bytes of pictures, want %d", n, want)
	}
	return took.Seconds()
}
