package kvsio

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	beamwindow "github.com/apache/beam/sdks/v2/go/pkg/beam/core/graph/window"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

func init() {
	beam.RegisterDoFn(&planFn{})
	register.Function3x1((&planFn{}).ProcessElement)
	beam.RegisterDoFn(&planAllFn{})
	register.Function5x1((&planAllFn{}).ProcessElement)
	register.Iter1[Request]()
	register.Emitter1[*framepb.Work]()
}

// Read reads the images that requests ask for. It returns a
// PCollection<frame.Frame> and a PCollection<frame.Gap>: every sample of
// every request is one element of one of the two, once, with its sample time
// as event time, in the global window. Samples that p.Ledger has are not read, and do not
// come out. Of a shard that it has with gaps to ask for again (LedgerParams.Refetch) those
// alone are read, all of its gaps of the reasons.
// Samples that several requests ask for are read once, and come out once for each
// Tag of theirs.
//
// Read makes no calls: p.Ledger, where one is set, is read by a worker when the job
// begins, and fails the job where it cannot be read, or where NewPlan refuses it.
// To know before the job, and with a context, call NewPlan and ReadPlan. Region and
// endpoint are found in the environment and in the shared AWS config files.
//
// Read panics where p or a request is not valid, as Beam's own transforms do:
// validate them before.
func Read(s beam.Scope, p ReadParams, requests ...Request) (frames, gaps beam.PCollection) {
	s = s.Scope("kvsio.Read")
	works, p := plannedWorks(s, "kvsio.Read", p, requests)
	frames, gaps, _ = readSamples(s, p, works)
	return frames, gaps
}

// ReadShards reads as Read does, and returns a PCollection<frame.Shard> with
// the time of a shard's first sample as event time. Sinks take shards: they
// are the unit that is fetched, written, recorded and resumed. A shard has
// samples of any number of requests, and no Tag. A shard that p.Ledger has with gaps to ask
// for again comes out with those samples alone, and says so (frame.Shard.Again):
// dataset.Write makes it whole.
func ReadShards(s beam.Scope, p ReadParams, requests ...Request) beam.PCollection {
	s = s.Scope("kvsio.ReadShards")
	works, p := plannedWorks(s, "kvsio.ReadShards", p, requests)
	return readShards(s, p, works)
}

// plannedWorks returns a PCollection of works, planned here, or by a worker where there
// is a ledger, and the parameters for reading them. It panics in the name of a transform.
func plannedWorks(s beam.Scope, name string, p ReadParams, requests []Request) (beam.PCollection, ReadParams) {
	if p.Ledger == "" {
		plan, err := NewPlan(context.Background(), p, requests)
		if err != nil {
			panic(fmt.Errorf("%s: %w", name, err))
		}
		return worksOf(s, p, plan)
	}
	if err := validate(p, requests); err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	p.AWS = p.AWS.inRegionOf(arnsOf(requests)).known()
	return beam.ParDo(s, &planFn{Params: p.sized(), Requests: requests}, beam.Impulse(s)), p
}

// worksOf returns a PCollection of a plan's works, and the parameters for reading them.
func worksOf(s beam.Scope, p ReadParams, plan *Plan) (beam.PCollection, ReadParams) {
	arns := make([]string, len(plan.Asked))
	for i, span := range plan.Asked {
		arns[i] = span.Series.StreamARN
	}
	p.AWS = p.AWS.inRegionOf(arns).known()
	works := plan.Works
	if works == nil {
		works = []*framepb.Work{}
	}
	return beam.CreateList(s, works), p
}

// ReadPlan reads what a plan of the same parameters holds, as ReadShards does. It
// panics where p is not valid, or plan is nil.
func ReadPlan(s beam.Scope, p ReadParams, plan *Plan) beam.PCollection {
	if plan == nil {
		panic("kvsio.ReadPlan: plan is nil: it must be one that NewPlan returned")
	}
	if err := p.Validate(); err != nil {
		panic(fmt.Errorf("kvsio.ReadPlan: %w", err))
	}
	s = s.Scope("kvsio.ReadPlan")
	works, p := worksOf(s, p, plan)
	return readShards(s, p, works)
}

// ReadAll reads the images that a bounded PCollection<Request> asks for, as Read does:
// frames and gaps have the Tag of the request that asks for them. What cannot be read
// comes out as a PCollection<FailedRequest>, in the global window:
//
//   - requests that are not valid, also those whose ARN is of another region than
//     p.AWS.Region, or, where that is not set, the environment's, or, where there is
//     none, that of the first ARN by the alphabet;
//   - with p.KeepGoing, requests for the samples whose calls failed for good, such as
//     those of a stream that is not there. These samples are FAILED gaps, too, so that
//     frames and gaps are all samples of the valid requests. Without p.KeepGoing the job
//     fails.
//
// ReadAll panics where p is not valid, and where requests is unbounded: they are
// planned together, when the last has come.
func ReadAll(s beam.Scope, p ReadParams, requests beam.PCollection) (frames, gaps, failures beam.PCollection) {
	s = s.Scope("kvsio.ReadAll")
	if err := p.Validate(); err != nil {
		panic(fmt.Errorf("kvsio.ReadAll: %w", err))
	}
	if strings.HasSuffix(requests.String(), ":unbounded}") { // Beam shows it nowhere else
		panic("kvsio.ReadAll: requests is unbounded: it must be a bounded PCollection, for all requests are planned " +
			"together, when the last has come")
	}
	p.AWS = p.AWS.known()
	// Works must reach the source with the time of the Impulse. After a
	// GroupByKey they would stand at the end of their window, and runners
	// would drop the frames as late. So the requests are a side input.
	global := beam.WindowInto(s, beamwindow.NewGlobalWindows(), requests)
	works, invalid := beam.ParDo2(s, &planAllFn{Params: p.sized()}, beam.Impulse(s), beam.SideInput{Input: global})
	frames, gaps, failed := readSamples(s, p, works)
	return frames, gaps, beam.Flatten(s, invalid, joinFailures(s, failed))
}

// readShards reads the shards of works. The Reshuffle deals the works out.
func readShards(s beam.Scope, p ReadParams, works beam.PCollection) beam.PCollection {
	shards := beam.ParDo(s, &readFn{source{p}}, beam.Reshuffle(s, works))
	keepOutput(s, beam.ParDo(s, framesOf, shards))
	return shards
}

// readSamples reads the samples of works, and what failed as a PCollection<KV<string,unread>>.
func readSamples(s beam.Scope, p ReadParams, works beam.PCollection) (frames, gaps, failed beam.PCollection) {
	frames, gaps, failed = beam.ParDo3(s, &readSamplesFn{source{p}}, beam.Reshuffle(s, works))
	keepOutput(s, beam.ParDo(s, unreadSamples, failed))
	return frames, gaps, failed
}

// known returns p with what is found here: a worker on another machine has none of
// this one's environment. What cannot be found here may be there: the worker says so
// if it is not. A registered configuration may make calls, so it is left to the
// workers, which have it, too.
func (p AWSParams) known() AWSParams {
	if p.Config != "" {
		return p
	}
	if located, _, err := p.locate(context.Background()); err == nil {
		return located
	}
	return p
}

// planFn plans requests where the ledger can be read.
type planFn struct {
	Params   ReadParams
	Requests []Request
}

func (fn *planFn) ProcessElement(ctx context.Context, _ []byte, emit func(*framepb.Work)) error {
	return emitPlan(ctx, fn.Params, fn.Requests, emit)
}

// planAllFn plans all requests at once: only so can they be cut into equal works,
// and samples that several ask for be read once.
type planAllFn struct {
	Params ReadParams
}

func (fn *planAllFn) ProcessElement(
	ctx context.Context, _ []byte, requests func(*Request) bool, emit func(*framepb.Work), failed func(FailedRequest),
) error {
	var valid, here []Request
	invalid := func(r Request, err error) {
		failed(FailedRequest{Request: r, Problem: err.Error(), Invalid: true})
	}
	var r Request
	for requests(&r) {
		if err := r.ValidateFloor(fn.Params.MinInterval); err != nil {
			invalid(r, err)
			continue
		}
		valid = append(valid, r)
	}
	// They came in any order, which must not decide which region is read.
	slices.SortStableFunc(valid, func(a, b Request) int { return cmp.Compare(a.StreamARN, b.StreamARN) })
	for i, elsewhere := range CheckRegions(fn.Params.AWS, valid) {
		if elsewhere != nil {
			invalid(valid[i], elsewhere)
			continue
		}
		here = append(here, valid[i])
	}
	return emitPlan(ctx, fn.Params, here, emit)
}

func emitPlan(ctx context.Context, p ReadParams, requests []Request, emit func(*framepb.Work)) error {
	plan, err := NewPlan(ctx, p, requests)
	if err != nil {
		return err
	}
	for _, w := range plan.Works {
		emit(w)
	}
	return nil
}
