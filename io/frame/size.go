package frame

import "fmt"

// The most pixels that a byte of a picture can stand for.
const (
	jpegPixels = 8 * 64   // a bit for each block
	pngPixels  = 8 * 1032 // a bit for each pixel, deflated
)

// CheckSize returns an error if a JPEG or PNG of n bytes cannot have width × height
// pixels, whatever they show: its header claims more than can be there.
func CheckSize(format string, n, width, height int) error {
	most := jpegPixels
	if format == PNG {
		most = pngPixels
	}
	if width*height > (n+1)*most {
		return fmt.Errorf("a %s picture of %d bytes that claims to be %d×%d pixels", format, n, width, height)
	}
	return nil
}
