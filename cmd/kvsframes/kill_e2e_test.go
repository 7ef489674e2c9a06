//go:build e2e

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// killsEnv says how often backfills are killed in each place and format; 1 where
// it is not set.
const killsEnv = "KVSFRAMES_TEST_KILLS"

// killedInARow is how often a backfill is killed before one is let go on to its end.
const killedInARow = 3

// TestKillAnywhere kills backfills at random instants, from their first
// instruction on, and lets the same command finish: the dataset is the same as
// one that nobody disturbed, in every place.
func TestKillAnywhere(t *testing.T) {
	t.Parallel()
	kills := 1
	if text := os.Getenv(killsEnv); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	binary() // not part of what a backfill takes
	seed := rand.Uint64()
	t.Logf("seed %d, %d kills in each place and format", seed, kills)
	for number, format := range []string{"webdataset", "parquet"} {
		undisturbed, args := slowly(t)
		args = append(args, "--dataset-format", format)
		began := time.Now()
		undisturbed.must(0, args...)
		took := time.Since(began)
		want := tree(t, filepath.Join(undisturbed.dir, "out"))
		for place, make := range map[string]func(*testing.T) bucket{"folder": nil, "s3": newBucket, "gs": newGoogleBucket} {
			random := rand.New(rand.NewPCG(seed, uint64(number)+uint64(place[0])))
			t.Run(format+"/"+place, func(t *testing.T) {
				t.Parallel()
				for left := kills; left > 0; {
					left -= killOften(t, args, make, min(left, killedInARow), took, random, want)
				}
			})
		}
	}
}

// killOften kills the same backfill a number of times, and lets it finish. It
// returns how often it was killed: it may be at its end before.
func killOften(t *testing.T, args []string, make func(*testing.T) bucket, times int, took time.Duration,
	random *rand.Rand, want map[string]string,
) (killed int) {
	u, _ := slowly(t)
	out := func() map[string]string { return tree(t, filepath.Join(u.dir, "out")) }
	if make != nil {
		b := make(t)
		u, args, out = generic(u), append(args[:len(args):len(args)], "--out", b.out), b.tree
	}
	for range times {
		cmd := u.start(args...)
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		cmd.Process.Kill()
		if cmd.Wait() != nil {
			killed++
		}
	}
	u.must(0, args...)
	sameTree(t, out(), want)
	return max(killed, 1)
}

// TestTemporaryFolders: what a killed backfill leaves in the temporary directory goes
// with the next one, and what a living one has stays.
func TestTemporaryFolders(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	temp := filepath.Join(u.dir, "temp")
	if err := os.Mkdir(temp, 0o777); err != nil {
		t.Fatal(err)
	}
	u = u.with("TMPDIR=" + temp)
	folders := func() []string {
		found, _ := filepath.Glob(filepath.Join(temp, "kvsframes-*"))
		return found
	}
	killed := u.start(args...)
	until(t, "it has a folder", func() bool {
		locks, _ := filepath.Glob(filepath.Join(temp, "kvsframes-*", ".kvsframes.lock"))
		return len(locks) == 1
	})
	killed.Process.Kill()
	killed.Wait()
	left := folders()[0]
	living := u.start(append(args, "--out", "elsewhere")...)
	until(t, "another has one", func() bool { found := folders(); return len(found) == 1 && found[0] != left })
	u.must(0, good("--out", "third")...)
	if got := folders(); len(got) != 1 {
		t.Errorf("there are %q", got)
	}
	if o := finish(t, living); o.status != 0 {
		t.Errorf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
	if got := folders(); len(got) != 0 {
		t.Errorf("there are %q", got)
	}
}
