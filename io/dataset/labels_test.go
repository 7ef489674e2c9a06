package dataset

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/kvsframes/kvsframes/io/framepb"
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
			for name, content := range map[string]string{"shard": tree(t, dir)[formats[format].Path(shard.Span)], "set": tree(t, set)["train-000000"+extensionOf(formats[format])]} {
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
	if _, err := WriteIndex(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	index, err := OpenIndex(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer index.Close()
	samples, err := index.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
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
				var s sidecar
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

// tensor is a .npy file as numpy writes it, of zeros.
func tensor(descr, shape string, values int) []byte {
	header := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }"
	header += strings.Repeat(" ", 127-10-len(header)) + "\n"
	return append([]byte("\x93NUMPY\x01\x00\x76\x00"+header), make([]byte, values)...)
}

func TestTensors(t *testing.T) {
	for _, format := range Formats() {
		dir, shard := createIn(t, format), shardOf(door, 0, "fnf")
		for i := range shard.Frames {
			shard.Frames[i].Format, shard.Frames[i].Data = framepb.NPY, tensor("|u1", "(1, 9, 16, 3)", 9*16*3)
		}
		write(t, dir, shard)
		if report, err := Verify(t.Context(), dir, VerifyOptions{}); err != nil || !report.Complete || report.Frames != 2 {
			t.Errorf("%s: %+v, %v", format, report, err)
		}
		if name := "_20260101T000000000Z.npy"; format != "tfrecord" && !bytes.Contains(allOf(t, dir), []byte(name)) {
			t.Errorf("%s: there is no %s", format, name)
		}
	}
	// Pixels alone are not what anybody could read again.
	shard := shardOf(door, 0, "f")
	shard.Frames[0].Format = framepb.RGB
	if _, err := writer(t, create(t)).Write(context.Background(), shard); err == nil || !strings.Contains(err.Error(), `has format "RGB", it must be JPEG, PNG or NPY`) {
		t.Errorf("pixels: %v", err)
	}
}

// allOf is the names and contents of all files.
func allOf(t *testing.T, dir string) (all []byte) {
	for name, content := range tree(t, dir) {
		all = append(append(all, name...), content...)
	}
	return all
}

func TestCheckNPY(t *testing.T) {
	for want, data := range map[string][]byte{
		"":                        tensor("<f4", "(1, 2, 3, 3)", 72),
		" ":                       tensor("<U5", "(7,)", 140),
		"  ":                      tensor("|u1", "()", 1),
		"does not begin as one":   []byte("\xff\xd8\xff\xe0 a JPEG"),
		"ends in its header":      tensor("<f4", "(1,)", 4)[:100],
		"header that cannot be":   tensor("[('a', '<f4')]", "(1,)", 4),
		"with 71 bytes of values": tensor("<f4", "(1, 2, 3, 3)", 71),
		"with 73 bytes of values": tensor("<f4", "(1, 2, 3, 3)", 73),
		"too large":               tensor("<f4", "(99999999999999999999, 2)", 8),
		"with 8 bytes of values":  tensor("<f4", "(100, 100, 100, 100)", 8),
	} {
		err := checkNPY(data)
		if strings.TrimSpace(want) == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.70q: %v, want %q", data, err, want)
		}
	}
}

func FuzzCheckNPY(f *testing.F) {
	f.Add(tensor("<f4", "(1, 2, 3, 3)", 72))
	f.Add([]byte("\x93NUMPY\x03\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if checkNPY(data) == nil && checkNPY(append(data, 0)) == nil {
			t.Error("a byte more changes nothing")
		}
	})
}
