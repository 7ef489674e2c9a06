package dataset

import (
	"fmt"
	"slices"
	"sync"

	"github.com/kvsframes/kvsframes/internal/outside"
)

// ReportSchema names the form of a Report in JSON.
const ReportSchema = "kvsframes.verify/1"

// maxProblems bounds Report.Problems.
const maxProblems = 100

// Report is what [Verify] or [Repair] found. For every dataset
//
//	Frames + all Gaps + all Drops + Missing + Corrupt = Samples + Duplicate
//
// because each sample that was asked for or recorded ends as one of them, once
// for each receipt that has it.
type Report struct {
	Schema  string           `json:"schema"`  // ReportSchema
	Dataset string           `json:"dataset"` // the folder
	Samples int64            `json:"samples"` // asked for or recorded, each once
	Frames  int64            `json:"frames"`  // read back, as recorded: see Scope
	Gaps    map[string]int64 `json:"gaps"`    // by reason, FAILED too
	Drops   map[string]int64 `json:"drops"`   // by reason
	// asked for and in no receipt, or recorded as a frame whose file is not there
	Missing   int64 `json:"missing"`
	Duplicate int64 `json:"duplicate"` // recorded once more than once: a sample in three receipts counts two
	Corrupt   int64 `json:"corrupt"`   // frames whose file is not what was recorded
	Failed    int64 `json:"failed"`    // FAILED gaps
	Damaged   int64 `json:"damaged"`   // receipts and requests that cannot be read, or are another dataset's
	Unasked   int64 `json:"unasked"`   // samples that are recorded, and that no request asks for
	Foreign   int64 `json:"foreign"`   // files and folders in shards that are not the dataset's
	Stale     bool  `json:"stale"`     // rows of the index are not what its receipts say
	Shards    int64 `json:"shards"`    // receipts
	Complete  bool  `json:"complete"`  // Missing to Foreign are 0, the index is not stale, and a request is on record

	// Scope says how much was read back: "books" for [VerifyOptions.Books], "since TIME" for
	// [VerifyOptions.Since], empty for everything. Frames that were not read back count as their
	// receipts and the names of their files, with Books also the sizes, tell; so Complete says no
	// more of them.
	Scope  string `json:"scope,omitempty"`
	Unread int64  `json:"unread,omitempty"` // of Shards: those whose pictures were not read back

	// DamagedRequests is how many of Damaged are requests.
	DamagedRequests int64 `json:"damaged_requests,omitempty"`

	// Repairable reports whether [Dataset.Repair] takes something away, but for an index. What
	// is merely missing needs no repair: a backfill fetches it, or takes in the shard that has it.
	Repairable bool `json:"repairable,omitempty"`

	// Problems are for people: one line each, naming file, stream and time. The
	// harmful come first. At most 100, then how many more there are.
	Problems []string `json:"problems"`

	// What [Repair] did: how many shards, receipts and requests it took away or
	// wrote anew, and a line each for people, as Problems.
	Repaired int64    `json:"repaired,omitempty"`
	Repairs  []string `json:"repairs,omitempty"`
}

// findings collects problems from many goroutines, and keeps the same ones
// whatever order they come in.
type findings struct {
	mu       sync.Mutex
	harmful  lines
	harmless lines
}

func (f *findings) harm(format string, args ...any) { f.add(&f.harmful, format, args) }
func (f *findings) note(format string, args ...any) { f.add(&f.harmless, format, args) }

func (f *findings) add(to *lines, format string, args []any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	to.add(fmt.Sprintf(format, args...))
}

// take adds what others found, who have ended.
func (f *findings) take(others *findings) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.harmful.take(others.harmful)
	f.harmless.take(others.harmless)
}

func (f *findings) list() []string {
	all := append([]string{}, f.harmful.first()...) // not nil: it is a list in JSON
	all = append(all, f.harmless.first()...)
	all = all[:min(len(all), maxProblems)]
	if more := f.harmful.seen + f.harmless.seen - len(all); more > 0 {
		all = append(all, fmt.Sprintf("and %d more", more))
	}
	for i, line := range all {
		all[i] = outside.Text(line) // it has names and words of files in it, which may be anybody's
	}
	return all
}

// lines is the first maxProblems lines, in order, of all that were added.
type lines struct {
	kept []string
	seen int
}

func (l *lines) add(line string) { l.take(lines{[]string{line}, 1}) }

func (l *lines) take(others lines) {
	l.seen += others.seen
	l.kept = append(l.kept, others.kept...)
	if len(l.kept) >= 2*maxProblems {
		l.kept = l.first()
	}
}

func (l *lines) first() []string {
	slices.Sort(l.kept)
	return slices.Clone(l.kept[:min(len(l.kept), maxProblems)])
}
