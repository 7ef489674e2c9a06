package shardtest

import (
	"compress/gzip"
	"embed"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"
)

// flat are of libjpeg-turbo's cjpeg -quality 1.
//
//go:embed testdata/flat/*.jpg.gz
var flat embed.FS

// FlatJPEGs returns, by name, grey JPEGs of the largest size that the service gives, 3840×2160,
// as small as an encoder can make them.
func FlatJPEGs(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := fs.Glob(flat, "testdata/flat/*")
	if err != nil {
		t.Fatal(err)
	}
	pictures := make(map[string][]byte)
	for _, name := range paths {
		file, err := flat.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		unzipped, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		if pictures[strings.TrimSuffix(path.Base(name), ".gz")], err = io.ReadAll(unzipped); err != nil {
			t.Fatal(err)
		}
	}
	return pictures
}
