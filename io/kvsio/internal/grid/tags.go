package grid

import (
	"cmp"
	"iter"
	"slices"
	"sort"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

// Tagged is a span that is asked for under a tag.
type Tagged struct {
	Tag  string
	Span frame.Span
}

// Tags says under which tags samples are asked for. The nil Tags has all samples
// under the empty tag.
type Tags struct {
	bySeries map[frame.Series]*taggedSpans
}

// taggedSpans is what is asked for of one series, in order of where it begins. The
// spans of one tag are apart from each other.
type taggedSpans struct {
	spans []Tagged
	ends  []int64 // ends[i]: the greatest end of spans[:i+1]
}

// NewTags returns the tags of what is asked for: nil where all of them are empty.
func NewTags(asked []Tagged) *Tags {
	byTag := make(map[string][]frame.Span)
	for _, a := range asked {
		byTag[a.Tag] = append(byTag[a.Tag], a.Span)
	}
	if _, untagged := byTag[""]; len(byTag) == 0 || len(byTag) == 1 && untagged {
		return nil
	}
	t := &Tags{bySeries: make(map[frame.Series]*taggedSpans)}
	for tag, spans := range byTag {
		for _, span := range Union(spans) {
			s := t.bySeries[span.Series]
			if s == nil {
				s = new(taggedSpans)
				t.bySeries[span.Series] = s
			}
			s.spans = append(s.spans, Tagged{Tag: tag, Span: span})
		}
	}
	for _, s := range t.bySeries {
		s.sort()
	}
	return t
}

func (s *taggedSpans) sort() {
	slices.SortFunc(s.spans, func(a, b Tagged) int {
		return cmp.Or(a.Span.Compare(b.Span), cmp.Compare(a.Tag, b.Tag))
	})
	s.ends = make([]int64, len(s.spans))
	var end int64
	for i, tagged := range s.spans {
		end = max(end, tagged.Span.End())
		s.ends[i] = end
	}
}

// In returns what is asked for of a span's samples, by tag.
func (t *Tags) In(span frame.Span) iter.Seq2[string, frame.Span] {
	return func(yield func(string, frame.Span) bool) {
		if t == nil {
			yield("", span)
			return
		}
		s := t.bySeries[span.Series]
		if s == nil {
			return
		}
		from := sort.Search(len(s.ends), func(i int) bool { return s.ends[i] > span.First })
		for _, tagged := range s.spans[from:] {
			if tagged.Span.First >= span.End() {
				return
			}
			first, end := max(tagged.Span.First, span.First), min(tagged.Span.End(), span.End())
			if first < end && !yield(tagged.Tag, span.Slice(first, end)) {
				return
			}
		}
	}
}

// AddTo gives works the tags of their runs.
func (t *Tags) AddTo(works []*framepb.Work) {
	if t == nil {
		return
	}
	for _, w := range works {
		series := seriesOf(w)
		for _, r := range w.Runs {
			run := frame.Span{Series: series[r.Series], First: r.First, Samples: r.Samples}
			for tag, span := range t.In(run) {
				w.Tagged = append(w.Tagged, &framepb.TaggedRun{
					Tag: []byte(tag), Series: r.Series, First: span.First, Samples: span.Samples,
				})
			}
		}
	}
}

// TagsOf returns the tags that a work was given.
func TagsOf(w *framepb.Work) *Tags {
	series := seriesOf(w)
	asked := make([]Tagged, len(w.Tagged))
	for i, r := range w.Tagged {
		asked[i] = Tagged{Tag: string(r.Tag), Span: frame.Span{Series: series[r.Series], First: r.First, Samples: r.Samples}}
	}
	return NewTags(asked)
}
