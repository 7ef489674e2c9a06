//go:build readers

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// tensorReaders yield key and array of each frame of a dataset of tensors.
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
        show(s["key"], numpy.load(io.BytesIO(s["image"]["bytes"])))`,
	"parquet by datasets": `
import datasets, io
for s in datasets.load_dataset("parquet", data_files="out/shards/*/*.parquet", split="train"):
    show(s["key"], numpy.load(io.BytesIO(s["image"]["bytes"])))`,
	"tfrecord": `
import glob, io, tfrecord
for path in glob.glob("out/shards/*/*.tfrecord"):
    for s in tfrecord.tfrecord_loader(path, None, {"image/key": "byte", "image/encoded": "byte"}):
        show(bytes(s["image/key"]).decode(), numpy.load(io.BytesIO(bytes(s["image/encoded"]))))`,
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

// TestReadersOfTensors: numpy and those who use it read tensors, which show what
// the camera took; and so does what the card says.
func TestReadersOfTensors(t *testing.T) {
	for reader, program := range tensorReaders {
		t.Run(reader, func(t *testing.T) {
			format, _, _ := strings.Cut(reader, " ")
			u := newUser(t, readerCameras())
			args := ask(0, 3, "--dataset-format", format, "--shard-samples", "10", "--resize", "160x90", "--tensor", "uint8")
			args[2] = readerCameras().Streams[0].Name
			u.must(0, args...)
			want := recorded(t, filepath.Join(u.dir, "out"))
			var samples []sample
			for line := range strings.Lines(string(u.python("-c", showTensor+program))) {
				var s sample
				if err := json.Unmarshal([]byte(line), &s); err != nil {
					t.Fatal(err)
				}
				pixels := s.RGB
				s = want[s.Key]
				s.RGB = pixels
				samples = append(samples, s)
			}
			checkSamples(t, samples, want)
			u.runCard("out", 3)
		})
	}
}
