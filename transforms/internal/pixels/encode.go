package pixels

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"image/png"
	"sync"

	"github.com/kvsframes/kvsframes/io/frame"
)

// encoder is what encoding takes, used again.
type encoder struct {
	rgba image.RGBA
	out  bytes.Buffer
	png  *png.EncoderBuffer
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// Get and Put make an encoder the pool of the one PNG encoder that uses it.
func (e *encoder) Get() *png.EncoderBuffer  { return e.png }
func (e *encoder) Put(b *png.EncoderBuffer) { e.png = b }

// Encode encodes a picture as JPEG, of that quality from 1 to 100, or PNG. The JPEG is image/jpeg's, 4:2:0, in
// every build: so its bytes depend on Go's release and nothing else.
func (p *Image) Encode(format string, quality int) ([]byte, error) {
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	n := 4 * p.Width * p.Height
	if cap(e.rgba.Pix) < n {
		e.rgba.Pix = make([]byte, n)
	}
	e.rgba = image.RGBA{Pix: e.rgba.Pix[:n], Stride: 4 * p.Width, Rect: image.Rect(0, 0, p.Width, p.Height)}
	for i := range p.Width * p.Height {
		s, d := p.Data[3*i:3*i+3:3*i+3], e.rgba.Pix[4*i:4*i+4:4*i+4]
		d[0], d[1], d[2], d[3] = s[0], s[1], s[2], 255
	}
	e.out.Reset()
	var err error
	if format == frame.PNG {
		encoder := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: e}
		err = encoder.Encode(&e.out, &e.rgba)
	} else {
		err = stdjpeg.Encode(&e.out, &e.rgba, &stdjpeg.Options{Quality: quality})
	}
	if err != nil {
		return nil, fmt.Errorf("encoding a %d×%d %s: %w", p.Width, p.Height, format, err)
	}
	return bytes.Clone(e.out.Bytes()), nil
}
