//go:build readers

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset"
)

// tensorReaders yield key and array of each frame of a dataset of tensors. Where
// these stand beside pictures, they are in fields of other names.
var tensorReaders = map[string]string{
	"webdataset": `
import glob, webdataset
for s in webdataset.WebDataset(glob.glob("out/shards/*/*.tar"), shardshuffle=False).decode():
    show(s["__key__"], s["npy"])`,
	"webdataset by datasets": `
import datasets
for s in datasets.load_dataset("webdataset", data_files="out/shards/*/*.tar", split="train"):
    show(s["__key__"], numpy.array(s["npy"], "uint8"))`,
	"parquet": `
import glob, io, pyarrow.parquet
for path in glob.glob("out/shards/*/*.parquet"):
    for s in pyarrow.parquet.read_table(path).to_pylist():
        show(s["key"], numpy.load(io.BytesIO(s["tensor"] if beside else s["image"]["bytes"])))`,
	"parquet by datasets": `
import datasets, io
for s in datasets.load_dataset("parquet", data_files="out/shards/*/*.parquet", split="train"):
    show(s["key"], numpy.load(io.BytesIO(s["tensor"] if beside else s["image"]["bytes"])))`,
	"tfrecord": `
import glob, io, tfrecord
for path in glob.glob("out/shards/*/*.tfrecord"):
    field = "image/tensor" if beside else "image/encoded"
    for s in tfrecord.tfrecord_loader(path, None, {"image/key": "byte", field: "byte"}):
        show(bytes(s["image/key"]).decode(), numpy.load(io.BytesIO(bytes(s[field]))))`,
	"files": `
import glob, os
for path in glob.glob("out/shards/*/*/*.npy"):
    show(os.path.basename(path)[:-4], numpy.load(path))`,
}

const showTensor = `
import base64, json, numpy
def show(key, a):
    assert a.shape == (1, 90, 160, 3) and a.dtype == numpy.uint8, (a.shape, a.dtype)
    print(json.dumps({"Key": key, "RGB": base64.b64encode(a.tobytes()).decode()}))
`

// backfillTensors makes a dataset of tensors.
func backfillTensors(t *testing.T, format, kind string) *user {
	u := newUser(t, readerCameras())
	args := ask(0, 3, "--dataset-format", format, "--shard-samples", "10", "--resize", "160x90", "--tensor", kind)
	args[2] = readerCameras().Streams[0].Name
	u.must(0, args...)
	return u
}

// readTensors has a program read a dataset of tensors, which must show what the
// camera took.
func (u *user) readTensors(program string) {
	u.t.Helper()
	want := recorded(u.t, filepath.Join(u.dir, "out"))
	var samples []sample
	for line := range strings.Lines(string(u.python("-c", showTensor+program))) {
		var s sample
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			u.t.Fatal(err)
		}
		pixels := s.RGB
		s = want[s.Key]
		s.RGB = pixels
		samples = append(samples, s)
	}
	checkSamples(u.t, samples, want)
}

// TestReadersOfTensors: numpy and those who use it read tensors, and so does what the
// card says.
func TestReadersOfTensors(t *testing.T) {
	for reader, program := range tensorReaders {
		t.Run(reader, func(t *testing.T) {
			format, _, _ := strings.Cut(reader, " ")
			u := backfillTensors(t, format, "uint8")
			u.readTensors("beside = False" + program)
			u.runCard("out", 3)
		})
	}
}

// TestReadersOfTensorsBeside: where tensors stand beside pictures, everybody reads
// either.
func TestReadersOfTensorsBeside(t *testing.T) {
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			u := backfillTensors(t, format, "uint8:beside")
			for reader, program := range tensorReaders {
				if of, _, _ := strings.Cut(reader, " "); of == format {
					u.readTensors("beside = True" + program)
				}
			}
			all := []string{"index_duckdb", "index_tensors", "card"}
			for _, reader := range readers {
				if reader.format == format {
					all = append(all, reader.name)
				}
			}
			for _, reader := range all {
				checkSamples(t, u.read(reader), recorded(t, filepath.Join(u.dir, "out")))
			}
			u.runCard("out", 3)
			u.load(card.PythonLine(format, "out"), float64(len(recorded(t, filepath.Join(u.dir, "out")))))
		})
	}
}
