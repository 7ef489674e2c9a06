package kvsio

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
)

func valid() Request {
	return Request{
		StreamName:        "front-door",
		ImageSelectorType: ProducerTimestamp,
		StartTimestamp:    time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		EndTimestamp:      time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC),
		SamplingInterval:  3 * time.Second,
		Format:            frame.JPEG,
	}
}

const anARN = "arn:aws:kinesisvideo:us-east-1:111122223333:stream/front-door/1600000000000"

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Request)
		field  string // of the one fault; empty: none
	}{
		{"valid", func(r *Request) {}, ""},
		{"ARN", func(r *Request) { r.StreamName, r.StreamARN = "", anARN }, ""},
		{"ARN of another partition", func(r *Request) {
			r.StreamName, r.StreamARN = "", "arn:aws-us-gov:kinesisvideo:us-gov-west-1:1:stream/a.b_c-d/1"
		}, ""},
		{"neither name nor ARN", func(r *Request) { r.StreamName = "" }, "StreamName"},
		{"both name and ARN", func(r *Request) { r.StreamARN = anARN }, "StreamName"},
		{"name with a space", func(r *Request) { r.StreamName = "front door" }, "StreamName"},
		{"name with a line feed", func(r *Request) { r.StreamName = "front\n" }, "StreamName"},
		{"name of 256", func(r *Request) { r.StreamName = strings.Repeat("x", 256) }, ""},
		{"name of 257", func(r *Request) { r.StreamName = strings.Repeat("x", 257) }, "StreamName"},
		{"ARN of another service", func(r *Request) {
			r.StreamName, r.StreamARN = "",
				strings.Replace(anARN, "kinesisvideo", "kinesis", 1)
		}, "StreamARN"},
		{"ARN without creation", func(r *Request) {
			r.StreamName, r.StreamARN = "",
				strings.TrimSuffix(anARN, "/1600000000000")
		}, "StreamARN"},
		{"ARN too long", func(r *Request) {
			r.StreamName, r.StreamARN = "", strings.Replace(anARN, "front-door", strings.Repeat("x", 1024), 1)
		}, "StreamARN"},
		{"no selector", func(r *Request) { r.ImageSelectorType = "" }, "ImageSelectorType"},
		{"server's selector", func(r *Request) { r.ImageSelectorType = ServerTimestamp }, ""},
		{"unknown selector", func(r *Request) { r.ImageSelectorType = "producer_timestamp" }, "ImageSelectorType"},
		{"no start", func(r *Request) { r.StartTimestamp = time.Time{} }, "StartTimestamp"},
		{"no end", func(r *Request) { r.EndTimestamp = time.Time{} }, "EndTimestamp"},
		{
			"start before 1970", func(r *Request) { r.StartTimestamp = time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC) },
			"StartTimestamp",
		},
		{"end after 2262", func(r *Request) { r.EndTimestamp = time.Date(2263, 1, 1, 0, 0, 0, 0, time.UTC) }, "EndTimestamp"},
		{
			"start after end", func(r *Request) { r.StartTimestamp, r.EndTimestamp = r.EndTimestamp, r.StartTimestamp },
			"EndTimestamp",
		},
		{"start is end", func(r *Request) { r.EndTimestamp = r.StartTimestamp }, "EndTimestamp"},
		{"no interval", func(r *Request) { r.SamplingInterval = 0 }, "SamplingInterval"},
		{"negative interval", func(r *Request) { r.SamplingInterval = -time.Second }, "SamplingInterval"},
		{"interval under the floor", func(r *Request) { r.SamplingInterval = 2999 * time.Millisecond }, "SamplingInterval"},
		{
			"interval of half a millisecond", func(r *Request) { r.SamplingInterval = 3*time.Second + 500*time.Microsecond },
			"SamplingInterval",
		},
		{"interval over an int", func(r *Request) { r.SamplingInterval = 1 << 31 * time.Millisecond }, "SamplingInterval"},
		{"no format", func(r *Request) { r.Format = "" }, "Format"},
		{"unknown format", func(r *Request) { r.Format = "WEBP" }, "Format"},
		{"PNG", func(r *Request) { r.Format = frame.PNG }, ""},
		{"quality", func(r *Request) { r.FormatConfig = map[string]string{"JPEGQuality": "100"} }, ""},
		{"quality 0", func(r *Request) { r.FormatConfig = map[string]string{"JPEGQuality": "0"} }, "FormatConfig"},
		{"quality 101", func(r *Request) { r.FormatConfig = map[string]string{"JPEGQuality": "101"} }, "FormatConfig"},
		{"quality best", func(r *Request) { r.FormatConfig = map[string]string{"JPEGQuality": "best"} }, "FormatConfig"},
		{"another key", func(r *Request) { r.FormatConfig = map[string]string{"Quality": "80"} }, "FormatConfig"},
		{"two keys", func(r *Request) { r.FormatConfig = map[string]string{"JPEGQuality": "80", "X": "1"} }, "FormatConfig"},
		{"an empty config", func(r *Request) { r.FormatConfig = map[string]string{} }, "FormatConfig"},
		{"a size", func(r *Request) { r.WidthPixels, r.HeightPixels = 3840, 2160 }, ""},
		{"width alone", func(r *Request) { r.WidthPixels = 640 }, "WidthPixels"},
		{"height alone", func(r *Request) { r.HeightPixels = 480 }, "HeightPixels"},
		{"too wide", func(r *Request) { r.WidthPixels, r.HeightPixels = 3841, 480 }, "WidthPixels"},
		{"too high", func(r *Request) { r.WidthPixels, r.HeightPixels = 640, 2161 }, "HeightPixels"},
		{"negative width", func(r *Request) { r.WidthPixels, r.HeightPixels = -1, 480 }, "WidthPixels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valid()
			c.change(&r)
			err := r.Validate()
			if c.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var faults *RequestError
			if !errors.As(err, &faults) || len(faults.Faults) != 1 {
				t.Fatalf("%v, want one fault", err)
			}
			if f := faults.Faults[0]; f.Field != c.field || f.Value == "" || f.Allowed == "" {
				t.Errorf("%+v, want a fault of %s", f, c.field)
			}
		})
	}
}

func TestValidateNamesAllFaults(t *testing.T) {
	r := Request{StreamName: "a b", FormatConfig: map[string]string{"x": "y"}, WidthPixels: 1}
	var faults *RequestError
	if !errors.As(r.Validate(), &faults) {
		t.Fatal("valid")
	}
	var fields []string
	for _, f := range faults.Faults {
		fields = append(fields, f.Field)
	}
	want := []string{
		"StreamName", "ImageSelectorType", "StartTimestamp", "EndTimestamp",
		"SamplingInterval", "Format", "FormatConfig", "WidthPixels",
	}
	if !slices.Equal(fields, want) {
		t.Errorf("faults of %v, want %v", fields, want)
	}
}

func TestValidateFloor(t *testing.T) {
	r := valid()
	r.SamplingInterval = 200 * time.Millisecond
	if err := r.ValidateFloor(200 * time.Millisecond); err != nil {
		t.Error(err)
	}
	r.SamplingInterval = 199 * time.Millisecond
	if r.ValidateFloor(time.Millisecond) == nil {
		t.Error("199 ms is valid with a floor under the lowest")
	}
}

func TestSpanOfRequest(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name, start, end string
		interval         time.Duration
		samples          int64
		first            string
	}{
		{"whole", "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z", 3 * time.Second, 100, "2026-01-01T00:00:00Z"},
		{
			"the end is not part of it", "2026-01-01T00:00:00Z", "2026-01-01T00:00:03Z", 3 * time.Second, 1,
			"2026-01-01T00:00:00Z",
		},
		{
			"one more past the end", "2026-01-01T00:00:00Z", "2026-01-01T00:00:03.001Z", 3 * time.Second, 2,
			"2026-01-01T00:00:00Z",
		},
		{
			"below the interval", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:01.6Z", 3 * time.Second, 1,
			"2026-01-01T00:00:01.5Z",
		},
		{"phase", "2026-01-01T00:00:01.234Z", "2026-01-01T00:00:07.5Z", 3 * time.Second, 3, "2026-01-01T00:00:01.234Z"},
		{
			"rounded to the nearest millisecond", "2026-01-01T00:00:00.0004Z", "2026-01-01T00:00:03.0005Z", 3 * time.Second, 2,
			"2026-01-01T00:00:00Z",
		},
		{
			"a range inside a millisecond", "2026-01-01T00:00:00.0001Z", "2026-01-01T00:00:00.0002Z", 3 * time.Second, 1,
			"2026-01-01T00:00:00Z",
		},
		{"the epoch", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z", 3 * time.Second, 1, "1970-01-01T00:00:00Z"},
		{"the last year", "2262-04-11T23:47:10Z", "2262-04-11T23:47:16Z", 3 * time.Second, 2, "2262-04-11T23:47:10Z"},
		{"an interval over 300 s", "2026-01-01T00:00:00Z", "2026-01-01T10:00:00Z", time.Hour, 10, "2026-01-01T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := valid()
			r.StartTimestamp, r.EndTimestamp, r.SamplingInterval = at(c.start), at(c.end), c.interval
			if err := r.Validate(); err != nil {
				t.Fatal(err)
			}
			span := r.Span()
			if span.Samples != c.samples {
				t.Errorf("%d samples, want %d", span.Samples, c.samples)
			}
			if got := time.UnixMilli(span.Series.At(span.First)).UTC(); !got.Equal(at(c.first)) {
				t.Errorf("first sample at %v, want %v", got, c.first)
			}
		})
	}
}
