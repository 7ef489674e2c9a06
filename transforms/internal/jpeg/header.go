package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

var (
	errNoStart   = errors.New("not a JPEG: it does not begin with a start of image")
	errTruncated = errors.New("the JPEG is truncated")
	errCorrupt   = errors.New("the JPEG's coded data is corrupt")
)

// Header is what a JPEG says of itself ahead of its pixels.
type Header struct {
	Width, Height int  // pixels, as stored
	Orientation   int  // EXIF's, 1 to 8; 1 where it says nothing
	Common        bool // Decode can decode it

	frame       []byte // start of frame, from its precision on
	progressive bool
	blockBits   int // what a block takes at least
	jfif        bool
	adobe       int // colour transform of an Adobe segment, -1 without
	scan        int // offset of the start of scan's payload
	scans       int // components in it
	ri          int // restart interval, MCUs
}

// ReadHeader reads up to the first scan. It takes no memory by what it reads.
func ReadHeader(data []byte) (Header, error) {
	h := Header{Orientation: 1}
	return h, segments(data, &h, nil)
}

// segments walks the segments up to the first scan. It fills h, and with a
// decoder its tables, too.
func segments(data []byte, h *Header, d *Decoder) error {
	if len(data) < 2 || data[0] != 0xff || data[1] != 0xd8 {
		return errNoStart
	}
	h.adobe = -1
	common := true
	for at := 2; ; {
		for at < len(data) && data[at] != 0xff { // libjpeg skips what stands between segments
			at++
		}
		for at+1 < len(data) && data[at+1] == 0xff { // fill bytes
			at++
		}
		if at+4 > len(data) {
			return errTruncated
		}
		marker, length := data[at+1], 2+int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == 0 || marker == 0x01 || 0xd0 <= marker && marker <= 0xd7 { // no payload
			at += 2
			continue
		}
		if marker == 0xd9 {
			return errors.New("the JPEG has no scan")
		}
		if length < 4 {
			return fmt.Errorf("the JPEG's segment %#x has length %d", marker, length-2)
		}
		if at+length > len(data) {
			return errTruncated
		}
		payload := data[at+4 : at+length]
		var err error
		switch {
		case marker == 0xc4 && d != nil:
			err = d.huffmanTables(payload)
		case marker == 0xdb && d != nil:
			err = d.quantTables(payload)
		case marker == 0xdd && len(payload) == 2:
			h.ri = int(binary.BigEndian.Uint16(payload))
		case isFrame(marker):
			if h.frame != nil {
				return errors.New("the JPEG has two frames")
			}
			common, h.progressive = marker <= 0xc1, marker == 0xc2
			switch {
			case common:
				h.blockBits = 2
			case h.progressive:
				h.blockBits = 1
			}
			err = h.startOfFrame(payload)
		case marker == 0xe0:
			h.jfif = h.jfif || len(payload) >= 5 && string(payload[:5]) == "JFIF\x00"
		case marker == 0xe1:
			if o := orientation(payload); o != 0 {
				h.Orientation = o
			}
		case marker == 0xee:
			if len(payload) >= 12 && string(payload[:5]) == "Adobe" {
				h.adobe = int(payload[11])
			}
		case marker == 0xda:
			if h.frame == nil || len(payload) == 0 {
				return errors.New("the JPEG has a scan without a frame")
			}
			h.scan, h.scans = at+4, int(payload[0])
			h.Common = common && h.common()
			return nil
		}
		if err != nil {
			return err
		}
		at += length
	}
}

// isFrame reports whether a marker starts a frame, of any coding.
func isFrame(marker byte) bool {
	return 0xc0 <= marker && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}

func (h *Header) startOfFrame(payload []byte) error {
	if len(payload) < 6 || len(payload) != 6+3*int(payload[5]) {
		return errors.New("the JPEG's frame has a wrong length")
	}
	h.frame = payload
	h.Height = int(binary.BigEndian.Uint16(payload[1:]))
	h.Width = int(binary.BigEndian.Uint16(payload[3:]))
	if h.Width == 0 || h.Height == 0 {
		return fmt.Errorf("the JPEG is %d×%d pixels", h.Width, h.Height)
	}
	return nil
}

// samplings are those of luma, where chroma's are 1 × 1: 4:4:4, 4:2:2, 4:4:0,
// 4:2:0, 4:1:1 and 4:1:0.
var samplings = []byte{0x11, 0x21, 0x12, 0x22, 0x41, 0x42}

// common reports whether a sequential frame is of 8 bits, in one scan, and grey or
// YCbCr in a common sampling.
func (h *Header) common() bool {
	f := h.frame
	if f[0] != 8 || h.scans != int(f[5]) {
		return false
	}
	switch f[5] {
	case 1:
		return f[8] <= 3
	case 3:
		return bytes.IndexByte(samplings, f[7]) >= 0 && f[10] == 0x11 && f[13] == 0x11 && f[8] <= 3 && f[11] <= 3 &&
			f[14] <= 3 &&
			f[6] != f[9] && f[6] != f[12] && f[9] != f[12] && !h.rgb()
	}
	return false
}

// rgb says, by libjpeg's rules, whether three components are RGB and not YCbCr.
func (h *Header) rgb() bool {
	switch {
	case h.jfif:
		return false
	case h.adobe >= 0:
		return h.adobe == 0
	}
	return h.frame[6] == 'R' && h.frame[9] == 'G' && h.frame[12] == 'B'
}

// Scaled returns the size of the picture at 1/denominator.
func (h *Header) Scaled(denominator int) (width, height int) {
	return ceil(h.Width, denominator), ceil(h.Height, denominator)
}
