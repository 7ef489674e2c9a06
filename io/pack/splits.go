package pack

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/internal/fault"
)

// Split is a part of a packed set.
type Split struct {
	Name  string  `json:"name"`  // of a-z, 0-9 and _, which Hugging Face's datasets takes, too; _ not first
	Share float64 `json:"share"` // of the frames, over 0 and up to 1
}

// What decides which split a frame is in.
const (
	ByStream = "stream" // all frames of a stream are in one split
	ByDay    = "day"    // all frames of a day, in UTC, are in one split, whatever their streams
	BySample = "sample" // each frame is on its own; those of one stream and instant are together
)

// SplitUnits lists what a packed set can be split by.
var SplitUnits = []string{ByStream, ByDay, BySample}

// sharesTolerance is how far from 1 the sum of all shares may be.
const sharesTolerance = 1e-6

var splitName = regexp.MustCompile(`^[a-z0-9][a-z0-9_]{0,63}$`)

// CheckSplits says what is wrong with splits.
func CheckSplits(splits []Split) error {
	var sum float64
	seen := make(map[string]bool)
	for _, split := range splits {
		switch {
		case !splitName.MatchString(split.Name):
			return fmt.Errorf("a split is called %q: its name must be of a-z, 0-9 and _, and not begin with _: readers pass "+
				"over such files", split.Name)
		case seen[split.Name]:
			return fmt.Errorf("two splits are called %s: each must have a name of its own", split.Name)
		case !(split.Share > 0 && split.Share <= 1):
			return fmt.Errorf("the share of %s is %v: it must be over 0 and up to 1", split.Name, split.Share)
		}
		seen[split.Name] = true
		sum += split.Share
	}
	if !(math.Abs(sum-1) <= sharesTolerance) {
		return fmt.Errorf("the shares add up to %.7g: they must add up to 1", sum)
	}
	return nil
}

// divider tells which split a frame is in.
type divider struct {
	By   string
	Ends []float64      // where each split ends when all are laid end to end from 0 to 1
	Of   map[string]int // the split of each unit
}

func newDivider(by string, splits []Split) divider {
	d := divider{By: by, Of: make(map[string]int)}
	var sum float64
	for i, split := range splits {
		sum += split.Share
		d.Ends = append(d.Ends, sum)
		if by == BySample {
			d.Of[strconv.Itoa(i)] = i
		}
	}
	d.Ends[len(splits)-1] = 1
	return d
}

// unit returns what decides the split of a frame: a stream or a day. Of frames
// that are split one by one it is the split itself, so units are never many.
func (d *divider) unit(stream string, sampleMs int64) string {
	switch d.By {
	case ByDay:
		return time.UnixMilli(sampleMs).UTC().Format(time.DateOnly)
	case BySample:
		return strconv.Itoa(d.at(chance(stream + " " + strconv.FormatInt(sampleMs, 10))))
	}
	return stream
}

// assign gives each unit, which has a number of frames, to a split. The units are
// laid end to end in an order that only depends on their names, and each is in the
// split that its middle lies in: so no border between splits is further from
// where it should be than half of the unit that it meets.
func (d *divider) assign(units map[string]int64) {
	if d.By == BySample {
		return
	}
	var total, before int64
	for _, frames := range units {
		total += frames
	}
	names := slices.SortedFunc(maps.Keys(units), func(a, b string) int {
		return cmp.Or(cmp.Compare(chance(a), chance(b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		d.Of[name] = d.at((float64(before) + float64(units[name])/2) / float64(total))
		before += units[name]
	}
}

func (d *divider) at(x float64) int {
	return slices.IndexFunc(d.Ends, func(end float64) bool { return x < end })
}

// chance is a number from 0 up to 1 that only depends on a text.
func chance(text string) float64 {
	sum := sha256.Sum256([]byte(text))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// EmptySplitError says that splits would have no frame.
type EmptySplitError struct {
	By     string // stream, day or sample
	Units  int    // how many streams or days there are, or frames
	Splits []string
}

func (e *EmptySplitError) Error() string { return e.Unwrap().Error() }

// Unwrap returns an error that names what to set.
func (e *EmptySplitError) Unwrap() error {
	const by = fault.Name("SplitBy")
	advice := map[string]error{
		ByStream: fault.Errorf("give %s day or %s sample, or larger shares", by, by),
		ByDay:    fault.Errorf("give %s sample, or larger shares", by),
		BySample: fault.Errorf("give larger shares"),
	}[e.By]
	there := fmt.Sprintf("there are %d %ss", e.Units, e.By)
	if e.Units == 1 {
		there = "there is one " + e.By
	}
	return fault.Errorf("the split %s would be empty: %s to split: %w", strings.Join(e.Splits, ", "), there, advice)
}
