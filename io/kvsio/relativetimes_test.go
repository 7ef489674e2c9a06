package kvsio_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

func zoneOf(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestTimeIn(t *testing.T) {
	const winter, spring, autumn = "2026-01-31T10:20:30.5Z", "2026-03-29T12:00:00Z", "2026-10-25T12:00:00Z"
	for _, test := range []struct{ now, zone, text, want string }{
		{winter, "UTC", "now", winter},
		{winter, "UTC", "today", "2026-01-31T00:00:00Z"},
		{winter, "UTC", "yesterday", "2026-01-30T00:00:00Z"},
		{winter, "UTC", "-24h", "2026-01-30T10:20:30.5Z"},
		{winter, "UTC", "-2d", "2026-01-29T10:20:30.5Z"},
		{winter, "UTC", "-90m", "2026-01-31T08:50:30.5Z"},
		{winter, "UTC", "-1h30m", "2026-01-31T08:50:30.5Z"},
		{winter, "UTC", "-1d2h3m4s", "2026-01-30T08:17:26.5Z"},
		{winter, "UTC", "-0h", winter},
		{winter, "Europe/Rome", "now", winter},
		{winter, "Europe/Rome", "today", "2026-01-30T23:00:00Z"},
		{winter, "America/New_York", "today", "2026-01-31T05:00:00Z"},
		{"2026-01-31T23:30:00Z", "Europe/Rome", "today", "2026-01-31T23:00:00Z"},
		{"2026-02-01T03:30:00Z", "America/New_York", "today", "2026-01-31T05:00:00Z"},
		{"2026-03-01T03:30:00Z", "UTC", "yesterday", "2026-02-28T00:00:00Z"},

		// Clocks are put forward in Rome on 29 March, in New York on 8 March, and back on
		// 25 October and 1 November. A day before now is 24 hours.
		{spring, "Europe/Rome", "today", "2026-03-28T23:00:00Z"},
		{spring, "Europe/Rome", "yesterday", "2026-03-27T23:00:00Z"},
		{"2026-03-30T12:00:00Z", "Europe/Rome", "today", "2026-03-29T22:00:00Z"},
		{"2026-03-30T12:00:00Z", "Europe/Rome", "yesterday", "2026-03-28T23:00:00Z"},
		{spring, "Europe/Rome", "-1d", "2026-03-28T12:00:00Z"},
		{autumn, "Europe/Rome", "today", "2026-10-24T22:00:00Z"},
		{"2026-10-26T12:00:00Z", "Europe/Rome", "today", "2026-10-25T23:00:00Z"},
		{"2026-10-26T12:00:00Z", "Europe/Rome", "yesterday", "2026-10-24T22:00:00Z"},
		{"2026-03-08T12:00:00Z", "America/New_York", "today", "2026-03-08T05:00:00Z"},
		{"2026-03-09T12:00:00Z", "America/New_York", "today", "2026-03-09T04:00:00Z"},
		{"2026-11-01T12:00:00Z", "America/New_York", "today", "2026-11-01T04:00:00Z"},
		{"2026-11-02T12:00:00Z", "America/New_York", "today", "2026-11-02T05:00:00Z"},
		{winter, "Europe/Rome", "2026-03-29", "2026-03-28T23:00:00Z"},
		{winter, "Europe/Rome", "2026-03-29T01:59:59", "2026-03-29T00:59:59Z"},
		{winter, "Europe/Rome", "2026-03-29T03:00", "2026-03-29T01:00:00Z"},
		{winter, "Europe/Rome", "2026-10-25T01:59:59.999", "2026-10-24T23:59:59.999Z"},
		{winter, "Europe/Rome", "2026-10-25T03:00", "2026-10-25T02:00:00Z"},
		{winter, "Europe/Rome", "2026-10-25T02:30+01:00", "2026-10-25T01:30:00Z"},
		{winter, "America/New_York", "2026-03-08T03:00", "2026-03-08T07:00:00Z"},
		{winter, "America/New_York", "2026-11-01T02:00", "2026-11-01T07:00:00Z"},
		{winter, "America/New_York", "1 Nov 2026 00:30", "2026-11-01T04:30:00Z"},

		// Midnight is skipped in Cairo, shown twice in Havana; Samoa skipped a day.
		{winter, "Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"},
		{winter, "America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},
		{winter, "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},

		{winter, "Europe/Rome", "2026-11-01T00:00", "2026-10-31T23:00:00Z"},
		{winter, "Europe/Rome", "2026-11-01T00:00Z", "2026-11-01T00:00:00Z"},
		{winter, "Europe/Rome", "Sat, 31 Jan 2026 10:00:00 GMT", "2026-01-31T10:00:00Z"},
		{winter, "Europe/Rome", "1769853600.5", "2026-01-31T10:00:00.5Z"},
		{winter, "Europe/Rome", "-1.5", "1969-12-31T23:59:58.5Z"},
	} {
		now, err := time.Parse(time.RFC3339Nano, test.now)
		if err != nil {
			t.Fatal(err)
		}
		got, relative, err := kvsio.TimeIn(test.text, now, zoneOf(t, test.zone))
		if err != nil || got.Format(time.RFC3339Nano) != test.want {
			t.Errorf("%s in %s at %s is %v, %v; want %s", test.text, test.zone, test.now, got, err, test.want)
		}
		if wants := strings.Contains("now today yesterday", test.text) || strings.HasPrefix(test.text, "-") &&
			test.text != "-1.5"; relative != wants {
			t.Errorf("%s is relative: %t, want %t", test.text, relative, wants)
		}
	}
}

func TestTimeInRefuses(t *testing.T) {
	const forms = "a date (2026-01-31), now, today, yesterday, or a time before now (-24h, -2d, -1h30m)"
	now := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	for _, test := range []struct{ zone, text, want string }{
		{"UTC", "", forms},
		{"UTC", "-", forms},
		{"UTC", "24h", forms},
		{"UTC", "+24h", forms},
		{"UTC", "-1.5h", forms},
		{"UTC", "-1m1h", forms},
		{"UTC", "-1w", forms},
		{"UTC", "-24h ", forms},
		{"UTC", "tomorrow", forms},
		{"UTC", "2026-02-30", forms},
		{"UTC", "-1000000000d", forms},
		{"UTC", "1769853600123", "in epoch seconds it is 1769853600.123"},
		{"UTC", "9999999999", "after the year 2262: it must be RFC 3339"},
		{"Europe/Rome", "Sun, 31 Jan 2026 10:00", "that day is a Saturday: it must be RFC 3339"},
		{"Europe/Rome", "2026-03-29T02:30", "clocks in Europe/Rome do not show that time, they are put forward: write it with"},
		{
			"Europe/Rome", "2026-10-25T02:30",
			"clocks in Europe/Rome show that time twice: write 2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00",
		},
		{"America/New_York", "2026-03-08T02:00", "do not show that time"},
		{"America/New_York", "2026-11-01T01:00", "write 2026-11-01T01:00:00-04:00 or 2026-11-01T01:00:00-05:00"},
	} {
		if got, _, err := kvsio.TimeIn(test.text, now, zoneOf(t, test.zone)); err == nil ||
			!strings.Contains(err.Error(), test.want) {
			t.Errorf("%s in %s is %v, %v; want an error with %q", test.text, test.zone, got, err, test.want)
		}
	}
}

// What names an instant by itself is the same in every zone, at any time; and on UTC what
// ParseTime reads is what it says.
func FuzzTimeIn(f *testing.F) {
	for _, text := range []string{
		"now", "today", "yesterday", "-24h", "-2d", "-999999999d", "2026-03-29T02:30", "2026-10-25", "1769853600.5",
		"31 Jan 2026 10:00:00", "0000-01-01", "9999-12-31T23:59",
	} {
		f.Add(text, int64(1769853600))
	}
	rome := zoneOf(f, "Europe/Rome")
	f.Fuzz(func(t *testing.T, text string, epoch int64) {
		now := time.Unix(epoch%(1<<33), 0)
		got, relative, err := kvsio.TimeIn(text, now, time.UTC)
		absolute, wrong := kvsio.ParseTime(text)
		switch {
		case wrong == nil && (err != nil || relative || !got.Equal(absolute)):
			t.Errorf("%q is %v, %v, %v; ParseTime reads %v", text, got, relative, err, absolute)
		case wrong != nil && err == nil && (!relative || got.After(now)):
			t.Errorf("%q is %v, relative %t, at %v", text, got, relative, now)
		}
		there, _, err := kvsio.TimeIn(text, now, rome)
		if again, _, failed := kvsio.TimeIn(there.UTC().Format(time.RFC3339Nano), now, rome); err == nil &&
			there.Year() >= 0 && there.Year() < 10_000 && (failed != nil || !again.Equal(there)) {
			t.Errorf("%q is %v in Rome, which reads as %v, %v", text, there, again, failed)
		}
	})
}
