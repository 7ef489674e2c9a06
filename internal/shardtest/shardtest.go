// Package shardtest makes shards for tests, and compares folders.
package shardtest

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Door is a series of a picture every 3 seconds.
var Door = frame.Series{
	StreamName: "front.door", ImageSelectorType: "PRODUCER_TIMESTAMP", IntervalMs: 3000, Format: frame.JPEG,
}

// First is the sample of Door at 2026-01-01T00:00:00Z.
const First = 1767225600000 / 3000

// Draw makes a picture whose bytes differ from one shade to the next.
func Draw(format string, width, height int, shade byte) []byte {
	img := image.NewGray(image.Rect(0, 0, width, height))
	for x := range width {
		img.SetGray(x, int(shade)%height, color.Gray{Y: shade})
	}
	var data bytes.Buffer
	var err error
	if format == frame.PNG {
		err = png.Encode(&data, img)
	} else {
		err = jpeg.Encode(&data, img, nil)
	}
	if err != nil {
		panic(err)
	}
	return data.Bytes()
}

// Shard makes a shard with one sample a letter: f and g frames (of different pictures),
// n and F gaps (NO_MEDIA, FAILED), d a drop. It begins offset samples after First.
func Shard(series frame.Series, offset int64, outcomes string) frame.Shard {
	shard := frame.Shard{Span: frame.Span{Series: series, First: First + offset, Samples: int64(len(outcomes))}}
	for i, c := range outcomes {
		at := series.At(shard.Span.First + int64(i))
		switch c {
		case 'f', 'g':
			shard.Frames = append(shard.Frames, frame.Frame{
				Stream: series.StreamName, SampleMs: at, ImageMs: at - 40, Format: series.Format, Width: 16, Height: 9,
				Data: Draw(series.Format, 16, 9, byte(i)+byte(c)),
			})
		case 'n':
			shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: frame.NoMedia})
		case 'F':
			shard.Gaps = append(shard.Gaps, frame.Gap{SampleMs: at, Reason: frame.Failed, Cause: "no route"})
		case 'd':
			shard.Drops = append(shard.Drops, frame.Drop{SampleMs: at, Reason: "SAME"})
		}
	}
	return shard
}

// Plain is Shard without pictures, but with bytes that do not depend on Go's encoders.
func Plain(series frame.Series, outcomes string) frame.Shard {
	shard := Shard(series, 0, outcomes)
	for i := range shard.Frames {
		shard.Frames[i].Data = bytes.Repeat([]byte{byte(i), 'x'}, 100+7*i)
	}
	return shard
}

// Tensor is a .npy file as numpy writes it, of zeros.
func Tensor(descr, shape string, values int) []byte {
	header := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }"
	header += strings.Repeat(" ", 127-10-len(header)) + "\n"
	return append([]byte("\x93NUMPY\x01\x00\x76\x00"+header), make([]byte, values)...)
}

// WithTensors puts tensors of which no two are alike beside the frames of a shard.
func WithTensors(shard frame.Shard) frame.Shard {
	for i := range shard.Frames {
		f := &shard.Frames[i]
		f.Tensor = Tensor("|u1", "(1, 9, 16, 3)", 9*16*3)
		copy(f.Tensor[128:], f.Key())
	}
	return shard
}

// Write writes shards with w, a dataset.Writer, and asks for them in a ledger.Ledger. Both
// packages have tests that import this one.
func Write(t testing.TB, ledger interface {
	Request(ctx context.Context, spans ...frame.Span) error
}, w interface {
	Write(ctx context.Context, shard frame.Shard) (*framepb.Receipt, error)
}, shards ...frame.Shard,
) {
	t.Helper()
	for _, shard := range shards {
		if err := ledger.Request(t.Context(), shard.Span); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(context.Background(), shard); err != nil {
			t.Fatal(err)
		}
	}
}

// Tree maps every path below dir to its content; folders end in a slash.
func Tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := make(map[string]string)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if d.IsDir() {
			files[name+"/"] = ""
			return nil
		}
		data, err := os.ReadFile(path)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// EqualTrees fails a test for every path that two trees do not have in common.
func EqualTrees(t testing.TB, got, want map[string]string, when string) {
	t.Helper()
	for name, data := range want {
		if have, ok := got[name]; !ok || have != data {
			t.Errorf("%s: %s is there: %v, same: %v", when, name, ok, have == data)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is left over", when, name)
		}
	}
}
