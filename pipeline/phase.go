package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// A grid begins at a phase. Two requests for the same footage whose phases differ have no
// sample in common: what one has paid for, the other pays for again.

// Relative says which instants of a request depend on when it is made, as those of -24h and today do.
type Relative struct{ Start, End bool }

// The values of Options.Align.
const (
	// AlignDataset is the grid that the dataset has of the stream. Of several it is the one whose
	// newest sample is latest; where there is none, the grid of AlignEpoch.
	AlignDataset = "dataset"
	// AlignEpoch is the grid of the multiples of SamplingInterval since 1970.
	AlignEpoch = "epoch"
)

// phasesAtOnce is for how many requests the dataset's phases are looked up at once.
const phasesAtOnce = 16

func (o Options) checkGrids() error {
	var errs []error
	if n := len(o.Relative); n > 0 && n != len(o.Requests) {
		errs = append(errs, fault.New("Relative", fmt.Sprintf("of length %d", n), "empty, or as long as Requests"))
	}
	if o.Align != "" && o.Align != AlignDataset && o.Align != AlignEpoch {
		errs = append(errs, fault.New("Align", fmt.Sprintf("%q", o.Align), AlignDataset+" or "+AlignEpoch))
	}
	if o.Align != "" && o.NewPhase {
		errs = append(errs, fault.Of("Align", " and %s are both given: it must be one of the two", fault.Name("NewPhase")))
	}
	return errors.Join(errs...)
}

// relative says which instants of a request depend on Now.
func (o *Options) relative(i int) Relative {
	if len(o.Relative) == 0 {
		return Relative{}
	}
	return o.Relative[i]
}

// alignAll aligns requests of streams that cannot be read, too: so the next night, which can read
// them, finds missing what it asks for itself.
func (o *Options) alignAll(ctx context.Context) error {
	n := len(o.Requests)
	all := Options{
		Requests: slices.Clone(o.Requests), Read: o.Read, Out: o.Out, Align: o.Align, NewPhase: o.NewPhase,
	}
	for i := range o.Requests {
		all.Relative = append(all.Relative, o.relative(i))
	}
	all.tags = slices.Clone(o.tags)
	for _, r := range o.unread {
		all.Requests, all.Relative = append(all.Requests, r.Request), append(all.Relative, r.relative)
		all.tags = append(all.tags, r.Tag)
	}
	err := all.align(ctx)
	o.Requests = all.Requests[:n:n]
	for i, r := range all.Requests[n:] {
		o.unread[i].Request = r
	}
	return err
}

// align moves the requests to the grids that they belong on. It says which were moved to another
// one than could be expected, and refuses those that would begin a phase of their own.
func (o *Options) align(ctx context.Context) error {
	there, err := ledger.Open(o.Out).Phases(ctx)
	if err != nil {
		return err
	}
	known := make(map[frame.Series]*phases)
	placed, errs := make([]placement, len(o.Requests)), make([]error, len(o.Requests))
	for i := range o.Requests {
		placed[i] = o.placed(i)
		if series := placed[i].request.Span().Series; placed[i].adapts || !o.NewPhase && !there.Has(series) {
			series.PhaseMs = 0
			if known[series] == nil {
				known[series] = new(phases)
			}
			placed[i].dataset = known[series]
		}
	}
	if err := lookUp(ctx, there, known); err != nil {
		return err
	}
	for _, p := range placed { // what is relative goes by what is not
		if p.begins() && p.dataset.newest == (frame.Series{}) {
			p.dataset.newest = p.request.Span().Series
		}
	}
	first := make(map[*phases]int) // request that has none of the phases of the dataset
	for i := range placed {
		o.settle(i, &placed[i])
		if errs[i] = o.refuse(i, placed[i]); errs[i] == nil && o.Align == "" && placed[i].begins() {
			if earlier, ok := first[placed[i].dataset]; ok {
				errs[i] = o.refuseSecond(i, earlier)
			} else {
				first[placed[i].dataset] = i
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, p := range placed {
		o.Requests[i] = p.request
	}
	o.tell(ctx, placed)
	return nil
}

// phases is what the dataset has of a stream that is sampled in one way, whatever the phase.
type phases struct {
	n      int          // how many there are
	newest frame.Series // or, where there are none, that of the first request which begins one; else the zero Series
}

// lookUp fills in what is known of series of phase 0.
func lookUp(ctx context.Context, there *ledger.Phases, known map[frame.Series]*phases) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(phasesAtOnce)
	for series, of := range known {
		group.Go(func() error {
			found, err := there.Of(ctx, series)
			if of.n = len(found); of.n > 0 && err == nil {
				of.newest, err = there.Newest(ctx, found)
			}
			return err
		})
	}
	return group.Wait()
}

// placement is a request on its way to a grid.
type placement struct {
	request kvsio.Request
	end     bool    // moves down, too
	adapts  bool    // to the grid of the dataset
	dataset *phases // nil where they are of no account
}

// phase is the phase that the dataset has, or will have of another request, if any.
func (p placement) phase() time.Duration {
	return time.Duration(p.dataset.newest.PhaseMs) * time.Millisecond
}

// beside reports whether the dataset has the stream in other phases alone.
func (p placement) beside() bool { return p.dataset != nil && p.dataset.n > 0 && !p.adapts }

// begins reports whether the request is the first one of the stream that is sampled so, and stays
// on the grid that it was made on.
func (p placement) begins() bool { return p.dataset != nil && p.dataset.n == 0 && !p.adapts }

// placed moves a request to a grid that does not depend on the dataset.
func (o *Options) placed(i int) placement {
	relative := o.relative(i)
	p := placement{request: o.Requests[i], end: relative.End || o.Align != ""}
	if relative.Start || o.Align != "" {
		p.request = p.request.AlignStart(0)
		p.adapts = o.Align != AlignEpoch && !o.NewPhase
	}
	return p
}

// settle moves a request to the grid that the dataset has, if it is to.
func (o *Options) settle(i int, p *placement) {
	if p.adapts {
		p.request = o.Requests[i].AlignStart(p.phase())
	}
	if p.end {
		p.request = p.request.AlignEnd()
	}
}

// refuse says why a request cannot be done as it was placed.
func (o *Options) refuse(i int, p placement) error {
	r, asked := p.request, o.Requests[i]
	var wrong *kvsio.Fault
	switch {
	case p.beside() && o.Align == "":
		dataset := asked.AlignStart(p.phase()).StartTimestamp
		wrong = fault.New("StartTimestamp",
			fault.Errorf("%s, %v after one of the instants, %v apart, that %q has of this stream: all images would be paid "+
				"for again", stamp(asked.StartTimestamp), asked.StartTimestamp.Sub(dataset), r.SamplingInterval, o.Out),
			fault.Errorf("one of these instants: %s %s moves start and end down to them (to %s), %s %s to multiples of the "+
				"interval since 1970 (to %s), and %s fetches the range as it is",
				fault.Name("Align"), AlignDataset, stamp(dataset),
				fault.Name("Align"), AlignEpoch, stamp(asked.AlignStart(0).StartTimestamp), fault.Name("NewPhase")))
	case !r.StartTimestamp.Before(r.EndTimestamp):
		wrong = fault.New("EndTimestamp", stamp(asked.EndTimestamp),
			fault.Errorf("later: start and end are moved down to a grid of %v, both to %s, and leave no sample",
				r.SamplingInterval, stamp(r.EndTimestamp)))
	default:
		var invalid *kvsio.RequestError
		if !errors.As(r.ValidateFloor(o.Read.MinInterval), &invalid) {
			return nil
		}
		wrong = invalid.Faults[0]
	}
	return o.refused(i, wrong)
}

// refuseSecond says why a request cannot be done together with an earlier one of the same stream, of
// which the dataset has nothing yet. It returns nil where both are on one grid.
func (o *Options) refuseSecond(i, earlier int) error {
	asked, grid := o.Requests[i], o.Requests[earlier].Span().Series.PhaseMs
	on := asked.AlignStart(time.Duration(grid) * time.Millisecond).StartTimestamp
	if asked.Span().Series.PhaseMs == grid {
		return nil
	}
	other := "another request"
	if tag := o.tag(earlier); tag != "" {
		other = tag
	}
	return o.refused(i, fault.New("StartTimestamp",
		fault.Errorf("%s, %v after one of the instants, %v apart, that %s (from %s) asks for of this stream: all images "+
			"would be paid for again", stamp(asked.StartTimestamp), asked.StartTimestamp.Sub(on), asked.SamplingInterval, other,
			stamp(o.Requests[earlier].StartTimestamp)),
		fault.Errorf("one of these instants, such as %s: %s %s moves start and end of all down to multiples of the interval "+
			"since 1970, and %s fetches the ranges as they are",
			stamp(on), fault.Name("Align"), AlignEpoch, fault.Name("NewPhase"))))
}

func (o *Options) refused(i int, wrong *kvsio.Fault) error {
	err := fmt.Errorf("stream %s: %w", o.Requests[i].Span().Series.StreamName,
		&kvsio.RequestError{Faults: []*kvsio.Fault{wrong}})
	if tag := o.tag(i); tag != "" {
		return fmt.Errorf("%s: %w", tag, err)
	}
	return err
}

// tag is where a request comes from, if that is known.
func (o *Options) tag(i int) string {
	if len(o.tags) == 0 {
		return ""
	}
	return o.tags[i]
}

// tell says, in a line each, which requests are on a grid that is not the epoch's, which on one of
// several, and which pay for what another phase has.
func (o *Options) tell(ctx context.Context, placed []placement) {
	var moved, chosen, beside []string
	for _, p := range placed {
		of := fmt.Sprintf("%s (from %s)", p.request.Span().Series.StreamName, stamp(p.request.StartTimestamp))
		switch {
		case p.beside():
			beside = append(beside, of)
		case p.adapts && p.dataset.n > 1:
			chosen = append(chosen, of)
		case p.adapts && o.Align == "" && p.phase() != 0:
			moved = append(moved, of)
		}
	}
	for _, line := range []struct {
		format string
		of     []string
	}{
		{"%s: moved down to the grid that %q has of it", moved},
		{"%s: moved down to the one of several grids that %q has of it whose newest sample is latest", chosen},
		{"%s: %q has another grid of it, so that all images are paid for again", beside},
	} {
		if len(line.of) > 0 {
			log.Warnf(ctx, line.format, few(line.of), o.Out)
		}
	}
}

// few names the first of many.
func few(names []string) string {
	if more := len(names) - 3; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:3], ", "), more)
	}
	return strings.Join(names, ", ")
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
