package pipeline

import (
	"cmp"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

// Footage gets into the archive some time after it was recorded. A sample that is asked for before
// that would be recorded as a gap, so the youngest samples of a request are left for a later backfill.

// DefaultSettle is how old a sample is before it is asked for.
const DefaultSettle = 2 * time.Minute

// settled returns the instant that samples must not be younger than, and false where every sample
// may be asked for.
func (o *Options) settled() (time.Time, bool) {
	settle := cmp.Or(o.Settle, DefaultSettle)
	return o.Now.Add(-settle), settle >= 0
}

// leavePending takes the samples that are too young out of the requests: they are in o.pending
// then. A request that has no others goes.
func (o *Options) leavePending() {
	until, ok := o.settled()
	if !ok {
		return
	}
	var requests []kvsio.Request
	for i, r := range o.Requests {
		if ahead := o.ahead[i]; ahead.After(until) {
			o.addPending(&requests, r, ahead)
		} else {
			o.addPending(&requests, r, until)
		}
	}
	o.Requests, o.Relative = requests, nil
	var left []unread
	for _, r := range o.unread {
		var old []kvsio.Request
		if o.addPending(&old, r.Request, until); len(old) > 0 {
			r.Request = old[0]
			left = append(left, r)
		}
	}
	o.unread = left
}

// addPending adds what is left of a request to requests, and the rest to o.pending.
func (o *Options) addPending(requests *[]kvsio.Request, r kvsio.Request, until time.Time) {
	old, young := splitAt(r.Span(), until)
	if young.Samples > 0 {
		o.pending = append(o.pending, young)
		r.EndTimestamp = time.UnixMilli(young.Series.At(young.First)).UTC()
	}
	if old.Samples > 0 {
		*requests = append(*requests, r)
	}
}

// splitAt splits a span into the samples up to an instant, and the later ones.
func splitAt(span frame.Span, until time.Time) (old, young frame.Span) {
	first := min(max(span.Series.Index(until.UnixMilli())+1, span.First), span.End())
	return span.Slice(span.First, first), span.Slice(first, span.End())
}

// pendingOf counts the pending samples of each stream, each once.
func (o *Options) pendingOf() map[stream]int64 {
	of := make(map[stream]int64)
	for series, spans := range frame.BySeries(o.pending) {
		of[streamOf(series)] += frame.Count(frame.Union(spans))
	}
	return of
}
