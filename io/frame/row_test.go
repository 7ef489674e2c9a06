package frame_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/coder"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx/schema"

	"github.com/kvsframes/kvsframes/io/frame"
)

// TestRowsHaveNoNulls: what a schema says is never null is never written as null, with
// every field empty and with every field set, and comes back as it was.
func TestRowsHaveNoNulls(t *testing.T) {
	beam.Init()
	full := frame.Frame{
		Stream: "cam", StreamARN: "arn", SampleMs: 3000, ImageMs: 2999, Format: frame.JPEG, Width: 2, Height: 1,
		Data: []byte("picture"), Tensor: []byte("tensor"), Labels: map[string]string{"class": "cat"}, Tag: "tag",
	}
	for _, value := range []any{
		frame.Frame{},
		full,
		frame.Gap{},
		frame.Drop{},
		frame.Shard{},
		frame.Shard{
			Span: frame.Span{Samples: 3}, Frames: []frame.Frame{full, {}},
			Gaps: []frame.Gap{{Reason: frame.NoMedia}}, Drops: []frame.Drop{{Reason: "DUPLICATE"}},
			Transforms: []string{"resize 2x1"}, Again: []frame.Span{{First: 1, Samples: 2}},
		},
	} {
		of := reflect.TypeOf(value)
		described, err := schema.FromType(of)
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range described.GetFields() {
			if field.GetType().GetNullable() || field.GetType().GetLogicalType() != nil {
				t.Errorf("%v.%s is %v in the schema", of, field.GetName(), field.GetType())
			}
		}
		encode, err := coder.RowEncoderForStruct(of)
		if err != nil {
			t.Fatal(err)
		}
		decode, err := coder.RowDecoderForStruct(of)
		if err != nil {
			t.Fatal(err)
		}
		var row bytes.Buffer
		if err := encode(value, &row); err != nil {
			t.Fatal(err)
		}
		fields, nulls, err := coder.ReadRowHeader(bytes.NewReader(row.Bytes()))
		if err != nil || fields != of.NumField() || len(nulls) != 0 {
			t.Errorf("%+v: %d fields, nulls %b, %v", value, fields, nulls, err)
		}
		if back, err := decode(&row); err != nil || !reflect.DeepEqual(back, value) {
			t.Errorf("%+v came back as %+v, %v", value, back, err)
		}
	}
}

// TestFrameRow holds the bytes of a row, as the SDKs of other languages read it.
func TestFrameRow(t *testing.T) {
	encode, err := coder.RowEncoderForStruct(reflect.TypeFor[frame.Frame]())
	if err != nil {
		t.Fatal(err)
	}
	var row bytes.Buffer
	if err := encode(frame.Frame{Stream: "cam", Format: frame.PNG, Data: []byte("xy")}, &row); err != nil {
		t.Fatal(err)
	}
	want := "\x0b\x00" + // eleven fields, none of them null
		"\x03cam" + "\x00" + "\x00" + "\x00" + "\x03PNG" + "\x00" + "\x00" + "\x02xy" + "\x00" +
		"\x00\x00\x00\x00" + // no labels
		"\x00"
	if row.String() != want {
		t.Errorf("the row is %q, want %q", row.String(), want)
	}
}
