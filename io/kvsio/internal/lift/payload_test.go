package lift

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/pagetest"
)

// readAs decodes an answer as the SDK does: into maps, the first value only.
func readAs(t testing.TB, body []byte) (tree any, err error) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err = decoder.Decode(&tree); err == io.EOF {
		err = nil
	}
	return tree, err
}

// content is what an ImageContent came to.
type content struct {
	data string
	bad  bool
}

// contents puts into a tree what its ImageContents hold.
func contents(tree any, undo func(string) content) any {
	switch v := tree.(type) {
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok && key == contentKey {
				v[key] = undo(text)
			} else {
				v[key] = contents(value, undo)
			}
		}
	case []any:
		for i, value := range v {
			v[i] = contents(value, undo)
		}
	}
	return tree
}

// checkLift compares with encoding/json and encoding/base64.
func checkLift(t testing.TB, body []byte) {
	t.Helper()
	want, wantErr := readAs(t, body)
	want = contents(want, func(s string) content {
		data, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return content{bad: true}
		}
		return content{data: string(data)}
	})
	// However the body comes: at once, and in pieces that move within the wire.
	for _, w := range []*wire{newWire(4096), newWire(2), newWire(10)} {
		w.open(bytes.NewReader(body), 100)
		rest, payloads, err := liftPayloads(w, func(int64) error { return nil })
		clear(w.buf) // it is another answer's by now
		if errors.Is(err, ErrLongBody) && len(body) > w.longestRest() {
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		checkLifted(t, body, rest, payloads, want, wantErr)
	}
}

func checkLifted(t testing.TB, body, rest []byte, payloads []Payload, want any, wantErr error) {
	t.Helper()
	got, err := readAs(t, rest)
	if (err != nil) != (wantErr != nil) {
		t.Fatalf("%q: error %v, encoding/json says %v", body, err, wantErr)
	}
	if err != nil {
		return
	}
	got = contents(got, func(s string) content {
		p := PayloadOf(&s, payloads)
		if p.Err != nil {
			return content{bad: true}
		}
		return content{data: string(p.Data)}
	})
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: %v, want %v", body, got, want)
	}
}

var liftBodies = []string{
	``, `null`, `{}`, `{"Images":null}`, `{"Images":[]}`,
	`{"Images":[{"TimeStamp":1.5,"ImageContent":"AAEC"},{"ImageContent":"AwQ=","TimeStamp":2}],"NextToken":"AAEC"}`,
	" {\n\t\"Images\" : [ { \"ImageContent\" \r\n:\t \"AAEC\" } ] } ",
	`{"NextToken":"a\"ImageContent\":\"AAEC","Images":[{"ImageContent":""},{"ImageContent":null},{"ImageContent":5},{"Error":"NO_MEDIA"}]}`,
	`{"Images":[{"ImageContent":"\/\/\u002b\u002f"},{"ImageContent":"AA\n=="},{"ImageContent":"AAEC\r\n"}]}`,
	`{"Images":[{"ImageContent":"AAEC","ImageContent":"AwQ="},{"ImageContent":"AwQ=","ImageContent":null}]}`,
	`{"Images":[{"Image\u0043ontent":"AAEC","imagecontent":"AAEC","\u0049\u006d\u0061\u0067\u0065\u0043\u006f\u006e\u0074\u0065\u006e\u0074":"AwQ="}]}`,
	`{"Images":[{"ImageContent":"#0"},{"ImageContent":"AAEC"},{"ImageContent":"*"},{"ImageContent":"AAE"},{"ImageContent":"A==="},{"ImageContent":"AB=="}]}`,
	`{"Images":[{"ImageContent":{"ImageContent":["ImageContent",{"ImageContent":"AAEC"}]}}],"ImageContent":"AAEC"}`,
	`{"Images":[{"ImageContent":"AA` + "\n" + `EC"}]}`, `{"Images":[{"ImageContent":"AA` + "\xff" + `C"}]}`,
	`{"Images":[{"ImageContent":"\ud800\q"}]}`,
	`{"Images":[{"ImageContent":"AAEC\"}]}`, `{"Images":[{"ImageContent":"AAEC`, `{"Images":[{"ImageContent":`,
	`{"Images":[{"ImageContent`, `{"Images":[{"ImageContent"`,
	`["ImageContent":"AAEC"]`, `"ImageContent":"AAEC"`, `{"ImageContent" "AAEC"}`, `{"Images":[]}{"ImageContent":"\q"}`,
}

func TestLiftPayloads(t *testing.T) {
	for _, body := range liftBodies {
		checkLift(t, []byte(body))
	}
	// A body that is cut anywhere is an error, or what encoding/json says it is.
	whole := `{"NextToken":"t\\","Images":[{"ImageContent":"\/\u002bEC","TimeStamp":1},{"ImageContent":"AwQ="}]}`
	for n := range whole {
		checkLift(t, []byte(whole[:n]))
	}
	// Lengths around those that the vectors of a fast decoder end at.
	for n := range 300 {
		checkLift(t, []byte(`{"ImageContent":"`+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, n))+`"}`))
		checkLift(t, []byte(`{"ImageContent":"`+strings.Repeat("/", n)+"*"+strings.Repeat("A", 64)+`"}`))
	}
}

func FuzzLiftPayloads(f *testing.F) {
	for _, body := range liftBodies {
		f.Add([]byte(body))
	}
	f.Add(pagetest.Page(2, 1000))
	f.Fuzz(func(t *testing.T, body []byte) { checkLift(t, body) })
}

// FuzzContent fuzzes base64 alone: what a picture's text turns into.
func FuzzContent(f *testing.F) {
	for _, n := range []int{0, 1, 2, 3, 23, 24, 25, 48, 95, 100} {
		f.Add(base64.StdEncoding.EncodeToString(pagetest.Picture(700)[:n]))
	}
	f.Add("AB==")
	f.Add(strings.Repeat("A", 40) + "\\/" + strings.Repeat("A", 40))
	f.Fuzz(func(t *testing.T, text string) {
		checkLift(t, []byte(`{"Images":[{"ImageContent":"`+text+`"}]}`))
	})
}
