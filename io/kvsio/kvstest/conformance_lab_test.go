//go:build conformance

package kvstest

import (
	"bytes"
	"fmt"
	"image"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// lab is a stand-in whose exchanges are kept, and a client that uses it.
type lab struct {
	*testing.T
	kind    client
	srv     *Server
	clock   *atomic.Int64 // how far the clock of tokens is ahead
	tape    *tape
	program *program

	documented map[string]map[string]int // HTTP statuses by operation and error
	proved     map[string]bool           // the same, in a word: refused so
}

// newLab starts a stand-in whose clock is ahead of the client's by skew, and
// the client.
func newLab(t *testing.T, kind client, skew time.Duration) *lab {
	t.Helper()
	clock := &atomic.Int64{}
	srv, err := newServer(Config{
		AccessKeys: map[string]string{"test": "test", "visitor": "test"},
		Streams: []Stream{
			camera("cam"), camera("busy"), camera("door"),
			{Name: "blind", Retention: new(time.Duration(0))},
		},
		Faults: []Fault{{Kind: faultThrottle, Rate: 1, Streams: []string{"busy"}}},
		Now:    func() time.Time { return time.Now().Add(time.Duration(clock.Load())) },
	}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	// The suite asks more often than the service allows.
	srv.streams["cam"].describes, srv.streams["cam"].endpointCalls = newLimiter(0), newLimiter(0)
	srv.verifier.denied = map[string]bool{"visitor": true}
	srv.verifier.now = func() time.Time { return time.Now().Add(skew) }
	l := &lab{
		T: t, kind: kind, srv: srv, clock: clock, tape: &tape{next: srv.serve, skew: skew},
		documented: documented(t), proved: map[string]bool{},
	}
	front := httptest.NewServer(l.tape)
	t.Cleanup(front.Close)
	srv.URL = front.URL
	l.program = l.launch()
	return l
}

// launch starts one more client of this stand-in, with a part of its
// environment changed. It makes one attempt at each call, unless told otherwise.
func (l *lab) launch(env ...string) *program {
	l.Helper()
	return launch(l.T, l.kind, slices.Concat(l.srv.Env(), []string{"AWS_MAX_ATTEMPTS=1"}, env)...)
}

// must makes a call that succeeds, and returns its pages.
func (l *lab) must(o order) []answered {
	l.Helper()
	r := l.program.make(l.T, o)
	if r.Error != nil {
		l.Fatalf("%s: %+v", o.Operation, *r.Error)
	}
	return r.Pages
}

// refused makes a call and checks how it is refused: over the wire, and by what
// the client makes of that. An error that the service model has for the
// operation is an error class of its own; others here are about signatures.
func (l *lab) refused(o order, code string) {
	l.Helper()
	r, wire := l.program.make(l.T, o), l.last()
	status, modelled := l.documented[o.Operation][code]
	if !modelled {
		status = http.StatusForbidden
	}
	id := wire.header.Get("x-amzn-RequestId")
	if kind, _, _ := strings.Cut(wire.header.Get("x-amzn-ErrorType"), ":"); kind != code || wire.status != status ||
		len(id) != 36 {
		l.Errorf("over the wire: %s\nwant %d %s", wire, status, code)
	}
	if r.Error == nil {
		l.Fatalf("no error, want %s", code)
	}
	want := refusal{Type: r.Error.Type, Code: code, Status: status, RequestID: id}
	if modelled {
		want.Type = code
	}
	if l.kind.quiet {
		want.Status, want.RequestID = 0, ""
	}
	if *r.Error != want {
		l.Errorf("got  %+v\nwant %+v", *r.Error, want)
	}
	l.proved[o.Operation+" "+code] = true
}

// last returns the newest exchange.
func (l *lab) last() exchange {
	l.Helper()
	l.tape.mu.Lock()
	defer l.tape.mu.Unlock()
	if len(l.tape.exchanges) == 0 {
		l.Fatal("nothing went over the wire")
	}
	return l.tape.exchanges[len(l.tape.exchanges)-1]
}

// dataEndpoint is where the client is told to send a stream's GetImages calls.
func (l *lab) dataEndpoint(stream string) string {
	l.Helper()
	return l.must(order{Operation: "GetDataEndpoint", Input: named(stream, "APIName", "GET_IMAGES")})[0].DataEndpoint
}

// changed is an input with other values for some members, in pairs; a member
// that is nil is left out.
func changed(input map[string]any, pairs ...any) map[string]any {
	c := maps.Clone(input)
	for i := 0; i < len(pairs); i += 2 {
		c[pairs[i].(string)] = pairs[i+1]
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// named is the input of a call about a stream, with other members in pairs.
func named(stream string, pairs ...any) map[string]any {
	return changed(map[string]any{"StreamName": stream}, pairs...)
}

// imagesOf is a GetImages call: a minute of the stream, an image each 3 s, with
// what change makes of that.
func imagesOf(stream, endpoint string, change map[string]any) order {
	in := named(stream, "ImageSelectorType", "PRODUCER_TIMESTAMP", "Format", "JPEG", "SamplingInterval", 3000)
	in["StartTimestamp"], in["EndTimestamp"] = newYear, newYear.Add(59*time.Second)
	maps.Copy(in, change)
	return order{Operation: "GetImages", Input: in, Endpoint: endpoint}
}

// spanning sets a GetImages call's range, in milliseconds from newYear on.
func spanning(from, to, interval int) map[string]any {
	at := func(ms int) time.Time { return newYear.Add(time.Duration(ms) * time.Millisecond) }
	return map[string]any{"StartTimestamp": at(from), "EndTimestamp": at(to), "SamplingInterval": interval}
}

// sketched describes entries as sketch does. A picture counts as a frame if its
// timecode says that it shows this stream at this time, and if it has this size.
func sketched(stream string, width, height int, pages []answered) string {
	var words []string
	for _, page := range pages {
		for _, entry := range page.Images {
			what := strings.ToLower(entry.Error)
			switch {
			case entry.ImageContent != nil:
				what += shown(entry, stream, width, height)
			case entry.Error == "":
				what = "empty"
			}
			words = append(words, fmt.Sprint(entry.TimeStamp.Sub(newYear).Seconds())+":"+what)
		}
	}
	return strings.Join(words, " ")
}

func shown(entry pictured, stream string, width, height int) string {
	picture, format, err := image.Decode(bytes.NewReader(entry.ImageContent))
	if err != nil {
		return err.Error()
	}
	code, err := ReadTimecode(picture)
	switch {
	case err != nil:
		return err.Error()
	case code.Stream != StreamCode(stream) || !code.Time.Equal(entry.TimeStamp.Time):
		return fmt.Sprintf("shows %+v", code)
	case picture.Bounds().Dx() != width || picture.Bounds().Dy() != height:
		return fmt.Sprint(picture.Bounds())
	case format == "png":
		return "png"
	}
	return "+"
}

// everyThird is what a sketch of the first n instants of a range shows.
func everyThird(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprint(3*i) + ":+"
	}
	return strings.Join(words, " ")
}

// drain leaves nothing of a quota, for hours.
func drain(l *limiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buckets[0].level, l.buckets[0].at = -1e6, time.Now()
}
