package frame

import (
	"fmt"
	"strings"
	"time"
)

// Clock returns an instant, in milliseconds since the Unix epoch, as RFC 3339 writes it in
// UTC with milliseconds. Each frame of a shard file has two: Format takes some times as
// long.
func Clock(ms int64) string {
	s := Instant(ms)
	if len(s) != len("20060102T150405000Z") {
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:11] + ":" + s[11:13] + ":" + s[13:15] + "." + s[15:]
}

// Instant writes milliseconds since the Unix epoch as "20260101T000003000Z":
// it sorts by time and holds no dot.
func Instant(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	if year < 0 || year > 9999 {
		return strings.Replace(t.Format("20060102T150405.000Z"), ".", "", 1)
	}
	// Every name and key has one: Format takes some times as long.
	b := make([]byte, 0, len("20060102T150405000Z"))
	b = appendDigits(b, year, 1000)
	b = appendDigits(b, int(month), 10)
	b = append(appendDigits(b, day, 10), 'T')
	b = appendDigits(b, hour, 10)
	b = appendDigits(b, minute, 10)
	b = appendDigits(b, second, 10)
	return string(append(appendDigits(b, t.Nanosecond()/1e6, 100), 'Z'))
}

// appendDigits appends a number, whose first digit stands for as many as unit.
func appendDigits(b []byte, n, unit int) []byte {
	for ; unit > 0; unit /= 10 {
		b = append(b, byte('0'+n/unit%10))
	}
	return b
}

// ParseInstant reads what Instant wrote.
func ParseInstant(s string) (int64, error) {
	if len(s) != len("20060102T150405000Z") {
		return 0, fmt.Errorf("instant %q is not of the form 20060102T150405000Z", s)
	}
	t, err := time.Parse("20060102T150405.000Z", s[:15]+"."+s[15:])
	if err != nil || Instant(t.UnixMilli()) != s { // it takes signs among the digits
		return 0, fmt.Errorf("instant %q is not of the form 20060102T150405000Z", s)
	}
	return t.UnixMilli(), nil
}
