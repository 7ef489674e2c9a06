package lift

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"

	"github.com/kvsframes/kvsframes/io/frame"
)

// PictureSize returns the width and height of a picture, in pixels. Its header must be
// that of the format asked for (frame.JPEG or frame.PNG), its size one that
// its bytes can have, and its end must be there, so that a picture cut short is noticed.
// Pixels are not decoded.
func PictureSize(data []byte, format string) (size image.Point, err error) {
	end := []byte{0xff, 0xd9} // end of image; inside the coded data 0xff is escaped
	if format == frame.PNG {
		end = []byte("IEND")
	}
	size, ok := image.Point{}, false
	if format == frame.JPEG {
		size, ok = commonJPEG(data)
	}
	if !ok {
		if size, err = anySize(data, format); err != nil {
			return size, fmt.Errorf("not a %s picture: %w", format, err)
		}
	}
	if err := frame.CheckSize(format, len(data), size.X, size.Y); err != nil {
		return size, err
	}
	if !bytes.Contains(data[max(0, len(data)-longestTrailer):], end) {
		return size, fmt.Errorf("a %s picture that has no end", format)
	}
	return size, nil
}

// longestTrailer is how far from the end of a picture its end marker may lie:
// some encoders pad.
const longestTrailer = 256

func anySize(data []byte, format string) (image.Point, error) {
	decode := jpeg.DecodeConfig
	if format == frame.PNG {
		decode = png.DecodeConfig
	}
	config, err := decode(bytes.NewReader(data))
	return image.Pt(config.Width, config.Height), err
}

// commonJPEG reads the size off the header of a JPEG as nearly all are: grey, or
// YCbCr in one of the usual samplings, without oddities between its segments.
// image/jpeg reads any, and for each makes a decoder larger than many pictures.
func commonJPEG(data []byte) (size image.Point, ok bool) {
	if !bytes.HasPrefix(data, []byte{0xff, 0xd8}) {
		return size, false
	}
	for rest := data[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		marker, length := rest[1], 2+int(binary.BigEndian.Uint16(rest[2:]))
		if length < 4 || length > len(rest) {
			break
		}
		segment := rest[4:length]
		switch rest = rest[length:]; {
		case marker == 0xc0 || marker == 0xc1 || marker == 0xc2: // start of frame
			if size.X != 0 || !commonFrame(segment) {
				return size, false
			}
			size = image.Pt(int(binary.BigEndian.Uint16(segment[3:])), int(binary.BigEndian.Uint16(segment[1:])))
		case marker == 0xda: // start of scan
			return size, size.X != 0 && size.Y != 0
		case marker == 0xc4 || marker == 0xdb || marker == 0xdd: // tables
		case 0xe0 <= marker && marker <= 0xef || marker == 0xfe: // applications, comments
		default:
			return size, false
		}
	}
	return size, false
}

// commonFrame reports whether a start of frame is of 8 bits and of a common
// sampling: a component is its number, its sampling and its table.
func commonFrame(f []byte) bool {
	switch {
	case len(f) == 9 && f[0] == 8 && f[5] == 1:
		return f[7] == 0x11 && f[8] <= 3
	case len(f) == 15 && f[0] == 8 && f[5] == 3:
		luma := f[7] == 0x11 || f[7] == 0x21 || f[7] == 0x12 || f[7] == 0x22
		return luma && f[10] == 0x11 && f[13] == 0x11 && f[8] <= 3 && f[11] <= 3 && f[14] <= 3 &&
			f[6] != f[9] && f[6] != f[12] && f[9] != f[12]
	}
	return false
}
