package container

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
)

// scanTar finds the frames in a tar: of each the picture, the tensor where there is one, and
// the JSON file, which tells the rest.
func scanTar(data []byte) (frames []frame.Frame, err error) {
	rest := bytes.NewReader(data)
	r := tar.NewReader(rest)
	var blobs [][]byte
	for {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return nil, err
		}
		if head.Size < 0 || head.Size > int64(rest.Len()) {
			return nil, fmt.Errorf("the size of %q is %d bytes, it must be at most %d", head.Name, head.Size, rest.Len())
		}
		content := data[len(data)-rest.Len():][:head.Size:head.Size]
		if !strings.HasSuffix(head.Name, ".json") {
			blobs = append(blobs, content)
			continue
		}
		f, err := frameOfSidecar(content, blobs)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", head.Name, err)
		}
		frames, blobs = append(frames, f), nil
	}
}

// frameOfSidecar returns the frame of a JSON file and the files before it.
func frameOfSidecar(text []byte, blobs [][]byte) (f frame.Frame, err error) {
	var s sidecar
	if err := json.Unmarshal(text, &s); err != nil {
		return f, err
	}
	f = frame.Frame{
		SampleMs: s.SampleTimeMs, ImageMs: s.ImageTimeMs, Format: s.Format, Width: s.Width, Height: s.Height,
	}
	switch len(blobs) {
	case 2:
		f.Tensor = blobs[1]
		fallthrough
	case 1:
		f.Data = blobs[0]
	default:
		return f, fmt.Errorf("%d files are before it, there must be 1 or 2", len(blobs))
	}
	if s.Labels != nil {
		err = json.Unmarshal(s.Labels, &f.Labels)
	}
	return f, err
}
