// Command stores plays stores on a network for tests, each with one bucket, which is in
// memory.
//
// Standard input and output are streams of encoding/gob. Each order is a list of strings
// and has one answer:
//
//	s3 BUCKET           starts a store that speaks S3's language: its URL
//	gs BUCKET URL       starts one that speaks Google's: its URL
//	objects STORE TEXT  the objects of the store with this URL whose names begin with a
//	                    text: the rest of their names, mapped to their contents
//	end STORE           ends the store: true
//
// A store of Google's tells its clients where an upload goes on: at URL, where something
// stands before it, or, if URL is empty, at its own. When the standard input ends, so
// does the program: no test leaves it behind, however the test ends.
package main

import (
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

// store is one that runs.
type store struct {
	server  *http.Server
	objects func(prefix string) map[string]string
}

func main() {
	orders, answers := gob.NewDecoder(os.Stdin), gob.NewEncoder(os.Stdout)
	stores := make(map[string]store)
	for {
		var order []string
		err := orders.Decode(&order)
		if err == io.EOF {
			return
		}
		check(err)
		switch order[0] {
		case "objects":
			check(answers.Encode(stores[order[1]].objects(order[2])))
		case "end":
			stores[order[1]].server.Close()
			delete(stores, order[1])
			check(answers.Encode(true))
		default:
			url, started := start(order)
			stores[url] = started
			check(answers.Encode(url))
		}
	}
}

func start(order []string) (url string, s store) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	url = "http://" + listener.Addr().String()
	var handler http.Handler
	if bucket := order[1]; order[0] == "s3" {
		handler, s.objects = s3(bucket)
	} else {
		handler, s.objects = google(bucket, cmp.Or(order[2], url))
	}
	s.server = &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	go s.server.Serve(listener)
	return url, s
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
