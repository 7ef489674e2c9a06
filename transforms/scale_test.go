package transforms

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestScaleOfTensors: tensors take what docs/scale.md says, and so do pixels.
func TestScaleOfTensors(t *testing.T) {
	text, err := os.ReadFile("../docs/scale.md")
	if err != nil {
		t.Fatal(err)
	}
	shard := frame.Shard{Frames: []frame.Frame{{Format: frame.RGB, Width: 4, Height: 3, Data: make([]byte, 4*3*3)}}}
	bytes := func(dtype Dtype) (n float64) {
		fn := &shardsFn{Steps: Describe(ResizeParams{Width: 224, Height: 224}, TensorParams{Dtype: dtype})}
		if err := fn.Setup(); err != nil {
			t.Fatal(err)
		}
		if err := fn.ProcessElement(t.Context(), shard,
			func(out frame.Shard) { n = float64(len(out.Frames[0].Data)) }); err != nil {
			t.Fatal(err)
		}
		return n
	}
	small, large := bytes(Uint8), bytes(Float32)
	for _, want := range []string{
		fmt.Sprintf("\n224 × 224 takes %.0f kB in uint8 and %.0f kB in float32, 100 of them %.0f and %.0f MB", small/1e3,
			large/1e3, small/1e4, large/1e4),
		fmt.Sprintf("up to %d pictures a core, %.0f MB a core at 1080p", perCore, perCore*3*1920*1080/1e6),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/scale.md does not say: %s", want)
		}
	}
}
