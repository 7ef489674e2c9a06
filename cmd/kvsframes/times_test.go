package main

import (
	"strings"
	"testing"
	"time"
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
		{"-1.5", "1969-12-31T23:59:58.5Z"},
		{"9223372035", "2262-04-11T23:47:15Z"},
	}
	for _, test := range tests {
		got, err := parseTime(test.text)
		if err != nil || got.Format(time.RFC3339Nano) != test.want {
			t.Errorf("parseTime(%q) = %v, %v; want %s", test.text, got, err, test.want)
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
		{"2026-01-31 10:00", "RFC 3339"},
		{"yesterday", "RFC 3339"},
		{"1.7e9", "RFC 3339"},
		{"1,769,853,600", "RFC 3339"},
		{"", "RFC 3339"},
		{" 2026-01-31", "RFC 3339"},
	}
	for _, test := range tests {
		got, err := parseTime(test.text)
		if err == nil || !strings.Contains(err.Error(), test.hint) {
			t.Errorf("parseTime(%q) = %v, %v; want an error with %q", test.text, got, err, test.hint)
		}
	}
}

func FuzzTime(f *testing.F) {
	for _, seed := range []string{"2026-01-31T10:00:00Z", "1769853600.5", "20260131", "1769853600123", "-0.000000001", "2026-01-31"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTime(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("no message")
			}
			return
		}
		if again, err := parseTime(got.Format(time.RFC3339Nano)); err != nil || !again.Equal(got) {
			t.Errorf("parseTime(%q) = %v, which reads as %v, %v", text, got, again, err)
		}
	})
}

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"3s": 3 * time.Second, "3000": 3 * time.Second, "500ms": 500 * time.Millisecond, "1m30s": 90 * time.Second, "0": 0, "-5": -5 * time.Millisecond,
	} {
		if got, err := parseInterval(text); err != nil || got != want {
			t.Errorf("parseInterval(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "3.5", "1d", "three", "9223372036854775807", "1e3"} {
		if got, err := parseInterval(text); err == nil || !strings.Contains(err.Error(), "milliseconds") {
			t.Errorf("parseInterval(%q) = %v, %v; want an error", text, got, err)
		}
	}
}
