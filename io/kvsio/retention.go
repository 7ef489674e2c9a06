package kvsio

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/smithy-go"

	"github.com/kvsframes/kvsframes/io/frame"
)

// shown is what DescribeStream last said of a stream.
type shown struct {
	at        time.Time
	retention time.Duration
	err       error
}

const (
	// shownLife is how long that is believed.
	shownLife = time.Minute
	// retentionMargin is how far from the edge that the clocks give a range may
	// begin and be refused.
	retentionMargin = time.Hour
	// mostUnlikely is how often a call is made again that is refused for a range
	// that the stream keeps by its own word.
	mostUnlikely = 8

	// retentionLife is how long a retention is believed.
	retentionLife = 10 * time.Minute
	// leastRetention is the shortest that a stream can have, if any.
	leastRetention = time.Hour
	// mostSkew is how far the service's clock may be from this process': where it is further, no
	// call's signature is taken.
	mostSkew = 5 * time.Minute
	// longestFragment is how long fragments may be.
	longestFragment = 20 * time.Second
)

// earlyRange is a refusal of a range before what the stream keeps, whatever its code says.
type earlyRange struct{ error }

func (e earlyRange) Unwrap() error { return e.error }

// vacantRange is a refusal of a range that the stream keeps, because nothing lies in it.
type vacantRange struct{ error }

func (e vacantRange) Unwrap() error { return e.error }

// show describes the stream, unless it was described a short time ago.
func (e *engine) show(ctx context.Context, s *stream) (retention time.Duration, err error) {
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	if time.Since(s.shown.at) > shownLife {
		info, err := e.describe(ctx, s.key, readyAttempts)
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		s.shown = shownBy(info, err)
	}
	return s.shown.retention, s.shown.err
}

func shownBy(info *types.StreamInfo, err error) shown {
	if err != nil {
		return shown{at: time.Now(), err: err}
	}
	return shown{at: time.Now(), retention: time.Duration(aws.ToInt32(info.DataRetentionInHours)) * time.Hour}
}

// note takes note of what DescribeStream says, unless someone is asking just now.
func (s *stream) note(info *types.StreamInfo) {
	select {
	case s.asking <- struct{}{}:
		s.shown = shownBy(info, nil)
		<-s.asking
	default:
	}
}

// keeps returns how long the stream keeps footage, 0 where that is not known. The stream is
// described for it only where ask says so.
func (e *engine) keeps(ctx context.Context, s *stream, ask bool) time.Duration {
	select {
	case s.asking <- struct{}{}:
	case <-ctx.Done():
		return 0
	}
	known := s.shown
	<-s.asking
	if known.retention > 0 && time.Since(known.at) < retentionLife {
		return known.retention
	}
	if !ask {
		return 0
	}
	retention, err := e.show(ctx, s)
	if err != nil {
		return 0
	}
	return retention
}

// edge returns the instant from which a stream keeps footage, in milliseconds since the epoch.
func (e *engine) edge(retention time.Duration) int64 {
	return e.now().Add(-retention).UnixMilli()
}

// now is the time by the clock that streams age by.
func (e *engine) now() time.Time { return time.Now().Add(e.params.ClockSkew) }

// splitLost takes out of the samples of a shard those that the stream keeps no more, for certain:
// no call is made for them. By a producer's clock that is never certain: a stream keeps footage
// from when it got into the archive, and a camera that was offline sends it later.
func (e *engine) splitLost(ctx context.Context, s *stream, asked []frame.Span) (lost, rest []frame.Span) {
	series := asked[0].Series
	oldest := series.At(asked[0].First)
	if series.ImageSelectorType != string(ServerTimestamp) || oldest >= e.edge(leastRetention) {
		return nil, asked
	}
	retention := e.keeps(ctx, s, false)
	if retention == 0 {
		return nil, asked
	}
	first := series.Index(e.edge(retention+mostSkew)) + 1
	old := []frame.Span{asked[0].Slice(0, max(first, 0))}
	return frame.Common(asked, old), frame.Minus(asked, old)
}

// lostGaps are the gaps of samples that the stream keeps no more.
func lostGaps(spans []frame.Span) []frame.Gap {
	var gaps []frame.Gap
	for _, span := range spans {
		for i := span.First; i < span.End(); i++ {
			gaps = append(gaps, frame.Gap{
				Stream: span.Series.StreamName, StreamARN: span.Series.StreamARN, SampleMs: span.Series.At(i),
				Reason: frame.OutOfRetention,
			})
		}
	}
	return gaps
}

// nameLost says of samples that came out empty and are older than what the stream keeps
// that this is why. A fragment goes whole, so that of its samples some go before their time.
func (e *engine) nameLost(ctx context.Context, s *stream, gaps []frame.Gap) {
	empty := func(g frame.Gap) bool { return g.Reason == frame.NoMedia || g.Reason == frame.NotReturned }
	young := e.edge(leastRetention)
	if !slices.ContainsFunc(gaps, func(g frame.Gap) bool { return empty(g) && g.SampleMs < young }) {
		return
	}
	retention := e.keeps(ctx, s, true)
	if retention == 0 {
		return
	}
	edge := e.edge(retention - longestFragment)
	for i, g := range gaps {
		if empty(g) && g.SampleMs < edge {
			gaps[i].Reason, gaps[i].Cause = frame.OutOfRetention, ""
		}
	}
}

// weigh holds a refusal of GetImages against what DescribeStream says. A stream that it
// shows is not gone because nothing lies in one range: so the service answers ranges
// before what a stream keeps, for one selector with a 404 and for the other with a 400. A
// range that the stream keeps by its own word, or that the service has accepted before, is
// hardly refused for good; where it is, nothing lies in it if the service says so. A 404
// that is not the service's, of a load balancer or a proxy, says nothing of the stream.
func (c *imageCalls) weigh(
	ctx context.Context, in *media.GetImagesInput, err error, accepted bool, unlikely *int,
) error {
	v := judge(err)
	missing := v == gone && statusOf(err) == http.StatusNotFound
	code, message := wordsOf(err)
	switch {
	case v == outOfRetention && accepted, missing && code == "":
		return passing{err}
	case v != outOfRetention && !missing:
		return err
	}
	retention, failure := c.engine.show(ctx, c.stream.stream)
	switch {
	case failure != nil || retention <= 0:
		return err
	case missing && accepted:
		return passing{err}
	}
	kept := in.StartTimestamp.After(c.engine.now().Add(retentionMargin - retention))
	switch {
	case !kept && missing:
		return earlyRange{err}
	case !kept:
		return err
	case *unlikely < mostUnlikely:
		*unlikely++
		return passing{err}
	case missing && strings.Contains(strings.ToLower(message), "no fragment"):
		return vacantRange{err}
	case missing: // it is there, and the service says that it is not
		return passing{err}
	}
	return err
}

// wordsOf returns the code and the message that the service answered: empty where the
// answer is not the service's.
func wordsOf(err error) (code, message string) {
	var answer smithy.APIError
	if !errors.As(err, &answer) || answer.ErrorCode() == "UnknownError" {
		return "", ""
	}
	return answer.ErrorCode(), answer.ErrorMessage()
}
