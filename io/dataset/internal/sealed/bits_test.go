package sealed

import (
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"pgregory.net/rapid"
)

// TestReadDeltas: what parquet-go encodes is read, and what stands behind it is left; less of
// it is an error.
func TestReadDeltas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOfN(rapid.OneOf(rapid.Int64(), rapid.Int64Range(0, 10)), 1, 600).Draw(t, "numbers")
		data, err := new(delta.BinaryPackedEncoding).EncodeInt64(nil, numbers)
		if err != nil {
			t.Fatal(err)
		}
		got, rest, err := readDeltas(append(slices.Clone(data), 'x'), len(numbers))
		if err != nil || !slices.Equal(got, numbers) || string(rest) != "x" {
			t.Fatalf("readDeltas = %v, %q, %v, want %v", got, rest, err, numbers)
		}
		if got, _, err := readDeltas(data[:rapid.IntRange(0, len(data)-1).Draw(t, "less")], len(numbers)); err == nil {
			t.Fatalf("readDeltas of less = %v", got)
		}
		if got, _, err := readDeltas(data, len(numbers)-1); err == nil {
			t.Fatalf("readDeltas of fewer = %v", got)
		}
	})
}

// TestReadRuns: what parquet-go encodes is read.
func TestReadRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 31).Draw(t, "width")
		number := rapid.OneOf(rapid.Just(int32(1)), rapid.Int32Range(0, 1<<width-1))
		numbers := rapid.SliceOfN(number, 1, 600).Draw(t, "numbers")
		data, err := (&rle.Encoding{BitWidth: width}).EncodeInt32(nil, numbers)
		if err != nil {
			t.Fatal(err)
		}
		got, err := readRuns(data, width, len(numbers))
		same := slices.EqualFunc(got, numbers, func(a uint32, b int32) bool { return a == uint32(b) })
		if err != nil || !same {
			t.Fatalf("readRuns = %v, %v, want %v", got, err, numbers)
		}
		if got, err := readRuns(data[:rapid.IntRange(0, len(data)-1).Draw(t, "less")], width, len(numbers)); err == nil {
			t.Fatalf("readRuns of less = %v", got)
		}
	})
}

// TestBadDeltas: blocks that no writer makes are damaged.
func TestBadDeltas(t *testing.T) {
	for name, data := range map[string][]byte{
		"no parts":          {128, 1, 0, 2, 0, 0, 0},
		"no block":          {0, 4, 2, 0, 0, 0, 0, 0, 0},
		"uneven parts":      {100, 4, 2, 0, 0, 0, 0, 0, 0},
		"numbers of 65 bit": append([]byte{8, 1, 2, 0, 0, 65}, make([]byte, 65)...),
	} {
		if numbers, _, err := readDeltas(data, 2); err == nil {
			t.Errorf("%s: %v", name, numbers)
		}
	}
}
