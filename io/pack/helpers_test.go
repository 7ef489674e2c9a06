package pack

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/testing/ptest"

	"github.com/kvsframes/kvsframes/internal/shardtest"
	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
	_ "github.com/kvsframes/kvsframes/io/store/gcsstore"
	_ "github.com/kvsframes/kvsframes/io/store/memstore"
	_ "github.com/kvsframes/kvsframes/io/store/s3store"
)

func TestMain(m *testing.M) { ptest.Main(m) }

// What shardtest makes, by short names.
var (
	door        = shardtest.Door
	shardOf     = shardtest.Shard
	withTensors = shardtest.WithTensors
	tree        = shardtest.Tree
	equalTrees  = shardtest.EqualTrees
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
	w, err := opened(t, dir).NewWriter(t.Context())
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
		if err := ledger.Open(dir).Request(t.Context(), shard.Span); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(context.Background(), shard); err != nil {
			t.Fatal(err)
		}
	}
}

func overwrite(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// flip changes a bit in the middle of a file.
func flip(t testing.TB, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// places make a new place of each kind.
var places = map[string]func(testing.TB) string{
	"folder": func(t testing.TB) string { return filepath.Join(t.TempDir(), "new") },
	"file":   func(t testing.TB) string { return "file://" + filepath.Join(t.TempDir(), "new") },
	"mem":    func(testing.TB) string { return "mem://" + rand.Text() + "/a/b" },
	"s3": func(t testing.TB) string {
		t.Setenv("AWS_ACCESS_KEY_ID", "test")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
		return "s3://bucket/some/prefix?region=us-east-1&endpoint=" + served(t, storetest.S3(t, "bucket"))
	},
	"gs": func(t testing.TB) string {
		var behind http.Handler
		url := served(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behind.ServeHTTP(w, r) }))
		behind = storetest.Google(t, "bucket", url)
		return "gs://bucket/some/prefix?anonymous=true&endpoint=" + url
	},
}

func served(t testing.TB, handler http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// filesAt maps the path of every file in a place to its content.
func filesAt(t testing.TB, place string) map[string]string {
	t.Helper()
	root, err := store.At(place)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]string)
	var read func(folder string)
	read = func(folder string) {
		files, folders, err := root.List(t.Context(), folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			data, err := root.Read(t.Context(), filepath.ToSlash(filepath.Join(folder, name)), 64<<20)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.ToSlash(filepath.Join(folder, name))] = string(data)
		}
		for _, name := range folders {
			read(filepath.ToSlash(filepath.Join(folder, name)))
		}
	}
	read("")
	return all
}
