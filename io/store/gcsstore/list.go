package gcsstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"cloud.google.com/go/storage"
)

// errNoList is the error of a list that Google does not make. It may pass.
var errNoList = errors.New("this is no answer of Google Cloud Storage: check the endpoint")

// trueLists is a transport that refuses an answer that is no list: the client takes some
// for an empty one, and panics at others.
type trueLists struct{ http.RoundTripper }

func (t trueLists) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusOK || !isList(r) {
		return answer, err
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err == nil {
		err = checkList(body)
	}
	if err != nil {
		return nil, fmt.Errorf("%s answers a request for a list with something else: %w", r.URL.Host, err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return answer, nil
}

// isList reports whether a request is for a list of objects.
func isList(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/o") &&
		strings.Contains(r.URL.RawQuery, "alt=json")
}

// listKind is what every list of objects says that it is, an empty one too.
const listKind = "storage#objects"

// checkList is nil for a list of objects that have names.
func checkList(body []byte) error {
	var list *struct {
		Kind  string `json:"kind"`
		Items []*struct {
			Name string `json:"name"`
		} `json:"items"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("%w: %w", errNoList, err)
	}
	if list == nil || list.Kind != listKind {
		return errNoList
	}
	for _, item := range list.Items {
		if item == nil || item.Name == "" {
			return fmt.Errorf("%w: an object has no name", errNoList)
		}
	}
	return nil
}

// between makes a list begin with the key first, and end after the key last.
func between(first, last string) func(as func(any) bool) error {
	return func(as func(any) bool) error {
		var query *storage.Query
		if as(&query) {
			query.StartOffset, query.EndOffset = first, last+"!" // the end is not listed itself
		}
		return nil
	}
}
