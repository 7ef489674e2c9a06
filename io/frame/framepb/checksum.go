package framepb

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
)

// checksumDigits is how many hexadecimal digits a CRC-32C has.
const checksumDigits = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrNoChecksum is the error of a text that does not end with a checksum.
var ErrNoChecksum = errors.New("it has no checksum: it is damaged, or an earlier version of kvsframes wrote it")

// objectEnd is how a JSON object ends: on its only line, or indented.
type objectEnd struct{ end, before, after string }

var objectEnds = []objectEnd{
	{"\n}\n", ",\n  \"crc32c\": \"", "\"\n}\n"},
	{"}\n", `,"crc32c":"`, "\"}\n"},
}

// AppendChecksum returns the text of a JSON object, which has a field and ends
// with a line's end, with one field more, the last: the CRC-32C of all that
// stands before it.
//
//	{"first":"3","samples":"100","crc32c":"1a2b3c4d"}
//
// A CRC-32C differs for every change of up to 32 bits in a row, so for every
// flipped bit, and for all but one in 2³² of other changes. It is there to show
// accidents: whoever can write to a dataset can write checksums, too.
func AppendChecksum(object []byte) []byte {
	for _, form := range objectEnds {
		if body, ok := bytes.CutSuffix(object, []byte(form.end)); ok {
			return fmt.Appendf(body[:len(body):len(body)], "%s%0*x%s", form.before, checksumDigits,
				crc32.Checksum(body, castagnoli), form.after)
		}
	}
	return object
}

// CutChecksum returns the JSON object that AppendChecksum was given. The error
// satisfies ErrNoChecksum, or says that text was cut short, or that it is not
// what was written.
func CutChecksum(text []byte) (object []byte, err error) {
	if !bytes.HasSuffix(text, []byte("\n")) {
		return nil, errors.New("cut short: the line has no end")
	}
	for _, form := range objectEnds {
		rest, ok := bytes.CutSuffix(text, []byte(form.after))
		if !ok || len(rest) < checksumDigits {
			continue
		}
		sum := rest[len(rest)-checksumDigits:]
		body, ok := bytes.CutSuffix(rest[:len(rest)-checksumDigits], []byte(form.before))
		if !ok {
			continue
		}
		if fmt.Sprintf("%0*x", checksumDigits, crc32.Checksum(body, castagnoli)) != string(sum) {
			return nil, errors.New("it is not what was written: its checksum is not that of its bytes")
		}
		return append(body[:len(body):len(body)], form.end...), nil
	}
	return nil, ErrNoChecksum
}
