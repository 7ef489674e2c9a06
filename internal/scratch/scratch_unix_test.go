//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package scratch

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const prefix, ownerOf = "kvsframes-", "KVSFRAMES_TEST_SCRATCH"

// TestMain is also the process of a folder, until its stdin ends.
func TestMain(m *testing.M) {
	if dir := os.Getenv(ownerOf); dir != "" {
		folder, _, err := Make(dir, prefix)
		fmt.Println(folder, err)
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// owner starts a process with a folder in dir, and returns what kills it.
func owner(t *testing.T, dir string) (folder string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), ownerOf+"="+dir)
	stdin, _ := cmd.StdinPipe()
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait(); stdin.Close() })
	t.Cleanup(kill)
	line, _ := bufio.NewReader(stdout).ReadString('\n')
	folder, ok := strings.CutSuffix(line, " <nil>\n")
	if !ok {
		t.Fatalf("it says %q", line)
	}
	return folder, kill
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		all = append(all, filepath.Join(dir, entry.Name()))
	}
	return all
}

// TestLeftBehind: what a killed process leaves is removed by the next one, and what a
// living one has stays.
func TestLeftBehind(t *testing.T) {
	dir := t.TempDir()
	left, kill := owner(t, dir)
	alive, _ := owner(t, dir)
	if err := os.WriteFile(filepath.Join(left, "frames"), []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	kill()
	own, remove, err := Make(dir, prefix)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), []string{alive, own}; !slices.Equal(got, sorted(want)) {
		t.Errorf("there are %v, want %v", got, want)
	}
	remove()
	if got := names(t, dir); !slices.Equal(got, []string{alive}) {
		t.Errorf("there are %v, want %s", got, alive)
	}
}

func sorted(names []string) []string { slices.Sort(names); return names }

// TestOthersStay: what has not exactly a name of Make's, or no lock, or is a link.
func TestOthersStay(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	for _, name := range []string{
		"kvsframes-", "kvsframes-1x", "kvsframes-worker-1", "kvsframes-test-1", "xkvsframes-1",
		"kvsframes-1.old",
	} {
		locked(t, filepath.Join(dir, name))
	}
	locked(t, filepath.Join(elsewhere, "kvsframes-2"))
	links := map[string]string{"kvsframes-2": filepath.Join(elsewhere, "kvsframes-2"), "kvsframes-3": "kvsframes-worker-1"}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(dir, "kvsframes-4"), 0o700)
	os.WriteFile(filepath.Join(dir, "kvsframes-5"), nil, 0o600)
	os.Mkdir(filepath.Join(dir, "kvsframes-6"), 0o700)
	os.Symlink(filepath.Join(elsewhere, "kvsframes-2", lockName), filepath.Join(dir, "kvsframes-6", lockName))
	want := names(t, dir)
	if os.Geteuid() == 0 {
		locked(t, filepath.Join(dir, "kvsframes-7"))
		os.Chown(filepath.Join(dir, "kvsframes-7"), 12345, 12345)
		want = append(want, filepath.Join(dir, "kvsframes-7"))
	}
	locked(t, filepath.Join(dir, "kvsframes-8")) // but this goes
	_, remove, err := Make(dir, prefix)
	if err != nil {
		t.Fatal(err)
	}
	remove()
	if got := names(t, dir); !slices.Equal(got, sorted(want)) {
		t.Errorf("there are %v, want %v", got, want)
	}
	if len(names(t, filepath.Join(elsewhere, "kvsframes-2"))) != 1 {
		t.Error("what is behind a link is gone")
	}
}

// locked makes a folder as a killed process leaves it.
func locked(t *testing.T, folder string) {
	t.Helper()
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, lockName), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestManyAtOnce: processes that begin together leave each other's folders alone.
func TestManyAtOnce(t *testing.T) {
	dir := t.TempDir()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				folder, remove, err := Make(dir, prefix)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := os.Stat(filepath.Join(folder, lockName)); err != nil {
					t.Error(err)
				}
				remove()
			}
		})
	}
	group.Wait()
	if left := names(t, dir); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}
