package dataset

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset/internal/sealed"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// TestVerifyIndex: a row of the index that is not what its receipt says is not complete, and
// the file is written anew when the dataset is repaired. A card that is not the dataset's is
// worth a note.
func TestVerifyIndex(t *testing.T) {
	for name, test := range map[string]struct {
		spoil   func(t *testing.T, dir string)
		stale   bool
		problem string
	}{
		"whole": {func(*testing.T, string) {}, false, ""},
		"places of another format": {func(t *testing.T, dir string) {
			other := createIn(t, "webdataset")
			write(t, other, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
			receipts, err := opened(t, dir).ledger.Receipts(t.Context(), sealedIn(t, dir)[0])
			var data bytes.Buffer
			if err == nil {
				err = sealed.Write(&data, opened(t, other).format, receipts)
			}
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, dir, sealedIn(t, dir)[0].Path(), data.Bytes())
		}, true, "repair writes it anew"},
		"counts of other files": {func(t *testing.T, dir string) {
			object, err := framepb.CutChecksum([]byte(tree(t, dir)[catalogFile]))
			if err != nil {
				t.Fatal(err)
			}
			lie := strings.Replace(string(object), `"frames":4`, `"frames":5`, 1)
			overwrite(t, dir, catalogFile, framepb.AppendChecksum([]byte(lie)))
		}, true, "is not what that file says: repair removes it"},
		"a damaged catalog": {
			func(t *testing.T, dir string) { flip(t, filepath.Join(dir, catalogFile)) }, false,
			"catalog.json: it is damaged, and is not asked",
		},
		"a card of before": {func(t *testing.T, dir string) {
			overwrite(t, dir, card.File, []byte(tree(t, dir)[card.File]+"More.\n"))
		}, false, "README.md: it is not the card of the dataset as it is now"},
		"somebody's card": {func(t *testing.T, dir string) { overwrite(t, dir, card.File, []byte("# Mine\n")) }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := create(t)
			write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
			finish(t, dir)
			whole := tree(t, dir)
			test.spoil(t, dir)
			report := verify(t, dir)
			said := strings.Join(report.Problems, "\n")
			if report.Stale != test.stale || report.Complete == test.stale || !strings.Contains(said, test.problem) ||
				(said == "") != (test.problem == "") {
				t.Errorf("Verify = %+v", report)
			}
			repaired := repair(t, dir)
			if !repaired.Complete || (repaired.Repaired > 0) != test.stale {
				t.Errorf("Repair = %+v", repaired)
			}
			if test.stale {
				finish(t, dir)
				equalTrees(t, tree(t, dir), whole, "repaired")
			}
		})
	}
}
