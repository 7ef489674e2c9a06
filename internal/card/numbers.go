package card

import (
	"fmt"
	"strconv"
)

// Number returns n with its digits in groups of three: 1,234,567.
func Number(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Count returns n and what is counted, a noun whose plural ends in s: 1 frame, 1,234 frames.
func Count(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Number(n) + " " + noun
}

// Bytes returns a number of bytes with three digits, and exactly where that is not all of
// it: 1.23 GB (1,234,567,890 bytes). It must not be negative.
func Bytes(n int64) string {
	exact := Number(n) + " bytes"
	if n < 1000 {
		return exact
	}
	f, units := float64(n)/1000, []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	for f >= 999.5 && len(units) > 1 {
		f, units = f/1000, units[1:]
	}
	decimals := 2
	for limit := 9.995; f >= limit && decimals > 0; limit *= 10 {
		decimals--
	}
	return fmt.Sprintf("%.*f %s (%s)", decimals, f, units[0], exact)
}
