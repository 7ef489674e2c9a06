package pipeline

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestForbiddenAhead: a stream that may not be asked whether its footage is ahead of now stops the others only
// without KeepGoing.
func TestForbiddenAhead(t *testing.T) {
	var streams []kvstest.Stream
	for _, name := range []string{"cam", "yard"} {
		streams = append(streams, kvstest.Stream{
			Name: name, Width: 160, Height: 90, Quota: &kvstest.Quota{},
			Media: []kvstest.Range{{From: start, To: start.Add(time.Hour)}},
		})
	}
	server := kvstest.NewServer(kvstest.Config{
		Streams: streams, Faults: []kvstest.Fault{{Kind: "endpoint_expired", Rate: 1, Streams: []string{"yard"}}},
	})
	t.Cleanup(server.Close)
	useServer(t, server)
	a := archive{t, server, t.TempDir() + "/out"}
	yard := secondsOf(0, 3600)
	yard.StreamName = "yard"
	o := Options{Requests: []kvsio.Request{secondsOf(0, 700), yard}, Now: after(700), Settle: -1}
	if _, images, _, err := a.fetch(o); images > 0 || KindOf(err) != KindPermission {
		t.Errorf("%d images, %v", images, err)
	}
	o.Read.KeepGoing = true
	s, _, said, err := a.fetch(o)
	if incomplete := (*IncompleteError)(nil); !errors.As(err, &incomplete) || s.Frames != 100 ||
		s.Gaps[frame.Failed] != 100 || !strings.Contains(said, "the range of yard ends 48m20s in the future, and is cut at "+
		"2026-01-01T00:11:40Z: looking for footage of yard") {
		t.Errorf("%+v, %v, %s", s, err, said)
	}
}
