//go:build e2e

package dataset

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/internal/placetest"
)

// TestStoreRecovers: what a store does badly once is made good.
func TestStoreRecovers(t *testing.T) {
	t.Parallel()
	shards := []frame.Shard{shardOf(door, 0, "fnfd")}
	local := create(t)
	write(t, local, shards...)
	want := spot{name: local}.files(t)
	for name, meet := range map[string]func(f *placetest.Front) func(http.ResponseWriter, *http.Request) bool{
		"503": func(*placetest.Front) func(http.ResponseWriter, *http.Request) bool {
			first := once()
			return func(w http.ResponseWriter, r *http.Request) bool {
				return r.Method != http.MethodHead && strings.Contains(r.URL.Path, "20260101T000000000Z") && first(r) &&
					answer(w, http.StatusServiceUnavailable, "SlowDown")
			}
		},
		"writes are cut": func(*placetest.Front) func(http.ResponseWriter, *http.Request) bool {
			first := once()
			return func(w http.ResponseWriter, r *http.Request) bool {
				if !isWrite(r) || !first(r) {
					return false
				}
				io.CopyN(io.Discard, r.Body, 40)
				hangUp(w)
				return true
			}
		},
		"answers are cut": func(f *placetest.Front) func(http.ResponseWriter, *http.Request) bool {
			first := once()
			return func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "20260101T") || !first(r) {
					return false
				}
				cutAnswer(w, r, f.Behind)
				return true
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onNetworks(t, func(t *testing.T, where func(testing.TB) spot) {
				s := createAt(t, where, Options{})
				s.front.Set(meet(s.front))
				write(t, s.name, shards...)
				report := verify(t, s.name)
				if report.Frames != 2 || report.Corrupt+report.Missing+report.Damaged != 0 {
					t.Errorf("Verify = %+v", report)
				}
				s.front.Set(nil)
				equalTrees(t, s.files(t), want, name)
			})
		})
	}
}
