package ledger

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
)

// The endings of the names of a ledger's files, after the name of their span.
const (
	looseSuffix  = ".json"
	failedSuffix = ".failed"
	voidSuffix   = ".void"
	sealedSuffix = ".parquet"
)

// Entry is what the name of a file of receipts says; and of a sealed receipt, which shard
// of its file it is of.
type Entry struct {
	Span   frame.Span // of the shard; of a file of sealed receipts, of all its shards
	Failed bool       // with FAILED gaps
	Sealed string     // the name of the file of sealed receipts; empty where the receipt is loose
}

// Path returns where the receipt is, relative to the ledger's place and with
// forward slashes.
func (e Entry) Path() string {
	if e.Sealed != "" {
		return path.Join("sealed", e.Span.Series.ID(), e.Sealed)
	}
	return path.Join("ledger", e.Span.Series.ID(), receiptName(e))
}

// SealedEntry returns the entry of a file of sealed receipts. The digest is of what they
// say, of 12 hexadecimal digits: so a name never has another content.
func SealedEntry(span frame.Span, failed bool, digest string) Entry {
	entry := Entry{Span: span, Failed: failed}
	entry.Sealed = strings.TrimSuffix(receiptName(entry), looseSuffix) + "." + digest + sealedSuffix
	return entry
}

// voidPath is where the mark is that what sealed receipts say of a shard holds no longer.
func voidPath(span frame.Span) string {
	return path.Join("ledger", span.Series.ID(), span.Name()+voidSuffix+looseSuffix)
}

func receiptName(entry Entry) string {
	name := entry.Span.Name()
	if entry.Failed {
		name += failedSuffix
	}
	return name + looseSuffix
}

// parseReceiptName is parseName for the receipts of shards.
func parseReceiptName(series frame.Series, name string) (Entry, bool) {
	entry, ok := parseName(series, name)
	return entry, ok && checkShardSpan(entry.Span) == nil
}

// parseVoidName reads the name of a mark, of samples that a shard of the series can have.
func parseVoidName(series frame.Series, name string) (frame.Span, bool) {
	name, ok := strings.CutSuffix(name, voidSuffix+looseSuffix)
	if !ok {
		return frame.Span{}, false
	}
	entry, ok := parseReceiptName(series, name+looseSuffix)
	return entry.Span, ok && !entry.Failed
}

var sealedDigest = regexp.MustCompile(`^(.+)\.([0-9a-f]{12})$`)

// parseSealedName reads the name of a file of sealed receipts, of samples that the series
// can have and that one file may hold.
func parseSealedName(series frame.Series, name string) (Entry, bool) {
	stem, ok := strings.CutSuffix(name, sealedSuffix)
	parts := sealedDigest.FindStringSubmatch(stem)
	if !ok || parts == nil {
		return Entry{}, false
	}
	entry, ok := parseName(series, parts[1]+looseSuffix)
	entry.Sealed = name
	return entry, ok && entry.Span.Samples <= SealedSamples
}

// parseName reads what receiptName wrote, for samples that the series can have.
func parseName(series frame.Series, name string) (Entry, bool) {
	ms, samples, failed, ok := splitName(name)
	if !ok {
		return Entry{}, false
	}
	entry := Entry{Span: frame.Span{Series: series, First: series.Index(ms), Samples: samples}, Failed: failed}
	return entry, checkSpan(entry.Span) == nil && series.At(entry.Span.First) == ms && receiptName(entry) == name
}

// splitName reads the form of a name: instant, samples, and whether failed.
func splitName(name string) (ms, samples int64, failed, ok bool) {
	name, ok = strings.CutSuffix(name, looseSuffix)
	if !ok {
		return 0, 0, false, false
	}
	name, failed = strings.CutSuffix(name, failedSuffix)
	instant, count, ok := strings.Cut(name, "-")
	if !ok {
		return 0, 0, false, false
	}
	ms, err := frame.ParseInstant(instant)
	if err != nil {
		return 0, 0, false, false
	}
	samples, err = strconv.ParseInt(count, 10, 64)
	return ms, samples, failed, err == nil && samples > 0
}
