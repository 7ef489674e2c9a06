package kvsio

import (
	"bytes"
	"context"
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
	control "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	"go.uber.org/goleak"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/ask"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pace"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pagetest"
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
	s.endpoints[control.APINameGetImages] = dataEndpoint{url, time.Now()}
	return &shardCalls{
		imageCalls: imageCalls{engine: e, stream: &reading{stream: s}, stats: &callStats{}},
		series:     benchSeries,
	}
}

// callOnce makes one attempt at a page.
func callOnce(ctx context.Context, c *shardCalls, url string) (answers []ask.Answer, next string, err error) {
	out, payloads, err := c.call(ctx, url, c.input(benchWindow, "", pace.PageSize))
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
	page := string(pagetest.Page(3, 5000))
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
				if a.Kind != ask.Pictured || !bytes.Equal(a.Data, pagetest.Picture(5000)) {
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
		w.Write(pagetest.Page(5, size))
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
			kept = append(kept, a.Data)
		}
	}
	for i, data := range kept {
		if !bytes.Equal(data, pagetest.Picture(2000+i/5)) {
			t.Fatalf("frame %d has changed", i)
		}
	}
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
