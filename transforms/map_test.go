package transforms

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
)

func init() {
	register.Function2x2(tellPixels)
	register.Function2x2(invert)
}

// tellPixels labels a frame with what it is given, and returns it as another one.
func tellPixels(_ context.Context, f frame.Frame) (frame.Frame, error) {
	labels := maps.Clone(f.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels["seen"] = seen(f)
	return frame.Frame{Labels: labels, Tensor: f.Tensor, Data: []byte("it is not kept"), Format: frame.NPY}, nil
}

func seen(f frame.Frame) string {
	return fmt.Sprintf("%s %d×%d %x", f.Format, f.Width, f.Height, sha256.Sum256(f.Data))
}

// invert makes another picture of pixels.
func invert(_ context.Context, f frame.Frame) (frame.Frame, error) {
	f.Data = slices.Clone(f.Data)
	for i := range f.Data {
		f.Data[i] = ^f.Data[i]
	}
	return f, nil
}

// Wherever a function sees pixels, they are those that a decode step makes there, and
// the frame goes on as it does without the function, but for its labels.
func TestPixels(t *testing.T) {
	tell, keep := MapParams{Fn: tellPixels, Pixels: true}, FilterParams{Fn: isLarge, Pixels: true}
	for _, steps := range [][]Step{
		{},
		{ResizeParams{Width: 12, Height: 8}},
		{DedupeParams{}, ResizeParams{Width: 12, Height: 8}, TensorParams{Beside: true}},
		{DedupeParams{}, ResizeParams{Width: 300, Height: 200, Mode: Pad}, DedupeParams{}},
		{DecodeParams{Orient: true}, ResizeParams{Width: 12, Height: 8}, TensorParams{}},
		{TensorParams{Beside: true}},
		{MapParams{Fn: tellSize}, ResizeParams{Width: 12, Height: 8}},
		{DecodeParams{}, MapParams{Fn: invert}, DedupeParams{}, ResizeParams{Width: 12, Height: 8}},
	} {
		for at := range len(steps) + 1 {
			with := slices.Insert(slices.Clone(steps), at, Step(tell))
			if Validate(with...) != nil {
				continue // a tensor took the picture's place
			}
			for _, name := range []string{"420.jpg", "scene.jpg", "progressive.jpg", "turned6.jpg", "rgb.png", "RGB"} {
				f := frameOf(t, "422.jpg")
				if name == "RGB" {
					f = through(t, f, DecodeParams{}).frame
				} else {
					f = frameOf(t, name)
				}
				want := sample{frame: f}
				if len(steps) > 0 {
					want = through(t, f, steps...)
				}
				got := through(t, f, with...)
				decoded := append(slices.DeleteFunc(slices.Clone(steps[:at]), isTensor), DecodeParams{})
				if label, there := got.frame.Labels["seen"],
					seen(through(t, f, decoded...).frame); label != there && !relabeled(steps[at:]) {
					t.Errorf("%s, %v: the function saw %s, want %s", name, Describe(with...), label, there)
				}
				got.frame.Labels, want.frame.Labels = nil, nil
				if !reflect.DeepEqual(got.frame, want.frame) || got.hash != want.hash {
					t.Errorf("%s, %v: the frame is not what it is without the function", name, Describe(with...))
				}
			}
		}
	}
	large := through(t, frameOf(t, "420.jpg"), keep)
	small := through(t, frameOf(t, "5x3.jpg"), keep)
	if large.drop != "" || small.drop != Filtered {
		t.Errorf("67 pixels across are dropped %q, 5 are dropped %q", large.drop, small.drop)
	}
}

func isTensor(s Step) bool {
	_, ok := s.(TensorParams)
	return ok
}

// relabeled reports whether a function among the steps sets labels of its own.
func relabeled(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.String() == MapParams{Fn: tellSize}.String() })
}

// Behind a function that made another picture, steps see that one.
func TestAnotherPicture(t *testing.T) {
	f := through(t, frameOf(t, "420.jpg"), DecodeParams{}).frame
	small, another := ResizeParams{Width: 12, Height: 8}, MapParams{Fn: invert}
	want := through(t, through(t, f, another).frame, small).frame.Data
	for _, before := range []Step{DedupeParams{}, MapParams{tellPixels, true}} {
		if got := through(t, f, before, another, small).frame.Data; !slices.Equal(got, want) {
			t.Errorf("%s sees to it that %s resizes the picture of before", before, small)
		}
	}
}

// What functions see is decoded once, together with the steps that need the same.
func TestPixelsAreDecodedOnce(t *testing.T) {
	tell, keep := MapParams{Fn: tellPixels, Pixels: true}, FilterParams{Fn: isLarge, Pixels: true}
	for _, c := range []struct {
		steps []Step
		want  int64
	}{
		{[]Step{tell, keep, TensorParams{Beside: true}, tell}, 1},
		{[]Step{tell, DecodeParams{}, DedupeParams{}}, 1},
		{[]Step{tell, ResizeParams{Width: 60, Height: 40}, tell}, 1},
		{[]Step{tell, ResizeParams{Width: 6, Height: 4}, tell}, 2}, // at an eighth of the size, too
		{[]Step{DecodeParams{}, tell, ResizeParams{Width: 6, Height: 4}, tell}, 1},
	} {
		got := int64(0)
		for _, cost := range through(t, frameOf(t, "420.jpg"), c.steps...).costs {
			if cost.meter == decoding.meter {
				got += cost.frames
			}
		}
		if got != c.want {
			t.Errorf("%v: the picture was decoded %d times, want %d", Describe(c.steps...), got, c.want)
		}
	}
}
