package kvsio

import (
	"strconv"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame"
)

func init() {
	register.Function3x0(joinUnread)
	register.Iter1[unread]()
	register.Emitter1[FailedRequest]()
}

// FailedRequest is a request that ReadAll could not read, and why.
type FailedRequest struct {
	// Request is the request as it came, to the microsecond, where it is not valid.
	// Otherwise it asks for samples that were not read, of one or several requests of
	// one tag: ReadAll reads exactly those when it is given this Request.
	Request Request
	// Problem says what is wrong, for people.
	Problem string
	// Invalid reports whether the request is not valid: to read it again is of no use.
	Invalid bool
}

// unread is samples of one shard whose calls failed for good.
type unread struct {
	Span    frame.Span
	Tag     string
	Problem string
}

// key returns what samples that may be in one FailedRequest have in common.
func (u unread) key() string { return u.Span.Series.ID() + " " + u.Tag }

// failedIn returns those of a span's samples whose calls failed, by the span's gaps.
func failedIn(span frame.Span, gaps []frame.Gap) (failed []unread) {
	for _, g := range gaps {
		if g.Reason != frame.Failed {
			continue
		}
		at := span.Series.Index(g.SampleMs)
		if n := len(failed); n > 0 && failed[n-1].Span.End() == at {
			failed[n-1].Span.Samples++
			continue
		}
		failed = append(failed, unread{Span: span.Slice(at, at+1), Problem: g.Cause})
	}
	return failed
}

// joinFailures returns a PCollection<FailedRequest> of a PCollection<KV<string,unread>>:
// as few requests as there can be, for a stream that is gone fails shard by shard.
func joinFailures(s beam.Scope, failed beam.PCollection) beam.PCollection {
	return beam.ParDo(s.Scope("joinFailures"), joinUnread, beam.GroupByKey(s, failed))
}

func joinUnread(_ string, failed func(*unread) bool, emit func(FailedRequest)) {
	var spans []frame.Span
	var u unread
	problems := make(map[int64]string) // by the first sample
	for failed(&u) {
		spans = append(spans, u.Span)
		problems[u.Span.First] = u.Problem
	}
	for _, span := range frame.Union(spans) {
		emit(FailedRequest{Request: requestFor(span, u.Tag), Problem: problems[span.First]})
	}
}

// requestFor returns the request whose Span is span.
func requestFor(span frame.Span, tag string) Request {
	series := span.Series
	r := Request{
		StreamARN:         series.StreamARN,
		ImageSelectorType: ImageSelectorType(series.ImageSelectorType),
		StartTimestamp:    time.UnixMilli(series.At(span.First)).UTC(),
		EndTimestamp:      time.UnixMilli(min(series.At(span.End()), latest.UnixMilli())).UTC(),
		SamplingInterval:  time.Duration(series.IntervalMs) * time.Millisecond,
		Format:            series.Format,
		WidthPixels:       int(series.WidthPixels),
		HeightPixels:      int(series.HeightPixels),
		Tag:               tag,
	}
	if r.StreamARN == "" {
		r.StreamName = series.StreamName
	}
	if series.JPEGQuality != 0 {
		r.FormatConfig = map[string]string{qualityKey: strconv.Itoa(int(series.JPEGQuality))}
	}
	return r
}
