package kvsio_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page about boto3's paginator names a test for each of its rows, and each
// of these tests is there.
func TestPaginatorPageNamesItsTests(t *testing.T) {
	page, err := os.ReadFile("../../docs/paginator.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	err = filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		sources.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile("`(Test\\w+)`")
	rows := 0
	for line := range strings.Lines(string(page)) {
		names := name.FindAllStringSubmatch(line, -1)
		for _, n := range names {
			if !strings.Contains(sources.String(), "\nfunc "+n[1]+"(t *testing.T)") {
				t.Errorf("there is no %s", n[1])
			}
		}
		if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|---") && !strings.HasPrefix(line, "| boto3 |") {
			if rows++; len(names) == 0 {
				t.Errorf("no test proves %s", line)
			}
		}
	}
	if rows < 20 {
		t.Errorf("%d rows", rows)
	}
}
