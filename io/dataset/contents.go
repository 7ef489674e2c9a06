package dataset

import (
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

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
	Complete bool             `json:"complete"` // something was asked for; Missing and FAILED gaps are 0
}

// tally is what is counted while the index is written.
type tally struct {
	contents Contents
	cover    covers
	days     map[streamDay]*dayCount
	tensors  bool // there are frames that are .npy files
}

func newTally() tally {
	return tally{
		contents: Contents{Gaps: make(map[string]int64), Drops: make(map[string]int64)},
		cover:    make(covers),
		days:     make(map[streamDay]*dayCount),
	}
}

// streamDay is a day of a stream, in UTC.
type streamDay struct {
	stream string
	day    int64 // since the Unix epoch
}

type dayCount struct {
	samples, frames int64
	gaps, drops     map[string]int64 // by reason; nil where there are none
}

const dayMs = 24 * 60 * 60 * 1000

func (t *tally) add(part indexed) {
	t.cover.of(part.span.Series).record(part.span)
	for i := range part.samples {
		t.addSample(&part.samples[i])
	}
}

func (t *tally) addSample(s *Sample) {
	at := streamDay{s.Stream, s.SampleMs / dayMs}
	day := t.days[at]
	if day == nil {
		day = new(dayCount)
		t.days[at] = day
	}
	day.samples++
	t.contents.Samples++
	switch s.Kind {
	case ledger.Frame:
		day.frames++
		t.tensors = t.tensors || s.Format == frame.NPY
		t.contents.Frames++
		t.contents.Bytes += s.Size
	case ledger.Gap:
		addReason(&day.gaps, s.Outcome, 1)
		t.contents.Gaps[s.Outcome]++
	case ledger.Drop:
		addReason(&day.drops, s.Outcome, 1)
		t.contents.Drops[s.Outcome]++
	}
}

func addReason(to *map[string]int64, reason string, n int64) {
	if *to == nil {
		*to = make(map[string]int64)
	}
	(*to)[reason] += n
}
