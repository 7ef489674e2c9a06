package sealed

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/kvsframes/kvsframes/io/internal/container"
)

// Check reads the whole file and holds each row against what the receipts say: what is
// written of them again must have the same bytes or, where another version of kvsframes
// encoded or compressed them in another way, the same values. The error is as of
// [File.Receipts].
func (f *File) Check(format container.Format) error {
	return guard(func() error {
		body, err := f.load()
		if err != nil {
			return err
		}
		receipts, err := f.assemble(body)
		if err != nil {
			return err
		}
		for _, r := range receipts {
			if want := format.Path(r.Span()); r.Frames > 0 && r.Path != want {
				return fmt.Errorf("the pictures of %v are at %q, they must be at %q", r.Span(), r.Path, want)
			}
		}
		var again bytes.Buffer
		if err := Write(&again, format, receipts); err != nil {
			return err
		}
		want := &File{file: memory{Reader: bytes.NewReader(again.Bytes())}}
		if err := want.open(); err != nil {
			return err
		}
		return f.compare(body, want, again.Bytes()[:want.body])
	})
}

// memory is a file in memory. Nobody closes it.
type memory struct {
	*bytes.Reader
	io.Closer
}

// compare compares the rows with those that they must be.
func (f *File) compare(body []byte, want *File, wantBody []byte) error {
	if bytes.Equal(body, wantBody) && bytes.Equal(f.footer, want.footer) {
		return nil
	}
	if !reflect.DeepEqual(f.meta.Schema, want.meta.Schema) {
		return fmt.Errorf("its columns are %v, they must be %v", f.meta.Schema, want.meta.Schema)
	}
	if !slices.Equal(f.shapes, want.shapes) {
		return fmt.Errorf("its table says that receipts have columns %v, they have %v", f.shapes, want.shapes)
	}
	for i, name := range columns {
		has, err := f.column(body, name)
		if err != nil {
			return err
		}
		must, err := want.column(wantBody, name)
		if err != nil {
			return err
		}
		ours, theirs := &f.meta.RowGroups[0].Columns[i].MetaData, &want.meta.RowGroups[0].Columns[i].MetaData
		if !slices.Equal(has.there, must.there) || !slices.Equal(has.numbers, must.numbers) ||
			!slices.EqualFunc(has.texts, must.texts, bytes.Equal) {
			return fmt.Errorf("its column %s is not what its receipts say", name)
		}
		if !reflect.DeepEqual(ours.Statistics, theirs.Statistics) {
			return fmt.Errorf("the statistics of its column %s are not of what it holds", name)
		}
	}
	return nil
}
