package main

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const timeForms = "RFC 3339 (2026-01-31T10:00:00Z), epoch seconds (1769853600.5) or a date (2026-01-31)"

var (
	epochPattern = regexp.MustCompile(`^(-?)(\d+)(?:\.(\d+))?$`)

	// Without a zone a time is UTC.
	layouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", time.DateOnly}

	// What people write when they mean a date; as epoch seconds it would be in 1970.
	compactLayouts = map[int]string{8: "20060102", 14: "20060102150405"}
)

// latestEpoch is the last epoch second that nanoseconds since 1970 can say.
const latestEpoch = 1<<63/1_000_000_000 - 1

// parseTime reads an instant as --start-timestamp and --end-timestamp take it.
func parseTime(s string) (time.Time, error) {
	if m := epochPattern.FindStringSubmatch(s); m != nil {
		return parseEpoch(s, m[1] == "-", m[2], m[3])
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("it must be " + timeForms)
}

// parseEpoch takes the number apart in decimal: a float64 does not hold the
// milliseconds of every instant exactly.
func parseEpoch(s string, negative bool, whole, fraction string) (time.Time, error) {
	if layout, ok := compactLayouts[len(whole)]; ok && fraction == "" && !negative {
		if t, err := time.Parse(layout, s); err == nil && t.Year() >= 1970 && t.Year() <= 2262 {
			hint := t.Format(time.DateOnly)
			if len(s) > 8 {
				hint = t.Format(time.RFC3339)
			}
			return time.Time{}, fmt.Errorf("it would be epoch seconds: for the date write %s, for the second %s.0", hint, s)
		}
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > latestEpoch {
		return time.Time{}, epochTooLarge(whole)
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if negative {
		seconds, nanos = -seconds, -nanos
	}
	return time.Unix(seconds, nanos).UTC(), nil
}

// epochTooLarge knows the units of 1970 to 2262 by their number of digits.
func epochTooLarge(whole string) error {
	units := []struct {
		name   string
		digits int // of the fraction of a second
	}{{"milliseconds", 3}, {"microseconds", 6}, {"nanoseconds", 9}}
	digits := strings.TrimLeft(whole, "0")
	for _, u := range units {
		if n := len(digits) - u.digits; n >= 8 && n <= 10 {
			return fmt.Errorf("it looks like epoch %s: in epoch seconds it is %s.%s", u.name, digits[:n], digits[n:])
		}
	}
	return errors.New("it is after the year 2262: it must be " + timeForms)
}
