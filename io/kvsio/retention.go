package kvsio

import (
	"context"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
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
)

// emptyRange is a refusal that says that nothing lies in a range, whatever its
// code says.
type emptyRange struct{ error }

func (e emptyRange) Unwrap() error { return e.error }

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
		s.shown = shown{at: time.Now(), err: err}
		if err == nil {
			s.shown.retention = time.Duration(aws.ToInt32(info.DataRetentionInHours)) * time.Hour
		}
	}
	return s.shown.retention, s.shown.err
}

// weigh holds a refusal of GetImages against what DescribeStream says. A stream
// that it shows is not gone because nothing lies in one range: so the service
// answers ranges before what a stream keeps, for one selector with a 404 and for
// the other with a 400. And a range that the stream keeps by its own word, or
// that the service has accepted before, is hardly refused for good.
func (c *imageCalls) weigh(
	ctx context.Context, in *media.GetImagesInput, err error, accepted bool, unlikely *int,
) error {
	v := judge(err)
	missing := v == gone && statusOf(err) == http.StatusNotFound
	switch {
	case v == outOfRetention && accepted:
		return passing{err}
	case v != outOfRetention && !missing:
		return err
	}
	retention, failure := c.engine.show(ctx, c.stream.stream)
	switch {
	case failure != nil:
		return err
	case missing && accepted:
		return passing{err}
	case missing && retention > 0:
		return emptyRange{err}
	}
	edge := time.Now().Add(retentionMargin - retention)
	if v == outOfRetention && in.StartTimestamp.After(edge) && *unlikely < mostUnlikely {
		*unlikely++
		return passing{err}
	}
	return err
}
