package ask

import (
	"slices"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// A camera that is slower than the sampling: its pictures lie long before the instants,
// and one wrong time can lie just before the instant of another entry.
func TestPlaceOfAWrongTime(t *testing.T) {
	w := grid.Window{Start: 0, Step: 5000, N: 20}
	for _, c := range []struct {
		name  string
		times []int64
		asked int
		want  []int
		next  int // the instant that the next page begins with, at least
	}{
		{"the last page", []int64{86_184, 89_301}, 2, []int{-1, -1}, 20},
		{"a page shorter than what was asked for", []int64{89_900, 91_184, 94_301}, 25, []int{-1, -1, -1}, 21},
		{"in phase with the sampling", []int64{89_900, 94_900}, 25, []int{18, 19}, 20},
		{"an entry that nobody asked for", []int64{89_900, 92_400, 94_900}, 2, []int{18, -1, 19}, 20},
	} {
		var entries []Answer
		for _, ms := range c.times {
			entries = append(entries, Answer{Kind: Pictured, MS: ms})
		}
		at, to := place(w, position{cursor: 18, certain: true, before: UnknownTime}, entries, c.asked)
		if !slices.Equal(at, c.want) || to.cursor != c.next {
			t.Errorf("%s: instants %v, want %v; the next is %d, want %d", c.name, at, c.want, to.cursor, c.next)
		}
	}
}
