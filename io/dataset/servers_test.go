package dataset

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/kvsframes/kvsframes/io/internal/placetest"
	"github.com/kvsframes/kvsframes/io/store"
)

// spot is a place where no dataset is yet.
type spot struct {
	name  string
	front *placetest.Front // of a store on a network
}

// spots make a place of each kind.
var spots = func() map[string]func(testing.TB) spot {
	all := make(map[string]func(testing.TB) spot)
	for kind, where := range placetest.Kinds {
		all[kind] = func(t testing.TB) spot {
			name, front := where(t)
			return spot{name, front}
		}
	}
	return all
}()

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
	return placetest.Files(t, s.name)
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
