package kvsio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"go.uber.org/goleak"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// callsTo makes calls of pages from whatever answers at url. With the test all
// that they started has to end.
func callsTo(t testing.TB, url string) *shardCalls {
	if t, ok := t.(*testing.T); ok {
		ignore := goleak.IgnoreCurrent()
		t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	}
	clients := newClients(benchConfig, AWSParams{}, 1)
	t.Cleanup(clients.close)
	e := newEngine(ReadParams{}.withDefaults(), clients)
	s := e.stream(grid.StreamKey{Name: "cam"})
	s.endpoint, s.fetched = url, time.Now()
	return &shardCalls{imageCalls: imageCalls{engine: e, stream: &reading{stream: s}, stats: &callStats{}}, series: benchSeries}
}

// callOnce makes one attempt at a page.
func callOnce(ctx context.Context, c *shardCalls, url string) (answers []answer, next string, err error) {
	out, payloads, err := c.call(ctx, url, c.input(benchWindow, "", pageSize))
	if err != nil {
		return nil, "", err
	}
	return c.answers(out, payloads), aws.ToString(out.NextToken), nil
}

func chunked(text string, size int) string {
	var b strings.Builder
	for chunk := range slices.Chunk([]byte(text), size) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(chunk), chunk)
	}
	return b.String() + "0\r\n\r\n"
}

// What comes over the wire is a page, or an error: never part of a page.
func TestCallReadsBodies(t *testing.T) {
	page := string(cannedPage(3, 5000))
	length := func(n int) string { return "Content-Length: " + strconv.Itoa(n) + "\r\n\r\n" }
	for name, c := range map[string]struct {
		answer string
		wrong  string // a part of the error's text, where there is one
	}{
		"whole":                     {length(len(page)) + page, ""},
		"without a length":          {"Connection: close\r\n\r\n" + page, ""},
		"chunked":                   {"Transfer-Encoding: chunked\r\n\r\n" + chunked(page, 700), ""},
		"in chunks of a byte":       {"Transfer-Encoding: chunked\r\n\r\n" + chunked(page, 1), ""},
		"a length too short":        {length(len(page)-2) + page, "unexpected EOF"},
		"a length too long":         {length(len(page)+1) + page, "unexpected EOF"},
		"a length of petabytes":     {length(1<<50) + page, "unexpected EOF"},
		"a length that is a lie":    {length(100<<20) + page, "unexpected EOF"},
		"a length that is none":     {"Content-Length: many\r\n\r\n" + page, "Content-Length"},
		"cut, and without a length": {"Connection: close\r\n\r\n" + page[:len(page)-40], "unexpected EOF"},
		"a cut chunk":               {"Transfer-Encoding: chunked\r\n\r\n" + chunked(page, 700)[:9000], "unexpected EOF"},
		"nothing":                   {length(0), "without Images"},
		"an empty object":           {length(2) + "{}", "without Images"},
		"null":                      {length(4) + "null", "without Images"},
		"a page of a proxy":         {length(13) + "<html></html>", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() {
				defer close(served)
				conn, err := l.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				buffer := make([]byte, 64<<10)
				for got := ""; !strings.Contains(got, "\r\n\r\n"); {
					n, err := conn.Read(buffer)
					if err != nil {
						return
					}
					got += string(buffer[:n])
				}
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+c.answer)
			}()
			calls := callsTo(t, "http://"+l.Addr().String())
			answers, next, err := callOnce(t.Context(), calls, "http://"+l.Addr().String())
			l.Close()
			<-served
			if c.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), c.wrong) {
					t.Fatalf("%d answers, %v; want an error with %q", len(answers), err, c.wrong)
				}
				if v := judge(err); v != again {
					t.Errorf("verdict %v: the call has to be made again", v)
				}
				return
			}
			if err != nil || len(answers) != 3 || next != "AAAA" {
				t.Fatalf("%d answers, %q, %v", len(answers), next, err)
			}
			for _, a := range answers {
				if a.kind != pictured || !bytes.Equal(a.data, cannedPicture(5000)) {
					t.Errorf("%+v", a)
				}
			}
		})
	}
}

// Frames must not refer to a buffer that the next answer is read into.
func TestFramesOutliveTheWire(t *testing.T) {
	var size int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(cannedPage(5, size))
	}))
	defer server.Close()
	c := callsTo(t, server.URL)
	var kept [][]byte
	for size = range 20 {
		size += 2000
		answers, _, err := callOnce(t.Context(), c, server.URL)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range answers {
			kept = append(kept, a.data)
		}
	}
	for i, data := range kept {
		if !bytes.Equal(data, cannedPicture(2000+i/5)) {
			t.Fatalf("frame %d has changed", i)
		}
	}
}

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
		w := newWire(leastWire)
		w.open(c.body, 4)
		var pictures int64
		_, _, err := liftPayloads(w, func(bytes int64) error { pictures += bytes; return nil })
		if most := c.most + 2*int64(len(w.buf)); !errors.Is(err, errLongBody) || w.read > most || len(w.buf) > 4*longestContent {
			t.Errorf("%s: %v after %d bytes, want at most %d, in a buffer of %d", name, err, w.read, most, len(w.buf))
		}
		if pictures > 4*6_291_456 {
			t.Errorf("%s: memory for %d bytes of pictures", name, pictures)
		}
	}
	for name, body := range map[string]string{
		"the longest pictures": `{"Images":[` + strings.Repeat(picture, 3) + picture[:len(picture)-1] + `],"NextToken":"` + strings.Repeat("A", longestNextToken) + `"}`,
		"long failures":        `{"Images":[` + strings.Repeat(`{"TimeStamp":1767225600.123,"Error":"`+strings.Repeat("E", 900)+`"},`, 4) + `{}]}`,
	} {
		w := newWire(leastWire)
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

// Errors keep the service's words.
func TestLiftLetsErrorsPass(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("x-amzn-ErrorType", "ClientLimitExceededException")
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"Message":"slow down","ImageContent":"AAEC"}`)
	}))
	defer server.Close()
	_, _, err := callOnce(t.Context(), callsTo(t, server.URL), server.URL)
	if judge(err) != throttled || plain(err).Error() != "ClientLimitExceededException: slow down" {
		t.Errorf("%v", err)
	}
}
