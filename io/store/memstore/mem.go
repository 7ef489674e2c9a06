// Package memstore makes mem://NAME/PREFIX places known to [store.At], for tests: import
// it for its effect. What is written there lives as long as the process.
package memstore

import (
	"gocloud.dev/blob/memblob"

	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/io/store/internal/bucket"
)

func init() {
	store.Register("mem", store.Driver{
		Open: func(p store.Place) (store.Bucket, error) { return bucket.Open(p, connect) },
	})
}

func connect(store.Place) (*bucket.Client, error) {
	return &bucket.Client{Bucket: memblob.OpenBucket(nil), Answer: func(error) bucket.Answer { return bucket.Answer{} }},
		nil
}
