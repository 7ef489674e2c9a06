package sealed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Receipts reads the rows in one go, and returns the receipts as they were written. The
// error satisfies [ErrDamaged], or comes from where the file lies. Receipts share what they
// have in common, and must not be changed.
func (f *File) Receipts() (receipts []*framepb.Receipt, err error) {
	err = guard(func() error {
		body, err := f.load()
		if err == nil {
			receipts, err = f.assemble(body)
		}
		return err
	})
	return receipts, err
}

// assemble puts the receipts together from table and rows.
func (f *File) assemble(body []byte) ([]*framepb.Receipt, error) {
	var frames, tensors int
	var shape int32
	for i, r := range f.table {
		frames += int(r.Frames)
		if f.shapes[i]&hasTensors != 0 {
			tensors += int(r.Frames)
		}
		shape |= f.shapes[i]
	}
	rows := rowReader{file: f, body: body}
	sizes, sums := rows.numbers("size", frames, 1), rows.sums("sha256", frames)
	widths, heights := rows.numbers("width", frames, 0), rows.numbers("height", frames, 0)
	offsets := rows.offsets(frames)
	var labels []*framepb.Labels
	if shape&hasLabels != 0 {
		labels = rows.labels(frames)
	}
	tensorSizes, tensorSums := rows.numbers("tensor_size", tensors, 1), rows.sums("tensor_sha256", tensors)
	if rows.err != nil {
		return nil, rows.err
	}
	receipts := make([]*framepb.Receipt, len(f.table))
	for i, table := range f.table {
		n, has := int(table.Frames), func(bit int32) bool { return f.shapes[i]&bit != 0 }
		r := &framepb.Receipt{
			Series: table.Series, First: table.First, Samples: table.Samples, Gaps: table.Gaps, Drops: table.Drops,
			Frames: table.Frames, Bytes: table.Bytes, Path: table.Path, Format: table.Format, Transforms: table.Transforms,
			Sizes: take(&sizes, n), Sha256: take(&sums, n*sha256.Size), ImageOffsetsMs: take(&offsets, n),
			Widths: shorten(take(&widths, n), has(longWidths)), Heights: shorten(take(&heights, n), has(longHeights)),
		}
		if own := take(&labels, min(n, len(labels))); has(hasLabels) {
			r.Labels = own
		}
		if has(hasTensors) {
			r.TensorSizes = shorten(take(&tensorSizes, n), has(longTensorSizes))
			r.TensorSha256 = take(&tensorSums, n*sha256.Size)
		}
		var bytes int64
		for _, size := range r.Sizes {
			bytes += int64(size)
		}
		if bytes != r.Bytes {
			return nil, fmt.Errorf("the receipt of %v says %d bytes, its pictures have %d", r.Span(), r.Bytes, bytes)
		}
		receipts[i] = r
	}
	return receipts, nil
}

// take cuts the first n off a slice.
func take[T any](slice *[]T, n int) []T {
	head := (*slice)[:n:n]
	*slice = (*slice)[n:]
	return head
}

// shorten leaves one entry of a column, unless it is long.
func shorten(column []int32, long bool) []int32 {
	if long || len(column) == 0 {
		return column
	}
	return column[:1:1]
}

// rowReader reads the columns that receipts are made of.
type rowReader struct {
	file *File
	body []byte
	err  error // the first: after it, what is returned is of no use
}

func (r *rowReader) column(name string) (c column) {
	if r.err == nil {
		c, r.err = r.file.column(r.body, name)
	}
	return c
}

// whole takes note of a column that has another number of values than wanted.
func (r *rowReader) whole(name string, values, want int) bool {
	if r.err == nil && values != want {
		r.err = fmt.Errorf("%s has %d values, there must be %d", name, values, want)
	}
	return r.err == nil
}

// numbers returns the numbers of a column, which must be least or more.
func (r *rowReader) numbers(name string, want int, least int64) []int32 {
	if want == 0 {
		return nil
	}
	all := r.column(name).numbers
	if !r.whole(name, len(all), want) {
		return nil
	}
	numbers := make([]int32, want)
	for i, n := range all {
		if n < least || n > math.MaxInt32 {
			r.err = fmt.Errorf("%s has a value of %d", name, n)
			return nil
		}
		numbers[i] = int32(n)
	}
	return numbers
}

// sums returns the SHA-256s of a column.
func (r *rowReader) sums(name string, want int) []byte {
	if want == 0 {
		return nil
	}
	texts := r.column(name).texts
	if !r.whole(name, len(texts), want) {
		return nil
	}
	sums := make([]byte, want*sha256.Size)
	for i, text := range texts {
		if len(text) != 2*sha256.Size {
			r.err = fmt.Errorf("%s has a value of %d digits", name, len(text))
		} else if _, err := hex.Decode(sums[i*sha256.Size:], text); err != nil {
			r.err = err
		}
	}
	return sums
}

// offsets returns how far images are from their samples, in milliseconds.
func (r *rowReader) offsets(want int) []int32 {
	if want == 0 {
		return nil
	}
	images := r.column("image_time")
	if !r.whole("image_time", len(images.numbers), want) {
		return nil
	}
	series, first := r.file.table[0].GetSeries().Value(), r.file.table[0].First
	offsets := make([]int32, 0, want)
	for i, is := range images.there {
		if is == 0 {
			continue
		}
		offset := images.numbers[len(offsets)] - series.At(first+int64(i))
		if offset != int64(int32(offset)) {
			r.err = fmt.Errorf("an image is %d ms from its sample", offset)
			return nil
		}
		offsets = append(offsets, int32(offset))
	}
	r.whole("image_time", len(offsets), want)
	return offsets
}

// labels returns the labels of all frames: of those without any, empty ones.
func (r *rowReader) labels(want int) []*framepb.Labels {
	column, frames := r.column("labels"), r.column("size").there
	if r.err != nil || !r.whole("labels", len(column.there), len(frames)) {
		return nil
	}
	labels, known := make([]*framepb.Labels, 0, want), make(map[*byte]*framepb.Labels)
	for i, is := range frames {
		if is == 0 {
			continue
		}
		of := new(framepb.Labels)
		if column.there[i] == 1 {
			text := column.texts[0]
			column.texts = column.texts[1:]
			if len(text) == 0 {
				r.err = errTexts
				return nil
			}
			if known[&text[0]] == nil { // in a dictionary, many have the same
				if r.err = json.Unmarshal(text, &of.Values); r.err != nil {
					return nil
				}
				known[&text[0]] = of
			}
			of = known[&text[0]]
		}
		labels = append(labels, of)
	}
	r.whole("labels", len(labels), want)
	return labels
}
