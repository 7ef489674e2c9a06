package dataset

// ContentsSchema names the form of Contents in JSON.
const ContentsSchema = "kvsframes.index/1"

// Contents is what a dataset has, as its receipts tell it: nothing of it was read
// back. For every dataset
//
//	Frames + all Gaps + all Drops + Missing = Samples
type Contents struct {
	Schema   string           `json:"schema"`   // ContentsSchema
	Dataset  string           `json:"dataset"`  // the folder
	Samples  int64            `json:"samples"`  // asked for or recorded, each once
	Frames   int64            `json:"frames"`   //
	Gaps     map[string]int64 `json:"gaps"`     // by reason, FAILED too
	Drops    map[string]int64 `json:"drops"`    // by reason
	Missing  int64            `json:"missing"`  // asked for and in no receipt that can be read
	Bytes    int64            `json:"bytes"`    // of the frames' pictures, encoded
	Card     bool             `json:"card"`     // README.md was written: it is not somebody's own
	Complete bool             `json:"complete"` // something was asked for; Missing, FAILED gaps and Damaged are 0

	// Damaged are the files of sealed receipts that cannot be read, and that the index does not have
	// either. What they say counts as missing, though it may all be there: Repair makes them again.
	Damaged []string `json:"damaged,omitempty"`
}
