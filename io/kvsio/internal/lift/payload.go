package lift

import (
	"bytes"
	stdbase64 "encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/segmentio/asm/base64"
)

// contentKey is the key of an entry's picture in an answer of GetImages.
const contentKey = "ImageContent"

// Payload is what an ImageContent holds.
type Payload struct {
	Data []byte // the picture, base64 undone
	Err  error  // why it was not base64
}

// liftPayloads takes the ImageContents out of an answer while it is read. Each
// is decoded from where it lies in the wire, once reserve, told its size at most,
// has let it; in rest stands a placeholder for it, which is its index among
// payloads. Neither refers to the wire.
//
// It looks at strings only. What is wrong with the rest of the answer is wrong
// with rest, too: whoever reads that says so.
func liftPayloads(w *wire, reserve func(bytes int64) error) (rest []byte, payloads []Payload, err error) {
	rest = make([]byte, 0, 4096)
	value := -1 // where in rest what follows an ImageContent's key begins; -1: it was another string
	for {
		if len(rest) > w.longestRest() {
			return nil, nil, ErrLongBody
		}
		quote := bytes.IndexByte(w.left(), '"')
		if quote < 0 {
			rest = append(rest, w.left()...)
			w.skip(len(w.left()))
			if err := w.more(); err != nil {
				return rest, payloads, unlessEnd(err)
			}
			continue
		}
		rest = append(rest, w.left()[:quote+1]...)
		w.skip(quote + 1)
		text, err := w.text()
		if err != nil {
			return append(rest, w.left()...), payloads, unlessEnd(err)
		}
		isContent := value >= 0 && isColon(rest[value:len(rest)-1])
		value = -1
		if isContent {
			if len(payloads) == w.entries {
				return nil, nil, ErrLongBody
			}
			if err := reserve(int64(stdbase64.StdEncoding.DecodedLen(len(text)))); err != nil {
				return nil, nil, err
			}
			rest, payloads = liftContent(rest, payloads, text)
		} else {
			rest = append(rest, text...)
		}
		rest = append(rest, '"')
		w.skip(len(text) + 1)
		if !isContent && isContentKey(text) {
			value = len(rest)
		}
	}
}

func unlessEnd(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// isColon reports whether what stands between two strings makes the second the
// value of the first.
func isColon(between []byte) bool { return string(bytes.Trim(between, " \t\r\n")) == ":" }

// liftContent adds an ImageContent to payloads, and its placeholder to rest.
func liftContent(rest []byte, payloads []Payload, text []byte) ([]byte, []Payload) {
	p, ok := decodeContent(text)
	if !ok {
		return append(rest, text...), payloads
	}
	return appendPlaceholder(rest, len(payloads)), append(payloads, p)
}

func isContentKey(key []byte) bool {
	if bytes.IndexByte(key, '\\') < 0 {
		return string(key) == contentKey
	}
	const longest = 6 * len(contentKey) // every character as \u0000
	text, ok := unescape(key[:min(len(key), longest)])
	return ok && len(key) <= longest && text == contentKey
}

// decodeContent undoes the base64 of a string as it stands in an answer. It is
// not ok where that is no string of JSON's.
func decodeContent(content []byte) (p Payload, ok bool) {
	data := make([]byte, stdbase64.StdEncoding.DecodedLen(len(content)))
	n, err := base64.StdEncoding.Decode(data, content)
	// A line break is skipped in base64, and not allowed in a string of JSON's.
	padding := len(content) - len(bytes.TrimRight(content, "="))
	if err == nil && len(content)%4 == 0 && n == len(data)-padding {
		return Payload{Data: data[:n:n]}, true
	}
	text, ok := unescape(content)
	if !ok {
		return Payload{}, false
	}
	data, err = stdbase64.StdEncoding.DecodeString(text)
	return Payload{data, err}, true
}

// unescape returns what a string means that stands between quotes in JSON.
func unescape(inside []byte) (text string, ok bool) {
	quoted := make([]byte, 0, len(inside)+2)
	quoted = append(append(append(quoted, '"'), inside...), '"')
	return text, json.Unmarshal(quoted, &text) == nil
}

// A placeholder can be told from every base64.
const placeholderMark = '#'

func appendPlaceholder(b []byte, index int) []byte {
	return strconv.AppendInt(append(b, placeholderMark), int64(index), 10)
}

// PayloadOf returns the payload that an ImageContent stands for, as the SDK has it
// once a Call has taken payloads off: an empty one for nil.
func PayloadOf(placeholder *string, payloads []Payload) Payload {
	if placeholder == nil {
		return Payload{}
	}
	digits, marked := strings.CutPrefix(*placeholder, string(placeholderMark))
	i, err := strconv.Atoi(digits)
	if !marked || err != nil || i < 0 || i >= len(payloads) {
		return Payload{Err: errors.New("an ImageContent that was not taken off the answer")}
	}
	return payloads[i]
}
