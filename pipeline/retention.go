package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

// aging is what a job has to fetch, of streams of which it is known how long they keep footage.
type aging struct {
	missing   []frame.Span
	retention map[string]time.Duration // by StreamARN
	began     time.Time                // by the clock that streams age by
}

// losses are samples of an aging that no call brings.
type losses struct {
	lost    int64    // older than what their streams kept when the job began
	atRisk  int64    // that will be, when the job gets to them
	streams []string // that have some of either
}

// at returns the losses of a job that fetches so many samples a second of each stream, the
// oldest that the stream keeps first.
func (a aging) at(pace float64) (l losses) {
	before := make(map[string]int64) // of a stream: samples that the job gets to first
	for _, span := range a.missing {
		arn := span.Series.StreamARN
		retention, ok := a.retention[arn]
		if !ok {
			continue
		}
		old, kept := splitAt(span, a.began.Add(-retention-time.Millisecond))
		late := int64(0)
		if kept.Samples > 0 {
			ahead := time.UnixMilli(kept.Series.At(kept.First)).Add(retention).Sub(a.began) // until the first ages out
			step := float64(kept.Series.IntervalMs) / 1000
			late = overtaken(ahead.Seconds(), step, float64(before[arn])/pace, 1/pace, kept.Samples)
		}
		before[arn] += kept.Samples
		if l.lost, l.atRisk = l.lost+old.Samples, l.atRisk+late; old.Samples+late > 0 {
			if n := len(l.streams); n == 0 || l.streams[n-1] != span.Series.StreamName {
				l.streams = append(l.streams, span.Series.StreamName)
			}
		}
	}
	return l
}

// overtaken returns how many of n samples age out before the job gets to them: the first ages
// out in ages seconds and the job gets to it in gets; each further one takes ageStep and getStep.
func overtaken(ages, ageStep, gets, getStep float64, n int64) int64 {
	behind, each := gets-ages, getStep-ageStep // sample i is lost where behind + i·each > 0
	switch {
	case behind > 0 && each >= 0:
		return n
	case behind <= 0 && each <= 0:
		return 0
	case behind > 0:
		return min(n, int64(math.Ceil(behind/-each)))
	}
	return max(0, n-1-int64(min(-behind/each, float64(n))))
}

// callSeconds is what a call of GetImages takes, more or less.
const callSeconds = 0.5

// expectedPace is how many samples a second a job gets of each of some streams, as far as that can be
// known before it begins.
func (o Options) expectedPace(streams int) float64 {
	const pageSize = 25
	inFlight := float64(cmp.Or(o.Read.MaxInFlight, kvsio.DefaultMaxInFlight))
	pace := inFlight * pageSize / callSeconds / float64(max(streams, 1))
	if quota := cmp.Or(o.Read.StreamQuota, kvsio.DefaultStreamQuota); quota != kvsio.UnknownQuota {
		pace = min(pace, quota*cmp.Or(o.Read.QuotaShare, kvsio.DefaultQuotaShare))
	}
	return pace
}

// aging returns what is known of how a plan's samples age.
func (o Options) aging(plan *kvsio.Plan) aging {
	return aging{plan.Missing, o.retention, time.Now().Add(o.Read.ClockSkew)}
}

// foretell says what of a plan no call will bring, in one line, and in the summary.
func (o Options) foretell(ctx context.Context, plan *kvsio.Plan, s *Summary) {
	streams := len(watchStreams(plan.Missing).left)
	pace := o.expectedPace(streams)
	l := o.aging(plan).at(pace)
	if s.Lost, s.AtRisk = l.lost, l.atRisk; l.lost+l.atRisk == 0 {
		return
	}
	text := fmt.Sprintf("%d of %d samples to be fetched are older than what their streams keep", l.lost,
		frame.Count(plan.Missing))
	if l.atRisk > 0 {
		text += fmt.Sprintf(", and at %.3g samples a second and stream %d more will be before the job gets to them", pace,
			l.atRisk)
	}
	log.Warnf(ctx, "%s: %s", text, few(l.streams))
}
