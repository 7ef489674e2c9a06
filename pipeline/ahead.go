package pipeline

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

// What is still to come would be recorded as gaps. So a range ends in the past, but
// for one: the clock of a producer may be ahead, and with it the producer's timestamps
// of footage that is in the archive already.

const (
	// aheadRange is the longest range of GetImages.
	aheadRange = 5 * time.Minute
	// aheadLead is the longest fragment: the service leaves out the one that a range
	// starts inside.
	aheadLead = 20 * time.Second
)

// checkAhead cuts a range that ends in the future at now, unless the stream has footage
// shortly before that end, and refuses it where nothing is left of it. With KeepGoing it cuts it, too, where
// the stream may not be asked: the job says so, and goes on. It returns up to when there is
// footage in the future, if any. It makes a call or two for such a range, and none for others.
func checkAhead(ctx context.Context, p kvsio.ReadParams, r *kvsio.Request, now time.Time) (time.Time, error) {
	if !r.EndTimestamp.After(now) {
		return time.Time{}, nil
	}
	name := r.Span().Series.StreamName
	newest, err := footageAhead(ctx, p, *r, now)
	ahead := r.EndTimestamp.Sub(now).Round(time.Second)
	cut, left := cutAt(*r, now)
	at := cut.EndTimestamp.Format(time.RFC3339Nano)
	switch {
	case err != nil:
		err = fmt.Errorf("looking for footage of %s before %s: %w", name, r.EndTimestamp.UTC().Format(time.RFC3339), err)
		if !p.KeepGoing || !left || KindOf(err).Passes() {
			return time.Time{}, err
		}
		log.Warnf(ctx, "the range of %s ends %s in the future, and is cut at %s: %v", name, ahead, at, outside.Error(err))
		*r = cut
		return time.Time{}, nil
	case newest.IsZero() && left:
		log.Warnf(ctx, "the range of %s ends %s in the future, where it has no footage: it is cut at %s; a later backfill "+
			"fetches what comes", name, ahead, at)
		*r = cut
		return time.Time{}, nil
	case newest.IsZero():
		early := inFuture(*r, now)
		early.Allowed = fmt.Sprint(early.Allowed, "; a later end needs footage of the 5 minutes before it, "+
			"of a producer whose clock is ahead")
		return time.Time{}, fmt.Errorf("stream %s: %w", name, &kvsio.RequestError{Faults: []*kvsio.Fault{early}})
	}
	log.Warnf(ctx, "the range of %s ends %s in the future, and has footage there: the producer's clock is ahead; "+
		"its newest is of %s", name, ahead, newest.UTC().Format(time.RFC3339))
	if r.EndTimestamp.Sub(newest) < 2*kvsio.DefaultMinInterval {
		return r.EndTimestamp, nil
	}
	return newest, nil
}

// cutAt cuts a range at an instant, and reports whether anything is left of it.
func cutAt(r kvsio.Request, end time.Time) (cut kvsio.Request, left bool) {
	r.EndTimestamp = end
	cut = r.AlignEnd()
	return cut, cut.StartTimestamp.Before(cut.EndTimestamp)
}

// footageAhead returns the time of the newest footage in the last minutes of a range, to a
// DefaultMinInterval; the zero time where there is none in the future. Of a clock that is ahead there is
// footage right after now, too: a fragment far from it is of a clock that has jumped, and counts for nothing.
func footageAhead(ctx context.Context, p kvsio.ReadParams, r kvsio.Request, now time.Time) (
	newest time.Time, err error,
) {
	newest, err = newestFootage(ctx, p, r, now)
	if err != nil || !newest.After(now.Add(aheadRange)) {
		return newest, err
	}
	r.StartTimestamp, r.EndTimestamp = now, now.Add(aheadRange-aheadLead)
	if soon, err := newestFootage(ctx, p, r, now); err != nil || soon.IsZero() {
		return soon, err
	}
	return newest, nil
}

// newestFootage looks for it in the last minutes of a range, by a call.
func newestFootage(ctx context.Context, p kvsio.ReadParams, r kvsio.Request, now time.Time) (
	newest time.Time, err error,
) {
	from := now
	for _, t := range []time.Time{r.StartTimestamp, r.EndTimestamp.Add(aheadLead - aheadRange)} {
		if t.After(from) {
			from = t
		}
	}
	in := &media.GetImagesInput{
		ImageSelectorType: types.ImageSelectorType(r.ImageSelectorType),
		StartTimestamp:    aws.Time(from.Add(-aheadLead)), EndTimestamp: aws.Time(r.EndTimestamp),
		SamplingInterval: aws.Int32(int32(kvsio.DefaultMinInterval.Milliseconds())),
		Format:           types.Format(r.Format),
	}
	if in.StreamARN = &r.StreamARN; r.StreamARN == "" {
		in.StreamARN, in.StreamName = nil, &r.StreamName
	}
	pages, err := kvsio.NewPaginator(ctx, kvsio.PaginatorParams{AWS: p.AWS, CallParams: p.CallParams}, in,
		kvsio.PaginationConfig{})
	if err != nil {
		return newest, err
	}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return newest, err
		}
		for _, image := range page.Images {
			if len(image.Content) > 0 && !image.TimeStamp.Before(from) && image.TimeStamp.Before(r.EndTimestamp) &&
				image.TimeStamp.After(newest) {
				newest = image.TimeStamp
			}
		}
	}
	return newest, nil
}
