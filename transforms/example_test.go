package transforms_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"strings"
	"sync"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms"
)

func init() {
	register.Function2x2(dayOrNight)
	register.Function2x2(byDay)
	register.Function1x0(keepShard)
	register.Function1x0(keepFrame)
}

// dayOrNight is a plain Go classifier: it is given pixels, and labels them.
func dayOrNight(_ context.Context, f frame.Frame) (frame.Frame, error) {
	sum := 0
	for _, v := range f.Data {
		sum += int(v)
	}
	label := "night"
	if sum/len(f.Data) > 100 {
		label = "day"
	}
	f.Labels = map[string]string{"light": label}
	return f, nil
}

func byDay(_ context.Context, f frame.Frame) (bool, error) { return f.Labels["light"] == "day", nil }

// Frames of a shard are classified on their way from the source to a sink.
func ExampleShards() {
	p, s := beam.NewPipelineWithRoot()
	shards := beam.Create(s, shardOfGreys(20, 20, 200)) // in a real pipeline, from kvsio.ReadShards
	out := transforms.Shards(s, shards,
		transforms.DedupeParams{Threshold: 3},
		transforms.ResizeParams{Width: 8, Height: 8, Mode: transforms.Crop},
		transforms.MapParams{Fn: dayOrNight, Pixels: true},
	)
	beam.ParDo0(s, keepShard, out)
	run(p)
	for _, f := range shard.Frames {
		fmt.Println(f.SampleTime().Format("15:04:05"), f.Format, f.Width, f.Height, f.Labels["light"])
	}
	for _, d := range shard.Drops {
		fmt.Println(d.SampleMs, d.Reason)
	}
	// Output:
	// 00:00:00 JPEG 8 8 night
	// 3000 DUPLICATE
	// 6000 DUPLICATE
}

// A classifier is given pixels; the frame keeps its JPEG.
func ExampleMapParams() {
	p, s := beam.NewPipelineWithRoot()
	given := shardOfGreys(20, 200)
	frames := beam.CreateList(s, given.Frames)
	classified, gaps := transforms.Frames(s, frames, transforms.MapParams{Fn: dayOrNight, Pixels: true})
	beam.ParDo0(s, keepFrame, classified)
	_ = gaps // of pictures that cannot be decoded
	run(p)
	for i, f := range kept {
		fmt.Println(f.Format, f.Labels["light"], bytes.Equal(f.Data, given.Frames[i].Data))
	}
	// Output:
	// JPEG night true
	// JPEG day true
}

// A PCollection of frames is decoded, once, and made into tensors.
func ExampleFrames() {
	p, s := beam.NewPipelineWithRoot()
	frames := beam.Create(s, shardOfGreys(20, 200).Frames[1])
	tensors, _ := transforms.Frames(s, frames,
		transforms.ResizeParams{Width: 4, Height: 3, Filter: transforms.Bilinear},
		transforms.TensorParams{Dtype: transforms.Float32},
	)
	beam.ParDo0(s, keepFrame, tensors)
	run(p)
	npy := kept[0].Data
	fmt.Println(len(npy), strings.TrimSpace(string(npy[10:128])))
	// Output: 272 {'descr': '<f4', 'fortran_order': False, 'shape': (1, 3, 4, 3), }
}

func ExampleDecode() {
	p, s := beam.NewPipelineWithRoot()
	frames := beam.Create(s, shardOfGreys(200).Frames[0])
	pixels, _ := transforms.Decode(s, transforms.DecodeParams{}, frames)
	beam.ParDo0(s, keepFrame, pixels)
	run(p)
	fmt.Println(kept[0].Format, kept[0].Width, kept[0].Height, kept[0].Data[:3])
	// Output: RGB 32 16 [200 200 200]
}

func ExampleResize() {
	p, s := beam.NewPipelineWithRoot()
	frames := beam.Create(s, shardOfGreys(200).Frames[0])
	small, _ := transforms.Resize(s, transforms.ResizeParams{Width: 8, Height: 8, Mode: transforms.Fit, Quality: 95},
		frames)
	beam.ParDo0(s, keepFrame, small)
	run(p)
	fmt.Println(kept[0].Format, kept[0].Width, kept[0].Height)
	// Output: JPEG 8 4
}

func ExampleTensor() {
	p, s := beam.NewPipelineWithRoot()
	frames := beam.Create(s, shardOfGreys(200).Frames[0])
	tensors, _ := transforms.Tensor(s, transforms.TensorParams{}, frames)
	beam.ParDo0(s, keepFrame, tensors)
	run(p)
	fmt.Println(strings.TrimSpace(string(kept[0].Data[10:128])))
	// Output: {'descr': '|u1', 'fortran_order': False, 'shape': (1, 16, 32, 3), }
}

func ExampleFilter() {
	p, s := beam.NewPipelineWithRoot()
	frames := beam.CreateList(s, shardOfGreys(20, 200).Frames)
	pixels, _ := transforms.Decode(s, transforms.DecodeParams{}, frames)
	beam.ParDo0(s, keepFrame, transforms.Filter(s, byDay, transforms.Map(s, dayOrNight, pixels)))
	run(p)
	fmt.Println(len(kept), kept[0].Labels)
	// Output: 1 map[light:day]
}

func ExampleParseResize() {
	p, err := transforms.ParseResize("512x512:crop")
	fmt.Println(p, err)
	_, err = transforms.ParseResize("512x0")
	fmt.Println(err)
	// Output:
	// resize 512x512:crop:area:q90 <nil>
	// ResizeParams.Height is 0: it must be from 1 to 16384 pixels
}

// What examples put out.
var (
	mu    sync.Mutex
	kept  []frame.Frame
	shard frame.Shard
)

func keepShard(s frame.Shard) {
	mu.Lock()
	defer mu.Unlock()
	shard = s
}

func keepFrame(f frame.Frame) {
	mu.Lock()
	defer mu.Unlock()
	kept = append(kept, f)
}

func run(p *beam.Pipeline) {
	kept = nil
	if _, err := beam.Run(context.Background(), "direct", p); err != nil {
		fmt.Println(err)
	}
	slices.SortFunc(kept, func(a, b frame.Frame) int { return int(a.SampleMs - b.SampleMs) })
}

// shardOfGreys returns a shard of plain pictures, 3 s apart.
func shardOfGreys(shades ...uint8) frame.Shard {
	series := frame.Series{StreamName: "front-door", IntervalMs: 3000, Format: frame.JPEG}
	shard := frame.Shard{Span: frame.Span{Series: series, Samples: int64(len(shades))}}
	for i, shade := range shades {
		img := image.NewGray(image.Rect(0, 0, 32, 16))
		for at := range img.Pix {
			img.Pix[at] = color.Gray{Y: shade}.Y
		}
		var data strings.Builder
		if err := jpeg.Encode(&data, img, nil); err != nil {
			panic(err)
		}
		shard.Frames = append(shard.Frames, frame.Frame{
			Stream: "front-door", SampleMs: int64(3000 * i), Format: frame.JPEG, Width: 32, Height: 16,
			Data: []byte(data.String()),
		})
	}
	return shard
}
