package kvsio

import (
	"context"
	"errors"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/aws/aws-sdk-go-v2/aws"
	control "github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// ListFragments tells which samples have footage, a thousand fragments a call, for no media points.

const (
	// mostFragments is how many fragments a call may ask for.
	mostFragments = 1000
	// joined is how far apart gaps may be and still be asked for as one range: what lies between
	// them is a page at most, of fragments of a second.
	joined = 15 * time.Minute
	// fragmentSlack is how far a sample may lie beside a fragment and still have its footage: times are
	// rounded, and clocks drift.
	fragmentSlack = 2 * time.Second
	// mostPages is how many pages a range may have, and pagesASecond how many more by its length.
	mostPages    = 50
	pagesASecond = 0.01
)

// errCannotList says that ListFragments does not tell: GetImages may.
var errCannotList = errors.New("ListFragments is not allowed, or does not take the range")

// footageOf returns those of a series' gaps, as frame.Union returns them, that may have footage by
// now: all of them where ListFragments does not tell.
func (e *engine) footageOf(ctx context.Context, gaps []frame.Span) (covered []frame.Span, err error) {
	r := e.reading(grid.KeyOf(gaps[0].Series))
	for len(gaps) > 0 {
		n := 1
		for n < len(gaps) && between(gaps[n-1], gaps[n]) <= joined {
			n++
		}
		found, err := e.footageIn(ctx, r, gaps[:n])
		switch {
		case errors.Is(err, errCannotList):
			log.Warnf(ctx, "gaps of %s are looked at again by GetImages: %s", r.key, outside.Text(err.Error()))
			return frame.Union(append(covered, gaps...)), nil
		case err != nil:
			return nil, err
		}
		covered, gaps = append(covered, found...), gaps[n:]
	}
	return frame.Union(covered), nil
}

// between returns how far apart two spans are.
func between(a, b frame.Span) time.Duration {
	return time.Duration(b.Series.At(b.First)-a.Series.At(a.End()-1)) * time.Millisecond
}

// footageIn asks for the fragments of a range of gaps.
func (e *engine) footageIn(ctx context.Context, r *reading, gaps []frame.Span) (covered []frame.Span, err error) {
	series, last := gaps[0].Series, gaps[len(gaps)-1]
	from := time.UnixMilli(series.At(gaps[0].First)).Add(-longestFragment)
	to := time.UnixMilli(series.At(last.End() - 1)).Add(fragmentSlack)
	in := &media.ListFragmentsInput{
		MaxResults: aws.Int64(int64(min(mostFragments, to.Sub(from)/time.Second+1))),
		FragmentSelector: &types.FragmentSelector{
			FragmentSelectorType: types.FragmentSelectorType(series.ImageSelectorType),
			TimestampRange:       &types.TimestampRange{StartTimestamp: &from, EndTimestamp: &to},
		},
	}
	in.StreamName, in.StreamARN = target(r.key)
	for range mostPages + int(pagesASecond*to.Sub(from).Seconds()) {
		out, err := e.listFragments(ctx, r, in)
		if err != nil || out == nil {
			return frame.Union(covered), err
		}
		for _, f := range out.Fragments {
			covered = append(covered, gapsIn(f, gaps)...)
		}
		covered = frame.Union(covered)
		// Once all gaps have footage no more pages are needed.
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" || frame.Count(covered) == frame.Count(gaps) {
			return covered, nil
		}
	}
	return nil, errCannotList
}

// gapsIn returns the gaps that lie in a fragment, and with them those shortly beside it. Those beside
// alone are none: beside every gap there is footage that was known before.
func gapsIn(f types.Fragment, gaps []frame.Span) []frame.Span {
	series, begins := gaps[0].Series, f.ProducerTimestamp
	if series.ImageSelectorType == string(ServerTimestamp) {
		begins = f.ServerTimestamp
	}
	if begins == nil {
		return nil
	}
	length := time.Duration(f.FragmentLengthInMilliseconds) * time.Millisecond
	if length <= 0 || length > longestFragment {
		length = longestFragment
	}
	within := func(slack time.Duration) []frame.Span {
		first := series.Index(begins.Add(-slack).UnixMilli()-1) + 1
		end := series.Index(begins.Add(length+slack).UnixMilli()-1) + 1
		return frame.Common(frame.Union([]frame.Span{frame.Span{Series: series}.Slice(max(first, 0), max(end, 0))}), gaps)
	}
	if len(within(0)) == 0 {
		return nil
	}
	return within(fragmentSlack)
}

// listFragments makes a call of ListFragments, as often as it takes. The answer is nil where the
// stream has no fragments, or is gone: nothing late comes of it.
func (e *engine) listFragments(ctx context.Context, r *reading, in *media.ListFragmentsInput) (
	out *media.ListFragmentsOutput, err error,
) {
	slot := e.admission.Enter(0)
	defer slot.Leave()
	select {
	case <-slot.Admitted():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c := imageCalls{engine: e, stream: r, stats: new(callStats)}
	endpoint, refused := "", false
	err = pacedAttempts.do(ctx, func() (err error) {
		if endpoint, err = e.dataEndpoint(ctx, r, control.APINameListFragments, e.patience()); err != nil {
			return &controlError{err}
		}
		turn, err := r.pace.WaitMetadata(ctx, int(*in.MaxResults))
		if err != nil {
			return err
		}
		out, err = e.callListFragments(ctx, endpoint, in)
		switch {
		case err == nil:
			r.pace.Accepted(turn)
		case judge(err) == throttled:
			r.pace.Throttled(turn)
		}
		return err
	}, func(v verdict, err error) error {
		_, controlled := errors.AsType[*controlError](err)
		switch {
		case controlled && v == forbidden, v == gone:
			return err
		case v == forbidden && refused, v == outOfRetention, v == wrong:
			return errors.Join(errCannotList, plain(err))
		case v == forbidden: // the endpoint's token may have expired
			r.drop(endpoint)
			refused = true
			return nil
		}
		few := 0
		return c.handle(ctx, v, err, endpoint, &few)
	})
	switch {
	case err == nil || errors.Is(err, errCannotList) || ctx.Err() != nil:
		return out, err
	case judge(err) == gone, judge(err) == forbidden:
		log.Infof(ctx, "gaps of %s are not looked at again: %s", r.key, outside.Text(plain(err).Error()))
		return nil, nil
	}
	return nil, streamError("listing the fragments of", r.key, err)
}

// callListFragments makes one attempt.
func (e *engine) callListFragments(ctx context.Context, endpoint string, in *media.ListFragmentsInput) (
	*media.ListFragmentsOutput, error,
) {
	ctx, cancel := context.WithTimeout(ctx, e.params.CallTimeout)
	defer cancel()
	out, err := e.clients.media.ListFragments(ctx, in, func(o *media.Options) { o.BaseEndpoint = &endpoint })
	if err == nil {
		e.retries.succeeded()
	}
	return out, err
}
