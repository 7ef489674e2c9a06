package kvsio

import (
	"bytes"
	stdbase64 "encoding/base64"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/segmentio/asm/base64"
)

// contentKey is the key of an entry's picture in an answer of GetImages.
const contentKey = "ImageContent"

// payload is what an ImageContent holds.
type payload struct {
	data []byte
	err  error // it was not base64
}

// liftPayloads takes the ImageContents out of an answer. Each is decoded from
// where it lies in body; in rest stands a placeholder for it, which is its
// index among payloads. Neither refers to body.
//
// It looks at strings only. What is wrong with the rest of the answer is wrong
// with rest, too: whoever reads that says so.
func liftPayloads(body []byte) (rest []byte, payloads []payload) {
	rest = make([]byte, 0, min(len(body), 4096))
	kept := 0 // body[:kept] is done with
	for i := 0; i < len(body); {
		key, after := nextString(body, i)
		if key == nil {
			break
		}
		i = after
		if !isContentKey(key) {
			continue
		}
		colon := skipSpace(body, after)
		value := skipSpace(body, colon+1)
		if value >= len(body) || body[colon] != ':' || body[value] != '"' {
			continue
		}
		content, after := nextString(body, value)
		if content == nil {
			break
		}
		i = after
		if p, ok := decodeContent(content); ok {
			rest = append(rest, body[kept:value+1]...)
			rest = appendPlaceholder(rest, len(payloads))
			kept = after - 1 // the closing quote
			payloads = append(payloads, p)
		}
	}
	return append(rest, body[kept:]...), payloads
}

// nextString returns the inside of the first string of body that opens at or
// after i, and the place after its closing quote. It is nil where there is
// none, or none that ends.
func nextString(body []byte, i int) (inside []byte, after int) {
	open := bytes.IndexByte(body[i:], '"')
	if open < 0 {
		return nil, len(body)
	}
	start := i + open + 1
	for end := start; ; end++ {
		quote := bytes.IndexByte(body[end:], '"')
		if quote < 0 {
			return nil, len(body)
		}
		end += quote
		escapes := 0
		for body[end-1-escapes] == '\\' { // ends at the opening quote
			escapes++
		}
		if escapes%2 == 0 {
			return body[start:end:end], end + 1
		}
	}
}

func skipSpace(body []byte, i int) int {
	for i < len(body) && (body[i] == ' ' || body[i] == '\t' || body[i] == '\n' || body[i] == '\r') {
		i++
	}
	return i
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
func decodeContent(content []byte) (p payload, ok bool) {
	data := make([]byte, stdbase64.StdEncoding.DecodedLen(len(content)))
	n, err := base64.StdEncoding.Decode(data, content)
	// A line break is skipped in base64, and not allowed in a string of JSON's.
	padding := len(content) - len(bytes.TrimRight(content, "="))
	if err == nil && len(content)%4 == 0 && n == len(data)-padding {
		return payload{data: data[:n:n]}, true
	}
	text, ok := unescape(content)
	if !ok {
		return payload{}, false
	}
	data, err = stdbase64.StdEncoding.DecodeString(text)
	return payload{data, err}, true
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

// payloadOf returns the payload that a placeholder stands for, an empty one for
// none.
func payloadOf(placeholder *string, payloads []payload) payload {
	if placeholder == nil {
		return payload{}
	}
	digits, marked := strings.CutPrefix(*placeholder, string(placeholderMark))
	i, err := strconv.Atoi(digits)
	if !marked || err != nil || i < 0 || i >= len(payloads) {
		return payload{err: errors.New("an ImageContent that was not taken off the answer")}
	}
	return payloads[i]
}
