package transforms

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Each complaint names the field, its value and what is allowed.
func TestValidate(t *testing.T) {
	closure := func(_ context.Context, f frame.Frame) (frame.Frame, error) { return f, t.Context().Err() }
	for _, c := range []struct {
		steps []Step
		want  string // "" where they are valid
	}{
		{[]Step{
			DecodeParams{},
			ResizeParams{Width: 1, Height: MaxSide},
			DedupeParams{64},
			TensorParams{},
			MapParams{Fn: tellSize},
			FilterParams{Fn: isLarge},
		}, ""},
		{nil, "there is no step"},
		{[]Step{DecodeParams{MaxPixels: -1}}, "DecodeParams.MaxPixels is -1: it must be from 1 to 268435456"},
		{[]Step{DecodeParams{MaxPixels: MaxMaxPixels + 1}}, "MaxPixels is 268435457"},
		{[]Step{ResizeParams{Height: 5}}, "ResizeParams.Width is 0: it must be from 1 to 16384 pixels"},
		{[]Step{ResizeParams{Width: 5, Height: 16385}}, "ResizeParams.Height is 16385"},
		{[]Step{ResizeParams{Width: 16384, Height: 16384}}, "16384×16384: they must be at most 67108864 pixels together"},
		{
			[]Step{ResizeParams{Width: 5, Height: 5, Mode: "cut"}},
			`ResizeParams.Mode is "cut": it must be one of stretch, fit, crop, pad`,
		},
		{
			[]Step{ResizeParams{Width: 5, Height: 5, Filter: "lanczos"}},
			`ResizeParams.Filter is "lanczos": it must be one of nearest, bilinear, catmullrom, area`,
		},
		{[]Step{ResizeParams{Width: 5, Height: 5, Quality: 101}}, "ResizeParams.Quality is 101: it must be from 1 to 100"},
		{[]Step{TensorParams{Dtype: "float16"}}, `TensorParams.Dtype is "float16": it must be one of uint8, float32`},
		{[]Step{DedupeParams{Threshold: 65}}, "DedupeParams.Threshold is 65: it must be from 0 to 64 bits"},
		{[]Step{DedupeParams{Threshold: -1}}, "DedupeParams.Threshold is -1"},
		{[]Step{MapParams{}}, "MapParams.Fn is nil"},
		{[]Step{MapParams{Fn: closure}}, "no closure"},
		{[]Step{FilterParams{}}, "FilterParams.Fn is nil"},
		{[]Step{TensorParams{Beside: true}, MapParams{tellSize, true}, FilterParams{isLarge, true}}, ""},
		{
			[]Step{TensorParams{}, FilterParams{isLarge, true}},
			`isLarge:pixels" cannot follow "tensor uint8", which leaves no picture`,
		},
		{
			[]Step{TensorParams{}, ResizeParams{Width: 5, Height: 5}},
			`step 2: "resize 5x5:stretch:area:q90" cannot follow "tensor uint8"`,
		},
	} {
		err := Validate(c.steps...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v, want %q", Describe(c.steps...), err, c.want)
		}
	}
}

// Shards refuses, when it is called, what no dataset holds.
func TestEndInPixels(t *testing.T) {
	for _, c := range []struct {
		steps []Step
		want  bool
	}{
		{[]Step{ResizeParams{Width: 5, Height: 5}, MapParams{tellSize, true}}, false},
		{[]Step{DecodeParams{}, ResizeParams{Width: 5, Height: 5}, MapParams{Fn: tellSize}}, true},
		{[]Step{DecodeParams{}, TensorParams{}, MapParams{Fn: tellSize}}, false},
		{[]Step{DecodeParams{}, TensorParams{Beside: true}}, true},
	} {
		refused := func() (r any) {
			defer func() { r = recover() }()
			_, s := beam.NewPipelineWithRoot()
			Shards(s, beam.Create(s, shardOf(t, "420.jpg")), c.steps...)
			return nil
		}()
		if got := EndInPixels(c.steps...); got != c.want || (refused != nil) != c.want {
			t.Errorf("%v end in pixels: %v, and Shards says %v", Describe(c.steps...), got, refused)
		}
	}
}

func TestDescribe(t *testing.T) {
	got := Describe(DecodeParams{}, DecodeParams{MaxPixels: 9, Orient: true}, DecodeParams{MaxPixels: DefaultMaxPixels},
		ResizeParams{Width: 512, Height: 256}, ResizeParams{1, 2, Pad, CatmullRom, 7}, TensorParams{},
		TensorParams{Float32, true},
		DedupeParams{3}, MapParams{Fn: tellSize}, FilterParams{isLarge, true})
	want := []string{
		"decode", "decode:orient:max9", "decode", "resize 512x256:stretch:area:q90", "resize 1x2:pad:catmullrom:q7",
		"tensor uint8", "tensor float32:beside",
		"dedupe 3", "map github.com/kvsframes/kvsframes/transforms.tellSize",
		"filter github.com/kvsframes/kvsframes/transforms.isLarge:pixels",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	chain, err := newChain(got) // what a worker makes of them
	if err != nil {
		t.Fatal(err)
	}
	var again []string
	for _, segment := range chain {
		again = append(again, Describe(segment.steps...)...)
	}
	if !slices.Equal(again, want) {
		t.Errorf("a worker reads %q, want %q", again, want)
	}
	for i, description := range want {
		step, err := Parse(description)
		if function := i >= len(want)-2; function != (err != nil) || err == nil && step.String() != description {
			t.Errorf("%q is %v, %v", description, step, err)
		}
	}
	for _, description := range []string{
		"", "rotate 3", "decode 3", "decode:max9:orient", "decode:max0",
		"decode:max268435457", "dedupe", "resize:5x5",
	} {
		if step, err := Parse(description); err == nil {
			t.Errorf("%q is %v", description, step)
		}
	}
}

func TestParseResize(t *testing.T) {
	for _, c := range []struct {
		in   string
		want ResizeParams
		err  string
	}{
		{in: "512x512", want: ResizeParams{Width: 512, Height: 512}},
		{in: "512x256:crop", want: ResizeParams{Width: 512, Height: 256, Mode: Crop}},
		{in: "1x16384:fit:nearest:q1", want: ResizeParams{1, 16384, Fit, Nearest, 1}},
		{in: "", err: "it must be WIDTHxHEIGHT"},
		{in: "512", err: "it must be WIDTHxHEIGHT"},
		{in: "512x", err: "it must be WIDTHxHEIGHT"},
		{in: "512x512x3", err: "it must be WIDTHxHEIGHT"},
		{in: "512x512:", err: "it must be WIDTHxHEIGHT"},
		{in: "512x512:crop:area:90", err: "it must be WIDTHxHEIGHT"},
		{in: "512x512:crop:area:q0", err: "it must be WIDTHxHEIGHT"},
		{in: "512x512:crop:area:q90:x", err: "it must be WIDTHxHEIGHT"},
		{in: "0x512", err: "Width is 0"},
		{in: "512x-1", err: "Height is -1"},
		{in: "512x512:croq", err: `Mode is "croq"`},
		{in: "512x512:crop:area:q101", err: "Quality is 101"},
	} {
		got, err := ParseResize(c.in)
		if c.err == "" && (err != nil || got != c.want) ||
			c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%q: %+v, %v", c.in, got, err)
		}
	}
}

func FuzzParseResize(f *testing.F) {
	for _, s := range []string{"512x512:crop", "1x2:pad:catmullrom:q7", "0x0", "x", "9x9:::", "99999999999999999999x1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParseResize(s)
		if err != nil {
			return
		}
		if again, err := ParseResize(p.spec()); err != nil || again != p.withDefaults() || p.Validate() != nil {
			t.Errorf("%q is %+v, which is read as %+v, %v", s, p, again, err)
		}
	})
}

func FuzzParseDedupe(f *testing.F) {
	for _, s := range []string{"3", "64", "65", "-1", "3 ", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParseDedupe(s); err == nil && (p.Threshold < 0 || p.Threshold > 64) {
			t.Errorf("%q is %+v", s, p)
		}
	})
}

// Whatever the size, a picture keeps its shape in all modes but Stretch, and
// no mode reaches outside of it.
func TestLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.IntRange(1, MaxSide)
		width, height := side.Draw(t, "width"), side.Draw(t, "height")
		p := ResizeParams{
			Width: side.Draw(t, "to width"), Height: side.Draw(t, "to height"),
			Mode: rapid.SampledFrom(Modes).Draw(t, "mode"),
		}
		l := p.layout(width, height)
		b := l.from
		if l.width < 1 || l.height < 1 || l.width > p.Width || l.height > p.Height || l.left < 0 || l.top < 0 ||
			l.left+l.width > p.Width || l.top+l.height > p.Height || b.Left < 0 || b.Top < 0 || b.Right > float32(width) ||
			b.Bottom > float32(height) || b.Left >= b.Right || b.Top >= b.Bottom {
			t.Fatalf("%+v of %d×%d is %+v", p, width, height, l)
		}
		if p.Mode == Stretch || l.width == 1 || l.height == 1 { // there is no less than a pixel
			return
		}
		wide, high := float64(b.Right-b.Left), float64(b.Bottom-b.Top)
		have, got := wide/high, float64(l.width)/float64(l.height)
		fraction := float64(max(width, height)) * 0x1p-21 / min(wide, high) // what Pillow's float32 leaves of a box
		if slack := 1 + 1.01/float64(min(l.width, l.height)) + fraction; have > got*slack || got > have*slack {
			t.Fatalf("%+v of %d×%d is %+v: %v becomes %v", p, width, height, l, have, got)
		}
	})
}

// A tensor beside the picture is what it would be in its place, and the picture what
// it would be without the tensor.
func TestBeside(t *testing.T) {
	for _, name := range []string{"420.jpg", "rgb.png"} {
		f := shardOf(t, name).Frames[0]
		for _, steps := range [][]Step{{}, {ResizeParams{Width: 40, Height: 30}}} {
			both := through(t, f, append(slices.Clone(steps), TensorParams{Beside: true})...).frame
			tensor := through(t, f, append(slices.Clone(steps), TensorParams{})...).frame
			picture := f
			if len(steps) > 0 {
				picture = through(t, f, steps...).frame
			}
			if !bytes.Equal(both.Tensor, tensor.Data) || !bytes.Equal(both.Data, picture.Data) || both.Format != f.Format ||
				tensor.Tensor != nil {
				t.Errorf("%s, %v: the frame is not both of what it is made of", name, Describe(steps...))
			}
		}
	}
}
