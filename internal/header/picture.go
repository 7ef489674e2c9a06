// Package header checks pictures and .npy files by their headers, as what reads them will:
// nothing is decoded.
package header

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg" // for image.DecodeConfig
	_ "image/png"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
)

// CheckPicture returns an error where data is not a picture of the format, JPEG or PNG, and
// of the size, in pixels, that teller says: "its receipt", as the error calls it.
func CheckPicture(data []byte, format string, width, height int, teller string) error {
	header, kind, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("it is no picture: %w", err)
	}
	if !strings.EqualFold(kind, format) {
		return fmt.Errorf("it is a picture in %s, %s says %s", strings.ToUpper(kind), teller, format)
	}
	if header.Width != width || header.Height != height {
		return fmt.Errorf("it has %d×%d pixels, %s says %d×%d", header.Width, header.Height, teller, width, height)
	}
	return frame.CheckSize(format, len(data), header.Width, header.Height)
}

// SizeOfPicture returns the width and the height of a JPEG or PNG, in pixels, as its header
// says.
func SizeOfPicture(data []byte) (width, height int, err error) {
	header, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return 0, 0, fmt.Errorf("it is no picture: %w", err)
	}
	return header.Width, header.Height, nil
}
