package dataset

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/internal/foldertest"
)

// BenchmarkSinkMemory uploads shards of 100 frames of 100 kB to a store that
// forgets them, one after another, and watches how much memory is in use beside
// the shard, with a collector that never lets more than a twentieth of it be garbage.
func BenchmarkSinkMemory(b *testing.B) {
	for _, format := range Formats() {
		for _, kind := range []string{"folder", "s3"} {
			b.Run(format+"/"+kind, func(b *testing.B) { benchmarkSinkMemory(b, format, kind) })
		}
	}
}

func benchmarkSinkMemory(b *testing.B, format, kind string) {
	s := createAt(b, spots[kind], Options{Format: format})
	if s.front != nil {
		s.front.Set(forgetShards)
	}
	w, shard := writer(b, s.name), bigShard()
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	runtime.GC()
	most := foldertest.Watch("/memory/classes/heap/objects:bytes")
	for i := int64(0); b.Loop(); i++ {
		if _, err := w.Write(context.Background(), later(shard, i)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((float64(most.Stop())-float64(most.First))/1e7, "shards-beside-it")
}

// forgetShards takes what is written below shards as a store does, and keeps none.
func forgetShards(w http.ResponseWriter, r *http.Request) bool {
	if !strings.Contains(r.URL.Path, "/shards/") {
		return false
	}
	io.Copy(io.Discard, r.Body)
	w.Header().Set("ETag", `"forgotten"`)
	switch query := r.URL.Query(); {
	case query.Has("uploads"):
		io.WriteString(w, "<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>")
	case r.Method == http.MethodPost && query.Has("uploadId"):
		io.WriteString(w, "<CompleteMultipartUploadResult><ETag>forgotten</ETag></CompleteMultipartUploadResult>")
	}
	return true
}
