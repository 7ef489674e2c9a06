package sealed

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// digestSize is how many bytes of a SHA-256 a digest has.
const digestSize = 6

// Digest returns 12 hexadecimal digits of a SHA-256 of all that receipts say. They must be
// such as [Write] takes. Other versions of kvsframes return the same.
func Digest(receipts []*framepb.Receipt) string {
	hash := sha256.New()
	e := encoder{known: make(map[string]int)}
	e.table(receipts)
	for _, r := range receipts {
		e.columns(r)
		hash.Write(e.data)
		e.data = e.data[:0]
	}
	return hex.EncodeToString(hash.Sum(nil)[:digestSize])
}

// columns writes the columns of a receipt, whose lengths the table tells.
func (e *encoder) columns(r *framepb.Receipt) {
	e.numbers(r.GetSizes()...)
	e.data = append(e.data, r.GetSha256()...)
	for _, n := range r.GetImageOffsetsMs() {
		e.number(int64(uint32(n<<1) ^ uint32(n>>31))) // small where n is small
	}
	e.numbers(r.GetWidths()...)
	e.numbers(r.GetHeights()...)
	for _, labels := range r.GetLabels() {
		values := labels.GetValues()
		e.number(int64(len(values)))
		for _, name := range slices.Sorted(maps.Keys(values)) {
			e.text(name)
			e.text(values[name])
		}
	}
	e.numbers(r.GetTensorSizes()...)
	e.data = append(e.data, r.GetTensorSha256()...)
}
