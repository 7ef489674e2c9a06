package lift

import (
	"errors"
	"io"
	"strings"
	"testing"
)

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Not even an answer that is one string is held without end.
func TestBodiesAreBounded(t *testing.T) {
	picture := `{"ImageContent":"` + strings.Repeat("A", 6_291_456) + `"},`
	for name, c := range map[string]struct {
		body io.Reader
		most int64 // bytes that are read of it, but for a buffer
	}{
		"zeros":                 {zeros{}, 16 << 10},
		"a text without end":    {io.MultiReader(strings.NewReader(`{"NextToken":"`), zeros{}), longestContent},
		"a picture without end": {io.MultiReader(strings.NewReader(`{"ImageContent":"`), zeros{}), longestContent},
		"entries without end":   {&repeating{text: `{},`}, 16 << 10},
		"texts without end":     {&repeating{text: `"a",`}, 16 << 10},
		"pictures without end":  {&repeating{text: picture}, 5 * longestContent},
		"small ones":            {&repeating{text: `{"ImageContent":"AAEC"},`}, 16 << 10},
	} {
		w := newWire(LeastWire)
		w.open(c.body, 4)
		var pictures int64
		_, _, err := liftPayloads(w, func(bytes int64) error { pictures += bytes; return nil })
		if most := c.most + 2*int64(len(w.buf)); !errors.Is(err, ErrLongBody) || w.read > most ||
			len(w.buf) > 4*longestContent {
			t.Errorf("%s: %v after %d bytes, want at most %d, in a buffer of %d", name, err, w.read, most, len(w.buf))
		}
		if pictures > 4*6_291_456 {
			t.Errorf("%s: memory for %d bytes of pictures", name, pictures)
		}
	}
	for name, body := range map[string]string{
		"the longest pictures": `{"Images":[` + strings.Repeat(picture, 3) + picture[:len(picture)-1] + `],"NextToken":"` +
			strings.Repeat("A", 4096) + `"}`,
		"long failures": `{"Images":[` + strings.Repeat(`{"TimeStamp":1767225600.123,"Error":"`+strings.Repeat("E", 900)+
			`"},`, 4) + `{}]}`,
	} {
		w := newWire(LeastWire)
		w.open(strings.NewReader(body), 4)
		if _, _, err := liftPayloads(w, func(int64) error { return nil }); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// repeating is a text over and over.
type repeating struct {
	text string
	at   int
}

func (a *repeating) Read(p []byte) (int, error) {
	n := copy(p, a.text[a.at:])
	a.at = (a.at + n) % len(a.text)
	return n, nil
}
