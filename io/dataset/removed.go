package dataset

import "github.com/kvsframes/kvsframes/io/frame"

// RemovedSchema names the form of Removed in JSON.
const RemovedSchema = "kvsframes.remove/1"

// Removed is what [Dataset.Remove] has removed, or what it would, as requests, receipts and the
// index tell it.
type Removed struct {
	Schema  string `json:"schema"`  // RemovedSchema
	Dataset string `json:"dataset"` // the folder
	Done    bool   `json:"done"`    // it is gone; false: nothing was changed
	RemovedCount
	Series []RemovedSeries `json:"series"` // those that have something to remove, in the order of their IDs
}

// RemovedCount counts what goes.
type RemovedCount struct {
	Samples int64 `json:"samples"` // asked for or recorded, each once
	Frames  int64 `json:"frames"`  // of the samples
	Bytes   int64 `json:"bytes"`   // of the frames' pictures, encoded
	Shards  int64 `json:"shards"`  // that have some of the samples
	Cut     int64 `json:"cut"`     // of the shards: they have other samples, too, and are written anew with these

	// Unrecorded counts shards that go, too, whose frames are not counted: no receipt tells of them,
	// because receipts were lost, or the process that wrote or removed them was killed.
	Unrecorded int64 `json:"unrecorded,omitempty"`
}

func (c *RemovedCount) add(other RemovedCount) {
	c.Samples += other.Samples
	c.Frames += other.Frames
	c.Bytes += other.Bytes
	c.Shards += other.Shards
	c.Cut += other.Cut
	c.Unrecorded += other.Unrecorded
}

// RemovedSeries is what goes of a series. It has no samples where all that goes is what a
// process that was killed has left.
type RemovedSeries struct {
	Stream    string `json:"stream"`     // name
	StreamARN string `json:"stream_arn"` // empty where only the name is known
	ID        string `json:"series"`     // [frame.Series.ID]
	RemovedCount
	FirstSample string `json:"first_sample"` // RFC 3339 with milliseconds; empty where there are no samples
	LastSample  string `json:"last_sample"`  // likewise

	Series frame.Series `json:"-"` // how the stream is sampled
}
