package dataset

import (
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/kvsframes/kvsframes/io/ledger"
)

// indexWriter writes an index.
type indexWriter struct {
	out     *sealer
	rows    *parquet.GenericWriter[indexRow]
	inGroup int
	buffer  []indexRow
}

func newIndexWriter(file io.Writer, listing ledger.Listing) *indexWriter {
	out := &sealer{file: file}
	return &indexWriter{out: out, rows: parquet.NewGenericWriter[indexRow](out,
		parquet.WriteBufferSize(0), // a group's seal is taken when all of it has been written
		parquet.Compression(&zstd.Codec{}),
		parquet.SkipPageBounds("labels"), // the footer would hold whole ones
		parquet.SkipPageBounds("sha256"),
		parquet.SkipPageBounds("tensor_sha256"),
		parquet.CreatedBy("kvsframes", indexVersion, ""),
		parquet.KeyValueMetadata(indexVersionKey, indexVersion),
		parquet.KeyValueMetadata(indexLedgerKey, listing.Digest),
		parquet.SortingWriterConfig(parquet.SortingColumns(parquet.Ascending("series"), parquet.Ascending("sample_time"))),
	)}
}

func (w *indexWriter) write(samples []Sample) error {
	w.buffer = w.buffer[:0]
	for i := range samples {
		w.buffer = append(w.buffer, samples[i].row())
	}
	for rows := w.buffer; len(rows) > 0; {
		n := min(len(rows), indexGroupRows-w.inGroup)
		if _, err := w.rows.Write(rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
		if w.inGroup += n; w.inGroup == indexGroupRows {
			if err := w.endGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *indexWriter) endGroup() error {
	if w.inGroup == 0 {
		return nil
	}
	if err := w.rows.Flush(); err != nil {
		return err
	}
	w.inGroup = 0
	return w.out.endGroup()
}

func (w *indexWriter) close() error {
	if err := w.endGroup(); err != nil {
		return err
	}
	return w.out.close(w.rows.SetKeyValueMetadata, w.rows.Close)
}
