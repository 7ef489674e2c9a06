package kvsio

import (
	"context"
	"errors"
	"fmt"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/framepb"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pace"
)

// maxBarren is how many pages of a range, or ranges of a window, may bring nothing
// new, one after the other, before the service counts as one that does not answer.
const maxBarren = 50

// longestFragment is how much of a range's head the service may leave out, in
// milliseconds: it skips the fragment that a range starts inside, and those
// are up to 20 s long (boto/boto3#3712).
const longestFragment = 20_000

// errOutOfRetention says that a range begins before what the stream keeps.
var errOutOfRetention = errors.New("outside of the stream's retention period")

// errBarren says that a range's pages do not end.
var errBarren = fmt.Errorf("the service answered %d times in a row with nothing new", maxBarren)

// errNothingThere says that the stream keeps a range, and that nothing lies in it.
var errNothingThere = errors.New("no fragments in the range")

// errBadToken says that a range's NextToken was refused.
var errBadToken = errors.New("the service refused its own NextToken")

// pager fetches one page of one series: entries for the instants of w that are
// left after token, at most n of them. A page has no more than most.
type pager interface {
	most() int
	page(ctx context.Context, w grid.Window, token string, n int) (entries []answer, next string, err error)
}

// fetchShard fetches a shard. With an error it returns what it has, the rest
// as FAILED gaps.
func fetchShard(ctx context.Context, p pager, span framepb.Span) (framepb.Shard, error) {
	shard := framepb.Shard{Span: span, Frames: make([]framepb.Frame, 0, span.Samples)}
	var failure error
	cause := "" // of the gaps that the failure leaves
	for w := range grid.Windows(span) {
		var answers []answer
		if failure == nil {
			if answers, failure = fetchWindow(ctx, p, w); failure != nil {
				cause = outside.Text(failure.Error())
			}
		}
		if answers == nil {
			answers = noAnswers(w)
		}
		for k, a := range answers {
			deliver(&shard, w.At(k), a, cause)
		}
	}
	return shard, failure
}

// deliver adds a sample to a shard. The failure is why it could not be fetched, in
// words, or empty.
func deliver(shard *framepb.Shard, ms int64, a answer, failure string) {
	s := shard.Span.Series
	if a.kind == pictured {
		imageMs := a.ms
		if imageMs == unknownTime {
			imageMs = ms
		}
		shard.Frames = append(shard.Frames, framepb.Frame{
			Stream: s.StreamName, StreamARN: s.StreamARN, SampleMs: ms, ImageMs: imageMs, Format: s.Format,
			Width: int32(a.size.X), Height: int32(a.size.Y), Data: a.data,
		})
		return
	}
	gap := framepb.Gap{Stream: s.StreamName, StreamARN: s.StreamARN, SampleMs: ms, Reason: a.kind.reason(), Cause: a.cause}
	if a.kind.bad() && failure != "" {
		gap.Reason, gap.Cause = framepb.Failed, failure
	}
	shard.Gaps = append(shard.Gaps, gap)
}

// fetchWindow asks for a window, and again for what it does not get: see doubts.
// With an error it returns what it has.
func fetchWindow(ctx context.Context, p pager, w grid.Window) ([]answer, error) {
	pages := &shortPages{pager: p, longest: pace.PageSize}
	first, err := askFirmly(ctx, pages, w)
	if errors.Is(err, errOutOfRetention) {
		first, err = askRetained(ctx, pages, w)
	}
	if err != nil {
		return first.answers, err
	}
	d := newDoubts(w, first)
	if err := askAgain(ctx, pages, d); err != nil {
		return d.answers, err
	}
	for d.reopen() {
		if err := askAgain(ctx, pages, d); err != nil {
			return d.answers, err
		}
	}
	return d.answers, d.err()
}

// askAgain asks for the samples in doubt until there are none.
func askAgain(ctx context.Context, pages *shortPages, d *doubts) error {
	barren := 0
	for again := range d.windows() {
		r, err := askFirmly(ctx, pages, again.Window)
		switch {
		case errors.Is(err, errOutOfRetention):
			d.refused(again)
		case err != nil:
			return err
		case d.settle(again, r):
			barren = 0
		default:
			if barren++; barren == maxBarren {
				return errBarren
			}
		}
	}
	return nil
}

// shortPages asks for pages no longer than the window's have been: a page that is
// short for no reason looks like one that lacks an entry.
type shortPages struct {
	pager
	longest int
	proven  bool // the service has room for that many
}

func (p *shortPages) most() int { return min(p.pager.most(), p.longest) }

// reply is what a range's pages say of its instants.
type reply struct {
	answers []answer
	// ended: the service had no more to say. whole: and each entry has its place,
	// so that an instant without an answer was left out.
	ended, whole bool
	// heard: there was an entry, be it of no known instant.
	heard bool
}

// ask asks for the instants of a window as one range, page by page. With an
// error it returns what it has.
func ask(ctx context.Context, p *shortPages, w grid.Window) (reply, error) {
	r := reply{answers: noAnswers(w), whole: true}
	token, here := "", position{certain: true, before: unknownTime}
	begins := map[string]position{token: here} // where the page of a token begins
	var counted []int                          // what nothing but the length of its page proves
	for barren := 0; barren < maxBarren; barren++ {
		n := min(p.most(), max(1, w.N-here.cursor))
		entries, next, err := p.page(ctx, w, token, n)
		if errors.Is(err, errBadToken) {
			return reply{answers: r.answers, heard: r.heard}, nil // the rest is asked for again
		}
		if errors.Is(err, errNothingThere) {
			return r.empty(w), nil
		}
		if err != nil {
			return r, err
		}
		r.heard = r.heard || len(entries) > 0
		at, to := place(w, here, entries, n)
		placed, news := r.take(w, at, entries)
		for j, k := range at {
			if by, ok := provedBy(w, entries[j].ms); k >= 0 && (!ok || by != k) {
				counted = append(counted, k)
			}
		}
		more := next != "" && len(entries) > 0
		if last := to.cursor >= w.N && len(counted) > 0; more && !p.proven && (len(entries) < n || last) {
			// The service's pages may be shorter than what is asked for, and one that
			// was not had an entry too many.
			p.longest, p.proven = max(1, len(entries)-1), true
			r.forget(counted)
			if last {
				return reply{answers: r.answers, heard: r.heard}, nil
			}
		}
		if news {
			barren = -1
		}
		r.whole = r.whole && placed == len(entries)
		switch {
		case next == "" || to.cursor >= w.N:
			r.ended = true
			return r, nil
		case !to.certain && 2*placed < len(entries):
			return reply{answers: r.answers, heard: r.heard}, nil // so will be what follows
		}
		// A token that came before brings its page again, and with it a token that
		// may be right.
		if _, again := begins[next]; !again {
			begins[next] = to
		}
		token, here = next, begins[next]
	}
	return r, errBarren
}

// empty is the reply to a range that the service says nothing lies in.
func (r reply) empty(w grid.Window) reply {
	for k := range r.answers {
		if r.answers[k].kind == unanswered {
			r.answers[k] = answer{kind: noMedia, ms: w.At(k)}
		}
	}
	return reply{answers: r.answers, ended: true, whole: true, heard: true}
}

// forget takes back the answers to some instants.
func (r *reply) forget(instants []int) {
	for _, k := range instants {
		r.answers[k] = answer{ms: unknownTime}
	}
	r.whole = r.whole && len(instants) == 0
}

// take takes the entries of a page that have a place, and reports whether they
// say anything new.
func (r *reply) take(w grid.Window, at []int, entries []answer) (placed int, news bool) {
	for j, k := range at {
		if k < 0 {
			continue
		}
		placed++
		if e := entries[j].of(w.At(k)); e.kind > r.answers[k].kind {
			r.answers[k], news = e, true
		}
	}
	return placed, news
}

// askRetained asks for what the stream still keeps of a window whose range was
// refused: it looks for the first instant at which a range may begin.
func askRetained(ctx context.Context, p *shortPages, w grid.Window) (reply, error) {
	r := reply{answers: noAnswers(w)}
	out, in := 0, w.N // ranges from out are refused, those from in are not
	try := w.N - 1    // most often all is refused, and this settles it
	for out+1 < in {
		_, err := ask(ctx, p, grid.Window{Start: w.At(try), Step: w.Step, N: 1})
		switch {
		case errors.Is(err, errOutOfRetention):
			out = try
		case err != nil:
			return r, err
		default:
			in = try
		}
		try = (out + in) / 2
	}
	if in < w.N {
		kept, err := askFirmly(ctx, p, grid.Window{Start: w.At(in), Step: w.Step, N: w.N - in})
		switch {
		case errors.Is(err, errOutOfRetention): // the edge has moved on
			in = w.N
		case err != nil:
			return r, err
		default:
			copy(r.answers[in:], kept.answers)
			r.ended, r.whole = kept.ended, kept.whole
			r.heard = kept.heard
		}
	}
	for k := range in {
		r.answers[k] = answer{kind: outOfRetention, ms: w.At(k)}
	}
	r.heard = r.heard || in > 0 // a refusal is an answer
	return r, nil
}

// askFirmly takes a refusal for one when it comes three times: much depends on
// it.
func askFirmly(ctx context.Context, p *shortPages, w grid.Window) (r reply, err error) {
	for range 3 {
		if r, err = ask(ctx, p, w); !errors.Is(err, errOutOfRetention) {
			break
		}
	}
	return r, err
}

func noAnswers(w grid.Window) []answer {
	answers := make([]answer, w.N)
	for k := range answers {
		answers[k].ms = unknownTime
	}
	return answers
}
