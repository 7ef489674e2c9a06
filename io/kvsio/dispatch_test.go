package kvsio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/sdf"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/rtrackers/offsetrange"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"go.uber.org/goleak"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// bundle is a readFn on a work of its own, as a runner would call it.
type bundle struct {
	fn   *readFn
	work *framepb.Work
	rt   *sdf.LockRTracker
}

// newBundle makes a bundle of shards of 10 samples from a stand-in. What is
// left of its engine ends with the test, and then nothing may be left.
func newBundle(t *testing.T, config kvstest.Config, p ReadParams, shards int) bundle {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	config.Streams = []kvstest.Stream{{
		Name: "cam", Quota: &kvstest.Quota{}, Media: []kvstest.Range{{From: start, To: start.Add(24 * time.Hour)}},
	}}
	server := kvstest.NewServer(config)
	t.Cleanup(server.Close)
	p.AWS = AWSParams{Region: server.Region, EndpointURL: server.URL}
	p.ShardSamples, p.StreamQuota = 10, UnknownQuota
	e, err := engineFor(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.clients.close)
	r := valid()
	r.StreamName, r.WidthPixels, r.HeightPixels = "cam", 160, 90
	r.EndTimestamp = r.StartTimestamp.Add(time.Duration(shards) * 30 * time.Second)
	plan, err := NewPlan(context.Background(), p, []Request{r})
	if err != nil {
		t.Fatal(err)
	}
	b := bundle{fn: &readFn{source{p}}, work: plan.Works[0]}
	b.rt = b.fn.CreateTracker(b.fn.CreateInitialRestriction(b.work))
	return b
}

func (b bundle) process(ctx context.Context, emit func(frame.Shard)) error {
	return b.fn.ProcessElement(ctx, b.rt, b.work, func(_ beam.EventTime, s frame.Shard) { emit(s) })
}

func (b bundle) done() bool { return b.rt.IsDone() }

func TestProcessElement(t *testing.T) {
	b := newBundle(t, kvstest.Config{}, ReadParams{MaxInFlight: 4}, 20)
	got := make(map[frame.Span]int)
	if err := b.process(t.Context(), func(s frame.Shard) { got[s.Span]++ }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 20 || !b.done() {
		t.Errorf("%d shards, done %v", len(got), b.done())
	}
}

// A downstream error comes back through emit as a panic.
func TestProcessElementLeavesNothingBehindAPanic(t *testing.T) {
	b := newBundle(t, kvstest.Config{Latency: kvstest.Latency{PerCall: 5 * time.Millisecond}},
		ReadParams{MaxInFlight: 4, MemoryBudget: LeastMemoryBudget}, 20)
	n := 0
	func() {
		defer func() {
			if r := recover(); r != "the sink fails" {
				t.Errorf("recovered %v", r)
			}
		}()
		err := b.process(t.Context(), func(frame.Shard) {
			if n++; n == 3 {
				panic("the sink fails")
			}
		})
		t.Errorf("returned %v", err)
	}()
	checkAdmissionIsWhole(t, b)
}

func checkAdmissionIsWhole(t *testing.T, b bundle) {
	t.Helper()
	e, err := engineFor(t.Context(), b.fn.Params)
	if err != nil {
		t.Fatal(err)
	}
	slots := e.params.MaxInFlight
	for i := range slots {
		ticket := e.admission.Enter(e.params.MemoryBudget / int64(slots))
		defer ticket.Leave()
		select {
		case <-ticket.Admitted():
		default:
			t.Errorf("slots or memory are lost: %d of %d shares are left", i, slots)
		}
	}
}

func TestProcessElementEndsWhenCancelled(t *testing.T) {
	b := newBundle(t, kvstest.Config{Faults: []kvstest.Fault{{Kind: "stall", Rate: 1}}}, ReadParams{MaxInFlight: 4}, 20)
	ctx, cancel := context.WithCancel(t.Context())
	before := counters.calls.Load()
	go func() {
		for counters.calls.Load() == before {
			runtime.Gosched()
		}
		cancel()
	}()
	if err := b.process(ctx, func(frame.Shard) { t.Error("emitted") }); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want %v", err, context.Canceled)
	}
	checkAdmissionIsWhole(t, b)
}

// A call that fails for good ends the work with one error that says where.
func TestProcessElementFails(t *testing.T) {
	b := newBundle(t, kvstest.Config{}, ReadParams{MaxInFlight: 4}, 20)
	b.work.Series[0].ImageSelectorType = "NONE"
	err := b.process(t.Context(), func(frame.Shard) { t.Error("emitted") })
	if err == nil || errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	checkAdmissionIsWhole(t, b)
}

func TestProcessElementKeepsGoing(t *testing.T) {
	b := newBundle(t, kvstest.Config{}, ReadParams{MaxInFlight: 4, KeepGoing: true}, 20)
	b.work.Series[0].ImageSelectorType = "NONE"
	failed := 0
	err := b.process(t.Context(), func(s frame.Shard) {
		for _, g := range s.Gaps {
			if g.Reason == frame.Failed && g.Cause != "" {
				failed++
			}
		}
	})
	if err != nil || failed != 200 {
		t.Errorf("%d FAILED gaps, %v", failed, err)
	}
}

// TestProcessElementWithoutOpenFiles: what is wrong with this process makes no gaps,
// and no call again.
func TestProcessElementWithoutOpenFiles(t *testing.T) {
	const inFlight = 4
	b := newBundle(t, kvstest.Config{}, ReadParams{MaxInFlight: inFlight, KeepGoing: true}, 20)
	e, err := engineFor(t.Context(), b.fn.Params)
	if err != nil {
		t.Fatal(err)
	}
	var calls atomic.Int32
	clients := e.clients
	defer func() { e.clients = clients }() // another test's server may get the same address, and so the same engine
	e.clients = newClients(aws.Config{
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), Region: "us-east-1",
		HTTPClient: &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			calls.Add(1)
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}
		})},
	}, b.fn.Params.AWS, inFlight)
	err = b.process(t.Context(), func(frame.Shard) { t.Error("emitted") })
	if !errors.Is(err, syscall.EMFILE) || !strings.Contains(err.Error(), "too many open files") ||
		calls.Load() > inFlight {
		t.Errorf("after %d calls: %v", calls.Load(), err)
	}
}

// More bundles than slots, and a budget of one shard: bundles that wait for
// each other's finished shards must deliver their own.
func TestBundlesDoNotBlockEachOther(t *testing.T) {
	const bundles = 6
	p := ReadParams{MaxInFlight: 2, MemoryBudget: LeastMemoryBudget}
	first := newBundle(t, kvstest.Config{}, p, 10)
	var group sync.WaitGroup
	for i := range bundles {
		b := first
		b.rt = b.fn.CreateTracker(b.fn.CreateInitialRestriction(b.work))
		group.Go(func() {
			n := 0
			if err := b.process(t.Context(), func(frame.Shard) { n++ }); err != nil || n != 10 {
				t.Errorf("bundle %d: %d shards, %v", i, n, err)
			}
		})
	}
	group.Wait()
	checkAdmissionIsWhole(t, first)
}

// A split takes only what is not claimed, and each part does its own.
func TestProcessElementStopsAtASplit(t *testing.T) {
	b := newBundle(t, kvstest.Config{}, ReadParams{MaxInFlight: 1}, 20)
	got := make(map[frame.Span]int)
	var residual offsetrange.Restriction
	err := b.process(t.Context(), func(s frame.Shard) {
		if got[s.Span]++; len(got) == 3 {
			_, r, err := b.rt.TrySplit(0.5)
			if err != nil || r == nil {
				t.Errorf("split: %v, %v", r, err)
				return
			}
			residual = r.(offsetrange.Restriction)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(got)) != residual.Start {
		t.Errorf("%d shards before the split at %d", len(got), residual.Start)
	}
	rest := b
	rest.rt = rest.fn.CreateTracker(residual)
	if err := rest.process(t.Context(), func(s frame.Shard) { got[s.Span]++ }); err != nil {
		t.Fatal(err)
	}
	for s, n := range got {
		if n != 1 {
			t.Error(fmt.Sprint(s, " came ", n, " times"))
		}
	}
	if len(got) != 20 {
		t.Errorf("%d shards", len(got))
	}
}

// Claims that came to nothing, and shards that lack a sample, are errors: Beam
// itself would take them for success.
func TestDroppedShardIsAnError(t *testing.T) {
	b := newBundle(t, kvstest.Config{}, ReadParams{MaxInFlight: 4}, 1)
	e, err := engineFor(t.Context(), b.fn.Params)
	if err != nil {
		t.Fatal(err)
	}
	d := newDispatch(t.Context(), e, b.fn.Params, func(beam.EventTime, frame.Shard) { t.Error("emitted") })
	defer d.close()
	d.claimed = 1
	if err := d.drain(); err == nil {
		t.Error("a claimed shard that was neither emitted nor skipped is no error")
	}
	order := grid.NewOrder(b.work)
	span := order.At(0)
	d.underWay = 1
	if err := d.deliver(result{
		ticket: e.admission.Enter(1), stream: e.reading(order.Streams()[0]), look: all(span),
		shard: frame.Shard{Span: span},
	}); err == nil {
		t.Error("a shard without its samples is no error")
	}
}

// TestCutOff: where no stream can be reached there is nothing to keep going with. Where others answer, the samples
// of the one that does not are gaps.
func TestCutOff(t *testing.T) {
	b := newBundle(t, kvstest.Config{}, ReadParams{MaxInFlight: 4, KeepGoing: true}, 1)
	e, err := engineFor(t.Context(), b.fn.Params)
	if err != nil {
		t.Fatal(err)
	}
	span := frame.Span{Series: frame.Series{StreamName: "cam", IntervalMs: 1000}, Samples: 1}
	for _, answers := range []bool{false, true} {
		d := newDispatch(t.Context(), e, b.fn.Params, func(beam.EventTime, frame.Shard) {})
		s := e.reading(grid.KeyOf(span.Series))
		s.inHand.Add(1)
		d.underWay++
		r := result{
			ticket: e.admission.Enter(0), stream: s, began: time.Now(), look: all(span),
			shard: frame.Shard{Span: span, Gaps: []frame.Gap{{Reason: frame.Failed}}},
			err:   fmt.Errorf("reading cam: %w", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}),
		}
		if answers {
			e.retries.succeeded()
		}
		if err := d.deliver(r); (err == nil) != answers {
			t.Errorf("answers of others %v: %v", answers, err)
		}
	}
}
