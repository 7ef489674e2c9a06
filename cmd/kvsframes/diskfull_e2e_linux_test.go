//go:build e2e

package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestDiskFull: a disk without room for a dataset fails the job and says where;
// what is written stays, and with more room the same command goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	undisturbed, args := slowly(t)
	args = append(args, "--dataset-format", "webdataset")
	undisturbed.must(0, args...)
	want := tree(t, filepath.Join(undisturbed.dir, "out"))

	u, _ := slowly(t)
	disk := filepath.Join(u.dir, "disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("none", disk, "tmpfs", 0, "size=500k"); err != nil {
		if os.Getuid() == 0 {
			t.Fatalf("a file system cannot be mounted, though this is root: %v", err)
		}
		t.Skipf("only root may mount a file system: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
	args = append(args, "--out", "disk/out")
	for range 2 {
		wantOneLine(t, u.run(args...), 1, "no space left on device")
		wants(t, object(t, u.must(3, "verify", "disk/out", "--json")),
			map[string]any{"corrupt": 0, "duplicate": 0, "damaged": 0})
	}
	if written, _ := filepath.Glob(filepath.Join(disk, "out", "shards", "*", "*")); len(written) == 0 {
		t.Error("nothing was written before the disk was full")
	}
	if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, "size=50m"); err != nil {
		t.Fatal(err)
	}
	u.must(0, args...)
	sameTree(t, tree(t, filepath.Join(disk, "out")), want)
}
