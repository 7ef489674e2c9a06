package dataset

import (
	"errors"
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
