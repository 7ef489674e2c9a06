package card

import (
	"maps"
	"slices"
	"testing"
)

func TestSizeCategory(t *testing.T) {
	want := map[int64]string{
		0: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 9999: "1K<n<10K", 10_000: "10K<n<100K", 864_000_000: "100M<n<1B",
		1e9: "1B<n<10B", 999_999_999_999: "100B<n<1T", 1e12: "n>1T", 1e18: "n>1T",
	}
	for _, n := range slices.Sorted(maps.Keys(want)) {
		if got := sizeCategory(n); got != want[n] {
			t.Errorf("sizeCategory(%d) = %s, want %s", n, got, want[n])
		}
	}
}
