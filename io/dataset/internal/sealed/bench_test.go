package sealed

import (
	"bytes"
	"io"
	"testing"
)

// BenchmarkSealed writes and reads a file of 100,000 samples, half a full one.
func BenchmarkSealed(b *testing.B) {
	receipts := receiptsOf(1000)
	data := written(b, webdataset, receipts)
	for _, bench := range []struct {
		name string
		do   func() error
	}{
		{"Write", func() error { return Write(io.Discard, webdataset, receipts) }},
		{"Table", func() error {
			_, err := Open(memory{Reader: bytes.NewReader(data)})
			return err
		}},
		{"Receipts", func() error {
			f, err := Open(memory{Reader: bytes.NewReader(data)})
			if err == nil {
				_, err = f.Receipts()
			}
			return err
		}},
		{"Check", func() error {
			f, err := Open(memory{Reader: bytes.NewReader(data)})
			if err == nil {
				err = f.Check(webdataset)
			}
			return err
		}},
		{"Digest", func() error {
			Digest(receipts)
			return nil
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.do(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxSamples, "ns/sample")
			b.ReportMetric(float64(len(data))/MaxSamples, "bytes/sample")
		})
	}
}
