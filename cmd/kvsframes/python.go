package main

import "fmt"

// pythonLines load a dataset of each format as frames, by a pattern that finds its
// shards.
var pythonLines = map[string]struct{ line, shards string }{
	"files":      {`import datasets; frames = datasets.load_dataset("imagefolder", data_files=%q, split="train", drop_labels=True)`, "*/*/*"},
	"parquet":    {`import datasets; frames = datasets.load_dataset("parquet", data_files=%q, split="train")`, "*/*.parquet"},
	"tfrecord":   {`import tensorflow as tf; frames = tf.data.TFRecordDataset(tf.io.gfile.glob(%q))`, "*/*.tfrecord"},
	"webdataset": {`import glob, webdataset; frames = webdataset.WebDataset(glob.glob(%q), shardshuffle=False).decode("pil")`, "*/*.tar"},
}

// pythonLine is a line of Python that loads the dataset in a folder.
func pythonLine(format, dir string) string {
	python := pythonLines[format]
	return fmt.Sprintf(python.line, dir+"/shards/"+python.shards)
}
