package main

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/pipeline"
)

var someday = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

func parsed(t *testing.T, text string, flags map[string]string) ([]kvsio.Request, error) {
	t.Helper()
	base := newDraft(backfillNames, clock{someday, time.UTC})
	for _, f := range fields {
		if text, ok := flags[f.flagName()]; ok {
			base.set(f, f.flag(), text)
		}
	}
	drafts, errs := parseRequests("r.yaml", []byte(text), base)
	var requests []kvsio.Request
	for _, d := range drafts {
		errs = append(errs, d.check(0, someday)...)
		requests = append(requests, d.request)
	}
	return requests, mistakes(append(base.faults, errs...)...)
}

func TestRequestsFile(t *testing.T) {
	want := kvsio.Request{
		StreamName:        "front-door",
		ImageSelectorType: kvsio.ServerTimestamp,
		StartTimestamp:    time.Date(2026, 1, 1, 0, 0, 0, 123e6, time.UTC),
		EndTimestamp:      time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC),
		SamplingInterval:  5 * time.Second,
		Format:            frame.JPEG,
		FormatConfig:      map[string]string{"JPEGQuality": "60"},
		WidthPixels:       640,
		HeightPixels:      360,
	}
	flags := map[string]string{
		"sampling-interval": "5s", "width-pixels": "100", "height-pixels": "360",
		"image-selector-type": "SERVER_TIMESTAMP",
	}
	for name, text := range map[string]string{
		"snake_case": `
- stream_name: front-door
  start_timestamp: 2026-01-01T00:00:00.123Z
  end_timestamp: 2026-01-02
  format_config: {JPEGQuality: 60}
  width_pixels: 640`,
		"CamelCase": `
- StreamName: front-door
  StartTimestamp: 1767225600.123
  EndTimestamp: 1767312000
  FormatConfig: JPEGQuality=60
  WidthPixels: 640`,
		"JSON": `[{"StreamName": "front-door", "start_timestamp": 1767225600.123, "end_timestamp": "2026-01-02", "format_config": {"JPEGQuality": "60"}, "width_pixels": 640}]`,
		"aliases": `
- stream_name: front-door
  start_timestamp: &t 2026-01-01T00:00:00.123Z
  end_timestamp: 2026-01-02
  format_config: {JPEGQuality: 60}
  width_pixels: 640
- {stream_name: other, start_timestamp: *t, end_timestamp: 2026-01-02}`,
	} {
		got, err := parsed(t, text, flags)
		if err != nil || len(got) == 0 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}

func TestRequestsFileRefuses(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"r.yaml is empty", "stream_name"}},
		{"only a comment", "# nothing", []string{"r.yaml is empty"}},
		{"empty list", "[]", []string{"r.yaml is empty"}},
		{"null", "~", []string{"r.yaml is empty"}},
		{"a mapping", "\nstream_name: a", []string{`r.yaml:2: this is one request, not a list: put "- "`}},
		{"a word", "front-door", []string{"r.yaml:1: the file must hold a list"}},
		{"entry is a word", "- stream_name: a\n- front-door", []string{"r.yaml:2: a request is a mapping"}},
		{"syntax", "- stream_name: [a\n", []string{"r.yaml:", "YAML or JSON"}},
		{"second document", "- stream_name: a\n---\n- stream_name: b", []string{"r.yaml:2: a second document"}},
		{"unknown key", "- stream_nam: a", []string{`r.yaml:1: unknown key "stream_nam": did you mean stream_name?`}},
		{"unlike any key", "- zzz: a", []string{`r.yaml:1: unknown key "zzz": a request has stream_name, stream_arn`}},
		{"twice", "- stream_name: a\n  StreamName: b", []string{"r.yaml:2: StreamName is given twice, first in line 1"}},
		{"no value", "- stream_name:", []string{"r.yaml:1: stream_name has no value"}},
		{"a list for a value", "- stream_name: [a]", []string{"r.yaml:1: stream_name is a list"}},
		{
			"name and ARN", "- stream_name: a\n  stream_arn: b",
			[]string{`r.yaml:1: stream_name is "a" beside a stream_arn`, "r.yaml:2: stream_arn is \"b\": it must be arn:"},
		},
		{"neither", "- start_timestamp: 2026-01-01", []string{"r.yaml:1: stream_name is not set, and neither is stream_arn"}},
		{
			"milliseconds", "- start_timestamp: 1767225600123",
			[]string{`r.yaml:1: start_timestamp is "1767225600123"`, "1767225600.123"},
		},
		{
			"end before start", "- start_timestamp: 2026-01-02\n  end_timestamp: 2026-01-01",
			[]string{"r.yaml:2: end_timestamp is \"2026-01-01\": it must be after start_timestamp"},
		},
		{
			"the future", "- end_timestamp: 2027-01-02\n  image_selector_type: SERVER_TIMESTAMP",
			[]string{"r.yaml:1: end_timestamp is 2027-01-02T00:00:00Z, in the future: it must be at most now, 2027-01-01"},
		},
		{"floor", "- sampling_interval: 1s", []string{
			"r.yaml:1: sampling_interval is \"1s\": it must be at least 3s",
			"--min-sampling-interval",
		}},
		{
			"lone width", "- stream_name: a\n  width_pixels: 10",
			[]string{"r.yaml:2: width_pixels is 10 without height_pixels"},
		},
		{
			"not set anywhere", "- stream_name: a",
			[]string{
				"r.yaml:1: start_timestamp is not set: it must be RFC 3339",
				"r.yaml:1: sampling_interval is not set: it must be a duration",
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parsed(t, test.text, nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%v\nmust contain %q", err, want)
				}
			}
		})
	}
}

// A fault of a flag that is every entry's default is told once, as the flag's.
func TestRequestsFileBadDefault(t *testing.T) {
	text := "- {stream_name: a, start_timestamp: 2026-01-01, end_timestamp: 2026-01-02}\n- {stream_name: b, " +
		"start_timestamp: 2026-01-01, end_timestamp: 2026-01-02}"
	for flag, value := range map[string]string{"sampling-interval": "3 s", "format": "GIF"} {
		flags := map[string]string{"sampling-interval": "3s"}
		flags[flag] = value
		_, err := parsed(t, text, flags)
		var all *pipeline.UsageError
		if !errors.As(err, &all) || len(all.Faults) != 1 || !strings.HasPrefix(err.Error(), "--"+flag+" is ") {
			t.Errorf("%v; want one fault of --%s", err, flag)
		}
	}
}

func FuzzRequestsFile(f *testing.F) {
	f.Add("- stream_name: a\n  start_timestamp: 2026-01-01\n  end_timestamp: 2026-01-02\n  sampling_interval: 3s")
	f.Add(`[{"StreamARN": "x", "FormatConfig": {"JPEGQuality": 1}}]`)
	f.Add("- &a {stream_name: *a}")
	f.Add("- <<: {stream_name: a}")
	f.Add("a: b\n---\n- c")
	f.Fuzz(func(t *testing.T, text string) {
		drafts, errs := parseRequests("r.yaml", []byte(text), newDraft(backfillNames, clock{someday, time.UTC}))
		if len(drafts)+len(errs) == 0 {
			t.Error("neither requests nor errors")
		}
		for _, d := range drafts {
			errs = append(errs, d.check(0, someday)...)
		}
		for _, err := range errs {
			if !strings.HasPrefix(err.Error(), "r.yaml") {
				t.Errorf("%v: it must name the file", err)
			}
		}
	})
}

func TestSuggest(t *testing.T) {
	known := []string{"stream-name", "stream-arn", "start-timestamp", "end-timestamp", "sampling-interval", "out"}
	for word, want := range map[string]string{
		"strem-name": "stream-name", "stream_name": "stream-name", "StreamName": "stream-name", "start": "start-timestamp",
		"sampling": "sampling-interval", "ot": "out", "zzzzz": "", "": "",
	} {
		if got := suggest(word, known); got != want {
			t.Errorf("suggest(%q) = %q, want %q", word, got, want)
		}
	}
}
