package sealed

import (
	"fmt"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// textRoom is how many bytes the labels of a file may have when they are decompressed, and its
// causes. Tests lower it.
var textRoom = bodyLimit

const (
	dictionaryLimit = 1 << 20 // bytes of a dictionary: where there would be more, every text is written out
	textOverhead    = 16      // bytes: more than what stands around a text
)

// texts is how much room a column of texts takes.
type texts struct {
	all, distinct int // bytes, with what stands around each
	known         map[string]bool
}

func (t *texts) add(text string, samples int32) {
	size := len(text) + textOverhead
	t.all += size * int(samples)
	if t.distinct <= dictionaryLimit && !t.known[text] {
		t.known[text] = true
		t.distinct += size
	}
}

func (t *texts) fit() bool { return t.all <= textRoom || t.distinct <= min(dictionaryLimit, textRoom) }

// checkTexts refuses what a reader would not take for a file of ours. The error names the
// first receipt that does not fit.
func checkTexts(receipts []*framepb.Receipt) error {
	labels, causes := texts{known: make(map[string]bool)}, texts{known: make(map[string]bool)}
	for _, r := range receipts {
		for _, of := range r.GetLabels() {
			if len(of.GetValues()) > 0 {
				labels.add(frame.LabelsJSON(of.GetValues()), 1)
			}
		}
		for _, gap := range r.GetGaps() {
			if gap.GetCause() != "" {
				causes.add(gap.GetCause(), gap.GetSamples())
			}
		}
		if !labels.fit() {
			return fmt.Errorf("the receipt of %v: up to it, labels take %d bytes, they must take at most %d in a file: "+
				"make the labels of its series shorter", r.Span(), labels.all, textRoom)
		}
		if !causes.fit() {
			return fmt.Errorf("the receipt of %v: up to it, causes of gaps take %d bytes, they must take at most %d in a "+
				"file: make the causes shorter", r.Span(), causes.all, textRoom)
		}
	}
	return nil
}
