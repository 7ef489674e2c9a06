package dataset

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

func TestTensors(t *testing.T) {
	for _, format := range Formats() {
		dir, shard := createIn(t, format), shardOf(door, 0, "fnf")
		for i := range shard.Frames {
			shard.Frames[i].Format, shard.Frames[i].Data = frame.NPY, tensor("|u1", "(1, 9, 16, 3)", 9*16*3)
		}
		write(t, dir, shard)
		if report, err := opened(t, dir).Verify(t.Context(), VerifyOptions{}); err != nil || !report.Complete ||
			report.Frames != 2 {
			t.Errorf("%s: %+v, %v", format, report, err)
		}
		if name := "_20260101T000000000Z.npy"; format != "tfrecord" && !bytes.Contains(allOf(t, dir), []byte(name)) {
			t.Errorf("%s: there is no %s", format, name)
		}
	}
	// Pixels alone are not what anybody could read again.
	shard := shardOf(door, 0, "f")
	shard.Frames[0].Format = frame.RGB
	if _, err := writer(t, create(t)).Write(t.Context(), shard); err == nil ||
		!strings.Contains(err.Error(), `has format "RGB", it must be JPEG, PNG or NPY`) {
		t.Errorf("pixels: %v", err)
	}
}

// allOf is the names and contents of all files.
func allOf(t *testing.T, dir string) (all []byte) {
	for name, content := range tree(t, dir) {
		all = append(append(all, name...), content...)
	}
	return all
}

// TestTensorsBeside: tensors are with their pictures in every format, where the index
// says; and they are still there after a shard was
// written anew.
func TestTensorsBeside(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			dir, shard := createIn(t, format), withTensors(shardOf(door, 0, "fgfdf"))
			write(t, dir, shard)
			wantTensors(t, dir, shard.Frames)
			write(t, dir, withTensors(shardOf(door, 4, "ff"))) // it has a sample of the other
			if report, err := opened(t, dir).Repair(t.Context(), VerifyOptions{}); err != nil || !report.Complete ||
				report.Duplicate != 0 {
				t.Errorf("Repair = %+v, %v", report, err)
			}
			wantTensors(t, dir, append(shard.Frames, withTensors(shardOf(door, 5, "f")).Frames...))
		})
	}
}

// wantTensors verifies a dataset, and looks where its index says that tensors are.
func wantTensors(t *testing.T, dir string, frames []frame.Frame) {
	t.Helper()
	if report, err := opened(t, dir).Verify(t.Context(), VerifyOptions{}); err != nil || !report.Complete ||
		report.Frames != int64(len(frames)) {
		t.Errorf("Verify = %+v, %v", report, err)
	}
	files := tree(t, dir)
	samples := make(map[int64]Sample)
	for _, s := range samplesIn(t, dir) {
		samples[s.SampleMs] = s
	}
	for _, f := range frames {
		s := samples[f.SampleMs]
		file := files[s.TensorFile]
		if end := s.TensorOffset + s.TensorSize; end > int64(len(file)) || file[s.TensorOffset:end] != string(f.Tensor) ||
			s.TensorSHA256 != sha256.Sum256(f.Tensor) {
			t.Errorf("the tensor of %s is not where the index says: %+v", s.Key, s)
		}
	}
}

// TestTensorsDamaged: of a frame whose tensor is not what was written, one is corrupt,
// whatever else of it is.
func TestTensorsDamaged(t *testing.T) {
	for _, format := range Formats() {
		for what, parts := range map[string]func(s Sample) []container.Position{
			"tensor": func(s Sample) []container.Position {
				return []container.Position{{Name: s.TensorFile, Offset: s.TensorOffset}}
			},
			"both": func(s Sample) []container.Position {
				return []container.Position{{Name: s.TensorFile, Offset: s.TensorOffset}, {Name: s.File, Offset: s.Offset}}
			},
		} {
			dir := createIn(t, format)
			write(t, dir, withTensors(shardOf(door, 0, "fff")))
			for _, at := range parts(samplesIn(t, dir)[1]) {
				flipAt(t, filepath.Join(dir, filepath.FromSlash(at.Name)), at.Offset+5)
			}
			report, err := opened(t, dir).Verify(t.Context(), VerifyOptions{})
			if err != nil || report.Corrupt != 1 || report.Frames != 2 || report.Missing != 0 ||
				!strings.Contains(fmt.Sprint(report.Problems), "the tensor of front.door at 2026-01-01T00:00:03.000Z") {
				t.Errorf("%s, %s damaged: %+v, %v", format, what, report, err)
			}
			if report, err := opened(t, dir).Repair(t.Context(), VerifyOptions{}); err != nil || report.Missing != 3 ||
				report.Corrupt != 0 {
				t.Errorf("%s, %s repaired: %+v, %v", format, what, report, err)
			}
		}
	}
}

// TestTensorsRefused: a shard whose receipt could not tell what it holds.
func TestTensorsRefused(t *testing.T) {
	some, twice := withTensors(shardOf(door, 0, "ff")), withTensors(shardOf(door, 0, "f"))
	some.Frames[1].Tensor = nil
	twice.Frames[0].Format, twice.Frames[0].Data = frame.NPY, twice.Frames[0].Tensor
	for want, shard := range map[string]frame.Shard{
		"all of a shard have one, or none has":       some,
		"is a tensor, and has another one beside it": twice,
	} {
		if _, err := writer(t, create(t)).Write(t.Context(), shard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}
