package dataset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/container"
)

// TestOneFileEverywhere: the walls hold for a format of one file a shard, of any
// size.
func TestOneFileEverywhere(t *testing.T) {
	container.All["one"] = oneFile{}
	t.Cleanup(func() { delete(container.All, "one") })
	big := shardOf(door, 8, "f")
	big.Frames[0].Data = append(big.Frames[0].Data, make([]byte, 20<<20)...)
	t.Run("in", func(t *testing.T) {
		everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
			s := createAt(t, where, Options{Format: "one"})
			write(t, s.name, shardOf(door, 0, "fgnd"), shardOf(door, 4, "fff"), shardOf(door, 4, "ggn"), shardOf(door, 7, "f"),
				shardOf(door, 7, "n"), big)
			report := verify(t, s.name)
			if !report.Complete || report.Frames != 5 || len(report.Problems) > 0 {
				t.Errorf("Verify = %+v", report)
			}
			s.put(t, damagedShard+".bin", "01234567890123456789")
			s.remove(t, "shards/"+door.ID()+"/20260101T000012000Z-3.bin")
			if report = verify(t, s.name); report.Corrupt != 2 || report.Missing != 2 {
				t.Errorf("Verify of damage = %+v", report)
			}
		})
	})
}

// halfway is a format that fails when it has written a part.
type halfway struct{ oneFile }

func (halfway) Write(shard frame.Shard, create func(string) (io.WriteCloser, error)) error {
	file, err := create("")
	if err != nil {
		return err
	}
	if _, err := file.Write(make([]byte, 12<<20)); err != nil {
		return errors.Join(err, file.Close())
	}
	file.Close()
	return syscall.ENOSPC
}

// TestHalfAnUpload: an object that was not written to its end never appears, and
// what was there before stays.
func TestHalfAnUpload(t *testing.T) {
	container.All["half"] = oneFile{}
	t.Cleanup(func() { delete(container.All, "half") })
	t.Run("in", func(t *testing.T) {
		everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
			s := createAt(t, where, Options{Format: "half"})
			w := writer(t, s.name)
			w.of.format = halfway{}
			want := s.files(t)
			if _, err := w.Write(context.Background(), shardOf(door, 0, "ff")); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("the error is %v", err)
			}
			opened(t, s.name).Sweep(t.Context())
			equalTrees(t, s.files(t), want, "half an upload")
		})
	})
}

// TestFileEverywhere: what a format reads is the file, read through or at any
// place, whatever connections are cut.
func TestFileEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := where(t)
		content := make([]byte, 3<<20)
		rand.NewChaCha8([32]byte{}).Read(content)
		s.put(t, "shards/x", string(content))
		if s.front != nil {
			var n atomic.Int64
			s.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || n.Add(1)%3 > 0 {
					return false
				}
				cutAnswer(w, r, s.front.Behind)
				return true
			})
		}
		file, err := s.store(t).Open(context.Background(), "shards/x")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if file.Size() != int64(len(content)) {
			t.Errorf("the size is %d", file.Size())
		}
		part := make([]byte, 1<<20)
		for _, at := range []int{0, 1 << 20, len(content) - 1<<20, 12345} {
			if n, err := file.ReadAt(part, int64(at)); n != len(part) || err != nil && err != io.EOF ||
				!bytes.Equal(part, content[at:at+n]) {
				t.Errorf("ReadAt %d: %d bytes, %v", at, n, err)
			}
		}
		if n, err := file.ReadAt(part, int64(len(content)-10)); n != 10 || err != io.EOF {
			t.Errorf("ReadAt over the end: %d bytes, %v", n, err)
		}
		if n, err := file.ReadAt(part, int64(len(content))); n != 0 || err != io.EOF {
			t.Errorf("ReadAt at the end: %d bytes, %v", n, err)
		}
		if all, err := io.ReadAll(file); err != nil || !bytes.Equal(all, content) {
			t.Errorf("Read: %d bytes, %v", len(all), err)
		}
	})
}

// TestEmulator: Google's clients are led to an emulator by the environment.
func TestEmulator(t *testing.T) {
	for _, form := range []string{"http://", ""} {
		s := spots["gs"](t)
		_, host, _ := strings.Cut(s.name, "endpoint=http://")
		t.Setenv("STORAGE_EMULATOR_HOST", form+host)
		name := "gs://bucket/emulated?universe_domain=googleapis.com"
		if form == "" {
			name = "gs://bucket/emulated"
		}
		if _, err := Create(t.Context(), name, Options{}); err != nil {
			t.Fatal(err)
		}
		write(t, name, shardOf(door, 0, "fnff"))
		if report := verify(t, name); !report.Complete || report.Frames != 3 {
			t.Errorf("Verify = %+v", report)
		}
	}
}
