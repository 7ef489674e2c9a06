package kvsio

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/ask"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pace"
)

// splitRange is a range that is longer than GetImages takes, read as the source
// reads a shard: window by window, what a window lacks asked for again. Where it
// goes on is how many images of the range were returned, so tokens of it need
// nothing of the service's, and do not expire.
type splitRange struct {
	calls       *splitCalls
	start, step int64 // milliseconds
	n, at       int64 // instants in all, and those that are done with
}

// splitPage is the most images of a page of a split range.
const splitPage = 100

// newSplitRange is nil for a range that is a range of GetImages', too.
func (c *checks) newSplitRange(in media.GetImagesInput, at resumeToken) *splitRange {
	r := Request{
		StreamName: aws.ToString(in.StreamName), StreamARN: aws.ToString(in.StreamARN),
		ImageSelectorType: ImageSelectorType(in.ImageSelectorType),
		StartTimestamp:    aws.ToTime(in.StartTimestamp), EndTimestamp: aws.ToTime(in.EndTimestamp),
		SamplingInterval: time.Duration(aws.ToInt32(in.SamplingInterval)) * time.Millisecond,
		Format:           string(in.Format), FormatConfig: in.FormatConfig,
		WidthPixels: int(aws.ToInt32(in.WidthPixels)), HeightPixels: int(aws.ToInt32(in.HeightPixels)),
	}
	if r.EndTimestamp.Sub(r.StartTimestamp) <= grid.MaxRange*time.Millisecond {
		return nil
	}
	if wrong := r.ValidateFloor(LowestMinInterval); wrong != nil {
		c.faults = wrong.(*RequestError).Faults
		return nil
	}
	if at.next != "" {
		c.add("PaginationConfig.StartingToken", "of a range of at most 300 s",
			"one of this range, which has no NextToken of the service")
		return nil
	}
	// Unlike a Request's, the range of a paginator has its end in it.
	span := r.Span()
	start, step := span.Series.At(span.First), int64(span.Series.IntervalMs)
	n := (toMillis(r.EndTimestamp)-start)/step + 1
	calls := &splitCalls{shardCalls{series: span.Series}, int(min(aws.ToInt64(in.MaxResults), pace.PageSize))}
	if calls.pageSize == 0 {
		calls.pageSize = pace.PageSize
	}
	return &splitRange{calls: calls, start: start, step: step, n: n, at: min(int64(at.skip), n)}
}

// page fetches the next page, of at most that many images.
func (s *splitRange) page(ctx context.Context, most int) (*Page, error) {
	n := min(s.n-s.at, grid.WindowSamples(s.step), splitPage, int64(most))
	page := &Page{Images: []Image{}}
	if n > 0 {
		w := grid.Window{Start: s.start + s.at*s.step, Step: s.step, N: int(n)}
		answers, err := ask.Window(ctx, s.calls, w)
		if err != nil {
			return nil, err
		}
		for k, a := range answers {
			page.Images = append(page.Images, imageOf(a, w.At(k)))
		}
	}
	s.at += n
	if s.at < s.n {
		page.NextToken = resumeToken{skip: int(s.at)}.cut()
	}
	return page, nil
}

// imageOf returns what became of an instant as an entry of an answer.
func imageOf(a ask.Answer, instant int64) Image {
	if a.MS != ask.UnknownTime {
		instant = a.MS
	}
	image := Image{TimeStamp: time.UnixMilli(instant), Content: a.Data}
	if a.Kind != ask.Pictured {
		image.Error = a.Kind.Reason()
	}
	return image
}

// splitCalls are the calls of a split range: its pager.
type splitCalls struct {
	shardCalls
	pageSize int
}

func (c *splitCalls) Most() int { return min(c.shardCalls.Most(), c.pageSize) }
