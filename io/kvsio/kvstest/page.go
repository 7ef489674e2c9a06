package kvstest

import (
	"encoding/json"
	"strconv"
)

// entry is one of a page's Images.
type entry struct {
	time    int64  // epoch milliseconds
	failure string // Error
	content []byte // ImageContent, base64
}

// page is the answer to one GetImages call.
type page struct {
	entries   []entry
	nextToken string
}

func (p page) pictures() int {
	n := 0
	for _, e := range p.entries {
		if e.content != nil {
			n++
		}
	}
	return n
}

// body is the page as JSON, in pieces: the pictures are not copied.
func (p page) body() (pieces [][]byte, size int) {
	add := func(b []byte) {
		pieces = append(pieces, b)
		size += len(b)
	}
	text := []byte(`{"Images":[`)
	for i, e := range p.entries {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(text, `{"TimeStamp":`...)
		text = appendSeconds(text, e.time)
		if e.failure != "" {
			text = append(text, `,"Error":"`+e.failure+`"`...)
		}
		if e.content != nil {
			add(append(text, `,"ImageContent":"`...))
			add(e.content)
			text = []byte(`"`)
		}
		text = append(text, '}')
	}
	text = append(text, ']')
	if p.nextToken != "" {
		token, _ := json.Marshal(p.nextToken) // a string can always be marshalled
		text = append(append(text, `,"NextToken":`...), token...)
	}
	add(append(text, '}'))
	return pieces, size
}

// appendSeconds writes epoch milliseconds as seconds, with a fraction of
// exactly as many digits as it needs.
func appendSeconds(b []byte, millis int64) []byte {
	return strconv.AppendFloat(b, float64(millis)/1000, 'f', -1, 64)
}
