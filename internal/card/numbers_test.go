package card

import (
	"math"
	"testing"
)

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 999: "999", 1000: "1,000", 123_456: "123,456", 1_234_567: "1,234,567", -1000: "-1,000", -123: "-123",
	} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0:                 "0 bytes",
		999:               "999 bytes",
		1000:              "1.00 kB (1,000 bytes)",
		9_994:             "9.99 kB (9,994 bytes)",
		9_996:             "10.0 kB (9,996 bytes)",
		99_960:            "100 kB (99,960 bytes)",
		999_499:           "999 kB (999,499 bytes)",
		999_500:           "1.00 MB (999,500 bytes)",
		12_345_678:        "12.3 MB (12,345,678 bytes)",
		1_234_567_890:     "1.23 GB (1,234,567,890 bytes)",
		155_520e9:         "156 TB (155,520,000,000,000 bytes)",
		math.MaxInt64:     "9.22 EB (9,223,372,036,854,775,807 bytes)",
		999_499_999_999:   "999 GB (999,499,999,999 bytes)",
		1_000_000_000_000: "1.00 TB (1,000,000,000,000 bytes)",
	} {
		if got := Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %s, want %s", n, got, want)
		}
	}
}
