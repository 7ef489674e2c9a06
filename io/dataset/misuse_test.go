package dataset

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// TestSeriesOfNoService: a series that no stream can have is neither asked for nor written:
// nobody could read it again.
func TestSeriesOfNoService(t *testing.T) {
	dir := create(t)
	before := tree(t, dir)
	for want, change := range map[string]func(*frame.Series){
		`"" is no name of a stream`:        func(s *frame.Series) { s.StreamName = "" },
		`"../x" is no name of a stream`:    func(s *frame.Series) { s.StreamName = "../x" },
		`"arn:x" is no ARN of a stream`:    func(s *frame.Series) { s.StreamARN = "arn:x" },
		`has the format "WEBP": it must b`: func(s *frame.Series) { s.Format = "WEBP" },
	} {
		series := door
		change(&series)
		shard := shardOf(series, 0, "nn")
		if err := opened(t, dir).Begin(t.Context(), shard.Span); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error of Begin is %v, want %s", err, want)
		}
		var is *ledger.ShardError
		if _, err := writer(t, dir).Write(t.Context(), shard); !errors.As(err, &is) || !strings.Contains(err.Error(), want) {
			t.Errorf("the error of Write is %v, want %s", err, want)
		}
	}
	equalTrees(t, tree(t, dir), before, "refused")
}

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
