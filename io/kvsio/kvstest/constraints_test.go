package kvstest

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const (
	badArgument = "InvalidArgumentException"
	badType     = "SerializationException"
)

type constraint struct {
	name   string
	change map[string]any
	code   string // "" for success
}

var statuses = map[string]int{
	"": 200, badArgument: 400, badType: 400, "ValidationException": 400,
	"ResourceNotFoundException": 404, "NotAuthorizedException": 401, "NoDataRetentionException": 400,
}

func streamConstraints(arn string) []constraint {
	byARN := func(a any) map[string]any { return map[string]any{"StreamName": absent{}, "StreamARN": a} }
	return []constraint{
		{"as it should be", nil, ""},
		{"by ARN", byARN(arn), ""},
		{"neither name nor ARN", byARN(absent{}), badArgument},
		{"name null is no name", map[string]any{"StreamName": nil}, badArgument},
		{"both name and ARN", map[string]any{"StreamARN": arn}, badArgument},
		{"name empty", map[string]any{"StreamName": ""}, badArgument},
		{"name of 257", map[string]any{"StreamName": strings.Repeat("a", 257)}, badArgument},
		{"name of 256, unknown", map[string]any{"StreamName": strings.Repeat("a", 256)}, "ResourceNotFoundException"},
		{"name with a slash", map[string]any{"StreamName": "a/b"}, badArgument},
		{"name a number", map[string]any{"StreamName": 5}, badType},
		{"ARN empty", byARN(""), badArgument},
		{"ARN of 1025", byARN("arn:aws:kinesisvideo:us-east-1:1:stream/cam/" + strings.Repeat("1", 981)), badArgument},
		{"ARN of another service", byARN("arn:aws:s3:us-east-1:111122223333:stream/cam/1"), badArgument},
		{"ARN without creation time", byARN(arn[:strings.LastIndex(arn, "/")]), badArgument},
		{"ARN of another creation", byARN(arn + "1"), "ResourceNotFoundException"},
		{
			"ARN of another account", byARN(strings.Replace(arn, "111122223333", "999922223333", 1)),
			"ResourceNotFoundException",
		},
		{"ARN an object", byARN(map[string]any{}), badType},
		{"a member nobody knows", map[string]any{"Foo": 1}, ""},
	}
}

func checkConstraints(t *testing.T, url string, base map[string]any, list []constraint) {
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			status, header, body := signer{}.do(t, url, with(base, c.change))
			kind, _, _ := strings.Cut(header.Get("x-amzn-ErrorType"), ":")
			if kind != c.code || status != statuses[c.code] {
				t.Fatalf("got %d %q %s, want %d %q", status, kind, body, statuses[c.code], c.code)
			}
			if len(header.Get("x-amzn-RequestId")) != 36 {
				t.Errorf("request id %q", header.Get("x-amzn-RequestId"))
			}
			var refusal struct{ Message string }
			if err := json.Unmarshal([]byte(body), &refusal); err != nil || (refusal.Message == "") != (c.code == "") {
				t.Errorf("body %.200s", body)
			}
		})
	}
}

func TestGetImagesConstraints(t *testing.T) {
	f := start(t, Config{Streams: []Stream{
		camera("cam"), camera("other"),
		{Name: "blind", Retention: new(time.Duration(0))},
	}})
	start := newYear.Unix()
	base := map[string]any{
		"StreamName": "cam", "ImageSelectorType": "PRODUCER_TIMESTAMP", "Format": "JPEG",
		"StartTimestamp": start, "EndTimestamp": start + 10, "SamplingInterval": 3000,
	}
	list := append(streamConstraints(f.srv.StreamARN("cam")), []constraint{
		{"another stream", map[string]any{"StreamName": "other"}, "NotAuthorizedException"},
		{"no selector", map[string]any{"ImageSelectorType": absent{}}, badArgument},
		{"unknown selector", map[string]any{"ImageSelectorType": "PRODUCER"}, badArgument},
		{"selector empty", map[string]any{"ImageSelectorType": ""}, badArgument},
		{"selector a number", map[string]any{"ImageSelectorType": 1}, badType},
		{"server time", map[string]any{"ImageSelectorType": "SERVER_TIMESTAMP"}, ""},
		{"no start", map[string]any{"StartTimestamp": absent{}}, badArgument},
		{"no end", map[string]any{"EndTimestamp": absent{}}, badArgument},
		{"start a text", map[string]any{"StartTimestamp": "2026-01-01T00:00:00Z"}, badType},
		{"end a truth", map[string]any{"EndTimestamp": true}, badType},
		{"start before the epoch", map[string]any{"StartTimestamp": -1}, badArgument},
		{
			"times in milliseconds",
			map[string]any{"StartTimestamp": start * 1000, "EndTimestamp": start*1000 + 10},
			badArgument,
		},
		{"start after end", map[string]any{"StartTimestamp": start + 11}, badArgument},
		{"start at end", map[string]any{"EndTimestamp": start}, ""},
		{"300 s", map[string]any{"EndTimestamp": start + 300}, ""},
		{"300.001 s", map[string]any{"EndTimestamp": float64(start) + 300.001}, badArgument},
		{"microseconds", map[string]any{"StartTimestamp": float64(start) + 0.123456}, ""},
		{"no interval", map[string]any{"SamplingInterval": absent{}}, badArgument},
		{"interval 199", map[string]any{"SamplingInterval": 199}, badArgument},
		{"interval 200", map[string]any{"SamplingInterval": 200}, ""},
		{"interval 2^31", map[string]any{"SamplingInterval": 1 << 31}, badArgument},
		{"interval 2^31-1", map[string]any{"SamplingInterval": 1<<31 - 1}, ""},
		{"interval of 30 digits", map[string]any{"SamplingInterval": json.Number(strings.Repeat("9", 30))}, badArgument},
		{"interval a fraction", map[string]any{"SamplingInterval": 3000.5}, badType},
		{"interval a text", map[string]any{"SamplingInterval": "3000"}, badType},
		{"no format", map[string]any{"Format": absent{}}, badArgument},
		{"unknown format", map[string]any{"Format": "GIF"}, badArgument},
		{"lower-case format", map[string]any{"Format": "jpeg"}, badArgument},
		{"PNG", map[string]any{"Format": "PNG"}, ""},
		{"config empty", map[string]any{"FormatConfig": map[string]any{}}, badArgument},
		{"config of two", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": "1", "Foo": "1"}}, badArgument},
		{"config of another key", map[string]any{"FormatConfig": map[string]any{"Quality": "80"}}, badArgument},
		{"config a list", map[string]any{"FormatConfig": []int{}}, badType},
		{"quality 0", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": "0"}}, badArgument},
		{"quality 101", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": "101"}}, badArgument},
		{"quality empty", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": ""}}, badArgument},
		{"quality high", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": "high"}}, badArgument},
		{"quality with a sign", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": "+80"}}, badArgument},
		{"quality a number", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": 80}}, badType},
		{"quality null", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": nil}}, badType},
		{"quality 1", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": "1"}}, ""},
		{"quality 100", map[string]any{"FormatConfig": map[string]any{"JPEGQuality": "100"}}, ""},
		{"width alone", map[string]any{"WidthPixels": 320}, "ValidationException"},
		{"height alone", map[string]any{"HeightPixels": 180}, badArgument},
		{"width 0", map[string]any{"WidthPixels": 0, "HeightPixels": 90}, badArgument},
		{"height 0", map[string]any{"WidthPixels": 160, "HeightPixels": 0}, badArgument},
		{"width 3841", map[string]any{"WidthPixels": 3841, "HeightPixels": 90}, badArgument},
		{"height 2161", map[string]any{"WidthPixels": 160, "HeightPixels": 2161}, badArgument},
		{"width a text", map[string]any{"WidthPixels": "160", "HeightPixels": 90}, badType},
		{"width negative", map[string]any{"WidthPixels": -160, "HeightPixels": 90}, badArgument},
		{"both", map[string]any{"WidthPixels": 320, "HeightPixels": 180}, ""},
		{"max results 0", map[string]any{"MaxResults": 0}, badArgument},
		{"max results 101", map[string]any{"MaxResults": 101}, badArgument},
		{"max results 100", map[string]any{"MaxResults": 100}, ""},
		{"max results a text", map[string]any{"MaxResults": "10"}, badType},
		{"token empty", map[string]any{"NextToken": ""}, badArgument},
		{"token of 4097", map[string]any{"NextToken": strings.Repeat("A", 4097)}, badArgument},
		{"token against the pattern", map[string]any{"NextToken": "tok___2"}, badArgument},
		{"token that is base64 of something else", map[string]any{"NextToken": "eyJhIjoxfQ=="}, badArgument},
		{"token a number", map[string]any{"NextToken": 1}, badType},
		{"a wrong type comes before a broken constraint", map[string]any{"Format": "GIF", "MaxResults": "1"}, badType},
	}...)
	checkConstraints(t, f.endpoint("cam")+"/getImages", base, list)
	checkConstraints(t, f.endpoint("blind")+"/getImages", base, []constraint{
		{"stream without retention", map[string]any{"StreamName": "blind"}, "NoDataRetentionException"},
	})
}

func TestControlPlaneConstraints(t *testing.T) {
	var streams []Stream
	for _, name := range []string{"cam", "a", "b"} {
		streams = append(streams, camera(name))
	}
	for operation, base := range map[string]map[string]any{
		"/describeStream":    {"StreamName": "cam"},
		"/listTagsForStream": {"StreamName": "cam"},
		"/getDataEndpoint":   {"StreamName": "cam", "APIName": "GET_IMAGES"},
	} {
		t.Run(operation, func(t *testing.T) {
			srv := start(t, Config{Streams: streams}).srv
			checkConstraints(t, srv.URL+operation, base, streamConstraints(srv.StreamARN("cam")))
		})
	}
	srv := start(t, Config{Streams: streams}).srv
	checkConstraints(t, srv.URL+"/getDataEndpoint", map[string]any{"StreamName": "cam", "APIName": "GET_CLIP"},
		[]constraint{
			{"another API", nil, ""},
			{"no API", map[string]any{"APIName": absent{}}, badArgument},
			{"unknown API", map[string]any{"APIName": "GET_IMAGE"}, badArgument},
			{"API a number", map[string]any{"APIName": 1}, badType},
		})
	begins := func(operator, value any) map[string]any {
		return map[string]any{"StreamNameCondition": map[string]any{"ComparisonOperator": operator, "ComparisonValue": value}}
	}
	checkConstraints(t, srv.URL+"/listStreams", map[string]any{}, []constraint{
		{"nothing", nil, ""},
		{"max results 0", map[string]any{"MaxResults": 0}, badArgument},
		{"max results 10001", map[string]any{"MaxResults": 10001}, badArgument},
		{"max results a text", map[string]any{"MaxResults": "1"}, badType},
		{"token empty", map[string]any{"NextToken": ""}, ""},
		{"token of 1025", map[string]any{"NextToken": strings.Repeat("A", 1025)}, badArgument},
		{"token of another kind", map[string]any{"NextToken": "AAAA"}, badArgument},
		{"token against the pattern", map[string]any{"NextToken": "a-b"}, badArgument},
		{"condition", begins("BEGINS_WITH", "c"), ""},
		{"condition of another operator", begins("ENDS_WITH", "c"), badArgument},
		{"condition without a value", begins("BEGINS_WITH", nil), badArgument},
		{"condition against the pattern", begins("BEGINS_WITH", "a b"), badArgument},
		{"condition a text", map[string]any{"StreamNameCondition": "c"}, badType},
		{"condition of a number", begins("BEGINS_WITH", 1), badType},
	})
}

func TestBodiesThatAreNoObject(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}})
	for body, want := range map[string]int{
		"": 200, " ": 200, "{}": 200, "null": 400, "[]": 400, "{": 400, `"a"`: 400,
		strings.Repeat(" ", maxBody+1): 413,
	} {
		if got, _, _ := (signer{}).do(t, f.srv.URL+"/listStreams", body); got != want {
			t.Errorf("%.20q: got %d, want %d", body, got, want)
		}
	}
	if got, header, _ := (signer{}).do(t, f.srv.URL+"/deleteStream", "{}"); got != 404 ||
		!strings.HasPrefix(header.Get("x-amzn-ErrorType"), "UnknownOperationException:") {
		t.Errorf("unknown operation: got %d", got)
	}
}
