package dataset

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"path/filepath"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
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
	Key       string // [frame.Key]
	Stream    string // name
	StreamARN string // empty where only the name is known
	Series    string // [frame.Series.ID]
	SampleMs  int64  // the instant asked for, in milliseconds since the Unix epoch
	Kind      ledger.Kind
	Outcome   string // FRAME, or the reason of a gap or of a drop

	// Of a frame. In any other row they are zero, and null in the file.
	ImageMs int64  // the instant of the picture that the service found
	File    string // that holds the picture: relative to the dataset, with forward slashes
	Offset  int64  // of the picture's first byte in File
	Size    int64  // bytes of the picture
	SHA256  [32]byte
	Format  string // JPEG, PNG or NPY
	Width   int32  // pixels
	Height  int32  // pixels

	Labels map[string]string // what a function said about the frame; nil, and null in the file, where none did

	// Of the tensor beside the picture; zero, and null in the file, where there is
	// none.
	TensorFile   string // that holds it, as File
	TensorOffset int64  // of its first byte in TensorFile
	TensorSize   int64  // bytes
	TensorSHA256 [32]byte
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
	Labels     *string `parquet:"labels,dict"` // a JSON object

	TensorFile   *string `parquet:"tensor_file"`
	TensorOffset *int64  `parquet:"tensor_offset"`
	TensorSize   *int64  `parquet:"tensor_size"`
	TensorSHA256 *string `parquet:"tensor_sha256"` // hexadecimal
}

func (s *Sample) row() indexRow {
	row := indexRow{
		Key: s.Key, Stream: s.Stream, StreamARN: s.StreamARN, Series: s.Series, SampleTime: s.SampleMs,
		Kind: s.Kind.String(), Outcome: s.Outcome,
	}
	if s.Kind == ledger.Frame {
		row.ImageTime, row.File, row.Offset, row.Size = &s.ImageMs, &s.File, &s.Offset, &s.Size
		row.SHA256 = new(hex.EncodeToString(s.SHA256[:]))
		row.Format, row.Width, row.Height = &s.Format, &s.Width, &s.Height
		if len(s.Labels) > 0 {
			row.Labels = new(frame.LabelsJSON(s.Labels))
		}
	}
	if s.TensorSize > 0 {
		row.TensorFile, row.TensorOffset, row.TensorSize = &s.TensorFile, &s.TensorOffset, &s.TensorSize
		row.TensorSHA256 = new(hex.EncodeToString(s.TensorSHA256[:]))
	}
	return row
}

// sample is the other way round.
func (r *indexRow) sample() (Sample, error) {
	s := Sample{
		Key: r.Key, Stream: r.Stream, StreamARN: r.StreamARN, Series: r.Series, SampleMs: r.SampleTime, Outcome: r.Outcome,
		ImageMs: value(r.ImageTime), File: value(r.File), Offset: value(r.Offset), Size: value(r.Size),
		Format: value(r.Format), Width: value(r.Width), Height: value(r.Height),
		TensorFile: value(r.TensorFile), TensorOffset: value(r.TensorOffset), TensorSize: value(r.TensorSize),
	}
	for s.Kind = ledger.Frame; s.Kind.String() != r.Kind; s.Kind++ {
		if s.Kind == ledger.Drop {
			return s, fmt.Errorf("%.300q is of kind %.300q", r.Key, r.Kind)
		}
	}
	if !sumOf(&s.SHA256, r.SHA256, s.Kind == ledger.Frame) || !sumOf(&s.TensorSHA256, r.TensorSHA256, s.TensorSize > 0) {
		return s, fmt.Errorf("%.300q has no SHA-256", r.Key)
	}
	if err := s.check(); err != nil {
		return s, fmt.Errorf("%.300q: %w", r.Key, err)
	}
	if r.Labels != nil {
		if err := json.Unmarshal([]byte(*r.Labels), &s.Labels); err != nil {
			return s, fmt.Errorf("%.300q has labels that cannot be read: %w", r.Key, err)
		}
	}
	return s, nil
}

// check says what no row is that Finish has written: whoever reads an index may
// take its names for paths, and its numbers for sizes.
func (s *Sample) check() error {
	switch {
	case s.Key != frame.Key(s.Stream, s.SampleMs):
		return errors.New("it is not the key of its stream and time")
	case !isName(s.Series) || !strings.HasPrefix(s.Series, frame.FileName(s.Stream)+"_"):
		return fmt.Errorf("its series is %.300q", s.Series)
	case s.Kind != ledger.Frame:
		return nil
	case !isLocal(s.File) || s.TensorSize > 0 && !isLocal(s.TensorFile):
		return fmt.Errorf("its file is %.300q, its tensor's %.300q: it must be one in shards", s.File, s.TensorFile)
	case s.Size < 1 || s.Size > math.MaxInt32 || s.TensorSize < 0 || s.TensorSize > math.MaxInt32:
		return fmt.Errorf("it has %d bytes, and a tensor of %d", s.Size, s.TensorSize)
	case s.Offset < 0 || s.Offset > math.MaxInt64-s.Size || s.TensorOffset < 0 ||
		s.TensorOffset > math.MaxInt64-s.TensorSize:
		return fmt.Errorf("it is at %d, its tensor at %d", s.Offset, s.TensorOffset)
	case s.Width < 0 || s.Height < 0:
		return fmt.Errorf("it is %d×%d pixels", s.Width, s.Height)
	}
	return nil
}

func isName(name string) bool { return filepath.IsLocal(name) && !strings.ContainsAny(name, `/\`) }

func isLocal(file string) bool {
	return strings.HasPrefix(file, "shards/") && path.Clean(file) == file && filepath.IsLocal(filepath.FromSlash(file))
}

// sumOf reads a SHA-256, and reports whether it is one, or is absent where it may be.
func sumOf(sum *[32]byte, text *string, must bool) bool {
	read, err := hex.DecodeString(value(text))
	copy(sum[:], read)
	return err == nil && (len(read) == len(sum) || !must)
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// Index is the index of a dataset, open for reading. It may be read by many
// goroutines at once.
type Index struct {
	of     *Dataset
	file   store.File
	ranges *ranges
	reader *parquet.File
	seals  []groupSeal
}

// OpenIndex opens the index of the dataset. The error satisfies [fs.ErrNotExist] where there
// is none, and ErrForeign where it is not one that this version of kvsframes can read.
func (d *Dataset) OpenIndex(ctx context.Context) (*Index, error) {
	x, err := d.openIndex(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the index of the dataset %q: %w", d.dir, err)
	}
	return x, nil
}

func (d *Dataset) openIndex(ctx context.Context) (x *Index, err error) {
	err = store.Twice(d.store, func() error {
		x, err = d.openIndexOnce(ctx)
		return err
	}, func(err error) bool { return errors.Is(err, ErrForeign) })
	return x, err
}

func (d *Dataset) openIndexOnce(ctx context.Context) (*Index, error) {
	file, err := d.store.Open(context.WithoutCancel(ctx), indexFile) // it outlives who opens it
	if err != nil {
		return nil, err
	}
	x := &Index{of: d, file: file, ranges: newRanges(file)}
	if err := guard(x.open); err != nil {
		file.Close()
		var failed *store.Error
		if errors.As(err, &failed) {
			return nil, err
		}
		return nil, fmt.Errorf("%s %w: %w: index the dataset again", indexFile, ErrForeign, err)
	}
	return x, nil
}

func (x *Index) open() (err error) {
	if x.reader, x.seals, err = openSealed(x.ranges); err != nil {
		return err
	}
	if version, _ := x.reader.Lookup(indexVersionKey); version != indexVersion {
		return fmt.Errorf("it has version %.100q, this kvsframes knows %s", version, indexVersion)
	}
	for group := range x.Groups() {
		if rows := x.Rows(group); rows < 1 || rows > indexGroupRows {
			return fmt.Errorf("its row group %d has %d rows, there must be from 1 to %d", group, rows, indexGroupRows)
		}
	}
	return nil
}

// guard makes an error of a panic: parquet-go (0.32) panics at some files whose
// checksums match all the same, because somebody has made them so.
func guard(do func() error) (err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("it is damaged: %.300v", problem)
		}
	}()
	return do()
}

// Current reports whether the index was made from the receipts that the dataset
// has now: it lists them, and reads none. A [Writer] that is made for the dataset
// removes the index, so that one that is there speaks of no picture that was
// replaced; that receipts came or went since, by a writer that was there before or
// by other means, is what the listing shows.
func (x *Index) Current(ctx context.Context) (bool, error) {
	listing, err := x.of.ledger.Listing(ctx)
	if err != nil {
		return false, err
	}
	digest, _ := x.reader.Lookup(indexLedgerKey)
	return digest == listing.Digest, nil
}

// Groups returns how many row groups there are. The rows are in the order of
// Series, then of SampleMs, over all groups.
func (x *Index) Groups() int { return len(x.reader.RowGroups()) }

// Rows returns how many rows a group has: at most 100,000. group is from 0 on and less than
// Groups, or Rows panics, as a slice does.
func (x *Index) Rows(group int) int64 { return x.reader.RowGroups()[group].NumRows() }

// Read reads the rows of a group, and nothing else, in one go. That the index has no such
// group is an error.
func (x *Index) Read(ctx context.Context, group int) ([]Sample, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if group < 0 || group >= x.Groups() {
		return nil, fault.New("group", group, fmt.Sprintf("from 0 on and less than %d, the number of groups", x.Groups()))
	}
	var samples []Sample
	err := x.twice(ctx, func() (err error) {
		samples, err = x.read(group)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading group %d of %s: %w", group, indexFile, err)
	}
	return samples, nil
}

// twice reads a part of the index.
func (x *Index) twice(ctx context.Context, read func() error) error {
	return store.Twice(x.of.store, func() error { return guard(read) },
		func(err error) bool { return store.IsDamage(ctx, err) })
}

func (x *Index) read(group int) ([]Sample, error) {
	loaded, err := loadSealed(x.ranges, x.seals[group])
	if err != nil {
		return nil, err
	}
	defer x.ranges.release(loaded)
	reader := parquet.NewGenericRowGroupReader[indexRow](x.reader.RowGroups()[group])
	defer reader.Close()
	samples := make([]Sample, 0, x.Rows(group))
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
