package transforms

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
)

func init() { register.Function2x2(giveBack) }

// giveBack returns the frame that its Labels name.
func giveBack(_ context.Context, f frame.Frame) (frame.Frame, error) {
	out, ok := gifts[f.Labels["gift"]]
	if !ok {
		return f, errors.New("there is no such gift")
	}
	return out, nil
}

var (
	jpegOf16x9 = shardtest.Draw(frame.JPEG, 16, 9, 1)
	npyOf6     = shardtest.Tensor("|u1", "(1, 2, 3)", 6)
	gifts      = map[string]frame.Frame{
		"a JPEG":                {Format: frame.JPEG, Width: 16, Height: 9, Data: jpegOf16x9},
		"a JPEG with a tensor":  {Format: frame.JPEG, Width: 16, Height: 9, Data: jpegOf16x9, Tensor: npyOf6},
		"a PNG":                 {Format: frame.PNG, Width: 16, Height: 9, Data: shardtest.Draw(frame.PNG, 16, 9, 1)},
		"RGB":                   {Format: frame.RGB, Width: 2, Height: 1, Data: make([]byte, 6)},
		"a tensor":              {Format: frame.NPY, Width: 16, Height: 9, Data: npyOf6},
		"nothing":               {},
		"no bytes":              {Format: frame.JPEG, Width: 16, Height: 9},
		"another format":        {Format: frame.PNG, Width: 16, Height: 9, Data: jpegOf16x9},
		"an unknown format":     {Format: "WEBP", Width: 16, Height: 9, Data: jpegOf16x9},
		"another size":          {Format: frame.JPEG, Width: 17, Height: 9, Data: jpegOf16x9},
		"no size":               {Format: frame.JPEG, Data: jpegOf16x9},
		"RGB cut short":         {Format: frame.RGB, Width: 2, Height: 1, Data: make([]byte, 5)},
		"RGB below zero":        {Format: frame.RGB, Width: -2, Height: -1, Data: make([]byte, 6)},
		"a tensor cut short":    {Format: frame.NPY, Data: npyOf6[:len(npyOf6)-1]},
		"no tensor":             {Format: frame.NPY, Data: []byte{1, 2, 3}},
		"a bad tensor beside":   {Format: frame.JPEG, Width: 16, Height: 9, Data: jpegOf16x9, Tensor: []byte{1}},
		"a short tensor beside": {Format: frame.JPEG, Width: 16, Height: 9, Data: jpegOf16x9, Tensor: npyOf6[:130]},
	}
)

// TestReturnedFrames: what a function returns is what its frame says, or the error names the
// step, the stream and the time.
func TestReturnedFrames(t *testing.T) {
	want := map[string]string{
		"nothing":               `its format is ""`,
		"no bytes":              "it is no picture",
		"another format":        "it is a picture in JPEG, its frame says PNG",
		"an unknown format":     `its format is "WEBP"`,
		"another size":          "it has 16×9 pixels, its frame says 17×9",
		"no size":               "it has 16×9 pixels, its frame says 0×0",
		"RGB cut short":         "it has 5 bytes, its frame says RGB of 2×1 pixels",
		"RGB below zero":        "it has 6 bytes, its frame says RGB of -2×-1 pixels",
		"a tensor cut short":    "shape (1, 2, 3) with 5 bytes of values",
		"no tensor":             "it is no .npy file",
		"a bad tensor beside":   "as Tensor cannot be read: it is no .npy file",
		"a short tensor beside": "as Tensor cannot be read: it is a .npy file of shape (1, 2, 3) with 2 bytes of values",
	}
	for _, asPixels := range []bool{false, true} {
		step := MapParams{Fn: giveBack, Pixels: asPixels}
		c, err := newChain(Describe(step))
		if err != nil {
			t.Fatal(err)
		}
		for gift := range gifts {
			f := frameOf(t, "420.jpg")
			f.Labels = map[string]string{"gift": gift}
			err := c.run(t.Context(), []frame.Frame{f}, func(*sample) {})
			if want[gift] == "" || asPixels && !strings.HasSuffix(gift, "beside") { // only the tensor is kept
				if err != nil {
					t.Errorf("%s, %s: %v", step, gift, err)
				}
				continue
			}
			for _, want := range []string{step.String() + ": the frame of front.door at 2026-01-01T", want[gift]} {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("%s, %s: %v, want %s", step, gift, err, want)
				}
			}
		}
	}
}

// TestReturnedAsGiven: a picture that a function leaves as it is stays as it is, whatever
// its header says.
func TestReturnedAsGiven(t *testing.T) {
	f := frameOf(t, "420.jpg")
	f.Width = 1
	if got := through(t, f, MapParams{Fn: tellSize}); got.frame.Width != 1 || len(got.frame.Labels) == 0 {
		t.Errorf("the frame is %d wide, with the labels %v", got.frame.Width, got.frame.Labels)
	}
}
