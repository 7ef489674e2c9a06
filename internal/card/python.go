// Package card has what the README.md of a dataset and that of a packed set share: what
// Hugging Face's datasets and its hub read, and how each format is loaded in Python.
package card

import "fmt"

// loadings are how datasets of each format are loaded in Python, as frames.
var loadings = map[string]Loading{
	"files":      {"*/*/*", `import datasets; frames = datasets.load_dataset("imagefolder", data_files=%q, split="train", drop_labels=True)`},
	"parquet":    {"*/*.parquet", `import datasets; frames = datasets.load_dataset("parquet", data_files=%q, split="train")`},
	"tfrecord":   {"*/*.tfrecord", `import tensorflow as tf; frames = tf.data.TFRecordDataset(tf.io.gfile.glob(%q))`},
	"webdataset": {"*/*.tar", `import glob, webdataset; frames = webdataset.WebDataset(glob.glob(%q), shardshuffle=False).decode("pil")`},
}

// tensorLoading is of single files that are tensors: datasets knows no folders of those.
var tensorLoading = Loading{"*/*/*", `import glob, numpy; frames = map(numpy.load, sorted(glob.glob(%q)))`}

// LoadingOf returns how frames are loaded that are pictures, or tensors.
func LoadingOf(format string, tensors bool) Loading {
	if tensors && format == "files" {
		return tensorLoading
	}
	return loadings[format]
}

// IsOfDatasets reports whether Hugging Face's datasets loads frames by the card.
func IsOfDatasets(format string, tensors bool) bool {
	return format != "tfrecord" && !(tensors && format == "files")
}

// Loading is how frames are loaded in Python.
type Loading struct {
	Shards string // a pattern that finds the shards, within the folder shards
	Line   string // of Python, with the pattern to come
}

// Python returns the line for shards that are below a prefix.
func (l Loading) Python(prefix string) string {
	return fmt.Sprintf(l.Line, prefix+"shards/"+l.Shards)
}

// PythonLine returns the line that loads a dataset of pictures in a folder, as frames.
func PythonLine(format, dir string) string { return LoadingOf(format, false).Python(dir + "/") }
