package kvsio

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
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
		key       streamKey
		name, arn string
		wrong     string // a part of the error's text, where there is one
	}{
		{streamKey{name: "cam"}, "cam", cam, ""},
		{streamKey{name: "cam"}, "", cam, ""},
		{streamKey{arn: cam}, "cam", cam, ""},
		{streamKey{name: "cam"}, "other", other, "another stream"},
		{streamKey{name: "cam"}, "cam", other, "another stream"},
		{streamKey{name: "cam"}, "other", cam, "another stream"},
		{streamKey{arn: cam}, "cam", later, "another stream"},
		{streamKey{arn: cam}, "other", other, "another stream"},
		{streamKey{name: "cam"}, "cam", "cam", "StreamARN"},
		{streamKey{name: "cam"}, "cam", cam + "\n", "StreamARN"},
		{streamKey{name: "cam"}, "cam", "arn:aws:kinesisvideo:us-east-1:111122223333:stream/../../x/1", "StreamARN"},
		{streamKey{name: "cam"}, "cam", cam + strings.Repeat("0", 2000), "StreamARN"},
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
