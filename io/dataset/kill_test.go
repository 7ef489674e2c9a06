package dataset

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/ledger"
)

const killEnv = "KVSFRAMES_TEST_WRITE_INTO"

func manyShards() []frame.Shard {
	var shards []frame.Shard
	for i := range int64(60) {
		shards = append(shards, shardOf(door, 10*i, []string{"fffnffff", "nnnnnnnn", "ffffdddf"}[i%3]))
	}
	return shards
}

// TestKillProcess kills a process that writes a dataset at random instants, with
// no chance to tidy up, and lets another one write the rest.
func TestKillProcess(t *testing.T) {
	if dir := os.Getenv(killEnv); dir != "" {
		resume(t, dir)
		return
	}
	undisturbed := create(t)
	resume(t, undisturbed)
	want := settled(t, undisturbed)
	kills := 0
	for range 8 {
		dir := create(t)
		command := exec.Command(os.Args[0], "-test.run=^TestKillProcess$")
		command.Env = append(os.Environ(), killEnv+"="+dir)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		for i := 0; !disk.Exists(dir+"/ledger") && i < 1000; i++ {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(25 * time.Millisecond))
		command.Process.Kill()
		if command.Wait() != nil {
			kills++
		}
		resume(t, dir)
		equalTrees(t, settled(t, dir), want, "killed and resumed")
	}
	t.Logf("%d of 8 were killed in the middle", kills)
}

// resume writes what the ledger does not have.
func resume(t *testing.T, dir string) {
	if _, err := Create(t.Context(), dir, Options{}); err != nil {
		t.Fatal(err)
	}
	w, l := writer(t, dir), ledger.Open(dir)
	for _, shard := range manyShards() {
		receipt, err := l.Ask(t.Context(), shard.Span)
		if err == nil && receipt == nil {
			_, err = w.Write(context.Background(), shard)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
