package sealed

import (
	"fmt"

	zip "github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// codec is parquet-go's, but for what repeats nothing and is of few letters: it halves
// checksums in hexadecimal digits, which parquet-go leaves as they are.
var codec = zipper{Codec: new(zstd.Codec), zip: must(zip.NewWriter(nil, zip.WithEncoderCRC(false),
	zip.WithZeroFrames(true), zip.WithWindowSize(256<<10), zip.WithAllLitEntropyCompression(true)))}

type zipper struct {
	*zstd.Codec
	zip *zip.Encoder
}

func (z zipper) Encode(dst, src []byte) ([]byte, error) { return z.zip.EncodeAll(src, dst[:0]), nil }

var unzipper = must(zip.NewReader(nil, zip.WithDecodeAllCapLimit(true), zip.WithDecoderMaxMemory(bodyLimit)))

// unzip decompresses what has size bytes then. More memory is not taken.
func unzip(data []byte, size int) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	unzipped, err := unzipper.DecodeAll(data, make([]byte, 0, size))
	if err != nil {
		return nil, fmt.Errorf("%d bytes that claim to be %d: %w", len(data), size, err)
	}
	if len(unzipped) != size {
		return nil, fmt.Errorf("%d bytes claim to be %d, they are %d", len(data), size, len(unzipped))
	}
	return unzipped, nil
}

// must is for options that cannot be wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
