package storetest

import (
	"net/http"
	"strings"
	"testing"
)

// TestEndsWithTheTest: a store answers while its test runs, and is gone after it.
func TestEndsWithTheTest(t *testing.T) {
	var stores []*Store
	t.Run("running", func(t *testing.T) {
		stores = append(stores, S3(t, "bucket"), Google(t, "bucket", ""))
		for _, s := range stores {
			if objects := s.Objects(t, ""); len(objects) > 0 {
				t.Errorf("a new store has %v", objects)
			}
		}
		put, err := http.NewRequest(http.MethodPut, stores[0].URL+"/bucket/some/object", strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := http.DefaultClient.Do(put); err != nil {
			t.Fatal(err)
		}
		upload := stores[1].URL + "/upload/storage/v1/b/bucket/o?uploadType=media&name=some/object"
		if _, err := http.Post(upload, "", strings.NewReader("content")); err != nil {
			t.Fatal(err)
		}
		for _, s := range stores {
			if objects := s.Objects(t, "some/"); len(objects) != 1 || objects["object"] != "content" {
				t.Errorf("below some/ lies %q", objects)
			}
		}
	})
	for _, s := range stores {
		if _, err := http.Get(s.URL); err == nil {
			t.Errorf("%s still answers", s.URL)
		}
	}
}
