package kvsio

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/smithy-go"
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
		s.shown = shown{at: time.Now(), err: err}
		if err == nil {
			s.shown.retention = time.Duration(aws.ToInt32(info.DataRetentionInHours)) * time.Hour
		}
	}
	return s.shown.retention, s.shown.err
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
	kept := in.StartTimestamp.After(time.Now().Add(retentionMargin - retention))
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
