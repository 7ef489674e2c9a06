package dataset

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kvsframes/kvsframes/internal/storetest"
	"github.com/kvsframes/kvsframes/io/store"
	_ "github.com/kvsframes/kvsframes/io/store/gcsstore"
	_ "github.com/kvsframes/kvsframes/io/store/memstore"
	_ "github.com/kvsframes/kvsframes/io/store/s3store"
)

// Places where datasets lie, for tests.

func init() {
	os.Setenv("AWS_ACCESS_KEY_ID", "test")
	os.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	os.Setenv("AWS_CA_BUNDLE", "")                      // the stores speak plain HTTP, and reading it takes long
	os.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1") // of another service
}

// front stands before a store and does what a test asks for.
type front struct {
	mu     sync.Mutex
	meet   func(w http.ResponseWriter, r *http.Request) bool // answers itself, where true
	behind http.Handler
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	meet := f.meet
	f.mu.Unlock()
	if meet != nil && meet(w, r) {
		return
	}
	f.behind.ServeHTTP(w, r)
}

// set makes the front do something; nil: nothing.
func (f *front) set(meet func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.meet = meet
}

// spot is a place where no dataset is yet.
type spot struct {
	name  string
	front *front // of a store on a network
}

// spots make a place of each kind.
var spots = map[string]func(testing.TB) spot{
	"folder": func(t testing.TB) spot { return spot{name: filepath.Join(t.TempDir(), "new")} },
	"file":   func(t testing.TB) spot { return spot{name: "file://" + filepath.Join(t.TempDir(), "new")} },
	"mem":    func(testing.TB) spot { return spot{name: "mem://" + rand.Text() + "/a/b"} },
	"s3":     newS3,
	"gs":     newGCS,
}

func newS3(t testing.TB) spot {
	f := &front{behind: storetest.S3(t, "bucket")}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return spot{"s3://bucket/some/prefix?region=us-east-1&endpoint=" + server.URL, f}
}

func newGCS(t testing.TB) spot {
	f := new(front)
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.behind = storetest.Google(t, "bucket", server.URL)
	return spot{"gs://bucket/some/prefix?anonymous=true&endpoint=" + server.URL, f}
}

// everywhere runs a test in a place of each kind.
func everywhere(t *testing.T, test func(t *testing.T, where func(testing.TB) spot)) {
	for kind, where := range spots {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, where)
		})
	}
}

// createAt makes a new dataset: of single files, where the options name no format.
func createAt(t testing.TB, where func(testing.TB) spot, options Options) spot {
	t.Helper()
	if options.Format == "" {
		options.Format = "files"
	}
	s := where(t)
	if _, err := Create(t.Context(), s.name, options); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s spot) store(t testing.TB) store.Store {
	t.Helper()
	root, err := store.At(s.name)
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// files maps the path of every file of a dataset to its content.
func (s spot) files(t testing.TB) map[string]string {
	t.Helper()
	all := make(map[string]string)
	readInto(t, all, s.store(t), "")
	return all
}

func readInto(t testing.TB, all map[string]string, root store.Store, folder string) {
	t.Helper()
	files, folders, err := root.List(context.Background(), folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		path := strings.TrimPrefix(folder+"/"+name, "/")
		data, err := root.Read(context.Background(), path, 64<<20)
		if err != nil {
			t.Fatal(err)
		}
		all[path] = string(data)
	}
	for _, name := range folders {
		readInto(t, all, root, strings.TrimPrefix(folder+"/"+name, "/"))
	}
}

// put makes a file hold data, whoever wrote it before.
func (s spot) put(t testing.TB, path string, data string) {
	t.Helper()
	var err error
	switch root := s.store(t).(type) {
	case store.Folder:
		path = filepath.Join(string(root), path)
		err = os.MkdirAll(filepath.Dir(path), 0o777)
		if err == nil {
			err = os.WriteFile(path, []byte(data), 0o666)
		}
	case store.Bucket:
		err = root.Put(context.Background(), path, []byte(data))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s spot) remove(t testing.TB, path string) {
	t.Helper()
	if err := s.store(t).Remove(context.Background(), path); err != nil {
		t.Fatal(err)
	}
}
