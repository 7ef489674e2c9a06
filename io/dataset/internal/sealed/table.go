package sealed

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// The columns that a receipt may lack, and those that may have one entry for all frames:
// bits of a number in the table.
const (
	longWidths = 1 << iota
	longHeights
	hasLabels
	hasTensors
	longTensorSizes
	shapes
)

func shapeOf(r *framepb.Receipt) (shape int32) {
	for bit, has := range map[int32]bool{
		longWidths: len(r.GetWidths()) > 1, longHeights: len(r.GetHeights()) > 1, hasLabels: len(r.GetLabels()) > 0,
		hasTensors: len(r.GetTensorSizes()) > 0, longTensorSizes: len(r.GetTensorSizes()) > 1,
	} {
		if has {
			shape |= bit
		}
	}
	return shape
}

// table writes what receipts say, but for their columns. They are consecutive and of one
// series, so what the first is of tells what all are of.
func (e *encoder) table(receipts []*framepb.Receipt) {
	series := receipts[0].GetSeries()
	e.texts(series.GetStreamArn(), series.GetStreamName(), series.GetImageSelectorType(), series.GetFormat())
	e.numbers(series.GetIntervalMs(), series.GetPhaseMs(), series.GetJpegQuality(), series.GetWidthPixels(),
		series.GetHeightPixels())
	e.number(receipts[0].GetFirst())
	e.number(int64(len(receipts)))
	for _, r := range receipts {
		e.numbers(r.GetSamples(), r.GetFrames(), shapeOf(r))
		e.number(r.GetBytes())
		e.texts(r.GetPath(), r.GetFormat())
		e.number(int64(len(r.GetTransforms())))
		e.texts(r.GetTransforms()...)
		e.number(int64(len(r.GetGaps())))
		for _, gap := range r.GetGaps() {
			e.numbers(gap.GetOffset(), gap.GetSamples())
			e.texts(gap.GetReason(), gap.GetCause())
		}
		e.number(int64(len(r.GetDrops())))
		for _, drop := range r.GetDrops() {
			e.numbers(drop.GetOffset(), drop.GetSamples())
			e.texts(drop.GetReason())
		}
	}
}

// packTable returns the table of receipts as it stands in the footer.
func packTable(receipts []*framepb.Receipt) (string, error) {
	if len(receipts) == 0 {
		return "", errors.New("there are no receipts")
	}
	next := receipts[0].GetFirst()
	for _, r := range receipts {
		if r.GetFirst() != next || !proto.Equal(r.GetSeries(), receipts[0].GetSeries()) {
			return "", fmt.Errorf("the receipt of %v is not of the samples from %d on, as it must be", r.Span(), next)
		}
		next += int64(r.GetSamples())
	}
	if n := next - receipts[0].GetFirst(); n > MaxSamples {
		return "", fmt.Errorf("the receipts have %d samples, they must have at most %d", n, MaxSamples)
	}
	e := encoder{known: make(map[string]int)}
	e.table(receipts)
	if len(e.data) > tableLimit {
		return "", fmt.Errorf("its table of receipts has %d bytes, it must have at most %d: make receipts of fewer gaps",
			len(e.data), tableLimit)
	}
	if _, _, err := readTable(e.data); err != nil {
		return "", err
	}
	packed, err := codec.Encode(nil, e.data)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(append(binary.AppendUvarint(nil, uint64(len(e.data))), packed...)), nil
}

// unpackTable returns the receipts of a table, without their columns, and the shapes of these.
func unpackTable(text string) ([]*framepb.Receipt, []int32, error) {
	packed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, nil, err
	}
	size, n := binary.Uvarint(packed)
	if n <= 0 || size > tableLimit {
		return nil, nil, fmt.Errorf("its table of receipts claims %d bytes, there must be at most %d", size, tableLimit)
	}
	data, err := unzip(packed[n:], int(size))
	if err != nil {
		return nil, nil, err
	}
	return readTable(data)
}

func readTable(data []byte) ([]*framepb.Receipt, []int32, error) {
	d := decoder{data: data}
	series := &framepb.StoredSeries{
		StreamArn: d.text(), StreamName: d.text(), ImageSelectorType: d.text(), Format: d.text(),
		IntervalMs: d.int32(), PhaseMs: d.int32(), JpegQuality: d.int32(),
		WidthPixels: d.int32(), HeightPixels: d.int32(),
	}
	if err := checkSeries(series); d.err == nil && err != nil {
		return nil, nil, err
	}
	next, room := d.number(math.MaxInt64-MaxSamples), int64(MaxSamples)
	count := d.number(room)
	receipts, shapes := make([]*framepb.Receipt, count), make([]int32, count)
	for i := range receipts {
		receipts[i], shapes[i] = d.receipt(min(room, ledger.MaxShardSamples))
		receipts[i].Series, receipts[i].First = series, next
		next, room = next+int64(receipts[i].Samples), room-int64(receipts[i].Samples)
		if d.err != nil {
			return nil, nil, d.err
		}
		if err := checkReceipt(receipts[i]); err != nil {
			return nil, nil, fmt.Errorf("the receipt of %v: %w", receipts[i].Span(), err)
		}
	}
	if d.err != nil || len(d.data) > 0 || count == 0 {
		return nil, nil, errors.Join(errors.New("its table of receipts has no end where it should"), d.err)
	}
	return receipts, shapes, nil
}

func (d *decoder) int32() int32 { return int32(d.number(math.MaxInt32)) }

// receipt reads a receipt of at most room samples, and its shape.
func (d *decoder) receipt(room int64) (*framepb.Receipt, int32) {
	r := &framepb.Receipt{Samples: int32(d.number(room))}
	samples := int64(r.Samples)
	r.Frames = int32(d.number(samples))
	shape := int32(d.number(shapes - 1))
	r.Bytes, r.Path, r.Format = d.number(math.MaxInt64), d.text(), d.text()
	if n := d.number(int64(min(len(d.data), textsLimit))); n > 0 {
		r.Transforms = make([]string, n)
	}
	for i := range r.Transforms {
		r.Transforms[i] = d.text()
	}
	for range d.number(samples) {
		r.Gaps = append(r.Gaps, &framepb.GapRun{
			Offset: d.int32(), Samples: d.int32(), Reason: d.text(), Cause: d.text(),
		})
	}
	for range d.number(samples) {
		r.Drops = append(r.Drops, &framepb.DropRun{Offset: d.int32(), Samples: d.int32(), Reason: d.text()})
	}
	return r, shape
}

func checkSeries(series *framepb.StoredSeries) error {
	if series.IntervalMs == 0 || series.PhaseMs >= series.IntervalMs {
		return fmt.Errorf("its series has a phase of %d ms in an interval of %d ms", series.PhaseMs, series.IntervalMs)
	}
	return series.Value().CheckNames()
}

// pathLimit is more than any path in a dataset has: it is what a bucket allows.
const pathLimit = 1024

// checkReceipt holds the parts of a receipt against each other, its columns apart.
func checkReceipt(r *framepb.Receipt) error {
	gaps, drops := r.Gaps, r.Drops
	var end, frames int64
	take := func(offset, samples int32) error {
		if int64(offset) < end || samples < 1 || int64(offset)+int64(samples) > int64(r.Samples) {
			return fmt.Errorf("its run of %d samples at %d is out of place", samples, offset)
		}
		frames += int64(offset) - end
		end = int64(offset) + int64(samples)
		return nil
	}
	for len(gaps)+len(drops) > 0 {
		var err error
		if len(drops) == 0 || len(gaps) > 0 && gaps[0].Offset < drops[0].Offset {
			err, gaps = take(gaps[0].Offset, gaps[0].Samples), gaps[1:]
		} else {
			err, drops = take(drops[0].Offset, drops[0].Samples), drops[1:]
		}
		if err != nil {
			return err
		}
	}
	frames += int64(r.Samples) - end
	switch {
	case r.Samples < 1:
		return errors.New("it has no samples")
	case int64(r.Frames) != frames:
		return fmt.Errorf("it says %d frames, gaps and drops leave %d", r.Frames, frames)
	case frames == 0 && r.Path != "" || frames > 0 && !filepath.IsLocal(filepath.FromSlash(r.Path)) ||
		len(r.Path) > pathLimit:
		return fmt.Errorf("its path is %.300q for %d frames", r.Path, r.Frames)
	}
	return nil
}
