package kvsio_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

func TestRequestFromKeywordArguments(t *testing.T) {
	want := kvsio.Request{
		StreamName: "front-door", ImageSelectorType: kvsio.ServerTimestamp, Format: frame.PNG,
		StartTimestamp:   time.Date(2026, 1, 31, 10, 0, 0, 123e6, time.UTC),
		EndTimestamp:     time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC),
		SamplingInterval: 3 * time.Second, FormatConfig: map[string]string{"JPEGQuality": "30"}, WidthPixels: 640,
		HeightPixels: 480,
	}
	const rest = `"StreamName": "front-door", "ImageSelectorType": "SERVER_TIMESTAMP", "Format": "PNG",
		"FormatConfig": {"JPEGQuality": "30"}, "WidthPixels": 640, "HeightPixels": 480`
	for _, times := range []string{
		`"StartTimestamp": "2026-01-31T10:00:00.123Z", "EndTimestamp": "2026-01-31 12:00", "SamplingInterval": 3000`,
		// As a float64 the first would be .122999907.
		`"StartTimestamp": 1769853600.123, "EndTimestamp": 1769860800, "SamplingInterval": "3s"`,
		`"StartTimestamp": "1769853600.123", "EndTimestamp": "Sat, 31 Jan 2026 12:00:00 GMT", "SamplingInterval": "3000"`,
	} {
		var got kvsio.Request
		if err := json.Unmarshal([]byte("{"+rest+","+times+"}"), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", times, got, err)
		}
	}
}

func TestRequestFromKeywordArgumentsRefuses(t *testing.T) {
	for text, parts := range map[string][]string{
		`{"MaxResults": 5, "PaginationConfig": {}}`: {
			`unknown key "MaxResults"`, `unknown key "PaginationConfig"`,
			"StreamARN, StreamName",
		},
		`{"streamName": "cam"}`:                 {`unknown key "streamName"`},
		`{"StreamName": null}`:                  {"StreamName is null", "leave it out"},
		`{"StreamName": 5}`:                     {"StreamName is 5"},
		`{"StartTimestamp": 1769853600123}`:     {"StartTimestamp is 1769853600123", "in epoch seconds it is 1769853600.123"},
		`{"EndTimestamp": "soon"}`:              {`EndTimestamp is "soon"`, "RFC 3339"},
		`{"EndTimestamp": {}}`:                  {"EndTimestamp is {}", "RFC 3339"},
		`{"SamplingInterval": 3.5}`:             {"SamplingInterval is 3.5", "milliseconds"},
		`{"FormatConfig": {"JPEGQuality": 80}}`: {"FormatConfig is {"},
		`{"WidthPixels": "640"}`:                {`WidthPixels is "640"`},
		`["StreamName"]`:                        {"reading a request"},
	} {
		got := kvsio.Request{StreamName: "before"}
		err := json.Unmarshal([]byte(text), &got)
		for _, part := range parts {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %v, without %q", text, err, part)
			}
		}
		if got.StreamName != "before" {
			t.Errorf("%s changed the request", text)
		}
	}
}

// Requests that are not valid come back, too: Beam carries them as JSON.
func TestRequestsComeBackFromJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instant := rapid.Custom(func(t *rapid.T) time.Time {
			at := time.Unix(rapid.Int64Range(-1<<33, 1<<34).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns"))
			return at.In(time.FixedZone("", rapid.IntRange(-80_000, 80_000).Draw(t, "zone")))
		})
		want := kvsio.Request{
			StreamName: rapid.String().Draw(t, "name"), StreamARN: rapid.String().Draw(t, "arn"),
			ImageSelectorType: kvsio.ImageSelectorType(rapid.String().Draw(t, "selector")),
			Format:            rapid.String().Draw(t, "format"),
			SamplingInterval:  time.Duration(rapid.Int64().Draw(t, "interval")),
			FormatConfig: rapid.SampledFrom([]map[string]string{nil, {}, {"JPEGQuality": "80"}, {"a": "", "": "b"}}).Draw(t,
				"config"),
			WidthPixels: rapid.Int().Draw(t, "width"), HeightPixels: rapid.Int().Draw(t, "height"),
			Tag: rapid.String().Draw(t, "tag"),
		}
		if rapid.Bool().Draw(t, "timed") {
			want.StartTimestamp, want.EndTimestamp = instant.Draw(t, "start"), instant.Draw(t, "end")
		}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got kvsio.Request
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if !got.StartTimestamp.Equal(want.StartTimestamp) || !got.EndTimestamp.Equal(want.EndTimestamp) {
			t.Fatalf("%s: %v to %v", text, got.StartTimestamp, got.EndTimestamp)
		}
		got.StartTimestamp, got.EndTimestamp = want.StartTimestamp, want.EndTimestamp
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: %+v, want %+v", text, got, want)
		}
	})
}
