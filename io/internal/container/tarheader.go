package container

import (
	"archive/tar"
	"bytes"
	"strings"
	"sync"
)

// Headers are alike but for three fields. To leave them all to archive/tar is most
// of what it costs to put a small picture into a tar.

// emptyHeader is what archive/tar writes for a plain file of ours.
var emptyHeader = sync.OnceValue(func() (header [tarBlock]byte) {
	var b bytes.Buffer
	tar.NewWriter(&b).WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "x", Mode: 0o644})
	copy(header[:], b.Bytes())
	return header
})

// isPlain reports whether a USTAR header can hold a name as it is.
func isPlain(name string) bool {
	return len(name) <= 100 && !strings.ContainsFunc(name, func(r rune) bool { return r == 0 || r >= 0x80 })
}

// plainHeader is the header of a file with a plain name.
func plainHeader(name string, size, seconds int64) []byte {
	header := emptyHeader()
	copy(header[:100], name)
	octal(header[124:136], size)
	octal(header[136:148], seconds)
	copy(header[148:156], "        ") // the checksum, while it is reckoned
	var sum int64
	for _, c := range header {
		sum += int64(c)
	}
	octal(header[148:155], sum)
	return header[:]
}

// octal fills a field with a number and a NUL.
func octal(field []byte, n int64) {
	field[len(field)-1] = 0
	for i := len(field) - 2; i >= 0; i-- {
		field[i] = '0' + byte(n&7)
		n >>= 3
	}
}
