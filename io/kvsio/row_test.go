package kvsio

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/coder"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx/schema"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestRequestRow holds the bytes of a row, and what its schema says, as the SDKs of other
// languages read and write them.
func TestRequestRow(t *testing.T) {
	beam.Init()
	asked := Request{
		StreamName: "cam", ImageSelectorType: ServerTimestamp, StartTimestamp: time.UnixMicro(300).UTC(),
		EndTimestamp: time.UnixMicro(2000).UTC(), SamplingInterval: 3 * time.Millisecond, Format: frame.PNG, Tag: "x",
	}
	request := "\x0b\x00" + // eleven fields, none of them null
		"\x03cam" + "\x00" + "\x10SERVER_TIMESTAMP" + "\xac\x02" + "\xd0\x0f" + "\xb8\x17" + "\x03PNG" +
		"\x00\x00\x00\x00" + // no FormatConfig
		"\x00" + "\x00" + "\x01x"
	for want, value := range map[string]any{
		request: asked,
		"\x03\x00" + request + "\x03why" + "\x01": FailedRequest{Request: asked, Problem: "why", Invalid: true},
	} {
		of := reflect.TypeOf(value)
		encode, err := coder.RowEncoderForStruct(of)
		if err != nil {
			t.Fatal(err)
		}
		var row bytes.Buffer
		if err := encode(value, &row); err != nil || row.String() != want {
			t.Errorf("%v: the row is %q, want %q: %v", of, row.String(), want, err)
		}
		decode, err := coder.RowDecoderForStruct(of)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decode(&row); err != nil || !reflect.DeepEqual(back, value) {
			t.Errorf("%+v came back as %+v: %v", value, back, err)
		}
		described, err := schema.FromType(of)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range described.GetFields() {
			if field.GetType().GetNullable() || field.GetType().GetLogicalType() != nil {
				t.Errorf("%v.%s is %v in the schema", of, field.GetName(), field.GetType())
			}
		}
	}
}

// TestRowsOfRequests: a request that went through a row asks for the same samples, or is
// as invalid as it was.
func TestRowsOfRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		instant := rapid.OneOf(rapid.SampledFrom([]time.Time{{}, time.Unix(1<<58, 0), time.Unix(-1<<58, 0)}), rapid.Map(rapid.Int64Range(-1, 5e9), func(ns int64) time.Time {
			return time.Unix(0, ns)
		}))
		asked := Request{
			StreamName: "cam", ImageSelectorType: ProducerTimestamp, Format: frame.JPEG,
			StartTimestamp: instant.Draw(t, "start"), EndTimestamp: instant.Draw(t, "end"),
			FormatConfig: rapid.SampledFrom([]map[string]string{nil, {}, {"JPEGQuality": "9"}, {"x": ""}}).Draw(t, "config"),
			SamplingInterval: time.Duration(rapid.OneOf(rapid.Int64(), rapid.Int64Range(2_999_999_990, 3_000_000_010),
				rapid.Just(int64(3*time.Second))).Draw(t, "interval")),
		}
		back := rowOf(asked).request()
		if valid := asked.Validate() == nil; valid != (back.Validate() == nil) || valid && back.Span() != asked.Span() {
			t.Errorf("%+v came back as %+v: %v and %v", asked, back, asked.Validate(), back.Validate())
		}
	})
}
