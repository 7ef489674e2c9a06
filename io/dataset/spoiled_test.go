package dataset

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame"
)

// TestVerifyEveryFile: whatever file of a dataset is removed, cut or changed,
// the equation holds, and a dataset with less than all its frames is not
// complete, nor is one that was not before.
func TestVerifyEveryFile(t *testing.T) {
	for complete, shards := range map[bool][]frame.Shard{
		true:  {shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"), shardOf(door, 6, "nn")},
		false: {shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"), shardOf(door, 6, "nF"), shardOf(door, 3, "ff")},
	} {
		t.Run(fmt.Sprintf("complete=%v", complete), func(t *testing.T) {
			dir := create(t)
			write(t, dir, shards...)
			finish(t, dir)
			spoilEveryFile(t, dir, complete)
		})
	}
}

func spoilEveryFile(t *testing.T, dir string, complete bool) {
	whole := tree(t, dir)
	names := checkedFiles(whole)
	before := verify(t, dir)
	if before.Complete != complete || before.Stale {
		t.Fatalf("%+v", before)
	}
	rapid.Check(t, func(rt *rapid.T) {
		spoiled := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID).Draw(rt, "files")
		rt.Cleanup(func() { put(t, dir, whole, spoiled) })
		removed := make(map[string]bool)
		for _, name := range spoiled {
			path := filepath.Join(dir, name)
			switch rapid.SampledFrom([]string{"remove", "cut", "flip"}).Draw(rt, "how") {
			case "remove":
				removed[name] = true
				if err := os.Remove(path); err != nil {
					rt.Fatal(err)
				}
			case "cut":
				if err := os.Truncate(path, int64(rapid.IntRange(0, len(whole[name])-1).Draw(rt, "at"))); err != nil {
					rt.Fatal(err)
				}
			case "flip":
				data := []byte(whole[name])
				data[rapid.IntRange(0, len(data)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
				if err := os.WriteFile(path, data, 0o666); err != nil {
					rt.Fatal(err)
				}
			}
		}
		report, err := openAndVerify(dir)
		if slices.Contains(spoiled, descriptionFile) {
			if !errors.Is(err, ErrForeign) && !errors.Is(err, ErrNoDataset) {
				rt.Errorf("without its description: %v", err)
			}
			return
		}
		if err != nil {
			rt.Fatal(err)
		}
		checkEquation(t, report)
		changed := len(removed) < len(spoiled)
		if report.Complete && (!complete || changed || report.Frames < before.Frames && !isForgotten(removed)) {
			rt.Errorf("complete without %v: %+v", spoiled, report)
		}
	})
}

// isForgotten says that nothing is left that tells of a shard: neither request nor
// receipt.
func isForgotten(removed map[string]bool) bool {
	for name := range removed {
		if strings.HasPrefix(name, "requests/") && removed[strings.Replace(name, "requests/", "ledger/", 1)] {
			return true
		}
	}
	return false
}

// checkedFiles lists the files of a dataset but for its card, which may be somebody's own, and
// the catalog, which nothing needs.
func checkedFiles(whole map[string]string) []string {
	var names []string
	for name := range whole {
		if !strings.HasSuffix(name, "/") && name != card.File && name != catalogFile {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func put(t *testing.T, dir string, whole map[string]string, names []string) {
	for _, name := range names {
		overwrite(t, dir, name, []byte(whole[name]))
	}
}

// TestVerifyEveryBit: no bit of a file can be flipped, in whatever format, so that the
// dataset is complete, and repaired it never ends with other samples than it had.
func TestVerifyEveryBit(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		t.Run(format, func(t *testing.T) {
			dir := t.TempDir()
			if _, err := Create(t.Context(), dir, Options{Format: format, Transforms: []string{"resize 224x224"}}); err != nil {
				t.Fatal(err)
			}
			write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "nn"))
			finish(t, dir)
			whole := tree(t, dir)
			names := checkedFiles(whole)
			if report := verify(t, dir); !report.Complete || len(names) < 4 {
				t.Fatalf("%+v of %v", report, names)
			}
			rapid.Check(t, func(rt *rapid.T) {
				name := rapid.SampledFrom(names).Draw(rt, "file")
				rt.Cleanup(func() { put(t, dir, whole, []string{name}) })
				data := []byte(whole[name])
				data[rapid.IntRange(0, len(data)-1).Draw(rt, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
				overwrite(t, dir, name, data)
				report, err := openAndVerify(dir)
				if err == nil && (report.Complete || len(report.Problems) == 0) || err != nil && name != descriptionFile {
					rt.Errorf("Verify = %+v, %v", report, err)
				}
			})
		})
	}
}
