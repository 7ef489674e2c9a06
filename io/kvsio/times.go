package kvsio

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// timeForms lists the plainest of the forms that ParseTime takes, for messages.
const timeForms = "RFC 3339 (2026-01-31T10:00:00Z), epoch seconds (1769853600.5) or a date (2026-01-31)"

var (
	epochPattern = regexp.MustCompile(`^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$`)

	// ISO 8601, extended or basic, cut to what cannot be misread.
	isoPattern = regexp.MustCompile(`^(\d{4})(-?)(\d{2})(-?)(\d{2})(?:[Tt ](\d{2})(:?)(\d{2})(?:(:?)(\d{2})(?:[.,](\d+))?)?(?: ?` + zone + `)?)?$`)

	// What HTTP and mail write: RFC 1123, RFC 2822.
	mailPattern = regexp.MustCompile(`^(?:([A-Za-z]{3}), )?(\d{1,2} [A-Za-z]{3} \d{4} \d{2}:\d{2})(:\d{2})?(?: ` + zone +
		`)?$`)

	// What people write when they mean a date; as epoch seconds it would be in 1970.
	compactLayouts = map[int]string{8: "20060102", 14: "20060102150405"}
)

const zone = `([Zz]|UTC|GMT|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)`

// latestEpoch is the last epoch second that nanoseconds since 1970 can say.
const latestEpoch = 1<<63/1_000_000_000 - 1

// ParseTime reads an instant in the forms that boto3 takes for a datetime, as
// far as they can be read in one way only:
//
//   - ISO 8601, and with it RFC 3339: 2026-01-31T10:00:00.5+02:00, extended or
//     basic (20260131T100000Z), T or a blank before the time, to the minute or the
//     second, a fraction after . or , of which nine digits count;
//   - a date, 2026-01-31, for its midnight;
//   - RFC 1123 and RFC 2822: Sat, 31 Jan 2026 10:00:00 GMT;
//   - epoch seconds: 1769853600, 1769853600.5, 1.7698536e9. They are read in
//     decimal, so no digit of their fraction changes.
//
// A zone is Z, UTC, GMT or an offset (+02:00, +0200, +02). Without one a time is
// UTC, as it is to boto3, whatever the zone of the machine.
//
// The error says what the text must be. It does so for numbers that are no
// epoch seconds but look like milliseconds, or like a date (20260131), too. The
// years that a Request may name are for its Validate.
func ParseTime(text string) (time.Time, error) {
	return timeReader{time.UTC, timeForms}.read(text)
}

// timeReader reads instants.
type timeReader struct {
	zone  *time.Location // of times without one
	forms string         // that a text may have, for messages
}

func (r timeReader) read(text string) (time.Time, error) {
	if m := epochPattern.FindStringSubmatch(text); m != nil {
		return r.epoch(text, m[1], m[2], m[3], m[4])
	}
	if m := isoPattern.FindStringSubmatch(text); m != nil && m[2] == m[4] && (m[10] == "" || m[7] == m[9]) {
		return r.iso(m)
	}
	if m := mailPattern.FindStringSubmatch(text); m != nil {
		return r.mail(m)
	}
	return time.Time{}, r.noTime()
}

func (r timeReader) noTime() error { return errors.New("it must be " + r.forms) }

// iso reads what isoPattern has taken apart.
func (r timeReader) iso(m []string) (time.Time, error) {
	or := func(part, missing string) string {
		if part == "" {
			return missing
		}
		return part
	}
	text := m[1] + "-" + m[3] + "-" + m[5] +
		"T" + or(m[6], "00") + ":" + or(m[8], "00") + ":" + or(m[10], "00") + "." + or(m[11], "0")
	t, err := time.Parse(time.RFC3339Nano, text+offset(m[12]))
	switch {
	case err != nil:
		return time.Time{}, r.noTime()
	case m[6] == "":
		return startOfDay(t, r.zone), nil
	case m[12] == "":
		return onWall(t, r.zone)
	}
	return t.UTC(), nil
}

// mail reads what mailPattern has taken apart. A day of the week that is
// another one means that one of the two is a mistake.
func (r timeReader) mail(m []string) (time.Time, error) {
	seconds := m[3]
	if seconds == "" {
		seconds = ":00"
	}
	t, err := time.Parse("2 Jan 2006 15:04:05Z07:00", m[2]+seconds+offset(m[4]))
	if err != nil {
		return time.Time{}, r.noTime()
	}
	if day := t.Weekday().String(); m[1] != "" && !strings.EqualFold(m[1], day[:3]) {
		return time.Time{}, fmt.Errorf("that day is a %s: it must be %s", day, r.forms)
	}
	if m[4] == "" {
		return onWall(t, r.zone)
	}
	return t.UTC(), nil
}

// offset writes a zone as RFC 3339 does.
func offset(zone string) string {
	if zone == "" || zone[0] != '+' && zone[0] != '-' {
		return "Z"
	}
	digits := strings.ReplaceAll(zone[1:], ":", "") + "00"
	return zone[:1] + digits[:2] + ":" + digits[2:4]
}

// epoch takes the number apart in decimal: a float64 does not hold the
// milliseconds of every instant exactly.
func (r timeReader) epoch(text, sign, whole, fraction, exponent string) (time.Time, error) {
	if layout, ok := compactLayouts[len(whole)]; ok && text == whole {
		if t, err := time.Parse(layout, whole); err == nil && t.Year() >= 1970 && t.Year() <= 2262 {
			hint := t.Format(time.DateOnly)
			if len(whole) > 8 {
				hint = t.Format(time.RFC3339)
			}
			return time.Time{}, fmt.Errorf("it would be epoch seconds: for the date write %s, for the second %s.0", hint, whole)
		}
	}
	whole, fraction = shift(whole, fraction, exponent)
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > latestEpoch {
		return time.Time{}, r.tooLarge(whole)
	}
	nanos, _ := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if sign == "-" {
		seconds, nanos = -seconds, -nanos
	}
	return time.Unix(seconds, nanos).UTC(), nil
}

// shift moves the point of a decimal number by its exponent.
func shift(whole, fraction, exponent string) (string, string) {
	n, _ := strconv.Atoi(exponent) // none is 0
	digits, point := whole+fraction, len(whole)+n
	if point < 0 {
		digits, point = strings.Repeat("0", -point)+digits, 0
	}
	digits += strings.Repeat("0", max(0, point-len(digits)))
	return "0" + digits[:point], digits[point:]
}

// tooLarge knows the units of 1970 to 2262 by their number of digits.
func (r timeReader) tooLarge(whole string) error {
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
	return errors.New("it is after the year 2262: it must be " + r.forms)
}

// ParseInterval reads a sampling interval: a bare number of milliseconds
// ("3000"), as the API has it, or a Go duration ("3s"). The error says what the
// text must be. Bounds are for a Request's Validate.
func ParseInterval(text string) (time.Duration, error) {
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		if d := time.Duration(ms) * time.Millisecond; d/time.Millisecond == time.Duration(ms) {
			return d, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	return 0, errors.New("it must be " + intervalForms)
}

// intervalForms lists the forms that ParseInterval takes, for messages.
const intervalForms = "a duration such as 3s, 500ms or 1m30s, or a whole number of milliseconds such as 3000"
