package sealed

import (
	"fmt"
	"io"
	"iter"
	"runtime"
	"slices"

	"github.com/parquet-go/parquet-go"
	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

// MaxSamples is the most samples that a file has: they are one row group.
const MaxSamples = 200_000

// The names of a file's metadata.
const (
	versionKey = "kvsframes.index"
	tableKey   = "kvsframes.receipts"
)

const version = "2"

// What a file claims is bounded before memory is taken for it. Of the rows, most bytes are
// labels: 10 kB a sample are more than there is room for elsewhere. Of the footer, most are
// the causes of gaps: there is room for 300 bytes a sample.
const (
	bodyLimit   = 1 << 30
	footerLimit = 64 << 20
	tableLimit  = 32 << 20
)

// Write writes the file of receipts of one series, each of which begins where the one before
// it ends, of at most [MaxSamples] samples in all. Each must be one that package ledger made
// or read. The error says which of them does not fit, or what is too long.
func Write(w io.Writer, format container.Format, receipts []*framepb.Receipt) error {
	table, err := packTable(receipts)
	if err != nil {
		return err
	}
	if err := checkTexts(receipts); err != nil {
		return err
	}
	return writeRows(w, table, rowsOfAll(format, receipts))
}

// WriteRows writes the rows of receipts of one series, as [Write] does, which need not follow each
// other: for readers of rows, since nobody can read the receipts of it.
func WriteRows(w io.Writer, format container.Format, receipts []*framepb.Receipt) error {
	return writeRows(w, "", rowsOfAll(format, receipts))
}

// writeRows writes a file of rows and a table. Options count before those of all files.
func writeRows(w io.Writer, table string, parts iter.Seq2[[]row, error], options ...parquet.WriterOption) error {
	out := &sumWriter{file: w}
	rows := parquet.NewGenericWriter[row](out, append([]parquet.WriterOption{
		parquet.WriteBufferSize(0), // the body's checksum is taken when all of it has been written
		parquet.Compression(codec),
		parquet.DefaultEncodingFor(parquet.Int32, &parquet.DeltaBinaryPacked),
		parquet.DefaultEncodingFor(parquet.Int64, &parquet.DeltaBinaryPacked),
		parquet.DictionaryMaxBytes(dictionaryLimit), // no two labels may be alike
		parquet.SkipPageBounds("labels"),            // the footer would hold whole ones
		parquet.SkipPageBounds("cause"),
		parquet.SkipPageBounds("sha256"),
		parquet.SkipPageBounds("tensor_sha256"),
		parquet.CreatedBy("kvsframes", version, ""),
		parquet.KeyValueMetadata(versionKey, version),
		parquet.KeyValueMetadata(tableKey, table),
		parquet.SortingWriterConfig(
			parquet.SortingColumns(parquet.Ascending("series"), parquet.Ascending("sample_time"))),
	}, options...)...)
	for part, err := range parts {
		if err != nil {
			return err
		}
		if _, err := rows.Write(part); err != nil {
			return err
		}
	}
	if err := rows.Flush(); err != nil {
		return err
	}
	return out.finish(rows.Close)
}

// rowsOfAll yields the rows of receipts. It makes them on all CPUs: to find where pictures
// lie takes most of the time of a file.
func rowsOfAll(format container.Format, receipts []*framepb.Receipt) iter.Seq2[[]row, error] {
	id := receipts[0].GetSeries().Value().ID()
	return func(yield func([]row, error) bool) {
		for batch := range slices.Chunk(receipts, 8*runtime.GOMAXPROCS(0)) {
			made := make([][]row, len(batch))
			var group errgroup.Group
			group.SetLimit(runtime.GOMAXPROCS(0))
			for i, receipt := range batch {
				group.Go(func() (err error) {
					if made[i], err = rowsOf(format, receipt, id); err != nil {
						err = fmt.Errorf("the receipt of %v: %w", receipt.Span(), err)
					}
					return err
				})
			}
			if err := group.Wait(); err != nil {
				yield(nil, err)
				return
			}
			for _, part := range made {
				if !yield(part, nil) {
					return
				}
			}
		}
	}
}
