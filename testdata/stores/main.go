// Command stores plays a store on a network for tests, with one bucket, which is in
// memory:
//
//	stores s3 BUCKET
//	stores gs BUCKET URL
//
// The first speaks S3's language, the second Google's. That one tells its clients where
// an upload goes on: at URL, where something stands before it, or, if URL is empty, here.
//
// Standard output is a stream of encoding/gob. It begins with the store's own URL. For
// each line of the standard input, a prefix, there follow the objects whose names begin
// with it, as a map of the rest of their names to their contents. When the standard input
// ends, so does the store: no test leaves it behind, however the test ends.
package main

import (
	"bufio"
	"cmp"
	"encoding/gob"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/fsouza/fake-gcs-server/fakestorage"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	url, bucket := "http://"+listener.Addr().String(), os.Args[2]
	var server http.Handler
	var objects func(prefix string) map[string]string
	if os.Args[1] == "s3" {
		server, objects = s3(bucket)
	} else {
		server, objects = google(bucket, cmp.Or(os.Args[3], url))
	}
	quiet := log.New(io.Discard, "", 0)
	go (&http.Server{Handler: server, ErrorLog: quiet}).Serve(listener)
	out := gob.NewEncoder(os.Stdout)
	check(out.Encode(url))
	for prefixes := bufio.NewScanner(os.Stdin); prefixes.Scan(); {
		check(out.Encode(objects(prefixes.Text())))
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func s3(bucket string) (http.Handler, func(prefix string) map[string]string) {
	backend := s3mem.New()
	check(backend.CreateBucket(bucket))
	return gofakes3.New(backend).Server(), func(prefix string) map[string]string {
		below := gofakes3.NewPrefix(&prefix, nil)
		list, err := backend.ListBucket(bucket, &below, gofakes3.ListBucketPage{})
		check(err)
		objects := make(map[string]string)
		for _, found := range list.Contents {
			object, err := backend.GetObject(bucket, found.Key, nil)
			if err != nil {
				continue // it has just been removed
			}
			data, err := io.ReadAll(object.Contents)
			check(err)
			objects[strings.TrimPrefix(found.Key, prefix)] = string(data)
		}
		return objects
	}
}

func google(bucket, url string) (http.Handler, func(prefix string) map[string]string) {
	fake, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		NoListener: true, ExternalURL: url, PublicHost: strings.TrimPrefix(url, "http://"), Writer: io.Discard,
	})
	check(err)
	fake.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: bucket})
	return fake.HTTPHandler(), func(prefix string) map[string]string {
		list, err := fake.ListObjectsWithOptionsPaginated(bucket, fakestorage.ListOptions{Prefix: prefix})
		check(err)
		objects := make(map[string]string)
		for _, found := range list.Objects {
			object, err := fake.GetObject(bucket, found.Name)
			if err != nil {
				continue // it has just been removed
			}
			objects[strings.TrimPrefix(found.Name, prefix)] = string(object.Content)
		}
		return objects
	}
}
