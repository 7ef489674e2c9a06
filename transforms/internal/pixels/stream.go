package pixels

import (
	"image"
	"sync"
	"time"

	"github.com/kvsframes/kvsframes/transforms/internal/jpeg"
)

// bandRows is how many rows are decoded and then resized, so that they stay in the processor's cache.
const bandRows = 16

var bands = sync.Pool{New: func() any { return new([]byte) }}

// ResizeJPEG returns what [Image.Resize] makes of what [Decode] makes of a JPEG that is Common, and how long decoding
// took. It decodes and resizes some rows at a time, and of those that are used only the part that is used. The filter
// must not be Nearest.
func ResizeJPEG(data []byte, denominator int, f *Filter, from Rect, width, height int) (Image, time.Duration, error) {
	began := time.Now()
	d, err := jpeg.Open(data, denominator, false)
	if err != nil {
		return Image{}, 0, err
	}
	inWidth, inHeight := d.Size()
	decoding := time.Since(began)

	r := getResampler(resamplerKey{f, from, inWidth, inHeight, width, height, 3})
	defer resamplers.Put(r)
	d.Crop(image.Rect(r.across.from, r.down.from, r.across.to, r.down.to))
	r.begin()
	memory := bands.Get().(*[]byte)
	defer bands.Put(memory)
	n := d.RowBytes()
	*memory = resized(*memory, n*bandRows+slack)
	for y := 0; y < r.down.to-r.down.from && err == nil; y += bandRows {
		rows := min(bandRows, r.down.to-r.down.from-y)
		began = time.Now()
		for i := 0; i < rows && err == nil; i++ {
			err = d.ReadRow((*memory)[n*i:][:n])
		}
		decoding += time.Since(began)
		for i := 0; i < rows && err == nil; i++ {
			r.take(y+i, (*memory)[n*i:])
		}
	}
	began = time.Now()
	err = d.Close()
	decoding += time.Since(began)
	if err != nil {
		return Image{}, decoding, err
	}
	out := New(width, height)
	r.finish(out.Data, r.rows, r.stride)
	return out, decoding, nil
}
