// Package pagetest makes answers of GetImages for tests.
package pagetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/jpeg"
)

// Picture is a JPEG of exactly size bytes: a small picture, and comments.
func Picture(size int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420), nil); err != nil {
		panic(err)
	}
	small := b.Bytes()
	picture := append([]byte(nil), small[:2]...)
	for left := size - len(small); left > 0; {
		n := min(left, 65_000)
		picture = append(picture, 0xff, 0xfe, byte((n-2)>>8), byte(n-2))
		for i := range n - 4 {
			picture = append(picture, byte(i*7+n))
		}
		left -= n
	}
	return append(picture, small[2:]...)
}

// Page is an answer with n pictures of size bytes.
func Page(n, size int) []byte {
	content := base64.StdEncoding.EncodeToString(Picture(size))
	var b bytes.Buffer
	b.WriteString(`{"Images":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"TimeStamp":%d.5,"ImageContent":"%s"}`, 1_767_225_600+3*i, content)
	}
	b.WriteString(`],"NextToken":"AAAA"}`)
	return b.Bytes()
}
