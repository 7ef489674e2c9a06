// Package claim holds the size that a picture's header claims against the bytes
// that the picture has.
package claim

import (
	"fmt"

	"github.com/kvsframes/kvsframes/io/frame"
)

// The most pixels that a byte of a picture can stand for.
const (
	jpegPixels = 8 * 64   // a bit for each block
	pngPixels  = 8 * 1032 // a bit for each pixel, deflated
)

// Check returns an error if a JPEG or PNG of n bytes cannot have width × height
// pixels, whatever they show.
func Check(format string, n, width, height int) error {
	most := jpegPixels
	if format == frame.PNG {
		most = pngPixels
	}
	if width*height > (n+1)*most {
		return fmt.Errorf("a %s picture of %d bytes that claims to be %d×%d pixels", format, n, width, height)
	}
	return nil
}
