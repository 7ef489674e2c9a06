//go:build turbojpeg

package pixels

// #cgo LDFLAGS: -lturbojpeg
// #include <turbojpeg.h>
import "C"

import (
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
)

// turbo is a decoder of libjpeg-turbo's. It is of one goroutine at a time.
type turbo struct{ handle C.tjhandle }

var turbos = sync.Pool{New: func() any {
	t := &turbo{C.tjInitDecompress()}
	runtime.AddCleanup(t, func(handle C.tjhandle) { C.tjDestroy(handle) }, t.handle)
	return t
}}

// decodeCommon decodes a JPEG that internal/jpeg can decode. Where libjpeg-turbo
// complains, internal/jpeg has the last word, so that the cause of a gap is
// the same in every build.
func decodeCommon(data []byte, h jpeg.Header, denominator int) (Image, error) {
	out := New(h.Scaled(denominator))
	if decodeTurbo(out.Data, data, h, denominator, pixelFormatRGB, 3) {
		return out, nil
	}
	out.Release()
	return decodePure(data, h, denominator)
}

// lumaCommon decodes its luma, one byte a pixel.
func lumaCommon(dst, data []byte, h jpeg.Header, denominator int) ([]byte, int, int, error) {
	width, height := h.Scaled(denominator)
	dst = slices.Grow(dst[:0], width*height)[:width*height]
	if decodeTurbo(dst, data, h, denominator, pixelFormatGrey, 1) {
		return dst, width, height, nil
	}
	return jpeg.Decode(dst[:0], data, denominator, true)
}

// unambiguous is a side from which on libjpeg-turbo, which is told a size and not
// a scale, cannot take one scale for another.
const unambiguous = 64

// Pixel formats: of three bytes and of one.
const (
	pixelFormatRGB  = C.TJPF_RGB
	pixelFormatGrey = C.TJPF_GRAY
)

func decodeTurbo(dst, data []byte, h jpeg.Header, denominator int, format C.int, channels int) bool {
	if denominator > 1 && max(h.Width, h.Height) < unambiguous {
		return false
	}
	t := turbos.Get().(*turbo)
	defer turbos.Put(t)
	width, height := h.Scaled(denominator)
	return t.handle != nil && C.tjDecompress2(t.handle,
		(*C.uchar)(unsafe.SliceData(data)), C.ulong(len(data)), (*C.uchar)(unsafe.SliceData(dst)),
		C.int(width), C.int(channels*width), C.int(height), format, C.TJFLAG_STOPONWARNING) == 0
}
