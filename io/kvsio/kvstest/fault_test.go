package kvstest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	archived "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"
)

// offGrid counts the entries whose time is not newYear + k·3 s, and checks
// that they are at most share of the interval off.
func offGrid(t *testing.T, images []types.Image, share float64) (n int) {
	for _, img := range images {
		off := img.TimeStamp.Sub(newYear) % (3 * time.Second)
		if off > 1500*time.Millisecond {
			off -= 3 * time.Second
		}
		if off != 0 {
			n++
		}
		if float64(off.Abs()) > share*float64(3*time.Second) {
			t.Errorf("%v off", off)
		}
	}
	return n
}

func filled(images []types.Image) (n int) {
	for _, img := range images {
		if img.ImageContent != nil {
			n++
		}
	}
	return n
}

// What each fault looks like to a client that asks for 20 images in two pages.
func TestFaults(t *testing.T) {
	refusedAs := func(codes ...string) func(*testing.T, *archived.GetImagesOutput, error) {
		return func(t *testing.T, _ *archived.GetImagesOutput, err error) {
			if !slices.Contains(codes, codeOf(err)) {
				t.Errorf("got %v", err)
			}
		}
	}
	page := func(check func(*testing.T, *archived.GetImagesOutput)) func(*testing.T, *archived.GetImagesOutput, error) {
		return func(t *testing.T, out *archived.GetImagesOutput, err error) {
			if err != nil {
				t.Fatal(err)
			}
			check(t, out)
		}
	}
	isEntries := func(entries, pictures int) func(*testing.T, *archived.GetImagesOutput, error) {
		return page(func(t *testing.T, out *archived.GetImagesOutput) {
			if len(out.Images) != entries || filled(out.Images) != pictures || out.NextToken == nil {
				t.Errorf("got %s, token %v", sketch(out.Images), out.NextToken)
			}
		})
	}
	checks := map[string]func(*testing.T, *archived.GetImagesOutput, error){
		faultThrottle:       refusedAs("ClientLimitExceededException"),
		faultServerError:    refusedAs("InternalFailure", "ServiceUnavailableException"),
		faultOutOfRetention: refusedAs(badArgument),
		faultReset: func(t *testing.T, _ *archived.GetImagesOutput, err error) {
			if !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("got %v", err)
			}
		},
		faultTruncatedBody: func(t *testing.T, _ *archived.GetImagesOutput, err error) {
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("got %v", err)
			}
		},
		faultEndpointExpired: refusedAs("NotAuthorizedException"),
		faultMissingSample:   isEntries(9, 9),
		faultEmptyEntry:      isEntries(10, 9),
		faultExtraSample:     isEntries(11, 11),
		faultEmptyPage:       isEntries(0, 0),
		faultShiftedTimestamp: page(func(t *testing.T, out *archived.GetImagesOutput) {
			if offGrid(t, out.Images, 0.4) != 1 {
				t.Errorf("got %s", sketch(out.Images))
			}
		}),
		faultFarTimestamp: page(func(t *testing.T, out *archived.GetImagesOutput) {
			far := 0
			for _, img := range out.Images {
				if off := img.TimeStamp.Sub(newYear).Abs(); off > 20*time.Hour {
					far++
				}
			}
			if far != 1 {
				t.Errorf("got %s", sketch(out.Images))
			}
		}),
		faultBadBase64: page(func(t *testing.T, out *archived.GetImagesOutput) {
			bad := 0
			for _, img := range out.Images {
				if _, err := base64.StdEncoding.DecodeString(*img.ImageContent); err != nil {
					bad++
				}
			}
			if bad != 1 {
				t.Errorf("%d bad images", bad)
			}
		}),
		faultCorruptImage: page(func(t *testing.T, out *archived.GetImagesOutput) {
			bad := 0
			for _, img := range out.Images {
				raw := base64.NewDecoder(base64.StdEncoding, strings.NewReader(*img.ImageContent))
				if _, _, err := image.Decode(raw); err != nil {
					bad++
				}
				if _, err := base64.StdEncoding.DecodeString(*img.ImageContent); err != nil {
					t.Error(err)
				}
			}
			if bad != 1 {
				t.Errorf("%d bad images", bad)
			}
		}),
	}
	for kind, check := range checks {
		t.Run(kind, func(t *testing.T) {
			f := start(t, Config{
				Streams: []Stream{camera("cam"), camera("other")},
				Faults:  []Fault{{Kind: kind, Rate: 1, Streams: []string{"cam"}}},
			})
			for range 8 { // kinds that choose choose differently
				out, err := f.client(f.endpoint("cam")).GetImages(t.Context(), f.input("cam", pageOf(10)))
				check(t, out, err)
				if f.srv.Stats().GetDataEndpointCalls >= 5 {
					break
				}
			}
			if got := sketch(f.mustImages("other", pageOf(2)).Images); got != "0:+ 3:+" {
				t.Errorf("another stream: %s", got)
			}
		})
	}
	for _, kind := range FaultKinds() {
		if checks[kind] == nil && kind != faultStall && kind != faultRepeatedToken {
			t.Errorf("%s has no check", kind)
		}
	}
}

// leaveAtBody is a client that leaves once an answer has begun.
type leaveAtBody struct {
	archived.HTTPClient
	leave func()
}

func (c leaveAtBody) Do(r *http.Request) (*http.Response, error) {
	answer, err := c.HTTPClient.Do(r)
	if err == nil && answer.StatusCode == http.StatusOK && answer.ContentLength > 0 {
		c.leave()
	}
	return answer, err
}

func TestFaultStallEndsWithTheClient(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}, Faults: []Fault{{Kind: faultStall, Rate: 1}}})
	ctx, cancel := context.WithCancel(t.Context())
	client := archived.NewFromConfig(f.srv.AWSConfig(), func(o *archived.Options) {
		o.BaseEndpoint, o.Retryer = aws.String(f.endpoint("cam")), aws.NopRetryer{}
		o.HTTPClient = leaveAtBody{awshttp.NewBuildableClient(), cancel}
	})
	if _, err := client.GetImages(ctx, f.input("cam")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestCloseEndsWhatStalls(t *testing.T) {
	for name, cfg := range map[string]Config{
		"stall":   {Faults: []Fault{{Kind: faultStall, Rate: 1}}},
		"latency": {Latency: Latency{PerCall: time.Hour}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.Streams = []Stream{camera("cam")}
			f := start(t, cfg)
			client := f.client(f.endpoint("cam"))
			var calls sync.WaitGroup
			for range 4 {
				calls.Go(func() {
					if out, err := client.GetImages(t.Context(), f.input("cam")); err == nil {
						t.Errorf("got an answer of %d images", len(out.Images))
					}
				})
			}
			for f.srv.Stats().MaxConcurrent < 4 {
				runtime.Gosched()
			}
			f.srv.Close()
			calls.Wait()
		})
	}
}

func TestFaultRepeatedToken(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}, Faults: []Fault{{Kind: faultRepeatedToken, Rate: 1}}})
	first := f.mustImages("cam", pageOf(10))
	if got := sketch(first.Images); first.NextToken == nil || !strings.HasPrefix(got, "0:+ 3:+") {
		t.Errorf("a call without a token: %s", got)
	}
	second := f.mustImages("cam", pageOf(10), after(first.NextToken))
	if aws.ToString(second.NextToken) != *first.NextToken || !strings.HasPrefix(sketch(second.Images), "30:+") {
		t.Errorf("got %s, token %v", sketch(second.Images), second.NextToken)
	}
}

func TestFaultEmptyPageLosesNothing(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}, Faults: []Fault{{Kind: faultEmptyPage, Rate: 0.5}}})
	pages := archived.NewGetImagesPaginator(f.client(f.endpoint("cam")), f.input("cam", pageOf(2)))
	n, empty := 0, 0
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Images)
		if len(page.Images) == 0 {
			empty++
		}
	}
	if n != 20 || empty == 0 {
		t.Errorf("%d images, %d empty pages", n, empty)
	}
}

func TestFaultEndpointExpiredIsForGood(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}, Faults: []Fault{{Kind: faultEndpointExpired, Rate: 0.5}}})
	client := f.client(f.endpoint("cam"))
	refused := 0
	for range 40 {
		_, err := client.GetImages(t.Context(), f.input("cam", pageOf(1)))
		if refused > 0 && err == nil {
			t.Fatal("a dead endpoint has come back")
		}
		if err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Error("the endpoint never died")
	}
	f.endpoint("cam")
}

// The same calls fail in every run, in whatever order they come; another seed
// and another try draw anew.
func TestFaultsAreReproducible(t *testing.T) {
	run := func(seed int64, order func([]int)) map[string]int {
		f := start(t, Config{
			Seed: seed, Streams: []Stream{camera("cam")},
			Faults: []Fault{{Kind: faultThrottle, Rate: 0.3}, {Kind: faultServerError, Rate: 0.3}},
		})
		calls := make([]int, 60)
		for i := range calls {
			calls[i] = i / 3 // each call three times
		}
		order(calls)
		client := f.client(f.endpoint("cam"))
		got := map[string]int{}
		for _, c := range calls {
			from := time.Duration(c) * time.Minute
			_, err := client.GetImages(t.Context(), f.input("cam", pageOf(1), window(from, from+time.Second, time.Second)))
			got[fmt.Sprint(c, codeOf(err))]++
		}
		return got
	}
	first := run(1, func([]int) {})
	if again := run(1, slices.Reverse); !maps.Equal(first, again) {
		t.Errorf("got %v, then %v", first, again)
	}
	if other := run(2, func([]int) {}); maps.Equal(first, other) {
		t.Error("another seed, the same faults")
	}
	mixed := 0 // calls whose three tries did not all end alike
	for _, n := range first {
		if n < 3 {
			mixed++
		}
	}
	if mixed == 0 {
		t.Error("every repeated call ends as before")
	}
}
