package dataset

import (
	"context"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

func TestMain(m *testing.M) { ptest.Main(m) }

// What tests of datasets share, by short names.
var (
	door        = shardtest.Door
	draw        = shardtest.Draw
	shardOf     = shardtest.Shard
	tensor      = shardtest.Tensor
	withTensors = shardtest.WithTensors
	tree        = shardtest.Tree
	equalTrees  = shardtest.EqualTrees
	overwrite   = foldertest.Overwrite
	flip        = foldertest.Flip
	flipAt      = foldertest.FlipAt
)

const first = shardtest.First

// create makes a new dataset of single files in a new folder.
func create(t testing.TB) string { return createIn(t, "files") }

func createIn(t testing.TB, format string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := Create(t.Context(), dir, Options{Format: format}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func opened(t testing.TB, dir string) *Dataset {
	t.Helper()
	ds, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

// seals seals what is loose in a dataset, and writes no card.
func seals(t testing.TB, dir string) {
	t.Helper()
	if err := sealAll(t.Context(), opened(t, dir)); err != nil {
		t.Fatal(err)
	}
}

func sealAll(ctx context.Context, d *Dataset) error {
	all, err := d.ledger.Survey(ctx)
	if err == nil {
		err = d.seal(ctx, all, nil)
	}
	return err
}

func writer(t testing.TB, dir string) *Writer {
	t.Helper()
	w, err := opened(t, dir).NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// write writes shards, and asks for them.
func write(t testing.TB, dir string, shards ...frame.Shard) {
	t.Helper()
	w := writer(t, dir)
	for _, shard := range shards {
		shard.Transforms = w.of.desc.Transforms
		shardtest.Write(t, w.of.ledger, w, shard)
	}
}

// settled is tree once all writers are done: they have left nothing in tmp, and
// Sweep removes it.
func settled(t testing.TB, dir string) map[string]string {
	t.Helper()
	wantNoLeftovers(t, dir, "settled")
	if err := opened(t, dir).Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	return tree(t, dir)
}

func wantNoLeftovers(t testing.TB, dir, when string) {
	t.Helper()
	if left := foldertest.Leftovers(t, dir); len(left) > 0 {
		t.Errorf("%s: in tmp is left %v", when, left)
	}
}
