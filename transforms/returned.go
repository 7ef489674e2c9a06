package transforms

import (
	"fmt"
	"unsafe"

	"github.com/kvsframes/kvsframes/internal/header"
	"github.com/kvsframes/kvsframes/io/frame"
)

// checkReturned returns an error where a frame that a function returned is not what it says:
// nobody could read it again. What the function has left as it was is not looked at.
func checkReturned(out, in frame.Frame) error {
	if out.Format != in.Format || out.Width != in.Width || out.Height != in.Height || !isSame(out.Data, in.Data) {
		if err := checkPicture(out); err != nil {
			return fmt.Errorf("what the function returned as Data is not as its frame says: %w", err)
		}
	}
	return checkTensor(out.Tensor, in.Tensor)
}

// isSame reports whether two slices are one: contents are not compared.
func isSame(a, b []byte) bool { return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b) }

func checkPicture(f frame.Frame) error {
	switch f.Format {
	case frame.JPEG, frame.PNG:
		return header.CheckPicture(f.Data, f.Format, int(f.Width), int(f.Height), "its frame")
	case frame.NPY:
		return header.CheckNPY(f.Data)
	case frame.RGB:
		if f.Width < 1 || f.Height < 1 || int64(len(f.Data)) != 3*int64(f.Width)*int64(f.Height) {
			return fmt.Errorf("it has %d bytes, its frame says RGB of %d×%d pixels: it must have 3 bytes a pixel",
				len(f.Data), f.Width, f.Height)
		}
		return nil
	}
	return fmt.Errorf("its format is %q: it must be %s, %s, %s or %s", f.Format, frame.JPEG, frame.PNG, frame.RGB, frame.NPY)
}

func checkTensor(out, in []byte) error {
	if len(out) == 0 || isSame(out, in) {
		return nil
	}
	if err := header.CheckNPY(out); err != nil {
		return fmt.Errorf("what the function returned as Tensor cannot be read: %w", err)
	}
	return nil
}
