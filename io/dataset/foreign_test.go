package dataset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/internal/foldertest"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/io/store"
)

// TestNothingOfOthersGoes: whatever is done to a dataset, what somebody keeps in
// its tmp stays, and so does what a link in tmp's place leads to.
func TestNothingOfOthersGoes(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(t *testing.T, dir string) error{
		"repair whole": func(t *testing.T, dir string) error {
			_, err := opened(t, dir).Repair(t.Context(), VerifyOptions{})
			return err
		},
		"repair damaged": func(t *testing.T, dir string) error {
			damage(t, dir, damagedPicture)
			_, err := opened(t, dir).Repair(t.Context(), VerifyOptions{})
			return err
		},
		"create": func(t *testing.T, dir string) error { _, err := Create(t.Context(), dir, Options{}); return err },
		"write": func(t *testing.T, dir string) error {
			w, err := opened(t, dir).NewWriter()
			if err == nil {
				_, err = w.Write(t.Context(), shardOf(door, 4, "ff"))
			}
			return err
		},
		"index": func(t *testing.T, dir string) error { return sealAll(t.Context(), opened(t, dir)) },
		"sweep": func(t *testing.T, dir string) error { return opened(t, dir).Sweep(t.Context()) },
	} {
		dir := create(t)
		write(t, dir, shardOf(door, 0, "fnfd"))
		foldertest.Somebodys(t, filepath.Join(dir, "tmp"))
		want := tree(t, filepath.Join(dir, "tmp"))
		if err := do(t, dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		equalTrees(t, tree(t, filepath.Join(dir, "tmp")), want, name)

		dir = create(t)
		write(t, dir, shardOf(door, 0, "fnfd"))
		elsewhere := foldertest.LinkAway(t, dir, "tmp")
		foldertest.Somebodys(t, elsewhere)
		foldertest.Stray(t, elsewhere, disk.TempName(door.ID()+"."+shardOf(door, 0, "fnfd").Span.Name()))
		want, whole := tree(t, elsewhere), verify(t, dir)
		err := do(t, dir)
		if refused := err != nil && strings.Contains(err.Error(), "is a link"); name != "repair whole" && name != "sweep" &&
			!refused || err != nil && !refused {
			t.Errorf("%s with tmp elsewhere: %v", name, err)
		}
		equalTrees(t, tree(t, elsewhere), want, name+" with tmp elsewhere")
		if after := verify(t, dir); name == "repair whole" && !after.Complete || after.Frames+after.Corrupt < whole.Frames {
			t.Errorf("%s with tmp elsewhere: %+v", name, after)
		}
	}
}

// TestNothingBehindLinks: a dataset some of whose folders are links is read, and is
// not changed.
func TestNothingBehindLinks(t *testing.T) {
	for _, linked := range []string{"shards", "ledger", "requests", "shards/" + door.ID(), "ledger/" + door.ID()} {
		dir := create(t)
		write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
		damage(t, dir, damagedPicture)
		elsewhere := foldertest.LinkAway(t, dir, linked)
		want := tree(t, elsewhere)
		before := verify(t, dir)
		if before.Frames != 3 || before.Corrupt != 1 {
			t.Errorf("%s: Verify = %+v", linked, before)
		}
		if _, err := opened(t, dir).Repair(t.Context(), VerifyOptions{}); err == nil ||
			!strings.Contains(err.Error(), "link") {
			t.Errorf("%s: Repair: %v", linked, err)
		}
		equalTrees(t, tree(t, elsewhere), want, linked)
		if after := verify(t, dir); strings.HasPrefix(linked, "shards") && after.Frames != before.Frames {
			t.Errorf("%s: repaired to %+v", linked, after)
		}
	}
}

// TestStrayInAShard: a shard is not replaced, nor taken away, while somebody's file
// stands in its folder; it is when that has gone.
func TestStrayInAShard(t *testing.T) {
	for name, path := range map[string]string{
		"a file": damagedShard + "/cat.jpg", "a folder": damagedShard + "/cats/cat.jpg",
		"a folder by the name of a picture": damagedShard + "/front~door_20260101T000009000Z.jpg/cat.jpg",

		"of a later sample":   damagedShard + "/front~door_20260101T000012000Z.jpg",
		"of no sample":        damagedShard + "/front~door_20260101T000000001Z.jpg",
		"of another stream":   damagedShard + "/front_20260101T000000000Z.jpg",
		"of another kind":     damagedShard + "/front~door_20260101T000000000Z.txt",
		"of ours and another": damagedShard + "/front~door_20260101T000000000Z.jpg.bak",
	} {
		t.Run(name, func(t *testing.T) {
			dir := create(t)
			write(t, dir, shardOf(door, 0, "fnfd"))
			damage(t, dir, damagedPicture)
			foldertest.Stray(t, dir, path)
			if err := opened(t, dir).Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := tree(t, dir)
			says := strings.Split(strings.TrimPrefix(path, damagedShard+"/"), "/")[0] + " is not kvsframes' own"
			if _, err := opened(t, dir).Repair(t.Context(), VerifyOptions{}); err == nil ||
				!strings.Contains(err.Error(), says) {
				t.Errorf("Repair: %v, want %q", err, says)
			}
			equalTrees(t, tree(t, dir), want, "repaired")
			for _, outcomes := range []string{"ggnd", "nnnn"} {
				if _, err := writer(t, dir).Write(context.Background(), shardOf(door, 0, outcomes)); err == nil ||
					!strings.Contains(err.Error(), says) {
					t.Errorf("Write: %v, want %q", err, says)
				}
			}
			wantNoLeftovers(t, dir, "written")
			opened(t, dir).Sweep(t.Context())
			equalTrees(t, tree(t, dir), want, "written")
			if err := os.RemoveAll(filepath.Join(dir, damagedShard,
				strings.Split(strings.TrimPrefix(path, damagedShard+"/"), "/")[0])); err != nil {
				t.Fatal(err)
			}
			if report := repair(t, dir); report.Repaired != 1 {
				t.Errorf("Repair = %+v", report)
			}
		})
	}
}

// TestStrayObject: in a bucket what somebody keeps in a shard's folder is in nobody's
// way, and stays.
func TestStrayObject(t *testing.T) {
	s := createAt(t, spots["mem"], Options{Format: "files"})
	write(t, s.name, shardOf(door, 0, "fnfd"))
	s.put(t, damagedShard+"/cat.jpg", "cat")
	write(t, s.name, shardOf(door, 0, "ggnd"))
	s.put(t, damagedPicture, "x")
	if report := repair(t, s.name); report.Repaired != 1 {
		t.Errorf("Repair = %+v", report)
	}
	files := s.files(t)
	if files[damagedShard+"/cat.jpg"] != "cat" {
		t.Error("it is gone")
	}
	if pictures := s.pictures(t, shardOf(door, 0, "fnfd").Span); len(pictures) != 1 {
		t.Errorf("there are %v", pictures)
	}
}

// TestPipes: a pipe in a file's place is damage, and is mended as damage is; nobody
// waits for what comes out of it.
func TestPipes(t *testing.T) {
	for name, test := range map[string]struct {
		format, path string
		want         Report
	}{
		"receipt": {"files", damagedReceipt, Report{Damaged: 1, Missing: 4, Repaired: 2}},
		"request": {"files", damagedRequest, Report{Damaged: 1, Repaired: 1}},
		"picture": {"files", damagedPicture, Report{Corrupt: 1, Repaired: 1}},
		"file":    {"webdataset", damagedShard + ".tar", Report{Corrupt: 2, Repaired: 1}},
	} {
		dir := createIn(t, test.format)
		write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
		path := filepath.Join(dir, test.path)
		if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o666)); err != nil {
			t.Fatal(err)
		}
		got := verify(t, dir)
		if got.Damaged != test.want.Damaged || got.Missing != test.want.Missing || got.Corrupt != test.want.Corrupt ||
			!strings.Contains(strings.Join(got.Problems, "\n"), "a pipe") {
			t.Errorf("%s: Verify = %+v", name, got)
		}
		if report := repair(t, dir); report.Repaired != test.want.Repaired || report.Damaged+report.Corrupt != 0 {
			t.Errorf("%s: Repair = %+v", name, report)
		}
		refill(t, dir, shardOf(door, 0, "fnfd"))
		if report := verify(t, dir); !report.Complete || report.Frames != 4 {
			t.Errorf("%s: mended: %+v", name, report)
		}
	}
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, descriptionFile), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "a pipe") {
		t.Errorf("Open: %v", err)
	}
}

// TestDescriptionIsNoFile: a folder, or a link that leads nowhere, in the description's
// place is no description of ours; nor is it a place for a new dataset.
func TestDescriptionIsNoFile(t *testing.T) {
	for says, put := range map[string]func(path string) error{
		"is a folder":       func(path string) error { return os.Mkdir(path, 0o777) },
		"a link to nothing": func(path string) error { return os.Symlink(path, path) },
	} {
		dir := create(t)
		path := filepath.Join(dir, descriptionFile)
		if err := errors.Join(os.Remove(path), put(path)); err != nil {
			t.Fatal(err)
		}
		_, create := Create(t.Context(), dir, Options{})
		_, open := Open(t.Context(), dir)
		for _, err := range []error{create, open} {
			if !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), says) {
				t.Errorf("%v must contain %q", err, says)
			}
		}
	}
}

// TestLargeDescriptions: descriptions, and the card, that are larger than any are
// refused, or somebody's own, and not read.
func TestLargeDescriptions(t *testing.T) {
	dir := create(t)
	write(t, dir, shardOf(door, 0, "fnfd"))
	foldertest.Stray(t, dir, card.File)
	if err := os.Truncate(filepath.Join(dir, card.File), 40<<30); err != nil {
		t.Fatal(err)
	}
	if _, err := opened(t, dir).Finish(t.Context(), FinishOptions{}); err != nil {
		t.Errorf("Finish: %v", err)
	}
	if info, err := os.Stat(filepath.Join(dir, card.File)); err != nil || info.Size() != 40<<30 {
		t.Errorf("the card: %v", err)
	}
	if err := os.Truncate(filepath.Join(dir, descriptionFile), 40<<30); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); !errors.Is(err, ErrForeign) ||
		!strings.Contains(err.Error(), "has 42949672960 bytes") {
		t.Errorf("Open: %v", err)
	}
	s := createAt(t, spots["mem"], Options{})
	s.put(t, descriptionFile, strings.Repeat(" ", 16<<20+1))
	if _, err := Open(t.Context(), s.name); !errors.Is(err, ErrForeign) ||
		!strings.Contains(err.Error(), "has 16777217 bytes") {
		t.Errorf("Open: %v", err)
	}
}

// TestNothingWrittenBehindLinks: what stands behind a link in the place of a series'
// folder is somebody else's: a writer refuses, and replaces nothing there.
func TestNothingWrittenBehindLinks(t *testing.T) {
	for _, format := range []string{"files", "webdataset"} {
		for _, linked := range []string{"shards/" + door.ID(), "ledger/" + door.ID(), "requests/" + door.ID()} {
			dir := createIn(t, format)
			write(t, dir, shardOf(door, 0, "fnfd"))
			w := writer(t, dir)
			elsewhere := foldertest.LinkAway(t, dir, linked)
			want, before := tree(t, elsewhere), verify(t, dir)
			shards := []frame.Shard{shardOf(door, 0, "ggnd"), shardOf(door, 0, "nnnn"), shardOf(door, 4, "ff")}
			if strings.HasPrefix(linked, "requests/") {
				shards = shards[2:] // the others were asked for: nothing is written
			}
			for _, shard := range shards {
				err := ledger.Open(dir).Request(t.Context(), shard.Span)
				if !strings.HasPrefix(linked, "requests/") {
					_, err = w.Write(t.Context(), shard)
				}
				if err == nil || !strings.Contains(err.Error(), "is behind a link") {
					t.Errorf("%s, %s: %v", format, linked, err)
				}
			}
			equalTrees(t, tree(t, elsewhere), want, format+", "+linked)
			wantNoLeftovers(t, dir, linked)
			if after := verify(t, dir); after.Frames != before.Frames || after.Corrupt+after.Damaged > 0 {
				t.Errorf("%s, %s: %+v", format, linked, after)
			}
		}
	}
}

// TestBadLinks: a link that leads nowhere, in the place of a file or of a shard's folder,
// is damage of that file, and is mended; what links lead to is not touched.
func TestBadLinks(t *testing.T) {
	for name, target := range map[string]string{
		"nowhere": "nowhere", "itself": "", "through a file": "/etc/passwd/x", "too long": strings.Repeat("x", 300),
	} {
		for _, test := range []struct {
			format, path string
			damaged      bool // else its pictures are, or the index
		}{
			{"files", damagedReceipt, true},
			{"files", damagedRequest, true},
			{"files", damagedPicture, false},
			{"files", damagedShard, false},
			{"webdataset", damagedShard + ".tar", false},
			{"files", card.File, false},
		} {
			dir := createIn(t, test.format)
			write(t, dir, shardOf(door, 0, "fnfd"), shardOf(door, 4, "ff"))
			finish(t, dir)
			path, to := filepath.Join(dir, test.path), target
			if to == "" {
				to = path
			}
			if err := errors.Join(os.RemoveAll(path), os.Symlink(to, path)); err != nil {
				t.Fatal(err)
			}
			label := name + ", " + test.path
			got := verify(t, dir)
			said := strings.Join(got.Problems, "\n")
			if harmless := test.path == card.File; got.Complete != harmless || (got.Damaged == 1) != test.damaged ||
				!harmless && !strings.Contains(said, "a link to nothing") {
				t.Errorf("%s: Verify = %+v", label, got)
			}
			if _, err := opened(t, dir).Finish(t.Context(), FinishOptions{}); err != nil {
				t.Errorf("%s: Catalog: %v", label, err)
			}
			report := repair(t, dir)
			if report.Damaged+report.Corrupt > 0 || report.Stale || (report.Repaired == 0) != got.Complete {
				t.Errorf("%s: Repair = %+v", label, report)
			}
			refill(t, dir, shardOf(door, 0, "fnfd"))
			finish(t, dir)
			if report := verify(t, dir); !report.Complete || report.Frames != 4 {
				t.Errorf("%s: mended: %+v", label, report)
			}
		}
	}
}

// TestCraftedNames: a request of a stream that no service has under such a
// name is damage, wherever it is, and is mended; its name becomes part of no path.
func TestCraftedNames(t *testing.T) {
	for _, stream := range []string{"a/b", "../..", "nul\x00x", "", ".. /", strings.Repeat("x", 257), "a b"} {
		for _, apart := range []bool{false, true} { // whether it is in a folder of its own
			dir := create(t)
			write(t, dir, shardOf(door, 0, "fnfd"))
			crafted := door
			crafted.StreamName = stream
			span := frame.Span{Series: crafted, First: first, Samples: 4}
			id := door.ID()
			if apart {
				id = "x_0123456789ab"
				if name := crafted.ID(); len(name) < 200 && !strings.ContainsAny(name, "/\x00") {
					id = name
				}
			}
			for kind, file := range map[string]proto.Message{
				"requests": &framepb.Request{Series: framepb.SeriesOf(crafted), First: span.First, Samples: span.Samples},
			} {
				data, err := framepb.EncodeJSON(file)
				if err != nil {
					t.Fatal(err)
				}
				foldertest.MakeFolder(t, dir, kind+"/"+id)
				overwrite(t, dir, kind+"/"+id+"/"+span.Name()+".json", data)
			}
			if report := verify(t, dir); report.Damaged != 1 {
				t.Errorf("%q, %v: Verify = %+v", stream, apart, report)
			}
			repair(t, dir)
			refill(t, dir, shardOf(door, 0, "fnfd"))
			if report := verify(t, dir); !report.Complete || report.Samples != 4 {
				t.Errorf("%q, %v: mended: %+v", stream, apart, report)
			}
			if _, folders, err := store.Folder(dir).List(t.Context(), "shards"); err != nil || len(folders) != 1 {
				t.Errorf("%q, %v: shards has %q, %v", stream, apart, folders, err)
			}
		}
	}
}
