package kvsio

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// What DescribeStream answers is used in place of what was asked for: so it has
// to be that stream.
func TestDescribedStreamIsTheOneAskedFor(t *testing.T) {
	const (
		cam   = "arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/1767225600000"
		other = "arn:aws:kinesisvideo:us-east-1:111122223333:stream/other/1767225600000"
		later = "arn:aws:kinesisvideo:us-east-1:111122223333:stream/cam/1767225600001"
	)
	for _, c := range []struct {
		key       grid.StreamKey
		name, arn string
		wrong     string // a part of the error's text, where there is one
	}{
		{grid.StreamKey{Name: "cam"}, "cam", cam, ""},
		{grid.StreamKey{Name: "cam"}, "", cam, ""},
		{grid.StreamKey{ARN: cam}, "cam", cam, ""},
		{grid.StreamKey{Name: "cam"}, "other", other, "another stream"},
		{grid.StreamKey{Name: "cam"}, "cam", other, "another stream"},
		{grid.StreamKey{Name: "cam"}, "other", cam, "another stream"},
		{grid.StreamKey{ARN: cam}, "cam", later, "another stream"},
		{grid.StreamKey{ARN: cam}, "other", other, "another stream"},
		{grid.StreamKey{Name: "cam"}, "cam", "cam", "StreamARN"},
		{grid.StreamKey{Name: "cam"}, "cam", cam + "\n", "StreamARN"},
		{grid.StreamKey{Name: "cam"}, "cam", "arn:aws:kinesisvideo:us-east-1:111122223333:stream/../../x/1", "StreamARN"},
		{grid.StreamKey{Name: "cam"}, "cam", cam + strings.Repeat("0", 2000), "StreamARN"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			json.NewEncoder(w).Encode(map[string]any{"StreamInfo": map[string]string{"StreamName": c.name, "StreamARN": c.arn}})
		}))
		clients := newClients(benchConfig, AWSParams{EndpointURL: server.URL}, 1)
		_, err := newEngine(ReadParams{}.withDefaults(), clients).describe(t.Context(), c.key, quickAttempts)
		clients.close()
		server.Close()
		if (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%v is described as %.100q, %.100q: %v", c.key, c.name, c.arn, err)
		}
	}
}
