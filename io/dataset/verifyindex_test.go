package dataset

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/internal/own"
)

// TestVerifyIndex: an index that is not the one of the receipts is not complete, and
// goes when the dataset is repaired; a missing one is no damage. A card that is not the
// dataset's is worth a note.
func TestVerifyIndex(t *testing.T) {
	for name, test := range map[string]struct {
		spoil   func(t *testing.T, dir string)
		stale   bool
		problem string
	}{
		"whole": {func(*testing.T, string) {}, false, ""},
		"none":  {func(t *testing.T, dir string) { remove(t, dir, indexFile) }, false, ""},
		"damaged": {
			func(t *testing.T, dir string) { flip(t, filepath.Join(dir, indexFile)) }, true,
			"a checksum does not match: index the dataset again",
		},
		"cut short": {func(t *testing.T, dir string) { damage(t, dir, indexFile) }, true, "index the dataset again"},
		"a shard less": {func(t *testing.T, dir string) {
			old := tree(t, dir)[indexFile]
			write(t, dir, shardOf(door, 6, "ff"))
			overwrite(t, dir, indexFile, []byte(old))
		}, true, "it ends before front~door_20260101T000018000Z, which is recorded"},
		"another picture": {func(t *testing.T, dir string) {
			old := tree(t, dir)[indexFile]
			write(t, dir, shardOf(door, 4, "gf"))
			overwrite(t, dir, indexFile, []byte(old))
		}, true, "its row of front~door_20260101T000012000Z is not what the receipt of front~door_20260101T000012000Z says"},
		"a shard more": {func(t *testing.T, dir string) {
			old := tree(t, dir)
			write(t, dir, shardOf(door, 6, "ff"))
			catalog(t, dir)
			for name := range tree(t, dir) {
				if _, had := old[name]; !had {
					remove(t, dir, name)
				}
			}
			overwrite(t, dir, damagedRequest, []byte(old[damagedRequest]))
		}, true, "it has a row of front~door_20260101T000018000Z, which is in no receipt"},
		"a card of before": {func(t *testing.T, dir string) {
			overwrite(t, dir, card.File, []byte(tree(t, dir)[card.File]+"More.\n"))
		}, false, "README.md: it is not the card of the dataset as it is now"},
		"somebody's card": {func(t *testing.T, dir string) { overwrite(t, dir, card.File, []byte("# Mine\n")) }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := create(t)
			write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
			catalog(t, dir)
			test.spoil(t, dir)
			report := verify(t, dir)
			said := strings.Join(report.Problems, "\n")
			if report.Stale != test.stale || report.Complete == test.stale || !strings.Contains(said, test.problem) ||
				(said == "") != (test.problem == "") {
				t.Errorf("Verify = %+v", report)
			}
			repaired := repair(t, dir)
			if !repaired.Complete || (repaired.Repaired > 0) != test.stale ||
				own.Exists(filepath.Join(dir, indexFile)) != (!test.stale && name != "none") {
				t.Errorf("Repair = %+v", repaired)
			}
		})
	}
}

// TestSameRow: rows that differ in any field are not the same.
func TestSameRow(t *testing.T) {
	whole := func() *Sample { return &Sample{Key: "key", Labels: map[string]string{"a": "b"}} }
	if !sameRow(whole(), whole()) {
		t.Error("a row is not the same as itself")
	}
	for i := range reflect.TypeFor[Sample]().NumField() {
		other := whole()
		switch field := reflect.ValueOf(other).Elem().Field(i); field.Kind() {
		case reflect.String:
			field.SetString("other")
		case reflect.Map:
			field.Set(reflect.ValueOf(map[string]string{"a": "c"}))
		case reflect.Array:
			field.Index(31).SetUint(1)
		default:
			field.SetInt(1)
		}
		if sameRow(whole(), other) {
			t.Errorf("a row is the same with another %s", reflect.TypeFor[Sample]().Field(i).Name)
		}
	}
}
