//go:build conformance

package kvsio_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pagetest"
)

// BenchmarkListImages lists 10,000 images (1,000 with -short) page by page, with
// base64 undone, as kvsio's paginator, boto3's and the stock SDK's do, each in a
// process of its own, from one server that writes the same bytes again. It
// compares the CPU time that the listing took the process, without its start.
// Run .ci/clients first: it installs boto3.
//
//	go test -tags conformance ./io/kvsio -run '^$' -bench ListImages -benchtime 1x
func BenchmarkListImages(b *testing.B) {
	images := 10_000
	if testing.Short() {
		images = 1000
	}
	for _, kB := range []int{180, 20} {
		b.Run(fmt.Sprint(kB, "kB"), func(b *testing.B) {
			server := serveList(b, images/perPage, kB*1000)
			var ours, boto3, stock float64
			for b.Loop() {
				ours += listing{server.URL, images, kB * 1000}.by(b, self("kvsio"))
				boto3 += listing{server.URL, images, kB * 1000}.by(b, python(b))
				stock += listing{server.URL, images, kB * 1000}.by(b, self("stock SDK"))
			}
			b.ReportMetric(ours/float64(b.N), "CPU-s/kvsio")
			b.ReportMetric(boto3/float64(b.N), "CPU-s/boto3")
			b.ReportMetric(stock/float64(b.N), "CPU-s/stock-SDK")
			b.ReportMetric(boto3/ours, "boto3/ours")
			b.ReportMetric(stock/ours, "stock/ours")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// serveList serves pages of pictures of size bytes, each with a token of the
// next.
func serveList(b *testing.B, pages, size int) *httptest.Server {
	b.Helper()
	body := pagetest.Page(perPage, size)
	body = body[:bytes.LastIndexByte(body, ',')] // without its token
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ NextToken []byte }
		json.NewDecoder(r.Body).Decode(&in)
		time.Sleep(time.Millisecond) // some clients break when an answer overtakes their request
		if r.URL.Path == "/getDataEndpoint" {
			fmt.Fprintf(w, `{"DataEndpoint":%q}`, server.URL)
			return
		}
		end := "}"
		if page := 1 + binary.BigEndian.Uint64(append(make([]byte, 8),
			in.NextToken...)[len(in.NextToken):]); page < uint64(pages) {
			end = fmt.Sprintf(`,"NextToken":%q}`, base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, page)))
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+len(end)))
		w.Write(body)
		io.WriteString(w, end)
	}))
	b.Cleanup(server.Close)
	return server
}

// listing is what a process lists.
type listing struct {
	URL    string // of control plane and archive
	Images int
	Size   int // bytes of each
}

// by returns the CPU seconds that the listing took a process.
func (l listing) by(b *testing.B, c *exec.Cmd) float64 {
	b.Helper()
	// boto3 knows the region by another name, and takes no name for a profile's.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return v == "AWS_PROFILE=" })
	c.Env = slices.Concat(env, c.Env, []string{
		"AWS_DEFAULT_REGION=" + os.Getenv("AWS_REGION"),
		"KVSFRAMES_LIST_URL=" + l.URL,
	})
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	var got listed
	if err == nil {
		err = json.Unmarshal(out, &got)
	}
	if err != nil {
		b.Fatalf("%v\n%s\n%s", err, out, complaints.Bytes())
	}
	if want := int64(l.Images) * int64(l.Size); got.Bytes != want {
		b.Fatalf("%v: %d bytes of pictures, want %d", c.Args, got.Bytes, want)
	}
	return got.Seconds
}

// listed is what the process says of it.
type listed struct {
	Bytes   int64   `json:"bytes"`   // of pictures
	Seconds float64 `json:"seconds"` // of CPU
}

const listEnv = "KVSFRAMES_BENCHMARK_LIST"

func init() { processes[listEnv] = list }

func self(who string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = []string{listEnv + "=" + who}
	return c
}

func python(b *testing.B) *exec.Cmd {
	b.Helper()
	dir := os.Getenv("KVSFRAMES_CLIENTS")
	if dir == "" {
		dir = "../../.cache/clients"
	}
	program, err := filepath.Abs(dir + "/python/bin/python")
	if err != nil {
		b.Fatal(err)
	}
	return exec.Command(program, "../../testdata/clients/python/boto3_list.py")
}

// list lists in this process, which is there for nothing else.
func list(who string) error {
	listed, ctx, url := listed{}, context.Background(), os.Getenv("KVSFRAMES_LIST_URL")
	before := cpuSeconds()
	var err error
	if who == "kvsio" {
		listed.Bytes, err = listOurs(ctx, url)
	} else {
		listed.Bytes, err = listStock(ctx, url)
	}
	if err != nil {
		return err
	}
	listed.Seconds = cpuSeconds() - before
	return json.NewEncoder(os.Stdout).Encode(listed)
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it knows this process
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func listOurs(ctx context.Context, url string) (n int64, err error) {
	p := kvsio.ReadParams{
		AWS:        kvsio.AWSParams{EndpointURL: url},
		CallParams: kvsio.CallParams{StreamQuota: kvsio.UnknownQuota},
	}
	pages, err := kvsio.NewPaginator(ctx, pagesOf(p), imagesInput("cam", 300), kvsio.PaginationConfig{})
	if err != nil {
		return 0, err
	}
	for image, err := range pages.Images(ctx) {
		if err != nil {
			return 0, err
		}
		n += int64(len(image.Content))
	}
	return n, nil
}

func listStock(ctx context.Context, url string) (n int64, err error) {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return 0, err
	}
	pages := media.NewGetImagesPaginator(media.NewFromConfig(cfg, func(o *media.Options) { o.BaseEndpoint = &url }),
		imagesInput("cam", 300))
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, err
		}
		for _, image := range page.Images {
			content, err := base64.StdEncoding.DecodeString(*image.ImageContent)
			if err != nil {
				return 0, err
			}
			n += int64(len(content))
		}
	}
	return n, nil
}
