package kvsio_test

import (
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

func TestParseTime(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"},
		{"2026-01-31T10:00:00.123456789Z", "2026-01-31T10:00:00.123456789Z"},
		{"2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00Z"},
		{"2026-01-31T10:00:00", "2026-01-31T10:00:00Z"},
		{"2026-01-31T10:00:00.5", "2026-01-31T10:00:00.5Z"},
		{"2026-01-31", "2026-01-31T00:00:00Z"},
		{"1769853600", "2026-01-31T10:00:00Z"},
		{"1769853600.5", "2026-01-31T10:00:00.5Z"},
		{"1769853600.123", "2026-01-31T10:00:00.123Z"}, // as a float64 it would be .122999907
		{"1769853600.1234567891", "2026-01-31T10:00:00.123456789Z"},
		{"20260131.0", "1970-08-23T11:48:51Z"},
		{"0", "1970-01-01T00:00:00Z"},
		{"+1769853600.", "2026-01-31T10:00:00Z"},
		{"1.7698536e9", "2026-01-31T10:00:00Z"},
		{"1.769853600123E+9", "2026-01-31T10:00:00.123Z"},
		{"1769853600123e-3", "2026-01-31T10:00:00.123Z"},
		{"1e-999", "1970-01-01T00:00:00Z"},
		{"2.0260131e7", "1970-08-23T11:48:51Z"},
		{"2026-01-31 10:00", "2026-01-31T10:00:00Z"},
		{"2026-01-31t10:00:00,123z", "2026-01-31T10:00:00.123Z"},
		{"2026-01-31 10:00:00.1234567899+02", "2026-01-31T08:00:00.123456789Z"},
		{"2026-01-31T10:00-0230", "2026-01-31T12:30:00Z"},
		{"2026-01-31 10:00:00 -02:30", "2026-01-31T12:30:00Z"},
		{"2026-01-31 10:00:00 UTC", "2026-01-31T10:00:00Z"},
		{"20260131T100000Z", "2026-01-31T10:00:00Z"},
		{"20260131T1000+0200", "2026-01-31T08:00:00Z"},
		{"20260131 100000.5", "2026-01-31T10:00:00.5Z"},
		{"2028-02-29", "2028-02-29T00:00:00Z"},
		{"Sat, 31 Jan 2026 10:00:00 GMT", "2026-01-31T10:00:00Z"},
		{"Sat, 31 Jan 2026 10:00:00 +0200", "2026-01-31T08:00:00Z"},
		{"1 jan 2026 10:00 -0000", "2026-01-01T10:00:00Z"},
		{"31 Jan 2026 10:00:00", "2026-01-31T10:00:00Z"},
		{"-1.5", "1969-12-31T23:59:58.5Z"},
		{"9223372035", "2262-04-11T23:47:15Z"},
	}
	for _, test := range tests {
		got, err := kvsio.ParseTime(test.text)
		if err != nil || got.Format(time.RFC3339Nano) != test.want {
			t.Errorf("ParseTime(%q) = %v, %v; want %s", test.text, got, err, test.want)
		}
	}
}

func TestParseTimeRefuses(t *testing.T) {
	tests := []struct{ text, hint string }{
		{"1769853600123", "epoch milliseconds: in epoch seconds it is 1769853600.123"},
		{"1769853600123456", "epoch microseconds: in epoch seconds it is 1769853600.123456"},
		{"1769853600123456789", "epoch nanoseconds: in epoch seconds it is 1769853600.123456789"},
		{"20260131", "for the date write 2026-01-31, for the second 20260131.0"},
		{"20260131100000", "for the date write 2026-01-31T10:00:00Z"},
		{"9999999999", "after the year 2262"},
		{"99999999999999999999999", "after the year 2262"},
		{"2026-02-30", "RFC 3339"},
		{"yesterday", "RFC 3339"},
		{"1.769853600123e12", "epoch milliseconds: in epoch seconds it is 1769853600.123"},
		{"1e999", "after the year 2262"},
		{"1e1000", "RFC 3339"},
		{"1e", "RFC 3339"},
		{"0x10", "RFC 3339"},
		{"1_000", "RFC 3339"},
		{"NaN", "RFC 3339"},
		{"Sun, 31 Jan 2026 10:00:00 GMT", "that day is a Saturday"},
		{"31 Jan 2026 10:00:00 EST", "RFC 3339"},
		{"31 Jan 26 10:00:00", "RFC 3339"},
		{"31 Jan 2026", "RFC 3339"},
		{"01/02/2026", "RFC 3339"},
		{"2026-01-31T10", "RFC 3339"},
		{"2026-01-31T24:00", "RFC 3339"},
		{"2026-01-31T10:60", "RFC 3339"},
		{"2026-01-31T10:00:60Z", "RFC 3339"},
		{"2026-01-31T10:00+24:00", "RFC 3339"},
		{"2026-01-31T10:0000", "RFC 3339"},
		{"2026-0131", "RFC 3339"},
		{"2026-01-31Z", "RFC 3339"},
		{"2026-01-31T10:00:00 GMT+2", "RFC 3339"},
		{"2026-01-31T10:00:00.", "RFC 3339"},
		{"2026-01-31T10:00.5", "RFC 3339"},
		{"2026-01-31\n", "RFC 3339"},
		{"1,769,853,600", "RFC 3339"},
		{"", "RFC 3339"},
		{" 2026-01-31", "RFC 3339"},
	}
	for _, test := range tests {
		got, err := kvsio.ParseTime(test.text)
		if err == nil || !strings.Contains(err.Error(), test.hint) {
			t.Errorf("ParseTime(%q) = %v, %v; want an error with %q", test.text, got, err, test.hint)
		}
	}
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{
		"2026-01-31T10:00:00Z", "1769853600.5", "20260131", "1769853600123", "-0.000000001",
		"2026-01-31", "20260131T1000-02", "1.5e9", "Sat, 31 Jan 2026 10:00:00 GMT",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := kvsio.ParseTime(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("no message")
			}
			return
		}
		if again, err := kvsio.ParseTime(got.Format(time.RFC3339Nano)); err != nil || !again.Equal(got) {
			t.Errorf("ParseTime(%q) = %v, which reads as %v, %v", text, got, again, err)
		}
	})
}

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"3s": 3 * time.Second, "3000": 3 * time.Second, "500ms": 500 * time.Millisecond, "1m30s": 90 * time.Second, "0": 0,
		"-5": -5 * time.Millisecond,
	} {
		if got, err := kvsio.ParseInterval(text); err != nil || got != want {
			t.Errorf("ParseInterval(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "3.5", "1d", "three", "9223372036854775807", "1e3"} {
		if got, err := kvsio.ParseInterval(text); err == nil || !strings.Contains(err.Error(), "milliseconds") {
			t.Errorf("ParseInterval(%q) = %v, %v; want an error", text, got, err)
		}
	}
}
