package shardtest

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/io/frame"
)

// LabelsIn finds the labels of all frames in a file of a format.
func LabelsIn(t testing.TB, format, content string) (all []string) {
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

// Labelled is a shard of which the first frame has labels, and the second none.
func Labelled() frame.Shard {
	shard := Shard(Door, 0, "ffnf")
	shard.Frames[0].Labels = map[string]string{"class": `dog "Rex"`, "age": "3"}
	shard.Frames[2].Labels = map[string]string{"class": "cat"}
	return shard
}
