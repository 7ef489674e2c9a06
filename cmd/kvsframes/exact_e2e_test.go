//go:build e2e

package main

import (
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// The files of testdata, on each runner: every sample accounted for, and in
// every picture the stream and the instant that its name says.
func TestBackfillIsExact(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../testdata/cameras.yaml")
	if err != nil {
		t.Fatal(err)
	}
	config, err := kvstest.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	requests, err := filepath.Abs("../../testdata/requests.yaml")
	if err != nil {
		t.Fatal(err)
	}
	frameEvery := map[string]time.Duration{
		"front-door": time.Second / 10, "back~yard": time.Second / 10,
		"gate": time.Second,
	}
	for _, runner := range []string{"prism", "direct"} {
		t.Run(runner, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, config)
			o := object(t, u.must(0, "backfill", "--requests", requests, "--sampling-interval", "3s", "--width-pixels", "160",
				"--height-pixels", "90", "--out", "out", "--dataset-format", "files", "--shard-samples", "30", "--runner", runner,
				"--json"))
			wants(t, o, map[string]any{
				"samples": 200 + 200 + 86, "frames": 180 + 160 + 86, "gaps": `{"MEDIA_ERROR":20,"NO_MEDIA":40}`,
				"get_images_calls": u.server.Stats().GetImagesCalls,
			})
			wants(t, object(t, u.must(0, "verify", "out", "--json")),
				map[string]any{"complete": true, "missing": 0, "duplicate": 0})
			pictures := 0
			err := filepath.WalkDir(filepath.Join(u.dir, "out", "shards"), func(path string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					pictures++
					checkPicture(t, path, frameEvery)
				}
				return err
			})
			if err != nil || pictures != 180+160+86 {
				t.Errorf("%d pictures, %v", pictures, err)
			}
		})
	}
}

func checkPicture(t *testing.T, path string, frameEvery map[string]time.Duration) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, _, err := image.Decode(file)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	code, err := kvstest.ReadTimecode(img)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	stream, instant, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)), "_")
	ms, err := frame.ParseInstant(instant)
	if err != nil {
		t.Fatal(err)
	}
	late := time.UnixMilli(ms).Sub(code.Time)
	if code.Stream != kvstest.StreamCode(strings.ReplaceAll(stream, "~", ".")) || late < 0 || late >= frameEvery[stream] {
		t.Errorf("%s shows stream %x at %v", path, code.Stream, code.Time)
	}
}
