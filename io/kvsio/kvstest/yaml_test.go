package kvstest

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

const everything = `
region: eu-west-1
account: "123456789012"
access_keys: {me: secret}
page_size: 10
end_inclusive: false
timestamps: instant
before_retention: not_found
endpoint_token_ttl: 1m
latency: {per_call: 500ms, per_image: 1ms}
seed: 7
streams:
  - name: front-door
    width: 640
    height: 360
    frame_rate: 29.97
    media: [{from: 2026-01-01T00:00:00Z, to: 2026-01-02T00:00:00Z}]
    fragment: 7s
    delay: 2s
    late: [{from: 2026-01-03T00:00:00Z, to: 2026-01-04T00:00:00Z, at: 2026-01-05T00:00:00Z}]
    list_fragments_denied: true
    media_errors:
      - from: 2026-01-01T05:00:00Z
        to: 2026-01-01T05:01:00Z
    folder: ""
    retention: 0h
    tags: {site: hq}
    quota: {media_points: 250.5, metadata_points: 0}
    created: 2026-01-01T00:00:00Z
    deleted: 2026-01-03T00:00:00Z
    forbidden: [{from: 2026-01-02T00:00:00Z, to: 2026-01-02T01:00:00Z}]
  - name: b
faults:
  - {kind: throttle, rate: 0.05, streams: [b], during: [{from: 2026-01-01T03:00:00Z, to: 2026-01-01T04:00:00Z}]}
`

func TestParseConfig(t *testing.T) {
	got, err := ParseConfig([]byte(everything))
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Region: "eu-west-1", Account: "123456789012", AccessKeys: map[string]string{"me": "secret"},
		PageSize: 10, EndInclusive: new(false), TimeStamps: "instant", BeforeRetention: "not_found",
		EndpointTokenTTL: time.Minute,
		Latency:          Latency{PerCall: 500 * time.Millisecond, PerImage: time.Millisecond}, Seed: 7,
		Streams: []Stream{{
			Name: "front-door", Width: 640, Height: 360, FrameRate: 29.97, Fragment: 7 * time.Second,
			Media: []Range{{newYear, newYear.Add(24 * time.Hour)}},
			Delay: new(2 * time.Second), ListFragmentsDenied: true,
			Late:        []Late{{newYear.AddDate(0, 0, 2), newYear.AddDate(0, 0, 3), newYear.AddDate(0, 0, 4)}},
			MediaErrors: []Range{{newYear.Add(5 * time.Hour), newYear.Add(5*time.Hour + time.Minute)}},
			Retention:   new(time.Duration(0)), Tags: map[string]string{"site": "hq"}, Quota: &Quota{250.5, 0},
			Created: newYear, Deleted: newYear.Add(48 * time.Hour),
			Forbidden: []Range{{newYear.Add(24 * time.Hour), newYear.Add(25 * time.Hour)}},
		}, {Name: "b"}},
		Faults: []Fault{{
			Kind: "throttle", Rate: 0.05, Streams: []string{"b"},
			During: []Range{{newYear.Add(3 * time.Hour), newYear.Add(4 * time.Hour)}},
		}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, empty := range []string{"", "# nothing\n", "{}", "null", "streams:\n", "streams: []"} {
		got, err := ParseConfig([]byte(empty))
		if got.Streams = nil; err != nil || !reflect.DeepEqual(got, Config{}) {
			t.Errorf("%q: got %+v, %v", empty, got, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	c := Config{Streams: []Stream{{Name: "a"}}}.withDefaults()
	s := c.Streams[0]
	if c.Region != "us-east-1" || c.Account != "111122223333" || c.AccessKeys["test"] != "test" || c.PageSize != 25 ||
		!*c.EndInclusive || c.EndpointTokenTTL != 45*time.Minute || c.Seed != 1 || c.Now == nil {
		t.Errorf("got %+v", c)
	}
	if s.Width != 1280 || s.Height != 720 || s.FrameRate != 10 || s.Fragment != 4*time.Second ||
		*s.Retention != 87600*time.Hour || *s.Quota != (Quota{500, 10000}) {
		t.Errorf("got %+v", s)
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a: [", "line 1: did not find"},
		{"page_sise: 10", "line 1: page_sise: unknown key; did you mean page_size?"},
		{"\nstreams:\n  - name: a\n    frameRate: 3", "line 4: streams[0].frameRate: unknown key; did you mean frame_rate?"},
		{"foo: 1", "unknown key; known are access_keys, account, before_retention"},
		{"latency: {percall: 1s}", "line 1: latency.percall: unknown key; did you mean per_call?"},
		{"faults: [{kinds: stall}]", "did you mean kind?"},
		{"streams:\n- {name: a, quota: {media: 1}}", "line 2: streams[0].quota.media: unknown key"},
		{"page_size: ten", `line 1: page_size: "ten" is not a whole number`},
		{"page_size: 1.5", `line 1: page_size: "1.5" is not a whole number`},
		{"seed: x", `"x" is not a whole number`},
		{"endpoint_token_ttl: 45", `line 1: endpoint_token_ttl: "45" is not a duration such as 45m`},
		{"end_inclusive: 3", `"3" is not true or false`},
		{"region: {}", "is not a text"},
		{"access_keys: [a]", "is not a mapping of texts to texts"},
		{"streams:\n- name: a\n  frame_rate: fast", `line 3: streams[0].frame_rate: "fast" is not a number`},
		{
			"streams:\n- name: a\n  media:\n  - from: yesterday",
			`line 4: streams[0].media[0].from: "yesterday" is not a time such as`,
		},
		{"streams: {name: a}", "line 1: streams: must be a list"},
		{"streams: [a]", "line 1: streams[0]: must be a mapping"},
		{"- a", "line 1: must be a mapping"},
		{"seed: 1\nseed: 2", "line 2: seed: given twice"},
		{"page_size: 0", "line 1: page_size: is 0: leave it out for the default"},
		{"streams:\n- {name: a,\n  fragment: 0s}", "line 3: streams[0].fragment: is 0"},
		{"page_size: 101", "line 1: page_size: is 101: must be 1 to 100"},
		{"region: Ohio!", `region: is "Ohio!": must be lower-case`},
		{"account: 12", `account: is "12": must be 12 digits`},
		{"access_keys: {}", "access_keys: is empty"},
		{`access_keys: {a: ""}`, "access_keys: is an empty id or secret"},
		{"endpoint_token_ttl: -1s", "endpoint_token_ttl: is -1s: must be above 0"},
		{"latency: {per_image: -1s}", "latency.per_image: is -1s"},
		{"streams:\n- width: 5", `line 2: streams[0].name: is ""`},
		{"streams:\n- name: a b", `streams[0].name: is "a b"`},
		{"streams:\n- name: a\n- name: a", "line 3: streams[1].name: is \"a\": must be unique: streams[0] has it too"},
		{"streams:\n- {name: a, width: 3841}", "streams[0].width: is 3841"},
		{"streams:\n- {name: a, height: -1}", "streams[0].height: is -1"},
		{"streams:\n- {name: a, frame_rate: 1001}", "streams[0].frame_rate: is 1001"},
		{"streams:\n- {name: a, frame_rate: .nan}", "streams[0].frame_rate: is NaN"},
		{"streams:\n- {name: a, fragment: 21s}", "streams[0].fragment: is 21s: must be 1ms to 20s"},
		{"streams:\n- {name: a, retention: 90m}", "streams[0].retention: is 1h30m0s"},
		{"streams:\n- {name: a, quota: {media_points: -1}}", "streams[0].quota.media_points: is -1"},
		{"streams:\n- {name: a, tags: {'': x}}", "streams[0].tags"},
		{"streams:\n- {name: a, folder: /nowhere/at/all}", "streams[0].folder: open /nowhere/at/all"},
		{
			"streams:\n- name: a\n  media:\n  - {from: 2026-01-02T00:00:00Z, to: 2026-01-01T00:00:00Z}",
			"line 4: streams[0].media[0].to: is 2026-01-01T00:00:00Z: must be after from",
		},
		{"streams:\n- name: a\n  media:\n  - {from: 2026-01-02T00:00:00Z}", "line 4: streams[0].media[0].to: is missing"},
		{
			"streams:\n- name: a\n  media:\n  - {from: 1969-01-02T00:00:00Z, to: 2263-01-01T00:00:00Z}",
			"media[0].from: is 1969",
		},
		{
			"streams:\n- name: a\n  media: [{from: 2026-01-01, to: 2026-01-03}, {from: 2026-01-02, to: 2026-01-04}]",
			"line 3: streams[0].media: is overlapping",
		},
		{"streams:\n- {name: a, delay: -87601h}", "streams[0].delay: is -87601h0m0s: must be -87600h to 87600h"},
		{"streams:\n- {name: a, forbidden: [{from: 2026-01-01}]}", "streams[0].forbidden[0].to: is missing"},
		{"streams:\n- {name: a, created: 1969-01-01}", "streams[0].created: is 1969-01-01T00:00:00Z: must be in"},
		{
			"streams:\n- {name: a, created: 2026-01-02, deleted: 2026-01-01}",
			"streams[0].deleted: is 2026-01-01T00:00:00Z: must be after created",
		},
		{"faults:\n- {kind: stall, rate: 1, during: [{to: 2026-01-01}]}", "faults[0].during[0].from: is missing"},
		{"faults:\n- {kind: throtle, rate: 1}", `line 2: faults[0].kind: is "throtle": must be one of throttle, server_error`},
		{"faults:\n- {kind: stall, rate: 5}", "faults[0].rate: is 5: must be 0 to 1"},
		{"faults:\n- {kind: stall, rate: 1, streams: [x]}", `line 2: faults[0].streams[0]: is "x"`},
	} {
		_, err := ParseConfig([]byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
	_, err := ParseConfig([]byte("page_size: x\nfoo: 1\nstreams: [{nam: a}]"))
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not all at once: %v", err)
	}
}

func TestValidateNamesEverything(t *testing.T) {
	err := Config{
		PageSize: -1,
		Streams:  []Stream{{Name: "/", FrameRate: math.Inf(1)}},
		Faults:   []Fault{{Kind: "x", Rate: -1}},
	}.Validate()
	for _, want := range []string{
		"page_size: is -1", `streams[0].name: is "/"`, "streams[0].frame_rate: is +Inf",
		`faults[0].kind: is "x"`, "faults[0].rate: is -1",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if err := (Config{}).Validate(); err != nil {
		t.Errorf("the zero Config: %v", err)
	}
}

// The secrets of a configuration stay out of messages.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, text := range []string{
		"access_keys: {id: hunter2, '': hunter3}", "access_keys: hunter2",
		"access_keys: [hunter2]", "access_keys: {id: [hunter2]}",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
