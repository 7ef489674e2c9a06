package ledger

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestListEntriesAreWhole: an entry that lacks something is an error of the
// store, whichever way it is listed, and takes the process down in none.
func TestListEntriesAreWhole(t *testing.T) {
	testKeys(t)
	const key, modified = `<Key>p/ledger/a</Key>`, `<LastModified>2026-01-01T00:00:00Z</LastModified>`
	for i, c := range []struct {
		entry string
		whole bool
	}{
		{key + modified, true}, // without a Size, an ETag
		{key, false},
		{modified, false},
		{"", false},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `<ListBucketResult><Contents>%s</Contents></ListBucketResult>`, c.entry)
		}))
		store, err := StoreAt(fmt.Sprintf("s3://entries%d/p?region=us-east-1&endpoint=%s", i, server.URL))
		if err != nil {
			t.Fatal(err)
		}
		bucket := store.(*Bucket)
		_, _, list := bucket.List(t.Context(), "ledger")
		_, under := bucket.Under(t.Context(), "ledger")
		_, empty := bucket.Empty(t.Context())
		for op, err := range map[string]error{"List": list, "Under": under, "Empty": empty} {
			var refused *StoreError
			if c.whole != (err == nil) || !c.whole && (!errors.As(err, &refused) || !errors.Is(err, errPartEntry)) {
				t.Errorf("%s of %q: %v", op, c.entry, err)
			}
		}
		server.Close()
	}
}
