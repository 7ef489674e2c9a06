package kvsio

import (
	"io"
	"math"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/coder"
)

func init() {
	registerRow("kvsframes:request:v1", rowOf, requestRow.request)
	registerRow("kvsframes:failed_request:v1",
		func(f FailedRequest) failedRow { return failedRow{rowOf(f.Request), f.Problem, f.Invalid} },
		func(r failedRow) FailedRequest { return FailedRequest{r.Request.request(), r.Problem, r.Invalid} })
}

// requestRow is a Request as Beam writes it, in a row that SDKs of all languages can make
// and read. Instants are microseconds since the Unix epoch.
type requestRow struct {
	StreamName             string
	StreamARN              string
	ImageSelectorType      string
	StartMicros            int64
	EndMicros              int64
	SamplingIntervalMicros int64
	Format                 string
	FormatConfig           map[string]string // never null: empty where the Request has none
	WidthPixels            int64
	HeightPixels           int64
	Tag                    string
}

// failedRow is a FailedRequest as Beam writes it.
type failedRow struct {
	Request requestRow
	Problem string
	Invalid bool
}

// rowOf returns the row of a request. What is valid stays so, and what is not, too, though
// a row has no nanoseconds, and no way to tell an empty FormatConfig from none.
func rowOf(r Request) requestRow {
	row := requestRow{
		r.StreamName, r.StreamARN, string(r.ImageSelectorType), microsOf(r.StartTimestamp), microsOf(r.EndTimestamp),
		r.SamplingInterval.Microseconds(), r.Format, r.FormatConfig, int64(r.WidthPixels), int64(r.HeightPixels), r.Tag,
	}
	if r.StartTimestamp.Before(r.EndTimestamp) {
		row.EndMicros = max(row.EndMicros, row.StartMicros+1)
	}
	if r.SamplingInterval%time.Microsecond != 0 {
		row.SamplingIntervalMicros |= 1 // no whole milliseconds
	}
	switch {
	case row.FormatConfig == nil:
		row.FormatConfig = map[string]string{}
	case len(row.FormatConfig) == 0:
		row.FormatConfig = map[string]string{"": ""} // as little valid
	}
	return row
}

func (row requestRow) request() Request {
	r := Request{
		StreamName:        row.StreamName,
		StreamARN:         row.StreamARN,
		ImageSelectorType: ImageSelectorType(row.ImageSelectorType),
		StartTimestamp:    time.UnixMicro(row.StartMicros).UTC(),
		EndTimestamp:      time.UnixMicro(row.EndMicros).UTC(),
		SamplingInterval:  microseconds(row.SamplingIntervalMicros),
		Format:            row.Format,
		WidthPixels:       int(row.WidthPixels),
		HeightPixels:      int(row.HeightPixels),
		Tag:               row.Tag,
	}
	if len(row.FormatConfig) > 0 {
		r.FormatConfig = row.FormatConfig
	}
	return r
}

// microsOf returns the microseconds since the epoch, as many as there can be.
func microsOf(t time.Time) int64 {
	switch {
	case t.Before(time.UnixMicro(math.MinInt64)):
		return math.MinInt64
	case t.After(time.UnixMicro(math.MaxInt64)):
		return math.MaxInt64
	}
	return t.UnixMicro()
}

// microseconds returns n microseconds, or the longest time that a Duration can be.
func microseconds(n int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Microsecond)
	return time.Duration(min(max(n, -most), most)) * time.Microsecond
}

// registerRow makes Beam write a T as a Row, and read it so. The URN names T.
func registerRow[T, Row any](urn string, write func(T) Row, read func(Row) T) {
	beam.RegisterType(reflect.TypeFor[T]())
	beam.RegisterSchemaProviderWithURN(reflect.TypeFor[T](), rows[T, Row]{write, read}, urn)
}

// rows is a beam.SchemaProvider.
type rows[T, Row any] struct {
	write func(T) Row
	read  func(Row) T
}

func (rows[T, Row]) FromLogicalType(reflect.Type) (reflect.Type, error) {
	return reflect.TypeFor[Row](), nil
}

func (p rows[T, Row]) BuildEncoder(reflect.Type) (func(any, io.Writer) error, error) {
	encode, err := coder.RowEncoderForStruct(reflect.TypeFor[Row]())
	return func(v any, w io.Writer) error { return encode(p.write(v.(T)), w) }, err
}

func (p rows[T, Row]) BuildDecoder(reflect.Type) (func(io.Reader) (any, error), error) {
	decode, err := coder.RowDecoderForStruct(reflect.TypeFor[Row]())
	return func(r io.Reader) (any, error) {
		v, err := decode(r)
		if err != nil {
			return nil, err
		}
		return p.read(v.(Row)), nil
	}, err
}
