package dataset

import (
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// newerAt is when the second shard of the tests of partial verifications begins.
var newerAt = time.UnixMilli(door.At(first + 4))

func partial(t testing.TB, dir string, options VerifyOptions) Report {
	t.Helper()
	report, err := opened(t, dir).Verify(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	checkEquation(t, report)
	return report
}

// TestVerifyPartly: what a verification finds that reads back only what is new, or nothing, in
// every place and format, and what it does not find and does not claim to have looked at.
func TestVerifyPartly(t *testing.T) {
	t.Parallel()
	older, newer, none := shardOf(door, 0, "fnfd"), shardOf(door, 4, "ffnf"), shardOf(door, 8, "nn")
	change := func(t *testing.T, s spot, name string, change func(data []byte) []byte) {
		t.Helper()
		s.put(t, name, string(change([]byte(s.files(t)[name]))))
	}
	flipped := func(data []byte) []byte {
		data[len(data)/2] ^= 1
		return data
	}
	longer := func(data []byte) []byte { return append(data, 0) }
	picture := func(t *testing.T, s spot, shard frame.Shard) string { return s.pictures(t, shard.Span)[0] }
	type counts struct{ since, books, full int64 } // what is wrong
	for name, test := range map[string]struct {
		spoil func(t *testing.T, s spot)
		want  counts
	}{
		"nothing": {func(*testing.T, spot) {}, counts{0, 0, 0}},
		"a bit of an old picture": {func(t *testing.T, s spot) {
			change(t, s, picture(t, s, older), flipped)
		}, counts{0, 0, 1}},
		"a bit of a new picture": {func(t *testing.T, s spot) {
			change(t, s, picture(t, s, newer), flipped)
		}, counts{1, 0, 1}},
		"the size of an old picture": {func(t *testing.T, s spot) {
			change(t, s, picture(t, s, older), longer)
		}, counts{0, 1, 1}},
		"the size of a new picture": {func(t *testing.T, s spot) {
			change(t, s, picture(t, s, newer), longer)
		}, counts{1, 1, 1}},
		"an old shard": {func(t *testing.T, s spot) {
			for _, name := range s.pictures(t, older.Span) {
				s.remove(t, name)
			}
		}, counts{1, 1, 1}},
		"a new shard": {func(t *testing.T, s spot) {
			for _, name := range s.pictures(t, newer.Span) {
				s.remove(t, name)
			}
		}, counts{1, 1, 1}},
		"a shard of nobody's": {func(t *testing.T, s spot) {
			s.put(t, "shards/"+door.ID()+"/x", "x")
		}, counts{1, 1, 1}},
		"a file where there are no frames": {func(t *testing.T, s spot) {
			s.put(t, opened(t, s.name).format.Path(none.Span), "x")
		}, counts{1, 1, 1}},
		"a request": {func(t *testing.T, s spot) {
			s.remove(t, ledger.RequestPath(frame.Span{Series: door, First: first, Samples: 10}))
		}, counts{1, 1, 1}},
		"a footer": {func(t *testing.T, s spot) {
			change(t, s, sealedIn(t, s.name)[0].Path(), func(data []byte) []byte { return data[:len(data)-9] })
		}, counts{1, 1, 1}},
		"the catalog": {func(t *testing.T, s spot) {
			d := opened(t, s.name)
			counts, _, _, err := d.readCatalog(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			counts[sealedIn(t, s.name)[0].Path()].Bytes++
			c := &cataloger{Dataset: d, catalog: counts, counted: sealedIn(t, s.name)}
			if err := c.keep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, counts{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []string{"folder", "s3"} {
				for _, format := range Formats() {
					s := createAt(t, spots[kind], Options{Format: format})
					write(t, s.name, older, newer, none)
					finish(t, s.name)
					test.spoil(t, s)
					since := partial(t, s.name, VerifyOptions{Since: newerAt})
					books := partial(t, s.name, VerifyOptions{Books: true})
					full := verify(t, s.name)
					for scope, got := range map[string]struct {
						Report
						wrong, unread int64
					}{
						"since 2026-01-01T00:00:12.000Z": {since, test.want.since, 1},
						"books":                          {books, test.want.books, 3},
						"":                               {full, test.want.full, 0},
					} {
						if got.Scope != scope || got.Complete != (got.wrong == 0) || got.wrong > 0 != (len(got.Problems) > 0) ||
							name != "a footer" && got.Unread != got.unread {
							t.Errorf("%s, %s: %+v, wrong is to be %d", format, scope, got.Report, got.wrong)
						}
					}
					if full.Samples != since.Samples || full.Samples != books.Samples {
						t.Errorf("%s: samples are %d, %d, %d", format, full.Samples, since.Samples, books.Samples)
					}
				}
			}
		})
	}
}

// TestVerifyBooksOfFolders: each file of the folder of a shard is looked for.
func TestVerifyBooksOfFolders(t *testing.T) {
	dir := create(t)
	write(t, dir, withTensors(shardOf(door, 0, "fnff")))
	pictures := spot{name: dir}.pictures(t, shardOf(door, 0, "fnff").Span)
	remove(t, dir, pictures[0])                        // the first frame's picture
	overwrite(t, dir, pictures[1], []byte("short"))    // and its tensor: it counts once
	overwrite(t, dir, pictures[2], []byte("short"))    // the second frame's picture
	overwrite(t, dir, path.Dir(pictures[2])+"/x", nil) // nobody's
	got := partial(t, dir, VerifyOptions{Books: true})
	if got.Missing != 1 || got.Corrupt != 1 || got.Foreign != 1 || got.Frames != 1 || !got.Repairable ||
		len(got.Problems) != 4 {
		t.Errorf("Verify = %+v", got)
	}
	since := partial(t, dir, VerifyOptions{Since: time.UnixMilli(door.At(first + 4))})
	if since.Missing != 1 || since.Corrupt != 0 || since.Foreign != 1 || since.Frames != 2 {
		t.Errorf("by names, Verify = %+v", since)
	}
	if want := pictures[2] + ": it has 5 bytes, "; !strings.Contains(strings.Join(got.Problems, "\n"), want) {
		t.Errorf("the problems are %q, without %q", got.Problems, want)
	}
}

// TestVerifyBooksRequests: 1,000 shards in a bucket take few requests, and no picture is read.
func TestVerifyBooksRequests(t *testing.T) {
	s := createAt(t, spots["s3"], Options{Format: "webdataset", ShardSamples: 1})
	const shards = 1000 - first%1000 // so that they are in one block
	w := writer(t, s.name)
	asked := frame.Span{Series: door, First: first + shards, Samples: 1000}
	if err := w.of.ledger.Request(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	all := make(chan error)
	for i := range 10 {
		go func() {
			var err error
			for j := 0; j < 100 && err == nil; j++ {
				_, err = w.Write(t.Context(), shardOf(door, shards+int64(100*i+j), "f"))
			}
			all <- err
		}()
	}
	for range 10 {
		if err := <-all; err != nil {
			t.Fatal(err)
		}
	}
	finish(t, s.name)
	for _, options := range []VerifyOptions{{Books: true}, {Since: time.UnixMilli(door.At(first + shards + 999))}} {
		const want = 65
		var requests, pictures atomic.Int64
		s.front.Set(func(_ http.ResponseWriter, r *http.Request) bool {
			requests.Add(1)
			if strings.Contains(r.URL.Path, ".tar") || strings.Contains(r.URL.EscapedPath(), ".tar") {
				pictures.Add(1)
			}
			return false
		})
		report := partial(t, s.name, options)
		s.front.Set(nil)
		if !report.Complete || report.Shards != 1000 || report.Frames != 1000 || requests.Load() > want ||
			pictures.Load() > 1000-report.Unread {
			t.Errorf("%d requests, %d of pictures: %+v", requests.Load(), pictures.Load(), report)
		}
		t.Logf("%s: %d requests, %d of pictures", report.Scope, requests.Load(), pictures.Load())
	}
}

// TestVerifyOptions: a partial verification is one thing, and repairs nothing.
func TestVerifyOptions(t *testing.T) {
	d := opened(t, create(t))
	if _, err := d.Verify(t.Context(), VerifyOptions{Books: true, Since: newerAt}); err == nil ||
		!strings.Contains(err.Error(), "Books is set, and so is Since: set one of the two") {
		t.Errorf("the error is %v", err)
	}
	for _, options := range []VerifyOptions{{Books: true}, {Since: newerAt}} {
		if _, err := d.Repair(t.Context(), options); err == nil ||
			!strings.Contains(err.Error(), "everything must be read back: leave Since and Books out") {
			t.Errorf("%+v: the error is %v", options, err)
		}
	}
}
