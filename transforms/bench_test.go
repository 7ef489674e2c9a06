package transforms

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	stdjpeg "image/jpeg"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
)

// alternative is a way to do a thing.
type alternative struct {
	name string
	do   func() error
}

// sideBySide does the same in several ways, one after the other, again and again,
// and tells of each the best time in milliseconds, and how many times that of the
// first it is. The best one says most on a machine that others use, too.
func sideBySide(b *testing.B, ways ...alternative) {
	b.Helper()
	best := make([]time.Duration, len(ways))
	for b.Loop() {
		for i, way := range ways {
			began := time.Now()
			if err := way.do(); err != nil {
				b.Fatalf("%s: %v", way.name, err)
			}
			if took := time.Since(began); best[i] == 0 || took < best[i] {
				best[i] = took
			}
		}
	}
	tell(b, ways, best)
}

func tell(b *testing.B, ways []alternative, best []time.Duration) {
	for i, way := range ways {
		name := strings.ReplaceAll(way.name, " ", "_")
		b.ReportMetric(float64(best[i].Microseconds())/1000, "ms/"+name)
		if i > 0 {
			b.ReportMetric(float64(best[i])/float64(best[0]), "×/"+name)
		}
	}
}

// BenchmarkDecode decodes a picture of 1080p to RGB: as the transform does it; by
// image/jpeg and a loop over its planes; and by image/jpeg and At.
func BenchmarkDecode(b *testing.B) {
	data := picture(1920, 1080, 1)
	b.Logf("%d bytes", len(data))
	sideBySide(b, decoders(b, data)...)
}

func decoders(b *testing.B, data []byte) []alternative {
	at := func(denominator int) func() error {
		return func() error {
			p, err := pixels.Decode(data, pixels.Options{}, denominator)
			p.Release()
			return err
		}
	}
	return []alternative{
		{"kvsframes", at(1)},
		{"kvsframes at a half", at(2)},
		{"kvsframes at a quarter", at(4)},
		{"kvsframes at an eighth", at(8)},
		{"image-jpeg and a loop", func() error { return loopOverPlanes(data) }},
		{"image-jpeg and At", func() error { return askEachPixel(data) }},
	}
}

var sink []byte // so that what is measured is done

func loopOverPlanes(data []byte) error {
	img, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	planes := img.(*image.YCbCr)
	size := planes.Rect.Size()
	out := make([]byte, 0, 3*size.X*size.Y)
	for y := range size.Y {
		luma, chroma := planes.YOffset(0, y), planes.COffset(0, y)
		for x := range size.X {
			r, g, b := color.YCbCrToRGB(planes.Y[luma+x], planes.Cb[chroma+x/2], planes.Cr[chroma+x/2])
			out = append(out, r, g, b)
		}
	}
	sink = out
	return nil
}

func askEachPixel(data []byte) error {
	img, err := stdjpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	size := img.Bounds().Size()
	out := make([]byte, 0, 3*size.X*size.Y)
	for y := range size.Y {
		for x := range size.X {
			r, g, b, _ := img.At(x, y).RGBA()
			out = append(out, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	sink = out
	return nil
}

// shardOfPictures returns a shard of 1080p pictures, five different ones in turn.
func shardOfPictures(n int) frame.Shard {
	var different [5][]byte
	for i := range different {
		different[i] = picture(1920, 1080, 1+i)
	}
	shard := frame.Shard{Span: frame.Span{Series: door, First: 589_075_200, Samples: int64(n)}}
	for i := range n {
		shard.Frames = append(shard.Frames, frame.Frame{
			Stream: door.StreamName, SampleMs: door.At(shard.Span.First + int64(i)), Format: frame.JPEG,
			Width: 1920, Height: 1080, Data: different[i%len(different)],
		})
	}
	return shard
}

// throughSteps puts a shard through steps, as a worker does.
func throughSteps(b *testing.B, shard frame.Shard, steps ...Step) func() error {
	b.Helper()
	fn := &shardsFn{Steps: Describe(steps...)}
	if err := fn.Setup(); err != nil {
		b.Fatal(err)
	}
	return func() error {
		return fn.ProcessElement(b.Context(), shard, func(out frame.Shard) {
			if len(out.Frames)+len(out.Drops) != len(shard.Frames) {
				panic(fmt.Sprintf("%d frames and %d drops", len(out.Frames), len(out.Drops)))
			}
		})
	}
}

// BenchmarkShard makes tensors of 224 × 224 of a shard of 100.
func BenchmarkShard(b *testing.B) {
	sideBySide(b, shardWays(b)...)
}

func shardWays(b *testing.B) []alternative {
	shard := shardOfPictures(100)
	resize := ResizeParams{Width: 224, Height: 224, Mode: Crop, Filter: Bilinear}
	return []alternative{
		{"resize and tensor", throughSteps(b, shard, resize, TensorParams{})},
		{"decode in full, resize and tensor", throughSteps(b, shard, DecodeParams{}, resize, TensorParams{})},
	}
}

// BenchmarkDedupe compares a shard that is decoded with one that is deduped, and one
// that is both.
func BenchmarkDedupe(b *testing.B) {
	shard := shardOfPictures(20)
	sideBySide(b,
		alternative{"decode", throughSteps(b, shard, DecodeParams{})},
		alternative{"dedupe", throughSteps(b, shard, DedupeParams{})},
		alternative{"dedupe and decode", throughSteps(b, shard, DedupeParams{}, DecodeParams{})},
		alternative{"decode and dedupe", throughSteps(b, shard, DecodeParams{}, DedupeParams{})},
	)
}

// BenchmarkAllocations tells what a frame of 1080p takes in memory beside its
// result, in steady state.
func BenchmarkAllocations(b *testing.B) {
	shard := shardOfPictures(8)
	for _, c := range []struct {
		name   string
		result int // bytes of a frame
		steps  []Step
	}{
		{"decode", 1920 * 1080 * 3, []Step{DecodeParams{}}},
		{"resize and tensor", 224*224*3 + 128, []Step{ResizeParams{Width: 224, Height: 224, Mode: Crop}, TensorParams{}}},
		{"dedupe", 0, []Step{DedupeParams{}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			do := throughSteps(b, shard, c.steps...)
			for range 3 {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			n := 0
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
				n += len(shard.Frames)
			}
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(n), "B/frame")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(n), "allocs/frame")
			b.ReportMetric(float64(c.result), "B/result")
		})
	}
}
