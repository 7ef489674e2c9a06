//go:build e2e

package main

import (
	"fmt"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestTransforms: on both runners, in every format, a second run, one that was
// killed and one into a bucket come to the same bytes; all of it is accounted for.
func TestTransforms(t *testing.T) {
	t.Parallel()
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			u, args := slowly(t)
			args = append(args, "--dataset-format", format, "--resize", "64x64:crop", "--dedupe", "4", "--tensor",
				"uint8:beside", "--json")
			o := object(t, u.must(0, args...))
			drops := o["drops"].(map[string]any)["DUPLICATE"].(float64)
			if frames := o["frames"].(float64); drops == 0 || frames < 40 || frames+drops != 200 {
				t.Fatalf("%v frames and %v drops of 200 samples in 40 shards", frames, drops)
			}
			wants(t, object(t, u.must(0, "verify", "out", "--json")), map[string]any{
				"complete": true, "frames": o["frames"], "drops": fmt.Sprintf(`{"DUPLICATE":%v}`, drops),
			})
			want := tree(t, filepath.Join(u.dir, "out"))

			calls := u.server.Stats().GetImagesCalls
			u.must(0, args...)
			sameTree(t, tree(t, filepath.Join(u.dir, "out")), want)
			if again := u.server.Stats().GetImagesCalls; again != calls {
				t.Errorf("%d calls were made again", again-calls)
			}

			u, _ = slowly(t)
			u.must(0, append(args, "--runner", "prism")...)
			sameTree(t, tree(t, filepath.Join(u.dir, "out")), want)

			u, _ = slowly(t)
			cmd := u.start(args...)
			until(t, "shards are written", func() bool { return receipts(u) >= 10 })
			cmd.Process.Kill()
			cmd.Wait()
			// The dataset says what is done: the flags may be left out.
			u.must(0, ask(0, 10, "--max-in-flight", "4", "--stream-quota", "0")...)
			sameTree(t, tree(t, filepath.Join(u.dir, "out")), want)

			u, _ = slowly(t)
			u, b := generic(u), newBucket(t)
			u.must(0, append(args, "--out", b.out)...)
			sameTree(t, b.tree(), want)
		})
	}
}

// TestResize: every picture has the size that was asked for, and shows what it did.
func TestResize(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	u.must(0, append(args, "--dataset-format", "files", "--resize", "320x180:stretch:nearest:q95")...)
	pictures := 0
	err := filepath.WalkDir(filepath.Join(u.dir, "out", "shards"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		pictures++
		checkPicture(t, path, map[string]time.Duration{"cam": time.Second / 10})
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		config, kind, err := image.DecodeConfig(file)
		if err != nil || kind != "jpeg" || config.Width != 320 || config.Height != 180 {
			t.Errorf("%s is a %s of %d×%d, %v", path, kind, config.Width, config.Height, err)
		}
		return nil
	})
	if err != nil || pictures != 200 {
		t.Errorf("%d pictures, %v", pictures, err)
	}
}

// TestTensors: .npy files in place of pictures, in every format, and in a packed set.
func TestTensors(t *testing.T) {
	t.Parallel()
	for _, format := range dataset.Formats() {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			u, args := slowly(t)
			args = append(args, "--dataset-format", format, "--resize", "8x6", "--tensor", "float32", "--json")
			wants(t, object(t, u.must(0, args...)), map[string]any{"frames": 200})
			wants(t, object(t, u.must(0, "verify", "out", "--json")), map[string]any{"complete": true, "frames": 200})
			wants(t, object(t, u.must(0, "pack", "out", "set", "--shuffle-seed", "1", "--json")), map[string]any{
				"frames": 200, "bytes": 200 * (128 + 8*6*3*4),
			})
		})
	}
}

// TestTensorsBeside: with :beside the pictures are there, too, as they would be
// without tensors, and stay together in a packed set.
func TestTensorsBeside(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	args = append(args, "--dataset-format", "files", "--resize", "8x6", "--json")
	u.must(0, args...)
	pictures := tree(t, filepath.Join(u.dir, "out", "shards"))
	u.must(0, append(args, "--tensor", "float32:beside", "--out", "both")...)
	both := tree(t, filepath.Join(u.dir, "both", "shards"))
	tensors := make(map[string]string)
	for name, content := range both {
		if base, ok := strings.CutSuffix(name, ".npy"); ok {
			tensors[filepath.Base(name)] = content
			delete(both, name)
			if both[base+".jpg"] == "" || len(content) != 128+8*6*3*4 {
				t.Errorf("%s has %d bytes, and its picture %d", name, len(content), len(both[base+".jpg"]))
			}
		}
	}
	sameTree(t, both, pictures)
	wants(t, object(t, u.must(0, "verify", "both", "--json")), map[string]any{"complete": true, "frames": 200})

	u.must(0, "pack", "both", "set", "--dataset-format", "files", "--shuffle-seed", "1", "--samples-per-file", "70")
	for name, content := range tree(t, filepath.Join(u.dir, "set")) {
		if strings.HasSuffix(name, ".npy") && content == tensors[filepath.Base(name)] {
			delete(tensors, filepath.Base(name))
		}
	}
	if len(both) != 200 || len(tensors) > 0 {
		t.Errorf("of %d tensors %d are not in the set", len(both), len(tensors))
	}
}

// TestOtherTransforms: a dataset has one way to make its pictures.
func TestOtherTransforms(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	args = append(args, "--dedupe", "3")
	u.must(0, args...)
	for more, want := range map[string]string{
		"--resize 8x8": "the dataset out is made with --dedupe 3, not with --resize 8x8:stretch:area:q90 --dedupe 3: " +
			"leave --resize, --dedupe and --tensor out",
		"--dedupe 4": "the dataset out is made with --dedupe 3, not with --dedupe 4",
	} {
		o := u.run(append(args, strings.Fields(more)...)...)
		if o.status != 2 || !strings.Contains(o.stderr, want) {
			t.Errorf("%s: exit status %d; stderr must contain %q:\n%s", more, o.status, want, o.stderr)
		}
	}
}

// TestTransformsOnDataflow: workers elsewhere do what was asked for here.
func TestTransformsOnDataflow(t *testing.T) {
	t.Parallel()
	u, c := dataflowUser(t, kvstest.Config{Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")}})
	steps := []string{"--resize", "64x64:crop", "--dedupe", "4", "--json"}
	got := object(t, u.must(0, c.args(slices.Concat(asRole, steps)...)...))
	want := object(t, u.must(0, good(append(steps, "--out", "here")...)...))
	if drops := fmt.Sprint(want["drops"]); got["frames"] != want["frames"] || fmt.Sprint(got["drops"]) != drops ||
		drops == "map[]" {
		t.Errorf("%v frames and %v drops, want %v and %s", got["frames"], got["drops"], want["frames"], drops)
	}
	wants(t, object(t, u.must(0, "verify", "gs://archive/frames", "--json")),
		map[string]any{"complete": true, "frames": want["frames"]})
}
