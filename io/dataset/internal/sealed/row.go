package sealed

import (
	"encoding/hex"
	"path"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// row is a sample as it is stored: integers as differences, texts that are many as they
// are, others in a dictionary.
type row struct {
	Key        string  `parquet:"key"`
	Stream     string  `parquet:"stream,dict"`
	StreamARN  string  `parquet:"stream_arn,dict"`
	Series     string  `parquet:"series,dict"`
	SampleTime int64   `parquet:"sample_time,timestamp(millisecond)"`
	ImageTime  *int64  `parquet:"image_time,timestamp(millisecond)"`
	Kind       string  `parquet:"kind,dict"`
	Outcome    string  `parquet:"outcome,dict"`
	File       *string `parquet:"file"`
	Offset     *int64  `parquet:"offset"`
	Size       *int64  `parquet:"size"`
	SHA256     *string `parquet:"sha256"` // hexadecimal
	Format     *string `parquet:"format,dict"`
	Width      *int32  `parquet:"width"`
	Height     *int32  `parquet:"height"`
	Labels     *string `parquet:"labels,dict"` // a JSON object

	TensorFile   *string `parquet:"tensor_file"`
	TensorOffset *int64  `parquet:"tensor_offset"`
	TensorSize   *int64  `parquet:"tensor_size"`
	TensorSHA256 *string `parquet:"tensor_sha256"` // hexadecimal

	Cause *string `parquet:"cause,dict"` // of a gap, for people
}

// frameOutcome is row.Outcome of a frame.
const frameOutcome = "FRAME"

// rowsOf returns the rows of a receipt of the series of that ID. The error says that the
// format has no such shard.
func rowsOf(format container.Format, receipt *framepb.Receipt, id string) ([]row, error) {
	blobs, err := format.Positions(receipt)
	if err != nil {
		return nil, err
	}
	pictures, tensors := make([]container.Position, receipt.Frames), make([]container.Position, receipt.Frames)
	for _, b := range blobs {
		if b.Tensor {
			tensors[b.Frame] = b.Position
		} else {
			pictures[b.Frame] = b.Position
		}
	}
	series, kept := receipt.GetSeries().Value(), ledger.Format(receipt)
	rows := make([]row, 0, receipt.Samples)
	for o := range ledger.Outcomes(receipt) {
		at := series.At(o.Index)
		r := row{
			Key: frame.Key(series.StreamName, at), Stream: series.StreamName, StreamARN: series.StreamARN, Series: id,
			SampleTime: at, Kind: o.Kind.String(), Outcome: o.Reason,
		}
		if o.Cause != "" {
			r.Cause = &o.Cause
		}
		if o.Kind == ledger.Frame {
			r.Outcome, r.Format = frameOutcome, &kept
			r.ImageTime, r.Size, r.SHA256 = new(at+int64(o.OffsetMs)), new(int64(o.Size)), new(hex.EncodeToString(o.SHA256))
			r.File, r.Offset = placeOf(receipt, pictures[o.Number])
			r.Width, r.Height = &o.Width, &o.Height
		}
		if len(o.Labels) > 0 {
			r.Labels = new(frame.LabelsJSON(o.Labels))
		}
		if o.TensorSize > 0 {
			r.TensorFile, r.TensorOffset = placeOf(receipt, tensors[o.Number])
			r.TensorSize, r.TensorSHA256 = new(int64(o.TensorSize)), new(hex.EncodeToString(o.TensorSHA256))
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// placeOf returns which file holds a blob, relative to the dataset, and where.
func placeOf(receipt *framepb.Receipt, at container.Position) (file *string, offset *int64) {
	if at.Name == "" {
		return &receipt.Path, &at.Offset
	}
	return new(path.Join(receipt.Path, at.Name)), &at.Offset
}
