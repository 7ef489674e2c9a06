package kvsio

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// decodePicture undoes the base64 of an ImageContent and looks at what it
// holds: the header must be of the format asked for, and the end must be
// there, so that a picture cut short is noticed. Pixels are not decoded.
func decodePicture(content, format string) (data []byte, size image.Point, err error) {
	data, err = base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, size, err
	}
	config, end := image.Config{}, []byte(nil)
	switch format {
	case framepb.PNG:
		config, err = png.DecodeConfig(bytes.NewReader(data))
		end = []byte("IEND")
	default:
		config, err = jpeg.DecodeConfig(bytes.NewReader(data))
		end = []byte{0xff, 0xd9} // end of image; inside the coded data 0xff is escaped
	}
	if err != nil {
		return nil, size, fmt.Errorf("not a %s picture: %w", format, err)
	}
	if !bytes.Contains(data[max(0, len(data)-longestTrailer):], end) {
		return nil, size, fmt.Errorf("a %s picture that has no end", format)
	}
	return data, image.Pt(config.Width, config.Height), nil
}

// longestTrailer is how far from the end of a picture its end marker may lie:
// some encoders pad.
const longestTrailer = 256
