package s3store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/kvsframes/kvsframes/io/store"
)

// listAll lists a place of a bucket in each of the ways that there are.
func listAll(ctx context.Context, bucket store.Bucket) map[string]error {
	_, _, list := bucket.List(ctx, "ledger")
	_, under := bucket.Under(ctx, "ledger")
	_, empty := bucket.Empty(ctx)
	return map[string]error{"List": list, "Under": under, "Empty": empty}
}

// listFrom opens a bucket in a store that answers as a test says.
func listFrom(t *testing.T, bucket string, answer http.HandlerFunc) (store.Bucket, string) {
	t.Helper()
	longestWait = time.Millisecond
	t.Cleanup(func() { longestWait = retry.DefaultMaxBackoff })
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	root, err := store.At(fmt.Sprintf("s3://%s/p?region=us-east-1&endpoint=%s", bucket, server.URL))
	if err != nil {
		t.Fatal(err)
	}
	return root.(store.Bucket), strings.TrimPrefix(server.URL, "http://")
}

// TestListIsOne: an answer that is no list of the bucket, or lists an entry that lacks
// something, is an error of the store, whichever way it is listed: it does not count as
// an empty store, and takes the process down in no case.
func TestListIsOne(t *testing.T) {
	const key, modified = `<Key>p/ledger/a</Key>`, `<LastModified>2026-01-01T00:00:00Z</LastModified>`
	list := func(of string) string { return `<ListBucketResult>` + of + `</ListBucketResult>` }
	named := func(entry string) string { return list("<Name>bucket</Name><Contents>" + entry + "</Contents>") }
	for _, c := range []struct {
		answer string
		says   string // empty where it is one
	}{
		{named(key + modified), ""}, // without a Size, an ETag
		{list("<Name>bucket</Name>"), ""},
		{list("<KeyCount>0</KeyCount>"), ""},
		{list("<MaxKeys>1000</MaxKeys>"), ""},
		{named(key), "without its Key or LastModified"},
		{named(modified), "without its Key or LastModified"},
		{named(""), "without its Key or LastModified"},
		{"", "no list"},
		{"<html>captive</html>", "no list"},
		{list(""), "no list"},
		{list("<Contents>" + key + modified + "</Contents>"), "no list"},
		{list("<IsTruncated>false</IsTruncated>"), "no list"},
		{list("<Name>another</Name><KeyCount>0</KeyCount>"), `a list of the bucket "another"`},
		{list("<Name>bucket</Name><IsTruncated>true</IsTruncated>"), "does not say where it goes on"},
		{
			list("<Name>bucket</Name><IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken>"),
			"does not say where it goes on",
		},
	} {
		bucket, host := listFrom(t, "bucket", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, c.answer) })
		for op, err := range listAll(t.Context(), bucket) {
			var refused *store.Error
			whole := c.says == ""
			if whole != (err == nil) || !whole && (!errors.As(err, &refused) || !errors.Is(err, errNoList) ||
				!strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), host)) {
				t.Errorf("%s of %q: %v", op, c.answer, err)
			}
		}
	}
}

// TestNoListIsAskedForAgain: an answer that is no list may pass, whichever way it is
// listed. One that goes on where it was does not.
func TestNoListIsAskedForAgain(t *testing.T) {
	const whole = `<ListBucketResult><Name>bucket</Name></ListBucketResult>`
	for _, bad := range []string{
		"",
		"<html>captive</html>",
		`<ListBucketResult></ListBucketResult>`,
		`<ListBucketResult><Name>another</Name></ListBucketResult>`,
		`<ListBucketResult><Name>bucket</Name><IsTruncated>true</IsTruncated></ListBucketResult>`,
		`<ListBucketResult><Name>bucket</Name><Contents><Key>p/ledger/a</Key></Contents></ListBucketResult>`,
	} {
		asked := 0
		bucket, _ := listFrom(t, "bucket", func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked%2 == 1 {
				fmt.Fprint(w, bad)
				return
			}
			fmt.Fprint(w, whole)
		})
		all := listAll(t.Context(), bucket)
		for op, err := range all {
			if err != nil {
				t.Errorf("%s after %q: %v", op, bad, err)
			}
		}
		if asked != 2*len(all) {
			t.Errorf("after %q: asked %d times", bad, asked)
		}
	}
	asked := 0
	bucket, _ := listFrom(t, "bucket", func(w http.ResponseWriter, _ *http.Request) {
		asked++
		fmt.Fprint(w, `<ListBucketResult><Name>bucket</Name><IsTruncated>true</IsTruncated>`+
			`<NextContinuationToken>same</NextContinuationToken></ListBucketResult>`)
	})
	if _, _, err := bucket.List(t.Context(), "ledger"); !errors.Is(err, errNoList) || asked != 2 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

// TestListOfAnAlias: what stands for a bucket is answered with the name of the bucket.
func TestListOfAnAlias(t *testing.T) {
	bucket, _ := listFrom(t, "frames-abc-s3alias", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount></ListBucketResult>`)
	})
	for op, err := range listAll(t.Context(), bucket) {
		if err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
}

// TestListEnds: a list that goes on where it was is an error, after however many pages;
// one of many pages is none.
func TestListEnds(t *testing.T) {
	for name, test := range map[string]struct {
		next func(page int) string // the token of a page
		ends bool
	}{
		"the same":          {func(int) string { return "same" }, false},
		"in turn":           {func(page int) string { return fmt.Sprint(page % 2) }, false},
		"in a large circle": {func(page int) string { return fmt.Sprint(page % 37) }, false},
		"after a while":     {func(page int) string { return fmt.Sprint(min(page, 50)) }, false},
		"many pages":        {func(page int) string { return fmt.Sprint(page) }, true},
	} {
		page := 0
		bucket, host := listFrom(t, "bucket", func(w http.ResponseWriter, r *http.Request) {
			if !r.URL.Query().Has("continuation-token") {
				page = 0
			}
			page++
			if page > 300 {
				fmt.Fprint(w, `<ListBucketResult><Name>bucket</Name></ListBucketResult>`)
				return
			}
			fmt.Fprintf(w, `<ListBucketResult><Name>bucket</Name><IsTruncated>true</IsTruncated>`+
				`<NextContinuationToken>%s</NextContinuationToken></ListBucketResult>`, test.next(page))
		})
		for op, err := range listAll(t.Context(), bucket) {
			if test.ends != (err == nil) || !test.ends && (!errors.Is(err, errNoList) ||
				!strings.Contains(err.Error(), "goes on where it was") || !strings.Contains(err.Error(), host)) {
				t.Errorf("%s, %s: %v", name, op, err)
			}
		}
	}
}
