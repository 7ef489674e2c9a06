package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/pipeline"
)

// statuses are all that a backfill may end with.
var statuses = []pipeline.Status{
	pipeline.StatusComplete, pipeline.StatusSubmitted, pipeline.StatusPlanned, pipeline.StatusFailed, pipeline.StatusRefused,
	pipeline.StatusIncomplete, pipeline.StatusInterrupted,
}

// checkMetricsFile returns an error where no file can be written at a path.
func checkMetricsFile(path string) error {
	info, err := os.Stat(filepath.Dir(path))
	switch {
	case err != nil:
		return fmt.Errorf("--metrics-file is %s: %w: its folder must exist", quoted(path), err)
	case !info.IsDir():
		return fmt.Errorf("--metrics-file is %s: it must be in a folder", quoted(path))
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("--metrics-file is %s: that is no file: name one, such as kvsframes.prom", quoted(path))
	}
	return nil
}

// writeMetrics writes the result of a backfill for Prometheus' node_exporter, which may read
// the file at any time, as another user.
func writeMetrics(path string, s pipeline.Summary, now time.Time) error {
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*.tmp") // node_exporter reads *.prom
	if err != nil {
		return fmt.Errorf("--metrics-file: %w", err)
	}
	_, err = io.WriteString(temp, metricsText(s, now))
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		os.Remove(temp.Name())
		return fmt.Errorf("--metrics-file: %w", err)
	}
	return nil
}

// metricsText is a summary in Prometheus' text format. What is not known is left out.
func metricsText(s pipeline.Summary, now time.Time) string {
	m := &metrics{dataset: s.Dataset}
	m.family("status", "1 for how the last run ended, 0 for all other ways.")
	for _, status := range statuses {
		m.sample(is(s.Status == status), "status", string(status))
	}
	m.family("error", "1 for the kind of the last run's error, 0 for all other kinds.")
	for _, kind := range pipeline.Kinds {
		m.sample(is(s.Error != nil && s.Error.Kind == kind), "kind", string(kind))
	}
	m.family("last_run_timestamp_seconds", "When the last run ended, in seconds since the Unix epoch.")
	m.sample(float64(now.UnixMilli()) / 1000)
	if s.Schema == "" {
		return m.String()
	}
	m.family("duration_seconds", "How long the last run took.")
	m.sample(s.Seconds)
	if s.Unknown == "" {
		m.counts(s)
	}
	for _, of := range []struct {
		name, help string
		n          *int64
	}{
		{"get_images_calls", "Calls of GetImages in the last run.", s.GetImagesCalls},
		{"retries", "Calls of GetImages that were made again in the last run.", s.Retries},
		{"throttles", "Calls of GetImages that were throttled in the last run.", s.Throttles},
	} {
		if of.n != nil {
			m.family(of.name, of.help)
			m.sample(float64(*of.n))
		}
	}
	return m.String()
}

// counts adds what a summary counts.
func (m *metrics) counts(s pipeline.Summary) {
	for _, of := range []struct {
		name, help string
		n          int64
	}{
		{"fetched_samples", "Samples that the last run recorded.", s.Fetched.Samples},
		{"fetched_frames", "Pictures that the last run fetched.", s.Fetched.Frames},
		{"fetched_bytes", "Bytes of the pictures that the last run fetched.", s.Fetched.Bytes},
		{"duplicates", "Samples that are recorded more than once.", s.Duplicates},
	} {
		m.family(of.name, of.help)
		m.sample(float64(of.n))
	}
	for _, of := range []struct {
		name, help string
		n          func(pipeline.StreamSummary) float64
	}{
		{"stream_complete", "1 where the dataset has all that is asked for of a stream.", func(s pipeline.StreamSummary) float64 {
			return is(s.Status == pipeline.StatusComplete)
		}},
		{"samples", "Samples that are asked for.", func(s pipeline.StreamSummary) float64 { return float64(s.Samples) }},
		{"frames", "Samples that are frames.", func(s pipeline.StreamSummary) float64 { return float64(s.Frames) }},
		{"missing", "Samples that are recorded nowhere.", func(s pipeline.StreamSummary) float64 { return float64(s.Missing) }},
		{"pending", "Samples that are too young to be asked for.", func(s pipeline.StreamSummary) float64 { return float64(s.Pending) }},
	} {
		m.family(of.name, of.help)
		for _, stream := range s.Streams {
			m.sample(of.n(stream), "stream", stream.Stream, "stream_arn", stream.StreamARN)
		}
	}
	for _, of := range []struct {
		name, help string
		n          func(pipeline.StreamSummary) map[string]int64
	}{
		{"gaps", "Samples without a picture.", func(s pipeline.StreamSummary) map[string]int64 { return s.Gaps }},
		{"drops", "Frames that were left out on purpose.", func(s pipeline.StreamSummary) map[string]int64 { return s.Drops }},
	} {
		m.family(of.name, of.help)
		for _, stream := range s.Streams {
			reasons := of.n(stream)
			for _, reason := range slices.Sorted(maps.Keys(reasons)) {
				m.sample(float64(reasons[reason]), "stream", stream.Stream, "stream_arn", stream.StreamARN, "reason", reason)
			}
		}
	}
}

func is(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// metrics is text of Prometheus' format. All are gauges: a run counts from 0.
type metrics struct {
	strings.Builder
	dataset string // a label of each sample: there may be a file for each of several datasets
	name    string
}

func (m *metrics) family(name, help string) {
	m.name = "kvsframes_backfill_" + name
	fmt.Fprintf(m, "# HELP %s %s\n# TYPE %[1]s gauge\n", m.name, help)
}

// label escapes what the format does not take in a label's value.
var label = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample adds a value of the last family. labels are names and values in turn.
func (m *metrics) sample(value float64, labels ...string) {
	fmt.Fprintf(m, `%s{dataset="%s"`, m.name, label.Replace(strings.ToValidUTF8(m.dataset, "\uFFFD")))
	for i := 0; i+1 < len(labels); i += 2 {
		fmt.Fprintf(m, `,%s="%s"`, labels[i], label.Replace(strings.ToValidUTF8(labels[i+1], "\uFFFD")))
	}
	fmt.Fprintf(m, "} %v\n", value)
}
