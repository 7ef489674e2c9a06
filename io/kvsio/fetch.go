package kvsio

import (
	"context"
	"errors"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/framepb"
)

// maxBarren is how many pages in a row may bring nothing new before the rest of
// a range is taken as left out.
const maxBarren = 20

// longestFragment is how much of a range's head the service may leave out, in
// milliseconds: it skips the fragment that a range starts inside, and those
// are up to 20 s long (boto/boto3#3712).
const longestFragment = 20_000

// errOutOfRetention says that a range begins before what the stream keeps.
var errOutOfRetention = errors.New("outside of the stream's retention period")

// errBadToken says that a range's NextToken was refused.
var errBadToken = errors.New("the service refused its own NextToken")

// pager fetches one page of one series: entries for the instants of w that are
// left after token, at most n of them. A page has no more than most.
type pager interface {
	most() int
	page(ctx context.Context, w window, token string, n int) (entries []answer, next string, err error)
}

// fetchShard fetches a shard. With an error it returns what it has, the rest
// as FAILED gaps.
func fetchShard(ctx context.Context, p pager, span framepb.Span) (framepb.Shard, error) {
	shard := framepb.Shard{Span: span, Frames: make([]framepb.Frame, 0, span.Samples)}
	var failure error
	for w := range windows(span) {
		var answers []answer
		if failure == nil {
			answers, failure = fetchWindow(ctx, p, w)
		}
		if answers == nil {
			answers = noAnswers(w)
		}
		for k, a := range answers {
			deliver(&shard, w.at(k), a, failure)
		}
	}
	return shard, failure
}

// deliver adds a sample to a shard.
func deliver(shard *framepb.Shard, ms int64, a answer, failure error) {
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
	if a.kind.bad() && failure != nil {
		gap.Reason, gap.Cause = framepb.Failed, outside.Text(failure.Error())
	}
	shard.Gaps = append(shard.Gaps, gap)
}

// fetchWindow asks for a window, and once more for what it does not get: see
// doubts. With an error it returns what it has.
func fetchWindow(ctx context.Context, p pager, w window) ([]answer, error) {
	answers, err := askFirmly(ctx, p, w)
	if errors.Is(err, errOutOfRetention) {
		answers, err = askRetained(ctx, p, w)
	}
	if err != nil {
		return answers, err
	}
	d := newDoubts(w, answers)
	for again := range d.windows() {
		second, err := askFirmly(ctx, p, again.window)
		if err != nil && !errors.Is(err, errOutOfRetention) { // the head start may lie before the retention's edge
			return answers, err
		}
		d.settle(again, second)
	}
	return answers, nil
}

// ask asks for the instants of a window as one range, page by page. With an
// error it returns what it has.
func ask(ctx context.Context, p pager, w window) ([]answer, error) {
	answers := noAnswers(w)
	cursor, token := 0, ""
	for barren := 0; barren < maxBarren; {
		n := min(p.most(), max(1, w.n-cursor))
		entries, next, err := p.page(ctx, w, token, n)
		if errors.Is(err, errBadToken) {
			return answers, nil // the rest is asked for again
		}
		if err != nil {
			return answers, err
		}
		barren++
		before := int64(unknownTime)
		if cursor > 0 {
			before = answers[cursor-1].pictureTime()
		}
		for j, k := range place(w, cursor, before, entries, n) {
			if k >= 0 && better(w.at(k), entries[j], answers[k]) {
				answers[k], barren = entries[j], 0
			}
			cursor = max(cursor, k+1)
		}
		// All are answered. But a last picture from long before its instant,
		// and a token for more, say that one entry was too many.
		if cursor >= w.n && !early(w, answers[w.n-1]) || next == "" {
			break
		}
		// A token that repeats is followed all the same: it brings the page
		// again, and with it a token that may be right.
		token = next
	}
	return answers, nil
}

// askRetained asks for what the stream still keeps of a window whose range was
// refused: it looks for the first instant at which a range may begin.
func askRetained(ctx context.Context, p pager, w window) ([]answer, error) {
	answers := noAnswers(w)
	out, in := 0, w.n // ranges from out are refused, those from in are not
	try := w.n - 1    // most often all is refused, and this settles it
	for out+1 < in {
		_, err := ask(ctx, p, window{start: w.at(try), step: w.step, n: 1})
		switch {
		case errors.Is(err, errOutOfRetention):
			out = try
		case err != nil:
			return answers, err
		default:
			in = try
		}
		try = (out + in) / 2
	}
	if in < w.n {
		kept, err := askFirmly(ctx, p, window{start: w.at(in), step: w.step, n: w.n - in})
		switch {
		case errors.Is(err, errOutOfRetention): // the edge has moved on
			in = w.n
		case err != nil:
			return answers, err
		default:
			copy(answers[in:], kept)
		}
	}
	for k := range in {
		answers[k] = answer{kind: outOfRetention, ms: w.at(k)}
	}
	return answers, nil
}

// askFirmly takes a refusal for one when it comes three times: much hangs on
// it.
func askFirmly(ctx context.Context, p pager, w window) (answers []answer, err error) {
	for range 3 {
		if answers, err = ask(ctx, p, w); !errors.Is(err, errOutOfRetention) {
			break
		}
	}
	return answers, err
}

func noAnswers(w window) []answer {
	answers := make([]answer, w.n)
	for k := range answers {
		answers[k].ms = unknownTime
	}
	return answers
}
