// Package ask asks the service for the samples of a shard until what became of each is
// settled: a picture, or a gap that is one.
//
// GetImages cannot be taken at its word. It leaves out the fragment that a range starts
// inside; its pages may be short, empty or out of order; entries may be missing, doubled
// or damaged. So entries are matched to instants by evidence, and what is not answered,
// or in doubt, is asked for again: earlier, together with others, and alone.
//
// The calls themselves are a [Pager]'s, which makes each attempt that a page is worth.
package ask

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// MaxBarren is how many pages of a range, or ranges of a window, may bring nothing
// new, one after the other, before that is ErrBarren.
const MaxBarren = 50

// longestFragment is how much of a range's head the service may leave out, in
// milliseconds: it skips the fragment that a range starts inside, and those
// are up to 20 s long (boto/boto3#3712).
const longestFragment = 20_000

// ErrOutOfRetention is a Pager's error for a range that begins before what the stream
// keeps.
var ErrOutOfRetention = errors.New("outside of the stream's retention period")

// ErrNothingThere is a Pager's error for a range that the stream keeps and that nothing
// lies in.
var ErrNothingThere = errors.New("no fragments in the range")

// ErrBarren reports that a range's pages do not end.
var ErrBarren = fmt.Errorf("the service answered %d times in a row with nothing new", MaxBarren)

// ErrBadToken is a Pager's error for a token that the service refused.
var ErrBadToken = errors.New("the service refused its own NextToken")

// Pager fetches the pages of one series.
type Pager interface {
	// Most returns how many images the next page may be asked for.
	Most() int
	// Camera returns what is known of the stream's pictures.
	Camera() *Camera
	// Page fetches one page of a window's range: entries for the instants that are left
	// after token, at most n of them, and the token of the page that follows. Tokens
	// are the service's: empty for the first page, and after the last.
	Page(ctx context.Context, w grid.Window, token string, n int) (entries []Answer, next string, err error)
}

// Shard fetches samples of a shard, which are given as frame.Union returns them. With an
// error it returns what it has, the rest as FAILED gaps.
func Shard(ctx context.Context, p Pager, span frame.Span, asked []frame.Span) (frame.Shard, error) {
	shard := frame.Shard{Span: span, Frames: make([]frame.Frame, 0, frame.Count(asked))}
	var failure error
	cause := "" // of the gaps that the failure leaves
	for w := range windows(asked) {
		var answers []Answer
		if failure == nil {
			if answers, failure = Window(ctx, p, w); failure != nil {
				cause = outside.Text(failure.Error())
			}
		}
		if answers == nil {
			answers = noAnswers(w)
		}
		for k, a := range answers {
			addSample(&shard, w.At(k), a, cause)
		}
	}
	return shard, failure
}

// windows cuts spans into windows, in order of time.
func windows(spans []frame.Span) iter.Seq[grid.Window] {
	return func(yield func(grid.Window) bool) {
		for _, span := range spans {
			for w := range grid.Windows(span) {
				if !yield(w) {
					return
				}
			}
		}
	}
}

// addSample adds a sample to a shard. The failure is why it could not be fetched, in
// words, or empty.
func addSample(shard *frame.Shard, ms int64, a Answer, failure string) {
	s := shard.Span.Series
	if a.Kind == Pictured {
		imageMs := a.MS
		if imageMs == UnknownTime {
			imageMs = ms
		}
		shard.Frames = append(shard.Frames, frame.Frame{
			Stream: s.StreamName, StreamARN: s.StreamARN, SampleMs: ms, ImageMs: imageMs, Format: s.Format,
			Width: int32(a.Size.X), Height: int32(a.Size.Y), Data: a.Data,
		})
		return
	}
	gap := frame.Gap{Stream: s.StreamName, StreamARN: s.StreamARN, SampleMs: ms, Reason: a.Kind.Reason(), Cause: a.Cause}
	if a.Kind.bad() && failure != "" {
		gap.Reason, gap.Cause = frame.Failed, failure
	}
	shard.Gaps = append(shard.Gaps, gap)
}

// Window asks for a window, and again for what it does not get: see unsettled.
// With an error it returns what it has.
func Window(ctx context.Context, p Pager, w grid.Window) ([]Answer, error) {
	pages := &shortPages{Pager: p, longest: math.MaxInt}
	first, err := askFirmly(ctx, pages, w)
	if errors.Is(err, ErrOutOfRetention) {
		first, err = askRetained(ctx, pages, w)
	}
	if err != nil {
		return first.answers, err
	}
	u := newUnsettled(w, first, p.Camera())
	if err := askAgain(ctx, pages, u); err != nil {
		return u.answers, err
	}
	for u.reopen() {
		if err := askAgain(ctx, pages, u); err != nil {
			return u.answers, err
		}
	}
	return u.answers, u.err()
}

// askAgain asks for the samples in doubt until there are none.
func askAgain(ctx context.Context, pages *shortPages, u *unsettled) error {
	barren := 0
	for again := range u.windows() {
		r, err := askFirmly(ctx, pages, again.Window)
		switch {
		case errors.Is(err, ErrOutOfRetention):
			u.refused(again)
		case err != nil:
			return err
		case u.settle(again, r):
			barren = 0
		default:
			if barren++; barren == MaxBarren {
				return ErrBarren
			}
		}
	}
	return nil
}

// shortPages asks for pages no longer than the window's have been: a page that is
// short for no reason looks like one that lacks an entry.
type shortPages struct {
	Pager
	longest int
	proven  bool // the service has room for that many
}

func (p *shortPages) Most() int { return min(p.Pager.Most(), p.longest) }

// reply is what a range's pages say of its instants.
type reply struct {
	answers []Answer
	// ended: the service had no more to say. whole: and each entry has its place,
	// so that an instant without an answer was left out.
	ended, whole bool
	// heard: there was an entry, be it of no known instant.
	heard bool
}

// askRange asks for the instants of a window as one range, page by page. With an
// error it returns what it has.
func askRange(ctx context.Context, p *shortPages, w grid.Window) (reply, error) {
	r := reply{answers: noAnswers(w), whole: true}
	token, here := "", position{certain: true, before: UnknownTime}
	begins := map[string]position{token: here} // where the page of a token begins
	var counted []int                          // what nothing but the length of its page proves
	for barren := 0; barren < MaxBarren; barren++ {
		n := min(p.Most(), max(1, w.N-here.cursor))
		entries, next, err := p.Page(ctx, w, token, n)
		if errors.Is(err, ErrBadToken) {
			return reply{answers: r.answers, heard: r.heard}, nil // the rest is asked for again
		}
		if errors.Is(err, ErrNothingThere) {
			return r.empty(w), nil
		}
		if err != nil {
			return r, err
		}
		r.heard = r.heard || len(entries) > 0
		at, to := place(w, here, entries, n)
		placed, news := r.take(w, at, entries)
		for j, k := range at {
			if by, ok := provedBy(w, entries[j].MS); k >= 0 && (!ok || by != k) {
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
	return r, ErrBarren
}

// empty is the reply to a range that the service says nothing lies in.
func (r reply) empty(w grid.Window) reply {
	for k := range r.answers {
		if r.answers[k].Kind == Unanswered {
			r.answers[k] = Answer{Kind: NoMedia, MS: w.At(k)}
		}
	}
	return reply{answers: r.answers, ended: true, whole: true, heard: true}
}

// forget takes back the answers to some instants.
func (r *reply) forget(instants []int) {
	for _, k := range instants {
		r.answers[k] = Answer{MS: UnknownTime}
	}
	r.whole = r.whole && len(instants) == 0
}

// take takes the entries of a page that have a place, and reports whether they
// say anything new.
func (r *reply) take(w grid.Window, at []int, entries []Answer) (placed int, news bool) {
	for j, k := range at {
		if k < 0 {
			continue
		}
		placed++
		if e := entries[j].of(w.At(k)); e.Kind > r.answers[k].Kind {
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
		_, err := askRange(ctx, p, grid.Window{Start: w.At(try), Step: w.Step, N: 1})
		switch {
		case errors.Is(err, ErrOutOfRetention):
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
		case errors.Is(err, ErrOutOfRetention): // the edge has moved on
			in = w.N
		case err != nil:
			return r, err
		default:
			copy(r.answers[in:], kept.answers)
			r.ended, r.whole, r.heard = kept.ended, kept.whole, kept.heard
		}
	}
	for k := range in {
		r.answers[k] = Answer{Kind: OutOfRetention, MS: w.At(k)}
	}
	r.heard = r.heard || in > 0 // a refusal is an answer
	return r, nil
}

// askFirmly takes a refusal for one when it comes three times: much depends on
// it.
func askFirmly(ctx context.Context, p *shortPages, w grid.Window) (r reply, err error) {
	for range 3 {
		if r, err = askRange(ctx, p, w); !errors.Is(err, ErrOutOfRetention) {
			break
		}
	}
	return r, err
}

func noAnswers(w grid.Window) []Answer {
	answers := make([]Answer, w.N)
	for k := range answers {
		answers[k].MS = UnknownTime
	}
	return answers
}
