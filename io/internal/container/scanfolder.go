package container

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/internal/header"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
)

// Scan is as [Format] says. Files that are not a shard's are passed over. The folder has
// neither image times nor labels: the image time of a frame is its sample time then.
func (Folder) Scan(span frame.Span, list func() ([]string, error), open func(name string) (store.File, error)) (
	frames []frame.Frame, err error,
) {
	names, err := list()
	if err != nil {
		return nil, err
	}
	slices.Sort(names) // so that pictures of one sample follow each other: .jpg, .npy, .png
	for _, name := range names {
		if !IsMember(span, name) {
			continue
		}
		data, err := readWhole(name, sampleLimit, open)
		if err != nil {
			return nil, err
		}
		key, _, _ := strings.Cut(name, ".")
		ms, _ := frame.ParseInstant(key[strings.LastIndexByte(key, '_')+1:])
		if n := len(frames); n == 0 || frames[n-1].SampleMs != ms {
			frames = append(frames, frame.Frame{SampleMs: ms, ImageMs: ms})
		}
		if err := take(&frames[len(frames)-1], path.Ext(name), data); err != nil {
			return nil, &NotShardError{fmt.Errorf("%s: %w", name, err)}
		}
	}
	for i := range frames {
		if err := measure(&frames[i]); err != nil {
			return nil, &NotShardError{err}
		}
	}
	if err := checkScanned(span, frames); err != nil {
		return nil, &NotShardError{err}
	}
	return frames, nil
}

// take takes a file of a frame.
func take(f *frame.Frame, extension string, data []byte) error {
	switch {
	case extension == frame.Extension(frame.NPY):
		f.Tensor = data
	case extension == frame.Extension(frame.RGB):
		return errors.New("a picture without a header is not kept")
	case f.Data != nil:
		return errors.New("there is another picture of its sample")
	default:
		f.Data, f.Format = data, frame.JPEG
		if extension == frame.Extension(frame.PNG) {
			f.Format = frame.PNG
		}
	}
	return nil
}

// measure tells a tensor in place of a picture from one beside it, and how large the picture is.
func measure(f *frame.Frame) (err error) {
	var width, height int
	if f.Data == nil {
		f.Data, f.Tensor, f.Format = f.Tensor, nil, frame.NPY
		width, height, err = header.SizeOfNPY(f.Data)
	} else {
		width, height, err = header.SizeOfPicture(f.Data)
	}
	f.Width, f.Height = int32(width), int32(height)
	return err
}
