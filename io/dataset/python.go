package dataset

import "fmt"

// loadings are how datasets of each format are loaded in Python, as frames.
var loadings = map[string]loading{
	"files":      {"*/*/*", `import datasets; frames = datasets.load_dataset("imagefolder", data_files=%q, split="train", drop_labels=True)`},
	"parquet":    {"*/*.parquet", `import datasets; frames = datasets.load_dataset("parquet", data_files=%q, split="train")`},
	"tfrecord":   {"*/*.tfrecord", `import tensorflow as tf; frames = tf.data.TFRecordDataset(tf.io.gfile.glob(%q))`},
	"webdataset": {"*/*.tar", `import glob, webdataset; frames = webdataset.WebDataset(glob.glob(%q), shardshuffle=False).decode("pil")`},
}

// tensorLoading is of single files that are tensors: datasets knows no folders of those.
var tensorLoading = loading{"*/*/*", `import glob, numpy; frames = map(numpy.load, sorted(glob.glob(%q)))`}

// loadingOf is how frames are loaded that are pictures, or tensors.
func loadingOf(format string, tensors bool) loading {
	if tensors && format == "files" {
		return tensorLoading
	}
	return loadings[format]
}

// isOfDatasets says whether Hugging Face's datasets loads frames by the card.
func isOfDatasets(format string, tensors bool) bool {
	return format != "tfrecord" && !(tensors && format == "files")
}

type loading struct {
	shards string // a pattern that finds the shards, within the folder shards
	line   string // of Python, with the pattern to come
}

// PythonLine is a line of Python that loads the dataset in a folder, which is of
// that format, as frames.
func PythonLine(format, dir string) string {
	return loadings[format].python(dir + "/")
}

// python is the line for shards that are below a prefix.
func (l loading) python(prefix string) string {
	return fmt.Sprintf(l.line, prefix+"shards/"+l.shards)
}
