package gcsstore

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/store"
)

// TestNoListIsAskedForAgain: an answer that is no list may pass, whichever way it is
// listed.
func TestNoListIsAskedForAgain(t *testing.T) {
	firstWait = time.Millisecond
	t.Cleanup(func() { firstWait = usualWait })
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	list := func(items string) string { return `{"kind":"storage#objects","items":` + items + `}` }
	for i, bad := range []string{
		"", "<html>captive</html>", `{"kind":"storage#objects","items":[{"na`, "[]", `"ok"`, "null",
		`{}`, `{"kind":"storage#object"}`, list(`{}`), list(`[null]`), list(`[{}]`),
	} {
		asked := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked%2 == 1 {
				fmt.Fprint(w, bad)
				return
			}
			fmt.Fprint(w, `{"kind":"storage#objects"}`)
		}))
		t.Cleanup(server.Close)
		root, err := store.At(fmt.Sprintf("gs://bucket-%d/p?anonymous=true&endpoint=%s", i, server.URL))
		if err != nil {
			t.Fatal(err)
		}
		_, _, list := root.List(t.Context(), "ledger")
		_, under := root.Under(t.Context(), "ledger")
		_, empty := root.(store.Bucket).Empty(t.Context())
		for op, err := range map[string]error{"List": list, "Under": under, "Empty": empty} {
			if err != nil {
				t.Errorf("%s after %q: %v", op, bad, err)
			}
		}
		if asked != 6 {
			t.Errorf("after %q: asked %d times", bad, asked)
		}
	}
}

// TestNoListIsAnError: what is no list however often it is asked for is an error that
// says who answered.
func TestNoListIsAnError(t *testing.T) {
	firstWait = time.Millisecond
	t.Cleanup(func() { firstWait = usualWait })
	t.Setenv("STORAGE_EMULATOR_HOST", "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "null")
	}))
	t.Cleanup(server.Close)
	root, err := store.At("gs://bucket/p?anonymous=true&endpoint=" + server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = root.List(t.Context(), "ledger")
	var refused *store.Error
	host := strings.TrimPrefix(server.URL, "http://")
	if !errors.As(err, &refused) || !errors.Is(err, errNoList) || !strings.Contains(err.Error(), host) {
		t.Errorf("%v", err)
	}
}
