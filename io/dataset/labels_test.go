package dataset

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

// labelledShard is a shard of which the first frame has labels, and the second none.
func labelledShard() framepb.Shard {
	shard := shardOf(door, 0, "ffnf")
	shard.Frames[0].Labels = map[string]string{"class": `dog "Rex"`, "age": "3"}
	shard.Frames[2].Labels = map[string]string{"class": "cat"}
	return shard
}

// TestLabels: what is said about frames is in every format, in the index, in packed
// sets, and still there after a shard was written anew.
func TestLabels(t *testing.T) {
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			dir, shard := createIn(t, format), labelledShard()
			write(t, dir, shard)
			if report, err := Verify(t.Context(), dir, VerifyOptions{}); err != nil || !report.Complete || report.Frames != 3 {
				t.Errorf("Verify = %+v, %v", report, err)
			}
			wantLabels(t, dir, shard)

			set := filepath.Join(t.TempDir(), "set")
			if err := packByHand(planned(t, dir, PackOptions{Format: format}), dir, set, nil); err != nil {
				t.Fatal(err)
			}
			for name, content := range map[string]string{"shard": tree(t, dir)[container.All[format].Path(shard.Span)], "set": tree(t, set)["train-000000"+extensionOf(container.All[format])]} {
				if got, want := labelsIn(t, format, content), []string{`{"age":"3","class":"dog \"Rex\""}`, `{}`, `{"class":"cat"}`}; strings.Join(got, " ") != strings.Join(want, " ") && format != "files" {
					t.Errorf("the %s has %v, want %v", name, got, want)
				}
			}

			write(t, dir, shardOf(door, 2, "nf")) // it has samples of the other
			if report, err := Repair(t.Context(), dir, VerifyOptions{}); err != nil || !report.Complete || report.Duplicate != 0 {
				t.Errorf("Repair = %+v, %v", report, err)
			}
			shard.Frames = shard.Frames[:2]
			wantLabels(t, dir, shard)
		})
	}
}

// TestLabelsThatAreNoTexts: a shard that would not be found whole is not written.
func TestLabelsThatAreNoTexts(t *testing.T) {
	shard := labelledShard()
	shard.Frames[0].Labels = map[string]string{"class": "\xff\xfe"}
	if _, err := writer(t, createIn(t, "webdataset")).Write(t.Context(), shard); err == nil || !strings.Contains(err.Error(), "has labels that are not UTF-8") {
		t.Errorf("the error is %v", err)
	}
}

// wantLabels looks into the index.
func wantLabels(t *testing.T, dir string, shard framepb.Shard) {
	t.Helper()
	samples := index(t, dir)
	for _, frame := range shard.Frames {
		for _, s := range samples {
			if s.SampleMs == frame.SampleMs && !maps.Equal(s.Labels, frame.Labels) {
				t.Errorf("%s has the labels %v, want %v", s.Key, s.Labels, frame.Labels)
			}
		}
	}
}

// labelsIn finds the labels of all frames in a file of a format.
func labelsIn(t *testing.T, format, content string) (all []string) {
	t.Helper()
	switch format {
	case "webdataset":
		for r := tar.NewReader(strings.NewReader(content)); ; {
			header, err := r.Next()
			if errors.Is(err, io.EOF) {
				return all
			}
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(header.Name, ".json") {
				var s struct{ Labels json.RawMessage }
				if err := json.NewDecoder(r).Decode(&s); err != nil {
					t.Fatal(err)
				}
				all = append(all, string(s.Labels))
			}
		}
	case "parquet":
		rows, err := parquet.Read[struct {
			Labels string `parquet:"labels,optional"`
		}](strings.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			all = append(all, row.Labels)
		}
	case "tfrecord":
		for _, piece := range strings.Split(content, "image/labels")[1:] {
			object := piece[strings.IndexByte(piece, '{'):]
			all = append(all, object[:strings.IndexByte(object, '}')+1])
		}
	}
	return all
}
