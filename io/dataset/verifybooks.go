package dataset

import (
	"context"
	"fmt"
	pathpkg "path"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// check refuses options that leave open what is to be read back.
func (o VerifyOptions) check() error {
	if o.Books && !o.Since.IsZero() {
		return fault.Of("Books", " is set, and so is %s: set one of the two", fault.Name("Since"))
	}
	return nil
}

// scope says what is read back, in place of everything.
func (o VerifyOptions) scope() string {
	switch {
	case o.Books:
		return "books"
	case !o.Since.IsZero():
		return "since " + frame.Clock(o.sinceMs())
	}
	return ""
}

// sinceMs is the first millisecond that is not before Since.
func (o VerifyOptions) sinceMs() int64 { return o.Since.Add(time.Millisecond - 1).UnixMilli() }

// reads reports whether the pictures, or the rows, of a span are read back.
func (o VerifyOptions) reads(span frame.Span) bool {
	return !o.Books && (o.Since.IsZero() || span.Series.At(span.End()-1) >= o.sinceMs())
}

// listing is the files of a series by the names of their shards.
type listing struct {
	series frame.Series
	shards map[string][]listed
}

type listed struct {
	below string // the shard's name; empty for a file of that name
	size  int64  // bytes; -1: no file
}

func (v *verifier) list(ctx context.Context, series frame.Series) (listing, error) {
	all := listing{series, make(map[string][]listed)}
	sizes, err := v.store.Sizes(ctx, "shards/"+series.ID())
	for path, size := range sizes {
		shard, below, _ := strings.Cut(path, "/")
		all.shards[shard] = append(all.shards[shard], listed{below, size})
	}
	return all, err
}

// lookUp looks for the files of a shard in a listing of its series, which is made when the first
// of its receipts comes: later than these were listed, so that it has the files of each. Receipts
// come series by series.
func (v *verifier) lookUp(ctx context.Context, receipt *framepb.Receipt) (err error) {
	if series := receipt.GetSeries().Value(); series != v.listing.series {
		if v.listing, err = v.list(ctx, series); err != nil {
			return err
		}
	}
	path := v.format.Path(receipt.Span())
	files := v.listing.shards[pathpkg.Base(path)]
	part := v.partOf(receipt)
	part.Unread = 1
	if receipt.Frames > 0 {
		v.compare(receipt, path, files, &part)
		part.Frames = int64(receipt.Frames) - part.Missing - part.Corrupt
	} else if len(files) > 0 {
		v.found.foreign(&part, path)
	}
	part.Repairable = part.Missing+part.Corrupt > 0
	v.finish(part)
	return nil
}

// anySize is the size of a file that only its name is known of.
const anySize = -1

// wanted lists the files of a shard. Where no more than its names are to be compared, the
// receipt may be a table, which does not tell whether it has tensors beside its pictures.
func (v *verifier) wanted(receipt *framepb.Receipt) ([]container.File, error) {
	if v.options.Books {
		return container.Files(v.format, receipt)
	}
	if _, ok := v.format.(container.Archive); ok {
		return []container.File{{Size: anySize, Frame: -1}}, nil
	}
	var files []container.File
	series, extension := receipt.GetSeries().Value(), frame.Extension(ledger.Format(receipt))
	for run := range ledger.Runs(receipt, receipt.Span()) {
		for i := int64(0); i < run.Samples && run.Kind == ledger.Frame; i++ {
			key := frame.Key(series.StreamName, series.At(run.First+i))
			files = append(files, container.File{Name: key + extension, Size: anySize, Frame: len(files)})
		}
	}
	return files, nil
}

// compare compares the files of a shard with those that follow from its receipt.
func (v *verifier) compare(receipt *framepb.Receipt, path string, files []listed, part *Report) {
	want, err := v.wanted(receipt)
	if err != nil {
		part.Corrupt = int64(receipt.Frames)
		v.found.harm("%s: %v", path, err)
		return
	}
	sizes := make(map[string]int64, len(files))
	for _, file := range files {
		sizes[file.below] = file.size
	}
	spoiled := -1 // the last frame that counts as such: its picture and its tensor follow each other
	for _, file := range want {
		size, there := sizes[file.Name]
		delete(sizes, file.Name)
		if there && (size == file.Size || file.Size == anySize && size >= 0) {
			continue
		}
		frames := int64(1)
		switch {
		case file.Frame < 0:
			frames = int64(receipt.Frames)
		case file.Frame == spoiled:
			frames = 0
		}
		spoiled = file.Frame
		problem := fmt.Sprintf("it has %d bytes, %d were written", size, file.Size)
		if size < 0 {
			problem = "it is no file"
		}
		if there {
			part.Corrupt += frames
		} else {
			part.Missing += frames
			problem = "it is not there"
		}
		v.found.harm("%s: %s", pathpkg.Join(path, file.Name), problem)
	}
	for name := range sizes {
		isTensor := pathpkg.Ext(name) == frame.Extension(frame.NPY) && container.IsMember(receipt.Span(), name)
		if v.options.Books || !isTensor {
			v.found.foreign(part, pathpkg.Join(path, name))
		}
	}
}
