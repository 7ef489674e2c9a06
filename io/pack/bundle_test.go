package pack

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"
	//lint:ignore SA1019 it gives all files of a set to one bundle
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct"
)

// onCores runs the rest of the test as if the machine had so many CPUs.
func onCores(t *testing.T, n int) {
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// TestPackOnCores: the set has the same bytes however many CPUs and bundles there are.
func TestPackOnCores(t *testing.T) {
	dir := archive(t, "webdataset")
	plan := planned(t, dir, Options{SamplesPerFile: 3, ShuffleSeed: new(int64(5))})
	undisturbed := filepath.Join(t.TempDir(), "set")
	if err := packByHand(plan, dir, undisturbed, nil); err != nil {
		t.Fatal(err)
	}
	want := tree(t, undisturbed)
	for name, run := range map[string]func(context.Context, *beam.Pipeline) (beam.PipelineResult,
		error){"direct": direct.Execute, "prism": prism.Execute} {
		for _, cores := range []int{1, 4, 16} {
			onCores(t, cores)
			place := filepath.Join(t.TempDir(), "set")
			if err := plan.Create(t.Context(), place); err != nil {
				t.Fatal(err)
			}
			p, s := beam.NewPipelineWithRoot()
			Pack(s, Params{Dir: dir, Place: place}, plan)
			before := Counters()
			if _, err := run(context.Background(), p); err != nil {
				t.Fatal(name, cores, err)
			}
			if done := Counters(); done.Files-before.Files != 12 || done.Frames-before.Frames != archiveFrames {
				t.Errorf("%s on %d cores counts %+v, before it %+v", name, cores, done, before)
			}
			if missing, err := plan.Finish(t.Context(), place); missing > 0 || err != nil {
				t.Fatalf("%d files are missing: %v", missing, err)
			}
			equalTrees(t, tree(t, place), want, fmt.Sprintf("%s on %d cores", name, cores))
		}
	}
}

// TestPackManyAtOnce: one bundle writes a file a CPU at once, and no more.
func TestPackManyAtOnce(t *testing.T) {
	const cores = 3
	onCores(t, cores)
	dir := archive(t, "webdataset")
	plan := planned(t, dir, Options{SamplesPerFile: 3})
	var under, most atomic.Int64
	all := make(chan struct{})
	var once sync.Once
	err := packByHand(plan, dir, filepath.Join(t.TempDir(), "set"), func(step string) error {
		switch step {
		case "begin":
			n := under.Add(1)
			for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
			}
			if n == cores {
				once.Do(func() { close(all) })
			}
			select {
			case <-all:
			case <-time.After(time.Minute):
				return fmt.Errorf("%d files are written at once, want %d", n, cores)
			}
		case "written":
			under.Add(-1)
		}
		return nil
	})
	if err != nil || most.Load() != cores {
		t.Errorf("%d files at once, %v", most.Load(), err)
	}
}

// TestPackBundleFails: the first file that fails ends the others, its error is the
// bundle's, and nothing is being written any more when it is returned.
func TestPackBundleFails(t *testing.T) {
	onCores(t, 4)
	boom := errors.New("boom")
	for name, end := range map[string]func(b *bundle, cancel func()) error{
		"a file": func(b *bundle, _ func()) error {
			leave, err := b.enter(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			b.write(leave, func(context.Context) (writtenFile, error) { return writtenFile{}, boom })
			_, err = b.wait()
			return err
		},
		"the next file": func(b *bundle, _ func()) error {
			leave, err := b.enter(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			b.write(leave, func(context.Context) (writtenFile, error) { return writtenFile{}, boom })
			<-b.ctx.Done()
			_, err = b.enter(t.Context(), 1)
			return err
		},
		"the job": func(b *bundle, cancel func()) error {
			cancel()
			if _, err := b.enter(t.Context(), 1); !errors.Is(err, context.Canceled) {
				t.Errorf("after the job was cancelled: %v", err)
			}
			return boom
		},
		"the bundle": func(b *bundle, _ func()) error {
			b.abandon()
			return boom
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var b bundle
		var running atomic.Int64
		for range 2 {
			leave, err := b.enter(ctx, 1)
			if err != nil {
				t.Fatal(err)
			}
			running.Add(1)
			b.write(leave, func(ctx context.Context) (writtenFile, error) {
				defer running.Add(-1)
				<-ctx.Done()
				return writtenFile{}, ctx.Err()
			})
		}
		if err := end(&b, cancel); !errors.Is(err, boom) || running.Load() != 0 {
			t.Errorf("%s fails: %v, %d files are still written", name, err, running.Load())
		}
		if !framesRoom.TryAcquire(framesAtOnce) {
			t.Fatalf("%s fails: room is still taken", name)
		}
		framesRoom.Release(framesAtOnce)
		cancel()
	}
}

// TestRoomOf: as many files at once as there are CPUs, fewer where they are large.
func TestRoomOf(t *testing.T) {
	for _, test := range []struct {
		cores      int
		frames     int64
		filesAlone int64
	}{
		{1, 1, 1},
		{2, 10_000, 2},
		{64, 10_000, filesAtOnce},
		{64, 50_000, 4},
		{64, MaxSamplesPerFile, 1},
	} {
		onCores(t, test.cores)
		if room := roomOf(test.frames); room < 1 || framesAtOnce/room != test.filesAlone {
			t.Errorf("on %d cores a file of %d frames takes %d of %d", test.cores, test.frames, room, framesAtOnce)
		}
	}
}
