package kvstest

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/draw"
	"image/jpeg"
	"image/png"
	"sync"
)

// pictureSpec is what a request asks of a picture.
type pictureSpec struct {
	format        string // JPEG or PNG
	quality       int    // of JPEG, 0: not given
	width, height int    // 0: the stream's own
}

// source makes a stream's pictures.
type source interface {
	// picture returns the frame at that time, in epoch milliseconds, encoded
	// and in base64. Nobody may change the bytes.
	picture(frame int64, spec pictureSpec) ([]byte, error)
}

// caches are what a server keeps of pictures, for all of its streams.
type caches struct {
	encoded   *lru[encodedKey, []byte] // in base64, for calls that ask for the same again
	backdrops *lru[backdropKey, *backdrop]
}

const (
	encodedBytes  = 64 << 20
	backdropBytes = 256 << 20
)

// encodedKey names an encoded picture: which frame it is, and of which source.
type encodedKey struct {
	source any
	frame  int64
	spec   pictureSpec
}

func newCaches() *caches {
	return &caches{
		encoded:   newLRU[encodedKey](encodedBytes, func(b []byte) int { return len(b) }),
		backdrops: newLRU[backdropKey](backdropBytes, func(b *backdrop) int { return len(b.img.Y) * 3 / 2 }),
	}
}

// encode encodes a picture in the format and quality that spec names.
func encode(img image.Image, spec pictureSpec) ([]byte, error) {
	var b bytes.Buffer
	if spec.format == "JPEG" {
		quality := spec.quality
		if quality == 0 {
			quality = defaultQuality
		}
		err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
		return b.Bytes(), err
	}
	if ycc, ok := img.(*image.YCbCr); ok { // the PNG encoder is slow with these
		rgba := image.NewRGBA(ycc.Bounds())
		draw.Draw(rgba, rgba.Bounds(), ycc, ycc.Bounds().Min, draw.Src)
		img = rgba
	}
	err := pngEncoder.Encode(&b, img)
	return b.Bytes(), err
}

var pngEncoder = png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: &pngBuffers{}}

// pngBuffers keeps the encoder's buffers, which outweigh small pictures.
type pngBuffers struct{ pool sync.Pool }

func (p *pngBuffers) Get() *png.EncoderBuffer {
	b, _ := p.pool.Get().(*png.EncoderBuffer)
	return b
}

func (p *pngBuffers) Put(b *png.EncoderBuffer) { p.pool.Put(b) }

func toBase64(raw []byte) []byte {
	text := make([]byte, base64.StdEncoding.EncodedLen(len(raw)))
	base64.StdEncoding.Encode(text, raw)
	return text
}
