package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/pipeline"
)

var (
	metricsHead   = regexp.MustCompile(`^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$`)
	metricsSample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\} (\S+)$`)
)

// parseMetrics reads Prometheus' text format, strictly: each family has a HELP and a TYPE and all
// of its samples follow, each once, and the last line ends. It returns values by name and labels.
func parseMetrics(t *testing.T, text string) map[string]float64 {
	t.Helper()
	values, families := map[string]float64{}, map[string]bool{}
	if !strings.HasSuffix(text, "\n") {
		t.Errorf("the last line has no end:\n%s", text)
	}
	help, family := "", ""
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if m := metricsHead.FindStringSubmatch(line); m != nil {
			switch {
			case m[1] == "HELP" && !families[m[2]]:
				help, family = m[2], ""
				families[m[2]] = true
			case m[1] == "TYPE" && m[2] == help && m[3] == "gauge":
				family = m[2]
			default:
				t.Errorf("out of place: %s", line)
			}
			continue
		}
		m := metricsSample.FindStringSubmatch(line)
		if m == nil || m[1] != family || strings.HasSuffix(m[2], ",") {
			t.Errorf("not a sample of %s: %s", family, line)
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		key := m[1] + "{" + m[2] + "}"
		if _, twice := values[key]; err != nil || twice {
			t.Errorf("a value twice, or none: %s", line)
		}
		values[key] = value
	}
	return values
}

// TestMetricsText: names, labels and values are what Prometheus takes, whatever names there are.
func TestMetricsText(t *testing.T) {
	now := time.UnixMilli(1_767_225_600_500)
	odd := pipeline.Summary{
		Schema: pipeline.SummarySchema, Status: pipeline.StatusIncomplete, Dataset: "a \"b\"\\c\nd\xff",
		Streams: []pipeline.StreamSummary{
			{Stream: "cam", StreamARN: "arn:1", Status: pipeline.StatusComplete, Counts: pipeline.Counts{Samples: 12_345_678}},
			{
				Stream: "cam", StreamARN: "arn:2", Status: pipeline.StatusIncomplete, Missing: 3,
				Counts: pipeline.Counts{Gaps: map[string]int64{"NO_MEDIA": 5, "FAILED": 2}},
			},
		},
	}
	got := parseMetrics(t, metricsText(odd, now))
	const dataset = `{dataset="a \"b\"\\c\nd` + "\uFFFD" + `"`
	for name, want := range map[string]float64{
		`status` + dataset + `,status="incomplete"}`:                             1,
		`status` + dataset + `,status="complete"}`:                               0,
		`last_run_timestamp_seconds` + dataset + `}`:                             1_767_225_600.5,
		`samples` + dataset + `,stream="cam",stream_arn="arn:1"}`:                12_345_678,
		`missing` + dataset + `,stream="cam",stream_arn="arn:2"}`:                3,
		`gaps` + dataset + `,stream="cam",stream_arn="arn:2",reason="NO_MEDIA"}`: 5,
		`stream_complete` + dataset + `,stream="cam",stream_arn="arn:1"}`:        1,
		`stream_complete` + dataset + `,stream="cam",stream_arn="arn:2"}`:        0,
		`error` + dataset + `,kind="unreachable"}`:                               0,
	} {
		if value, ok := got["kvsframes_backfill_"+name]; !ok || value != want {
			t.Errorf("%s is %v (%t), want %v", name, value, ok, want)
		}
	}
	odd.Unknown = "ExpiredToken"
	for name := range parseMetrics(t, metricsText(odd, now)) {
		if strings.Contains(name, "_samples") || strings.Contains(name, "_missing") {
			t.Errorf("%s is not known", name)
		}
	}
}

// TestMetricsFile: it is there after every run, whole, readable for others, and nothing beside it.
func TestMetricsFile(t *testing.T) {
	t.Parallel()
	cam := camera("cam")
	cam.Media[0].From = demoStart.Add(5 * time.Minute)
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{cam}})
	for _, test := range []struct {
		more   []string
		exit   int
		status string
		kind   string
	}{
		{nil, 0, "complete", ""},
		{[]string{"--max-gap-ratio", "0.5"}, 0, "complete", ""},
		{[]string{"--max-gap-ratio", "0.2"}, 3, "incomplete", ""},
		{[]string{"--sampling-interval", "soon"}, 2, "refused", "mistake"},
		{[]string{"--log-level", "loud"}, 2, "refused", "mistake"},
		{[]string{"--stream-name", "nope"}, 2, "refused", "stream_gone"},
	} {
		o := u.run(ask(0, 10, append(test.more, "--metrics-file", "m.prom")...)...)
		if o.status != test.exit {
			t.Fatalf("%v: exit status %d, want %d; stderr:\n%s", test.more, o.status, test.exit, o.stderr)
		}
		path := filepath.Join(u.dir, "m.prom")
		text, err := os.ReadFile(path)
		info, err2 := os.Stat(path)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		got := parseMetrics(t, string(text))
		for name, value := range got {
			want := strings.Contains(name, `,status="`+test.status+`"`) || test.kind != "" && strings.Contains(name, `kind="`+test.kind+`"`)
			if of, _, _ := strings.Cut(name, "{"); (of == "kvsframes_backfill_status" || of == "kvsframes_backfill_error") &&
				is(want) != value {
				t.Errorf("%v: %s is %v", test.more, name, value)
			}
		}
		if test.exit == 0 || test.exit == 3 {
			label := `dataset="out",stream="cam",stream_arn="` + u.server.StreamARN("cam") + `"`
			if got["kvsframes_backfill_frames{"+label+"}"] != 100 || got["kvsframes_backfill_gaps{"+label+`,reason="NO_MEDIA"}`] != 100 {
				t.Errorf("%v: the file is\n%s", test.more, text)
			}
		}
		if info.Mode().Perm() != 0o644 {
			t.Errorf("its mode is %v", info.Mode())
		}
		if left, _ := filepath.Glob(filepath.Join(u.dir, ".m.prom*")); len(left) > 0 {
			t.Errorf("%v is left", left)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	o := u.run(ask(0, 10, "--max-gap-ratio", "0.2", "--json")...)
	const want = "more than 0.2 (--max-gap-ratio) of the samples are gaps or missing of cam"
	wantOneLine(t, o, 3, want)
	got := object(t, o.stdout)
	wants(t, got, map[string]any{
		"status": `"incomplete"`, "complete": true, "error": "null", "reason": `"out is not complete: ` + want + `"`,
	})
	wants(t, got["streams"].([]any)[0].(map[string]any), map[string]any{
		"status": `"incomplete"`, "complete": true,
		"reason": `"100 of 200 samples are gaps or missing, more than a share of 0.2"`,
	})
}
