package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/io/internal/placetest"
	"github.com/kvsframes/kvsframes/io/store"
)

// counted is a bucket that counts requests, by their method. A request for many objects is
// of the method MANY.
type counted struct {
	store.Bucket
	front *placetest.Front // nil where there is no network
}

// buckets calls test with a new bucket of each kind.
func buckets(t *testing.T, test func(t *testing.T, kind string, bucket counted)) {
	for _, kind := range []string{"s3", "gs", "mem"} {
		t.Run(kind, func(t *testing.T) {
			name, front := placetest.Kinds[kind](t)
			root, err := store.At(name)
			if err != nil {
				t.Fatal(err)
			}
			test(t, kind, counted{root.(store.Bucket), front})
		})
	}
}

// count returns how many requests do makes. Those that refuse answers count.
func (c counted) count(do func(), refuse func(w http.ResponseWriter, r *http.Request) bool) map[string]int {
	if c.front == nil {
		do()
		return nil
	}
	var mu sync.Mutex
	counts := make(map[string]int)
	c.front.Set(func(w http.ResponseWriter, r *http.Request) bool {
		method := r.Method
		if r.URL.Query().Has("delete") {
			method = "MANY"
		}
		mu.Lock()
		counts[method]++
		mu.Unlock()
		return refuse != nil && refuse(w, r)
	})
	defer c.front.Set(nil)
	do()
	return counts
}

func (c counted) fill(t *testing.T, paths []string) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(store.UploadsAtOnce)
	for _, path := range paths {
		group.Go(func() error { return c.Put(ctx, path, []byte("x")) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

func numbered(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("folder/%04d.json", i))
	}
	return names
}

// TestListBetween: a part of a large folder costs as many requests as it has pages.
func TestListBetween(t *testing.T) {
	buckets(t, func(t *testing.T, kind string, bucket counted) {
		bucket.fill(t, numbered(1300))
		bucket.fill(t, []string{"folder/0650.json/below", "folder/0651/below", "folder2/0650.json", "0650.json"})
		for _, test := range []struct {
			first, last string
			want, pages int
		}{
			{"0650.json", "0659.json", 10, 1},
			{"0650", "0659.json", 10, 1},
			{"0650.json", "0650.json", 1, 1},
			{"0650.jsonx", "0650.jsony", 0, 1},
			{"", "0009.json", 10, 1},
			{"1290.json", "~", 10, 1},
			{"2", "~", 0, 1},
			{"0659.json", "0650.json", 0, 1},
			{"0000.json", "0999.json", 1000, 2},
			{"", "~", 1300, 3},
		} {
			var got []string
			var err error
			pages := bucket.count(func() {
				got, err = bucket.ListBetween(t.Context(), "folder", test.first, test.last)
			}, nil)[http.MethodGet]
			if err != nil || len(got) != test.want || !slices.IsSorted(got) ||
				len(got) > 0 && (got[0] < test.first || got[len(got)-1] > test.last) {
				t.Errorf("from %q to %q: %d files, want %d, %v", test.first, test.last, len(got), test.want, err)
			}
			if kind != "mem" && pages > test.pages {
				t.Errorf("from %q to %q: %d pages, want %d", test.first, test.last, pages, test.pages)
			}
		}
	})
}

// TestListBetweenIsAPartOfTheList: whatever the names are.
func TestListBetweenIsAPartOfTheList(t *testing.T) {
	buckets(t, func(t *testing.T, _ string, bucket counted) {
		name := rapid.StringMatching(`[!-.0-~é]{1,3}`).Filter(func(s string) bool { return strings.Trim(s, ".") != "" })
		folders := 0
		rapid.Check(t, func(rt *rapid.T) {
			folders++
			folder := fmt.Sprint("folder-", folders)
			names := rapid.SliceOfN(name, 1, 5).Draw(rt, "names")
			for _, name := range names {
				if err := bucket.Put(t.Context(), folder+"/"+name, []byte("x")); err != nil {
					rt.Fatal(err)
				}
			}
			ends := rapid.OneOf(rapid.Just(""), name, rapid.SampledFrom(names))
			first, last := ends.Draw(rt, "first"), ends.Draw(rt, "last")
			got, err := bucket.ListBetween(t.Context(), folder, first, last)
			all, _, problem := bucket.List(t.Context(), folder)
			want := slices.DeleteFunc(all, func(name string) bool { return name < first || name > last })
			if err != nil || problem != nil || !slices.Equal(got, want) {
				rt.Errorf("from %q to %q: %q, want %q, %v, %v", first, last, got, want, err, problem)
			}
		})
	})
}

// TestSizes: all files below a folder are listed, at any depth, in pages of 1,000, and nothing
// is read.
func TestSizes(t *testing.T) {
	buckets(t, func(t *testing.T, kind string, bucket counted) {
		bucket.fill(t, numbered(1300))
		for _, name := range []string{"folder/0001/a/b", "folder/0001x", "folder2/c", "d"} {
			if err := bucket.Put(t.Context(), name, []byte("12345")); err != nil {
				t.Fatal(err)
			}
		}
		var got map[string]int64
		var err error
		requests := bucket.count(func() { got, err = bucket.Sizes(t.Context(), "folder") }, nil)
		if err != nil || len(got) != 1302 || got["0001/a/b"] != 5 || got["0001x"] != 5 {
			t.Errorf("there are %d files, %v, %v", len(got), got["0001/a/b"], err)
		}
		if want := map[string]int{http.MethodGet: 2}; kind != "mem" && !maps.Equal(requests, want) {
			t.Errorf("the requests are %v, want %v", requests, want)
		}
		if got, err := bucket.Sizes(t.Context(), "nowhere"); err != nil || len(got) > 0 {
			t.Errorf("nowhere are %v, %v", got, err)
		}
	})
}

// TestRemoveAll: objects go, those that are not there do no harm, and others stay.
func TestRemoveAll(t *testing.T) {
	buckets(t, func(t *testing.T, kind string, bucket counted) {
		paths := numbered(1100)
		there := slices.Concat(paths[:20], paths[1080:])
		bucket.fill(t, append(there, "folder/stays", "folder/a&<b> c"))
		var err error
		counts := bucket.count(func() { err = bucket.RemoveAll(t.Context(), append(paths, "folder/a&<b> c")) }, nil)
		if left, _, problem := bucket.List(t.Context(), "folder"); err != nil || problem != nil ||
			!slices.Equal(left, []string{"stays"}) {
			t.Errorf("%q are left, %v, %v", left, err, problem)
		}
		if want := map[string]int{"MANY": 2}; kind == "s3" && !maps.Equal(counts, want) {
			t.Errorf("requests %v, want %v", counts, want)
		}
		for n := range 2 {
			counts := bucket.count(func() { err = bucket.RemoveAll(t.Context(), paths[:n]) }, nil)
			if err != nil || kind == "s3" && counts["MANY"] > 0 {
				t.Errorf("%d objects take %v, %v", n, counts, err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := bucket.RemoveAll(ctx, paths); err != context.Canceled {
			t.Errorf("after the context: %v", err)
		}
	})
}

// TestRemoveAllWithout: what a service does not remove in one request goes one by one,
// whatever it answers in place.
func TestRemoveAllWithout(t *testing.T) {
	const failed = `<DeleteResult><Deleted><Key>some/prefix/folder/0001.json</Key></Deleted>` +
		`<Error><Key>some/prefix/folder/0000.json</Key><Code>InternalError</Code></Error></DeleteResult>`
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"unknown":     {501, `<Error><Code>NotImplemented</Code></Error>`},
		"not allowed": {405, `<Error><Code>MethodNotAllowed</Code></Error>`},
		"no MD5":      {400, `<Error><Code>MissingContentMD5</Code></Error>`},
		"a page":      {200, `<html>captive</html>`},
		"nothing":     {200, ``},
		"partly":      {200, failed},
	} {
		t.Run(name, func(t *testing.T) {
			place, front := placetest.Kinds["s3"](t)
			root, err := store.At(place)
			if err != nil {
				t.Fatal(err)
			}
			bucket := counted{root.(store.Bucket), front}
			paths := numbered(3)
			bucket.fill(t, paths)
			if answer.body == failed { // so much of it is true
				if err := bucket.Remove(t.Context(), paths[1]); err != nil {
					t.Fatal(err)
				}
			}
			counts := bucket.count(func() { err = bucket.RemoveAll(t.Context(), paths) },
				func(w http.ResponseWriter, r *http.Request) bool {
					if !r.URL.Query().Has("delete") {
						return false
					}
					if r.Header.Get("Content-Md5") == "" {
						t.Error("the request has no Content-MD5")
					}
					io.Copy(io.Discard, r.Body)
					w.WriteHeader(answer.status)
					io.WriteString(w, answer.body)
					return true
				})
			empty, problem := bucket.Empty(t.Context())
			if err != nil || problem != nil || !empty || counts["MANY"] > 2 {
				t.Errorf("empty: %v, %v, %v, requests %v", empty, err, problem, counts)
			}
		})
	}
}

// TestRemoveAllFails: an object that stays is an error in the words of Remove, whether the
// service refuses the request or an object in it. What passes is tried again.
func TestRemoveAllFails(t *testing.T) {
	const denied = `<Error><Key>some/prefix/folder/0000.json</Key><Code>AccessDenied</Code></Error>`
	const partly = `<DeleteResult><Deleted><Key>some/prefix/folder/0001.json</Key></Deleted>` + denied + `</DeleteResult>`
	for name, whole := range map[string]bool{"the request": true, "an object": false} {
		t.Run(name, func(t *testing.T) {
			place, front := placetest.Kinds["s3"](t)
			root, err := store.At(place)
			if err != nil {
				t.Fatal(err)
			}
			bucket := counted{root.(store.Bucket), front}
			paths := numbered(2)
			bucket.fill(t, paths)
			refuse := func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Query().Has("delete") && !whole {
					io.WriteString(w, partly)
					return true
				}
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, denied)
				return true
			}
			var one error
			bucket.count(func() { one = bucket.Remove(t.Context(), paths[0]) }, refuse)
			bucket.count(func() { err = bucket.RemoveAll(t.Context(), paths) }, refuse)
			if !errors.Is(err, fs.ErrPermission) || !whole && err.Error() != one.Error() {
				t.Errorf("%v, want %v", err, one)
			}
			tries := 0
			bucket.count(func() { err = bucket.RemoveAll(t.Context(), paths) },
				func(w http.ResponseWriter, r *http.Request) bool {
					if !r.URL.Query().Has("delete") { // those before may still come
						return false
					}
					if tries++; tries > 1 {
						return false
					}
					w.WriteHeader(http.StatusServiceUnavailable)
					return true
				})
			if empty, problem := bucket.Empty(t.Context()); err != nil || problem != nil || !empty || tries != 2 {
				t.Errorf("after a 503: empty: %v after %d requests, %v, %v", empty, tries, err, problem)
			}
		})
	}
}
