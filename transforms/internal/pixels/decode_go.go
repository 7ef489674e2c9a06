//go:build !turbojpeg

package pixels

import "github.com/kvsframes/kvsframes/transforms/internal/jpeg"

// decodeCommon decodes a JPEG that internal/jpeg can decode.
func decodeCommon(data []byte, h jpeg.Header, denominator int) (Image, error) {
	return decodePure(data, h, denominator)
}

// lumaCommon decodes its luma, one byte a pixel.
func lumaCommon(dst, data []byte, _ jpeg.Header, denominator int) ([]byte, int, int, error) {
	return jpeg.Decode(dst, data, denominator, true)
}
