package dataset

import (
	"fmt"
	"strings"
	"testing"
)

// TestNoSuchGroup: a group that an index does not have is no damage of the index.
func TestNoSuchGroup(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "fnfd"))
	if _, err := writeIndex(t.Context(), t, dir); err != nil {
		t.Fatal(err)
	}
	x, err := opened(t, dir).OpenIndex(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	for _, group := range []int{-1, 1, 1 << 40} {
		_, err := x.Read(t.Context(), group)
		if want := fmt.Sprintf("group is %d: it must be from 0 on and less than 1", group); err == nil ||
			!strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
