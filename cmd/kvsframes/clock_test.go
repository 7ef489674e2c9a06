package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/pipeline"
)

// nowEnv makes this test binary the command, for a test that needs a process with a clock of its own:
// it holds the instant that the command takes for now, in RFC 3339.
const nowEnv = "KVSFRAMES_TEST_NOW"

func runAt(text string) (status int) {
	now, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return run(context.WithValue(context.Background(), nowKey{}, now), os.Args[1:], os.Stdout, os.Stderr)
}

// parsedAt reads the flags of a backfill at a moment.
func parsedAt(t *testing.T, now time.Time, args ...string) (pipeline.Options, error) {
	t.Helper()
	cmd := &cobra.Command{}
	flags := newBackfillFlags(cmd.Flags())
	cmd.SetContext(context.WithValue(t.Context(), nowKey{}, now))
	args = append([]string{"--out", "out", "--sampling-interval", "3s"}, args...)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return flags.parse(cmd)
}

// TestTimesOfABackfill: times depend on the one clock of the command, and on the zone.
func TestTimesOfABackfill(t *testing.T) {
	now := time.Date(2026, 3, 30, 6, 30, 0, 0, time.UTC) // the day after clocks in Rome were put forward
	type request struct {
		start, end       string
		relStart, relEnd bool
	}
	file := filepath.Join(t.TempDir(), "r.yaml")
	text := "- {stream_name: a}\n- {stream_name: b, start_timestamp: -2d, end_timestamp: today}\n" +
		"- {stream_name: c, start_timestamp: 2026-03-29, end_timestamp: 2026-03-30T00:00}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		want []request
	}{
		{
			"--stream-name a --start-timestamp -24h --end-timestamp now",
			[]request{{"2026-03-29T06:30:00Z", "2026-03-30T06:30:00Z", true, true}},
		},
		{
			"--stream-name a --stream-name b --start-timestamp=-1h30m --end-timestamp=-90m5s --start-timestamp=-1d",
			[]request{
				{"2026-03-29T06:30:00Z", "2026-03-30T04:59:55Z", true, true},
				{"2026-03-29T06:30:00Z", "2026-03-30T04:59:55Z", true, true},
			},
		},
		{
			"--stream-name a --start-timestamp yesterday --end-timestamp 2026-03-30T00:00 --time-zone Europe/Rome",
			[]request{{"2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", true, false}},
		},
		{
			"--time-zone America/New_York --requests " + file + " --start-timestamp 2026-03-29 --end-timestamp now",
			[]request{
				{"2026-03-29T04:00:00Z", "2026-03-30T06:30:00Z", false, true},
				{"2026-03-28T06:30:00Z", "2026-03-30T04:00:00Z", true, true},
				{"2026-03-29T04:00:00Z", "2026-03-30T04:00:00Z", false, false},
			},
		},
	} {
		o, err := parsedAt(t, now, strings.Fields(test.args)...)
		if err != nil || len(o.Requests) != len(test.want) || len(o.Relative) != len(test.want) || !o.Now.Equal(now) {
			t.Errorf("%s: %+v, %v", test.args, o.Requests, err)
			continue
		}
		for i, r := range o.Requests {
			got := request{
				r.StartTimestamp.Format(time.RFC3339), r.EndTimestamp.Format(time.RFC3339), o.Relative[i].Start, o.Relative[i].End,
			}
			if got != test.want[i] {
				t.Errorf("%s: request %d is %v, want %v", test.args, i+1, got, test.want[i])
			}
		}
	}
}

// TestTimesAreRefused: errors name the flag or the line, what was typed, and what it may be.
func TestTimesAreRefused(t *testing.T) {
	now := time.Date(2026, 3, 30, 6, 30, 0, 0, time.UTC)
	span := "--stream-name a --start-timestamp 2026-03-01 --end-timestamp now "
	for args, want := range map[string]string{
		span + "--start-timestamp -24x": `--start-timestamp is "-24x": it must be ` + timeInForms,
		span + "--start-timestamp now":  `--end-timestamp is "now": it must be after --start-timestamp, which is 2026-03-30T06:30`,
		span + "--time-zone Rome": `--time-zone is "Rome": it must be a name of the IANA time zone database, such as Europe/Rome, ` +
			"or UTC",
		span + "--time-zone Local":         `--time-zone is "Local": it must be`,
		span + "--time-zone=":              `--time-zone is "": it must be`,
		span + "--time-zone ../zone":       `--time-zone is "../zone": it must be`,
		span + "--align grid":              `--align is "grid": it must be dataset or epoch`,
		span + "--align=":                  `--align is "": it must be dataset or epoch`,
		"--stream-name a":                  "--start-timestamp is not set: it must be " + timeInForms,
		span + "--align epoch --new-phase": "--align and --new-phase are both given: it must be one of the two",
		span + "--time-zone Europe/Rome --start-timestamp 2026-03-29T02:15": `--start-timestamp is "2026-03-29T02:15": clocks in ` +
			"Europe/Rome do not show that time",
		span + "--image-selector-type SERVER_TIMESTAMP --end-timestamp 2026-03-31": "--end-timestamp is 2026-03-31T00:00:00Z, in " +
			"the future: it must be at most now, 2026-03-30T06:30:00Z",
	} {
		if _, err := parsedAt(t, now, strings.Fields(args)...); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", args, err, want)
		}
	}
}
