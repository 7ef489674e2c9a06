package kvsio

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
)

// The service charges for what is asked for, and never for more than a page.
func TestImagesAskedFor(t *testing.T) {
	for _, c := range []struct {
		maxResults *int64
		want       int
	}{{nil, 25}, {aws.Int64(1), 1}, {aws.Int64(25), 25}, {aws.Int64(100), 25}} {
		if n := imagesAskedFor(&media.GetImagesInput{MaxResults: c.maxResults}); n != c.want {
			t.Errorf("%d for %v", n, c.maxResults)
		}
	}
}

// A stream that nobody has asked for an hour was not silent for an hour.
func TestSilenceBeginsWithAThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream(streamKey{name: "cam"}, nil, nil)
		for range 2 {
			time.Sleep(time.Hour)
			if d := s.silent(); d != 0 {
				t.Errorf("silent for %v at the first throttle", d)
			}
			time.Sleep(time.Minute)
			if d := s.silent(); d != time.Minute {
				t.Errorf("silent for %v after a minute of throttles", d)
			}
			s.answer()
		}
	})
}
