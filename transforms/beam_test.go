package transforms

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"
	//lint:ignore SA1019 it is one of the two local runners that the transforms promise to run on
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/references"
)

func init() {
	beam.RegisterDoFn(&makeShard{})
	beam.RegisterDoFn(&takeApart{})
	beam.RegisterDoFn(&collectShards{})
	beam.RegisterDoFn(&collectFrames{})
	beam.RegisterDoFn(&collectGaps{})
	register.Function2x2(tellSize)
	register.Function2x2(isLarge)
	register.Function2x2(refuse)
}

func TestMain(m *testing.M) { ptest.Main(m) }

var runners = []string{"prism", "direct"}

var door = frame.Series{
	StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000,
	Format: frame.JPEG,
}

// shardOf returns a shard of pictures by their names; "-" is a gap, "x" a drop.
func shardOf(t testing.TB, names string) frame.Shard {
	fields := strings.Fields(names)
	shard := frame.Shard{Span: frame.Span{Series: door, First: 589_075_200, Samples: int64(len(fields))}}
	for i, name := range fields {
		at := door.At(shard.Span.First + int64(i))
		switch name {
		case "-":
			shard.Gaps = append(shard.Gaps, frame.Gap{Stream: door.StreamName, SampleMs: at, Reason: frame.NoMedia})
		case "x":
			shard.Drops = append(shard.Drops, frame.Drop{SampleMs: at, Reason: "NIGHT"})
		default:
			f := frameOf(t, name)
			f.SampleMs, f.ImageMs, f.StreamARN = at, at+40, "arn"
			shard.Frames = append(shard.Frames, f)
		}
	}
	return shard
}

// makeShard emits shards at the time of their first sample.
type makeShard struct{ Pictures string }

func (m *makeShard) ProcessElement(names string, emit func(beam.EventTime, frame.Shard)) error {
	shard := shardOf(failing{}, names)
	emit(beam.EventTime(door.At(shard.Span.First)), shard)
	return nil
}

// failing stands for a test where there is none.
type failing struct{ testing.TB }

func (failing) Helper()           {}
func (failing) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

type takeApart struct{ Unused int }

func (*takeApart) ProcessElement(shard frame.Shard, emit func(beam.EventTime, frame.Frame)) {
	for _, f := range shard.Frames {
		emit(beam.EventTime(f.SampleMs), f)
	}
}

// collected is what pipelines of this process put out, by run.
var collected struct {
	sync.Mutex
	shards map[string]frame.Shard
	frames map[string][]frame.Frame
	gaps   map[string][]frame.Gap
	late   []string // elements that are not at their time
}

func collect(at beam.EventTime, want int64, take func()) {
	collected.Lock()
	defer collected.Unlock()
	if int64(at) != want {
		collected.late = append(collected.late, fmt.Sprintf("%d at %d", want, at))
	}
	if collected.shards == nil {
		collected.shards = map[string]frame.Shard{}
		collected.frames = map[string][]frame.Frame{}
		collected.gaps = map[string][]frame.Gap{}
	}
	take()
}

type collectShards struct{ Run string }

func (c *collectShards) ProcessElement(at beam.EventTime, shard frame.Shard) {
	collect(at, door.At(shard.Span.First), func() { collected.shards[c.Run] = shard })
}

type collectFrames struct{ Run string }

func (c *collectFrames) ProcessElement(at beam.EventTime, f frame.Frame) {
	collect(at, f.SampleMs, func() { collected.frames[c.Run] = append(collected.frames[c.Run], f) })
}

type collectGaps struct{ Run string }

func (c *collectGaps) ProcessElement(at beam.EventTime, g frame.Gap) {
	collect(at, g.SampleMs, func() { collected.gaps[c.Run] = append(collected.gaps[c.Run], g) })
}

// runOn runs a pipeline that begins with a shard.
func runOn(t *testing.T, runner, pictures string,
	build func(s beam.Scope, run string, shards beam.PCollection),
) (beam.PipelineResult, string) {
	t.Helper()
	run := t.Name()
	p, s := beam.NewPipelineWithRoot()
	build(s, run, beam.ParDo(s, &makeShard{}, beam.Create(s, pictures)))
	result, err := beam.Run(t.Context(), runner, p)
	if err != nil {
		t.Fatal(err)
	}
	collected.Lock()
	defer collected.Unlock()
	if len(collected.late) > 0 {
		t.Errorf("elements are not at their times: %v", collected.late)
	}
	return result, run
}

func tellSize(_ context.Context, f frame.Frame) (frame.Frame, error) {
	f.Labels = map[string]string{"size": fmt.Sprintf("%d×%d", f.Width, f.Height), "bytes": fmt.Sprint(len(f.Data))}
	f.SampleMs = 0 // it is put back
	return f, nil
}

func isLarge(_ context.Context, f frame.Frame) (bool, error) { return f.Width > 50, nil }

func refuse(context.Context, frame.Frame) (bool, error) { return false, fmt.Errorf("not today") }

const mixed = "420.jpg 422.jpg - mirror.jpg truncated.bad.jpg x huge.bad.png rgb.png mirror.jpg"

// Each sample stays one, in order, on every runner.
func TestShards(t *testing.T) {
	for _, runner := range runners {
		t.Run(runner, func(t *testing.T) {
			result, run := runOn(t, runner, mixed, func(s beam.Scope, run string, shards beam.PCollection) {
				out := ShardsOfPixels(s, shards, DedupeParams{Threshold: 4}, ResizeParams{Width: 24, Height: 16, Mode: Crop},
					DecodeParams{}, MapParams{Fn: tellSize}, FilterParams{Fn: isSmall})
				beam.ParDo0(s, &collectShards{run}, beam.Reshuffle(s, out))
			})
			shard := collected.shards[run]
			at := func(ms int64) int64 { return door.Index(ms) - shard.Span.First }
			var got []string
			for _, f := range shard.Frames {
				got = append(got, fmt.Sprintf("frame %d %s %d %v %d", at(f.SampleMs), f.Format, len(f.Data), f.Labels,
					f.ImageMs-f.SampleMs))
			}
			for _, g := range shard.Gaps {
				got = append(got, fmt.Sprintf("gap %d %s %s", at(g.SampleMs), g.Reason, g.Cause))
			}
			for _, d := range shard.Drops {
				got = append(got, fmt.Sprintf("drop %d %s", at(d.SampleMs), d.Reason))
			}
			want := []string{
				"frame 0 RGB 1152 map[bytes:1152 size:24×16] 40",
				"frame 3 RGB 1152 map[bytes:1152 size:24×16] 40",
				"frame 7 RGB 1152 map[bytes:1152 size:24×16] 40",
				"frame 8 RGB 1152 map[bytes:1152 size:24×16] 40",
				"gap 2 NO_MEDIA ",
				"gap 4 CORRUPT the JPEG is truncated",
				"gap 6 CORRUPT the PNG claims to be 60000×60000 pixels: more than 67108864 are not decoded",
				"drop 1 DUPLICATE",
				"drop 5 NIGHT",
			}
			if !slices.Equal(got, want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			for name, want := range map[string]int64{
				"corrupt": 2, "duplicates": 1, "resize_frames": 4, "map_frames": 4,
				"dedupe_frames": 7,
			} {
				counters := result.Metrics().Query(func(r beam.MetricResult) bool {
					return r.Namespace() == MetricNamespace &&
						r.Name() == name
				}).Counters()
				if len(counters) != 1 || counters[0].Committed != want {
					t.Errorf("%s is %v, want %d", name, counters, want)
				}
			}
		})
	}
}

func init() { register.Function2x2(isSmall) }

func isSmall(_ context.Context, f frame.Frame) (bool, error) { return f.Width < 50, nil }

// Frames keep their event times; those that cannot be decoded are gaps.
func TestFrames(t *testing.T) {
	for _, runner := range runners {
		t.Run(runner, func(t *testing.T) {
			_, run := runOn(t, runner, mixed, func(s beam.Scope, run string, shards beam.PCollection) {
				frames := beam.ParDo(s, &takeApart{}, shards)
				large := Filter(s, isLarge, Map(s, tellSize, frames))
				decoded, gaps := Decode(s, DecodeParams{}, frames)
				resized, _ := Resize(s, ResizeParams{Width: 60, Height: 40}, decoded)
				tensors, _ := Tensor(s, TensorParams{Dtype: Float32}, resized)
				beam.ParDo0(s, &collectFrames{run}, Filter(s, isLarge, tensors))
				beam.ParDo0(s, &collectFrames{run + " large"}, beam.Reshuffle(s, large))
				beam.ParDo0(s, &collectGaps{run}, gaps)
				classified, corrupt := Frames(s, frames, MapParams{tellSize, true})
				beam.ParDo0(s, &collectFrames{run + " classified"}, classified)
				beam.ParDo0(s, &collectGaps{run + " corrupt"}, corrupt)
			})
			if frames, gaps := collected.frames[run], collected.gaps[run]; len(frames) != 5 || len(gaps) != 2 {
				t.Fatalf("%d frames and %d gaps, want 5 and 2", len(frames), len(gaps))
			}
			for _, f := range collected.frames[run] {
				a := references.Parse(t, f.Data)
				if f.Format != frame.NPY || !slices.Equal(a.Shape, []int{1, 40, 60, 3}) || a.Dtype != "<f4" || f.Width != 60 ||
					f.Height != 40 || f.Stream != door.StreamName {
					t.Errorf("%s %v %s %+v", f.Format, a.Shape, a.Dtype, f.Stream)
				}
			}
			if corrupt := collected.gaps[run+" corrupt"]; len(corrupt) != 2 || corrupt[0].Reason != frame.Corrupt {
				t.Errorf("pictures that a function cannot see are %v", corrupt)
			}
			for _, f := range collected.frames[run+" classified"] {
				if f.Format == frame.RGB || f.Labels["size"] != "67×45" || f.Labels["bytes"] != "9045" {
					t.Errorf("%s %v", f.Format, f.Labels)
				}
			}
			if large := collected.frames[run+" large"]; len(large) != 0 { // frames of the source tell no size here
				t.Errorf("%d frames are large, want none", len(large))
			}
		})
	}
}

// TestTagsStay: whatever a step makes of a frame has the frame's tag.
func TestTagsStay(t *testing.T) {
	for name, steps := range map[string][]Step{
		"function": {MapParams{Fn: anew}}, "decoded": {DecodeParams{}}, "tensor": {TensorParams{}},
		"resized": {ResizeParams{Width: 8, Height: 8}}, "classified": {MapParams{tellSize, true}},
	} {
		t.Run(name, func(t *testing.T) {
			_, run := runOn(t, "direct", mixed, func(s beam.Scope, run string, shards beam.PCollection) {
				frames, gaps := Frames(s, beam.ParDo(s, tagged, beam.ParDo(s, &takeApart{}, shards)), steps...)
				beam.ParDo0(s, &collectFrames{run}, frames)
				beam.ParDo0(s, &collectGaps{run}, gaps)
			})
			frames, gaps := collected.frames[run], collected.gaps[run]
			if len(frames)+len(gaps) != 7 {
				t.Errorf("%d frames and %d gaps", len(frames), len(gaps))
			}
			for _, f := range frames {
				if f.Tag != "event 1" {
					t.Errorf("the tag of a frame is %q", f.Tag)
				}
			}
			for _, g := range gaps {
				if g.Tag != "event 1" {
					t.Errorf("the tag of a gap is %q", g.Tag)
				}
			}
		})
	}
}

func init() {
	register.Function1x1(tagged)
	register.Function2x2(anew)
}

func tagged(f frame.Frame) frame.Frame {
	f.Tag = "event 1"
	return f
}

func anew(_ context.Context, f frame.Frame) (frame.Frame, error) {
	return frame.Frame{Format: f.Format, Width: f.Width, Height: f.Height, Data: f.Data}, nil
}

// A function's error fails the job, and names the frame.
func TestFunctionFails(t *testing.T) {
	p, s := beam.NewPipelineWithRoot()
	shards := beam.ParDo(s, &makeShard{}, beam.Create(s, "420.jpg"))
	Shards(s, shards, FilterParams{Fn: refuse})
	_, err := beam.Run(t.Context(), "direct", p)
	for _, want := range []string{
		"filter github.com/kvsframes/kvsframes/transforms.refuse", "front.door",
		"2026-01-01T00:00:00Z", "not today",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// The frames that were given are as they were, whatever is made of them.
func TestNothingIsChanged(t *testing.T) {
	steps := [][]Step{
		{DecodeParams{Orient: true}},
		{ResizeParams{Width: 10, Height: 10, Mode: Pad}, TensorParams{}},
		{ResizeParams{Width: 67, Height: 45}},
		{ResizeParams{Width: 10, Height: 10}, TensorParams{Beside: true}},
		{DedupeParams{Threshold: 1}, DecodeParams{}},
		{MapParams{Fn: tellSize}, FilterParams{Fn: isLarge}},
	}
	shard := shardOf(t, "420.jpg 422.jpg turned3.jpg rgb.png grey.jpg")
	for i, f := range shard.Frames {
		pixels := through(t, f, DecodeParams{})
		if i%2 == 0 {
			shard.Frames[i] = pixels.frame
		}
	}
	before := make([]frame.Frame, len(shard.Frames))
	for i, f := range shard.Frames {
		before[i] = f
		before[i].Data = slices.Clone(f.Data)
	}
	for _, steps := range steps {
		fn := &shardsFn{Steps: Describe(steps...)}
		if err := fn.Setup(); err != nil {
			t.Fatal(err)
		}
		for range 3 { // buffers are used again
			var outs []frame.Frame
			err := fn.ProcessElement(t.Context(), shard, func(out frame.Shard) { outs = out.Frames })
			if err != nil {
				t.Fatal(err)
			}
			copies := make([][]byte, len(outs))
			for i, f := range outs {
				copies[i] = slices.Clone(f.Data)
			}
			if err := fn.ProcessElement(t.Context(), shard, func(frame.Shard) {}); err != nil {
				t.Fatal(err)
			}
			for i, f := range outs {
				if !slices.Equal(f.Data, copies[i]) {
					t.Errorf("%v: a frame that was emitted changed later", Describe(steps...))
				}
			}
		}
		if !reflect.DeepEqual(shard.Frames, before) {
			t.Fatalf("%v changed a frame that it was given", Describe(steps...))
		}
	}
}

// Steps are one more DoFn behind the source, and nothing that ends a stage.
func TestFusion(t *testing.T) {
	with, without := urns(t, true), urns(t, false)
	const parDo = "beam:transform:pardo:v1"
	if with[parDo] != without[parDo]+1 {
		t.Errorf("%d DoFns, without the steps %d", with[parDo], without[parDo])
	}
	delete(with, parDo)
	delete(without, parDo)
	if !reflect.DeepEqual(with, without) {
		t.Errorf("the pipeline's transforms are %v, without the steps %v", with, without)
	}
}

// urns counts a pipeline's transforms, side inputs and states.
func urns(t *testing.T, steps bool) map[string]int {
	p, s := beam.NewPipelineWithRoot()
	shards := beam.ParDo(s, &makeShard{}, beam.Reshuffle(s, beam.Create(s, mixed)))
	if steps {
		shards = Shards(s, shards, DedupeParams{}, ResizeParams{Width: 8, Height: 8}, TensorParams{}, MapParams{Fn: tellSize})
	}
	beam.ParDo0(s, &collectShards{}, shards)
	edges, _, err := p.Build()
	if err != nil {
		t.Fatal(err)
	}
	graph, err := graphx.Marshal(edges, &graphx.Options{Environment: &pipepb.Environment{}})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, transform := range graph.GetComponents().GetTransforms() {
		if urn := transform.GetSpec().GetUrn(); urn != "" {
			counts[urn]++
			counts["inputs of "+urn] += len(transform.GetInputs()) - 1
		}
	}
	delete(counts, "inputs of beam:transform:pardo:v1") // one each, unless there are side inputs
	for _, c := range graph.GetComponents().GetPcollections() {
		counts["windowing "+c.GetWindowingStrategyId()]++
	}
	counts["windowing w0"] = 0
	return counts
}
