package pack

import (
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
	"github.com/kvsframes/kvsframes/io/internal/placetest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

func TestMain(m *testing.M) { ptest.Main(m) }

// What tests of datasets share, by short names.
var (
	door        = shardtest.Door
	shardOf     = shardtest.Shard
	withTensors = shardtest.WithTensors
	tree        = shardtest.Tree
	equalTrees  = shardtest.EqualTrees
	overwrite   = foldertest.Overwrite
	flip        = foldertest.Flip
	filesAt     = placetest.Files
)

const first = shardtest.First

// createIn makes a new dataset in a new folder.
func createIn(t testing.TB, format string) string { return createAt(t, t.TempDir(), format) }

func createAt(t testing.TB, dir, format string) string {
	t.Helper()
	if _, err := dataset.Create(t.Context(), dir, dataset.Options{Format: format}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func opened(t testing.TB, dir string) *dataset.Dataset {
	t.Helper()
	ds, err := dataset.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func writer(t testing.TB, dir string) *dataset.Writer {
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
	shardtest.Write(t, ledger.Open(dir), writer(t, dir), shards...)
}

// places make a new place of each kind.
var places = func() map[string]func(testing.TB) string {
	all := make(map[string]func(testing.TB) string)
	for kind, where := range placetest.Kinds {
		all[kind] = func(t testing.TB) string {
			name, _ := where(t)
			return name
		}
	}
	return all
}()
