package container

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestLengths: what stands around a blob is as long as a layout says without making it.
func TestLengths(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		members := make([]Member, rapid.IntRange(1, 6).Draw(rt, "frames"))
		texts := rapid.SampledFrom([]string{"", "door", "dö\"or", "a\xffb", "<x>"})
		// Both sides of a year's, a digit's and the epoch's end.
		instants := rapid.SampledFrom([]int64{-1e15, -1, 0, 9, 10, 1e12, 253402300799999, 253402300800000, 1e15})
		sizes := rapid.IntRange(1, 2000)
		beside := rapid.Bool().Draw(rt, "tensors")
		for i := range members {
			m := &members[i]
			m.Frame = frame.Frame{
				Stream: "s" + texts.Draw(rt, "stream"), StreamARN: texts.Draw(rt, "arn"),
				SampleMs: instants.Draw(rt, "sample") + int64(i), ImageMs: instants.Draw(rt, "image"),
				Format: rapid.SampledFrom([]string{frame.JPEG, frame.PNG, frame.NPY}).Draw(rt, "format"),
				Width:  rapid.Int32().Draw(rt, "width"), Height: rapid.Int32Range(-20, 20).Draw(rt, "height"),
			}
			if rapid.Bool().Draw(rt, "labelled") {
				m.Labels = map[string]string{texts.Draw(rt, "label"): texts.Draw(rt, "value")}
			}
			m.Prefix, m.Size = texts.Draw(rt, "prefix"), sizes.Draw(rt, "size")
			if beside {
				m.TensorSize = sizes.Draw(rt, "tensor")
			}
		}
		for _, name := range archives() {
			l, err := All[name].(Archive).lay(members)
			if err != nil {
				continue
			}
			for i, b := range l.blobs() {
				before, after := l.lengths(i)
				if n := len(l.before(i)); n != before {
					rt.Fatalf("%s: %d bytes stand before blob %d, lengths says %d", name, n, i, before)
				}
				if n := len(l.after(i, make([]byte, b.Size))); n != after {
					rt.Fatalf("%s: %d bytes stand after blob %d, lengths says %d", name, n, i, after)
				}
			}
		}
	})
}
