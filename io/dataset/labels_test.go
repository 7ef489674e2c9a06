package dataset

import (
	"maps"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

// wantLabelsIn are the labels of shardtest.Labelled.
const wantLabelsIn = `{"age":"3","class":"dog \"Rex\""} {} {"class":"cat"}`

// TestLabels: what is said about frames is in every format, in the index, and still there after a shard was written
// anew.
func TestLabels(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			dir, shard := createIn(t, format), shardtest.Labelled()
			write(t, dir, shard)
			if report, err := opened(t, dir).Verify(t.Context(), VerifyOptions{}); err != nil || !report.Complete ||
				report.Frames != 3 {
				t.Errorf("Verify = %+v, %v", report, err)
			}
			wantLabels(t, dir, shard)

			content := tree(t, dir)[container.All[format].Path(shard.Span)]
			if got := shardtest.LabelsIn(t, format, content); strings.Join(got, " ") != wantLabelsIn && format != "files" {
				t.Errorf("the shard has %v, want %v", got, wantLabelsIn)
			}

			write(t, dir, shardOf(door, 2, "nf")) // it has samples of the other
			if report, err := opened(t, dir).Repair(t.Context(), VerifyOptions{}); err != nil || !report.Complete ||
				report.Duplicate != 0 {
				t.Errorf("Repair = %+v, %v", report, err)
			}
			shard.Frames = shard.Frames[:2]
			wantLabels(t, dir, shard)
		})
	}
}

// TestLabelsThatAreNoTexts: a shard that would not be found whole is not written.
func TestLabelsThatAreNoTexts(t *testing.T) {
	shard := shardtest.Labelled()
	shard.Frames[0].Labels = map[string]string{"class": "\xff\xfe"}
	if _, err := writer(t, createIn(t, "webdataset")).Write(t.Context(), shard); err == nil ||
		!strings.Contains(err.Error(), "has labels that are not UTF-8") {
		t.Errorf("the error is %v", err)
	}
}

// wantLabels looks into the index.
func wantLabels(t *testing.T, dir string, shard frame.Shard) {
	t.Helper()
	seals(t, dir)
	samples := samplesIn(t, dir)
	for _, f := range shard.Frames {
		for _, s := range samples {
			if s.SampleMs == f.SampleMs && !maps.Equal(s.Labels, f.Labels) {
				t.Errorf("%s has the labels %v, want %v", s.Key, s.Labels, f.Labels)
			}
		}
	}
}
