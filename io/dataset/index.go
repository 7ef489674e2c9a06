package dataset

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

const indexFile = "index.parquet"

// indexGroupRows bounds what is held of an index that is written or read.
const indexGroupRows = 100_000

// The names of an index's metadata.
const (
	indexVersionKey = "kvsframes.index"
	indexLedgerKey  = "kvsframes.ledger" // digest of the listing that it was made from
)

const indexVersion = "1"

// Sample is a row of the index: a sample, and where its picture lies.
type Sample struct {
	Key       string // [framepb.Key]
	Stream    string // name
	StreamARN string // empty where only the name is known
	Series    string // [framepb.Series.ID]
	SampleMs  int64  // the instant asked for, in milliseconds since the Unix epoch
	Kind      ledger.Kind
	Outcome   string // FRAME, or the reason of a gap or of a drop

	// Of a frame. In any other row they are zero, and null in the file.
	ImageMs int64  // the instant of the picture that the service found
	File    string // that holds the picture: relative to the dataset, with forward slashes
	Offset  int64  // of the picture's first byte in File
	Size    int64  // bytes of the picture
	SHA256  [32]byte
	Format  string // JPEG or PNG
	Width   int32  // pixels
	Height  int32  // pixels
}

// frameOutcome is Sample.Outcome of a frame.
const frameOutcome = "FRAME"

// indexRow is a Sample as it is stored.
type indexRow struct {
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
}

func (s *Sample) row() indexRow {
	row := indexRow{
		Key: s.Key, Stream: s.Stream, StreamARN: s.StreamARN, Series: s.Series, SampleTime: s.SampleMs,
		Kind: s.Kind.String(), Outcome: s.Outcome,
	}
	if s.Kind == ledger.Frame {
		sum := hex.EncodeToString(s.SHA256[:])
		row.ImageTime, row.File, row.Offset, row.Size, row.SHA256 = &s.ImageMs, &s.File, &s.Offset, &s.Size, &sum
		row.Format, row.Width, row.Height = &s.Format, &s.Width, &s.Height
	}
	return row
}

// sample is the other way round.
func (r *indexRow) sample() (Sample, error) {
	s := Sample{
		Key: r.Key, Stream: r.Stream, StreamARN: r.StreamARN, Series: r.Series, SampleMs: r.SampleTime, Outcome: r.Outcome,
		ImageMs: value(r.ImageTime), File: value(r.File), Offset: value(r.Offset), Size: value(r.Size),
		Format: value(r.Format), Width: value(r.Width), Height: value(r.Height),
	}
	for s.Kind = ledger.Frame; s.Kind.String() != r.Kind; s.Kind++ {
		if s.Kind == ledger.Drop {
			return s, fmt.Errorf("%s is of kind %q", r.Key, r.Kind)
		}
	}
	sum, err := hex.DecodeString(value(r.SHA256))
	if err != nil || s.Kind == ledger.Frame && len(sum) != len(s.SHA256) {
		return s, fmt.Errorf("%s has no SHA-256", r.Key)
	}
	copy(s.SHA256[:], sum)
	return s, nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// WriteIndex makes the index of the dataset at dir, and returns how many rows it
// has: one for each sample that is in a receipt. It reads receipts only. Where it
// fails, the index that was there stays.
//
// The errors are those of [Open], and what prevents the index: the ledger cannot
// be read, the index cannot be written, or ctx is done.
func WriteIndex(ctx context.Context, dir string) (rows int64, err error) {
	c, err := newCataloger(ctx, dir)
	if err != nil {
		return 0, err
	}
	if err := c.writeIndex(ctx); err != nil {
		return 0, fmt.Errorf("writing the index of the dataset %q: %w", dir, err)
	}
	return c.contents.Samples, nil
}

// cataloger writes what is told of a whole dataset.
type cataloger struct {
	store    ledger.Store
	ledger   *ledger.Ledger
	desc     *framepb.Dataset
	format   Format
	progress func(done, total int64)

	tally // of the rows of the index
}

func newCataloger(ctx context.Context, dir string) (*cataloger, error) {
	desc, err := Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	format, err := FormatOf(desc.Format)
	if err != nil {
		return nil, err
	}
	store, err := ledger.StoreAt(dir)
	if err != nil {
		return nil, err
	}
	return &cataloger{store: store, ledger: ledger.Open(dir), desc: desc, format: format}, nil
}

func (c *cataloger) writeIndex(ctx context.Context) error {
	// Listed first: what is recorded from now on makes the index out of date, even
	// if it finds its way into it.
	listing, err := c.ledger.WithContext(ctx).Listing()
	if err != nil {
		return err
	}
	return writeWhole(ctx, c.store, indexFile, func(file io.Writer) error {
		c.tally = newTally()
		w := newIndexWriter(file, listing)
		done := int64(0)
		for part, err := range ledger.Parts(c.ledger.WithContext(ctx), c.rowsOf) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = w.write(part.samples)
			}
			if err != nil {
				return err
			}
			c.add(part)
			if done++; c.progress != nil {
				c.progress(done, max(done, listing.Receipts))
			}
		}
		return w.close()
	})
}

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
		parquet.SkipPageBounds("sha256"),
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
	w.out.endGroup()
	w.inGroup = 0
	return nil
}

func (w *indexWriter) close() error {
	if err := w.endGroup(); err != nil {
		return err
	}
	return w.out.close(w.rows.SetKeyValueMetadata, w.rows.Close)
}

// indexed is the rows of consecutive samples.
type indexed struct {
	span    framepb.Span
	samples []Sample
}

// rowsOf is the rows of a part. A receipt that no writer of this dataset can have
// made is damaged.
func (c *cataloger) rowsOf(part ledger.Part) (indexed, error) {
	receipt := part.Receipt
	span := receipt.Span()
	positions, err := c.format.Positions(receipt)
	if err == nil && len(positions) > 0 && receipt.Path != c.format.Path(span) {
		err = fmt.Errorf("its pictures are at %q, they must be at %q", receipt.Path, c.format.Path(span))
	}
	if err != nil {
		entry := ledger.Entry{Span: span, Failed: ledger.Failed(receipt)}
		return indexed{}, &ledger.DamagedError{Path: entry.Path(), Entry: entry, Err: err}
	}
	series, id := span.Series, span.Series.ID()
	samples := make([]Sample, 0, part.Span.Samples)
	for outcome := range part.Outcomes() {
		at := series.At(outcome.Index)
		s := Sample{
			Key: framepb.Key(series.StreamName, at), Stream: series.StreamName, StreamARN: series.StreamARN, Series: id,
			SampleMs: at, Kind: outcome.Kind, Outcome: outcome.Reason,
		}
		if outcome.Kind == ledger.Frame {
			position := positions[outcome.Number]
			s.Outcome, s.ImageMs = frameOutcome, at+int64(outcome.OffsetMs)
			s.File, s.Offset, s.Size = path.Join(receipt.Path, position.Name), position.Offset, int64(outcome.Size)
			s.SHA256, s.Format = [32]byte(outcome.SHA256), ledger.Format(receipt)
			s.Width, s.Height = outcome.Width, outcome.Height
		}
		samples = append(samples, s)
	}
	return indexed{part.Span, samples}, nil
}

// Index is the index of a dataset, open for reading. It may be read by many
// goroutines at once.
type Index struct {
	ledger *ledger.Ledger
	file   ledger.File
	ranges *fileRanges
	reader *parquet.File
	seals  []groupSeal
}

// OpenIndex opens the index of the dataset at dir. The error satisfies
// [fs.ErrNotExist] where there is none, and ErrForeign where it is not one that
// this version of kvsframes can read.
func OpenIndex(ctx context.Context, dir string) (*Index, error) {
	x, err := openIndex(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("opening the index of the dataset %q: %w", dir, err)
	}
	return x, nil
}

func openIndex(ctx context.Context, dir string) (*Index, error) {
	store, err := ledger.StoreAt(dir)
	if err != nil {
		return nil, err
	}
	file, err := store.Open(context.WithoutCancel(ctx), indexFile) // it outlives who opens it
	if err != nil {
		return nil, err
	}
	x := &Index{ledger: ledger.Open(dir), file: file, ranges: &fileRanges{file: file}}
	if err := x.open(); err != nil {
		file.Close()
		var failed *ledger.StoreError
		if errors.As(err, &failed) {
			return nil, err
		}
		return nil, fmt.Errorf("%s %w: %w: make it again with kvsframes index", indexFile, ErrForeign, err)
	}
	return x, nil
}

func (x *Index) open() (err error) {
	if x.reader, x.seals, err = openSealed(x.ranges); err != nil {
		return err
	}
	if version, _ := x.reader.Lookup(indexVersionKey); version != indexVersion {
		return fmt.Errorf("it has version %q, this kvsframes knows %s", version, indexVersion)
	}
	return nil
}

// Current reports whether the index was made from the receipts that the dataset
// has now: it lists them, and reads none. A [Writer] that is made for the dataset
// removes the index, so that one that is there speaks of no picture that was
// replaced; that receipts came or went since, by a writer that was there before or
// by other means, is what the listing shows.
func (x *Index) Current(ctx context.Context) (bool, error) {
	listing, err := x.ledger.WithContext(ctx).Listing()
	if err != nil {
		return false, err
	}
	digest, _ := x.reader.Lookup(indexLedgerKey)
	return digest == listing.Digest, nil
}

// Groups returns how many row groups there are. The rows are in the order of
// Series, then of SampleMs, over all groups.
func (x *Index) Groups() int { return len(x.reader.RowGroups()) }

// Rows returns how many rows a group has: at most 100,000.
func (x *Index) Rows(group int) int64 { return x.reader.RowGroups()[group].NumRows() }

// Read reads the rows of a group, and nothing else, in one go.
func (x *Index) Read(ctx context.Context, group int) ([]Sample, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	samples, err := x.read(group)
	if err != nil {
		return nil, fmt.Errorf("reading group %d of %s: %w", group, indexFile, err)
	}
	return samples, nil
}

func (x *Index) read(group int) ([]Sample, error) {
	loaded, err := loadSealed(x.ranges, x.seals[group])
	if err != nil {
		return nil, err
	}
	defer x.ranges.release(loaded)
	reader := parquet.NewGenericRowGroupReader[indexRow](x.reader.RowGroups()[group])
	defer reader.Close()
	samples := make([]Sample, 0, min(x.Rows(group), indexGroupRows))
	rows := make([]indexRow, 1000)
	for {
		n, err := reader.Read(rows)
		for i := range rows[:n] {
			s, err := rows[i].sample()
			if err != nil {
				return nil, err
			}
			samples = append(samples, s)
		}
		switch {
		case err == nil:
			continue
		case !errors.Is(err, io.EOF):
			return nil, err
		case int64(len(samples)) != x.Rows(group):
			return nil, fmt.Errorf("it has %d rows of %d", len(samples), x.Rows(group))
		}
		return samples, nil
	}
}

// Close closes the index.
func (x *Index) Close() error { return x.file.Close() }
