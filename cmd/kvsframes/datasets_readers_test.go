//go:build readers

package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// pageProgram is a program of a page, after a comment that says what the dataset is made with: one
// after the other, where there are several.
var pageProgram = regexp.MustCompile("(?s)<!-- runs with: ([^>]*) -->\n```python\n(.*?)```")

// TestPythonOfDatasets runs the programs of docs/datasets.md. Each prints something.
func TestPythonOfDatasets(t *testing.T) {
	page, err := os.ReadFile("../../docs/datasets.md")
	if err != nil {
		t.Fatal(err)
	}
	programs := pageProgram.FindAllStringSubmatch(string(page), -1)
	if n := strings.Count(string(page), "```python\n"); n == 0 || len(programs) != n {
		t.Fatalf("%d of %d programs say what they run with", len(programs), n)
	}
	users := make(map[string]*user)
	for _, program := range programs {
		for _, with := range strings.Split(program[1], "; ") {
			if users[with] == nil {
				users[with] = userOfPage(t, with)
			}
			if out := users[with].python("-c", program[2]); len(out) == 0 {
				t.Errorf("with %s this prints nothing:\n%s", with, program[2])
			}
		}
	}
}

// userOfPage has the dataset that the page is about: five minutes of two cameras, of which one has a
// pause.
func userOfPage(t *testing.T, with string) *user {
	start := time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)
	at := func(minute time.Duration) time.Time { return start.Add(minute * time.Minute) }
	door, yard := camera("front-door"), camera("back_yard")
	door.Media = []kvstest.Range{{From: at(0), To: at(2)}, {From: at(3), To: at(5)}}
	yard.Media = []kvstest.Range{{From: at(0), To: at(5)}}
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{door, yard}})
	u.must(0, append([]string{
		"backfill", "--stream-name", door.Name, "--stream-name", yard.Name, "--sampling-interval", "3s",
		"--start-timestamp", at(0).Format(time.RFC3339), "--end-timestamp", at(5).Format(time.RFC3339),
		"--out", "frames", "--dataset-format",
	}, strings.Fields(with)...)...)
	return u
}
