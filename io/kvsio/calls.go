package kvsio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia/types"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/admit"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/ask"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/lift"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pace"
)

// callStats counts the calls of one shard. Beam's metrics must not be touched
// by the goroutine that makes them, so it hands these back.
type callStats struct {
	calls, retries, throttles int64
	latencies                 []time.Duration
}

// imageCalls makes calls of GetImages for one stream: those of a shard, or of a
// paginator.
type imageCalls struct {
	engine *engine
	stream *reading
	stats  *callStats
	// endpoint is how often the data endpoint is asked for.
	endpoint attempts
	// reserve waits for memory: an answer has had that many pictures so far, of that many
	// bytes. nil: memory is not limited.
	reserve func(ctx context.Context, pictures, bytes int64) error
}

// shardCalls makes the calls of one shard. It is its pager.
type shardCalls struct {
	imageCalls
	series  frame.Series
	samples int64         // that are asked for
	ticket  *admit.Ticket // nil: not counted in the memory budget
	bytes   int64         // of the pictures that have come
}

// fetch fetches what a look at a shard asks for. With an error it returns what it has, the
// rest as FAILED gaps.
func (e *engine) fetch(
	ctx context.Context, r *reading, t *admit.Ticket, l look, stats *callStats,
) (frame.Shard, error) {
	lost, asked := e.splitLost(ctx, r.stream, l.asked)
	defer e.wires.Use()()
	calls := imageCalls{engine: e, stream: r, stats: stats, endpoint: e.patience()}
	c := &shardCalls{imageCalls: calls, series: l.shard.Series, samples: frame.Count(asked), ticket: t}
	c.reserve = c.need
	shard, err := ask.Shard(ctx, c, l.shard, asked)
	if err == nil {
		e.nameLost(ctx, r.stream, shard.Gaps)
	}
	shard.Gaps = append(lostGaps(lost), shard.Gaps...)
	shard.New = l.isNew
	if l.second {
		shard.Again = l.asked
	}
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("reading %v: %w", l.shard, err)
	}
	return shard, err
}

// Page fetches a page of the shard.
func (c *shardCalls) Page(ctx context.Context, w grid.Window, token string, n int) ([]ask.Answer, string, error) {
	f, _ := c.engine.frameBytes(c.stream.stream)
	if err := c.need(ctx, int64(n), int64(n)*f); err != nil {
		return nil, "", err
	}
	out, payloads, err := c.get(ctx, c.input(w, token, n), token != "")
	if refused, ok := errors.AsType[*refusal](err); ok {
		switch {
		case refused.verdict == outOfRetention:
			err = ask.ErrOutOfRetention
		case refused.verdict == vacant:
			err = ask.ErrNothingThere
		case token != "": // the range itself was accepted
			err = ask.ErrBadToken
		}
	}
	if err != nil {
		return nil, "", err
	}
	answers, next := c.answers(out, payloads), aws.ToString(out.NextToken)
	c.learn(answers, n, next)
	return answers, next, nil
}

// need waits for the memory of more pictures, of bytes in all. The first ones of a
// stream stand for all of the shard: else shards that begin together would each
// get a part of what they need, and wait for each other.
func (c *shardCalls) need(ctx context.Context, pictures, bytes int64) error {
	if c.ticket == nil { // a paginator's
		return nil
	}
	f, known := c.engine.frameBytes(c.stream.stream)
	if !known {
		bytes = max(bytes, c.samples*bytes/pictures)
	}
	return c.ticket.Grow(ctx, withGarbage(c.bytes+bytes+wireBytes(f)))
}

// get makes one call of GetImages, as often as it takes. accepted says that
// the service has answered the same range before.
func (c *imageCalls) get(
	ctx context.Context, in *media.GetImagesInput, accepted bool,
) (out *media.GetImagesOutput, payloads []lift.Payload, err error) {
	var endpoint string
	refused, unlikely := 0, 0
	err = pacedAttempts.do(ctx, func() (err error) {
		if err := c.stream.err(); err != nil {
			return err
		}
		endpoint, err = c.engine.imagesEndpoint(ctx, c.stream, c.endpoint)
		if err != nil {
			return &controlError{err}
		}
		turn, err := c.stream.wait(ctx, imagesAskedFor(in))
		if err != nil {
			return err
		}
		out, payloads, err = c.call(ctx, endpoint, in)
		switch {
		case err == nil:
			c.stream.pace.Accepted(turn)
		case judge(err) == throttled:
			c.stream.pace.Throttled(turn)
		default:
			err = c.weigh(ctx, in, err, accepted, &unlikely)
		}
		return err
	}, func(v verdict, err error) error {
		return c.handle(ctx, v, err, endpoint, &refused)
	})
	return out, payloads, err
}

// imagesAskedFor returns how many images a call is charged for.
func imagesAskedFor(in *media.GetImagesInput) int {
	if in.MaxResults == nil {
		return pace.PageSize
	}
	return int(min(*in.MaxResults, pace.PageSize))
}

// mostEntries is how many entries the answer to a call may have: those that were
// asked for, and a few that the service puts in.
func mostEntries(in *media.GetImagesInput) int {
	const few = 8
	if in.MaxResults == nil {
		return mostPageSize + few
	}
	return int(*in.MaxResults) + few
}

// learn takes note of what a page says of those to come.
func (c *shardCalls) learn(answers []ask.Answer, asked int, next string) {
	var bytes, pictures int64
	for _, a := range answers {
		if a.Kind == ask.Pictured {
			bytes, pictures = bytes+int64(len(a.Data)), pictures+1
		}
	}
	c.bytes += bytes
	c.engine.learn(c.stream.stream, bytes, pictures)
	c.stream.pages.Learn(asked, len(answers), next != "")
}

func (c *shardCalls) Most() int { return c.stream.pages.Most() }

func (c *shardCalls) Camera() *ask.Camera { return &c.stream.camera }

// controlError is an error of the control plane in the middle of a page. It was
// attempted often enough.
type controlError struct{ error }

func (e *controlError) Unwrap() error { return e.error }

// mostRefusals is how many data endpoints in a row may have expired before a
// call came through: many calls share one, and end with it.
const mostRefusals = 3

// refusal is the service's word that a call is wrong as it stands.
type refusal struct {
	error
	verdict verdict // outOfRetention, vacant or wrong
}

func (e *refusal) Unwrap() error { return e.error }

// handle decides what an error of GetImages means beyond trying again.
func (c *imageCalls) handle(ctx context.Context, v verdict, err error, endpoint string, refused *int) error {
	if dead := c.stream.err(); dead != nil {
		return dead
	}
	if control, ok := errors.AsType[*controlError](err); ok {
		return control.error
	}
	switch v {
	case throttled:
		count(&c.stats.throttles, &counters.throttles)
		if silent := c.stream.silent(); silent > c.engine.params.ThrottlePatience {
			return fmt.Errorf("throttled, and no call got through for %v: %w", silent.Round(time.Second), plain(err))
		}
	case forbidden:
		// The endpoint's token may have expired. Where the next ones are refused
		// as well, and no call has ever succeeded, reading is not allowed.
		c.stream.drop(endpoint)
		if *refused++; *refused > mostRefusals && !c.stream.hasAnswered() {
			c.stream.kill(plain(err))
			return plain(err)
		}
	case gone:
		c.stream.kill(plain(err))
		return plain(err)
	case helpless:
		return plain(err)
	case outOfRetention, vacant, wrong:
		return &refusal{plain(err), v}
	}
	count(&c.stats.retries, &counters.retries)
	if unreachable(err) {
		c.stream.drop(endpoint) // the service may have another one by now
	}
	if v == again {
		return c.engine.retries.wait(ctx)
	}
	return nil
}

// unreachable reports whether no connection could be made.
func unreachable(err error) bool {
	failed, ok := errors.AsType[*net.OpError](err)
	return ok && failed.Op == "dial"
}

// call makes one attempt.
func (c *imageCalls) call(
	ctx context.Context, endpoint string, in *media.GetImagesInput,
) (*media.GetImagesOutput, []lift.Payload, error) {
	limited, limit, cancel := admit.LimitTime(ctx, c.engine.params.CallTimeout)
	defer cancel()
	began := time.Now()
	count(&c.stats.calls, &counters.calls)
	var pictures, bytes int64
	lifted := &lift.Call{Wires: &c.engine.wires, Entries: mostEntries(in), Reserve: func(more int64) error {
		if c.reserve == nil {
			return nil
		}
		pictures, bytes = pictures+1, bytes+more
		defer limit.Pause()()
		return c.reserve(ctx, pictures, bytes)
	}}
	out, err := c.engine.clients.media.GetImages(limited, in, lifted.Option, func(o *media.Options) {
		o.BaseEndpoint = &endpoint
	})
	c.stats.latencies = append(c.stats.latencies, time.Since(began))
	if err != nil {
		if context.Cause(limited) == context.DeadlineExceeded { // the SDK says only that the context has ended
			err = fmt.Errorf("no whole answer within %v: %w", c.engine.params.CallTimeout, context.DeadlineExceeded)
		}
		return nil, nil, err
	}
	if out.Images == nil {
		// What the control plane answers to GetImages, and a proxy to anything.
		c.stream.drop(endpoint)
		if refused := c.stream.refused(); refused != nil {
			return nil, nil, streamError("getting the data endpoint of", c.stream.key, refused)
		}
		return nil, nil, errors.New("an answer without Images: it is not from the stream's data endpoint")
	}
	if len(out.Images) > lifted.Entries {
		return nil, nil, fmt.Errorf("an answer with %d images, to a call that %d are enough for: %w",
			len(out.Images), lifted.Entries, lift.ErrLongBody)
	}
	c.stream.answer()
	c.engine.retries.succeeded()
	return out, lifted.Payloads, nil
}

func (c *shardCalls) input(w grid.Window, token string, n int) *media.GetImagesInput {
	s := c.series
	in := &media.GetImagesInput{
		ImageSelectorType: types.ImageSelectorType(s.ImageSelectorType),
		StartTimestamp:    aws.Time(time.UnixMilli(w.Start)),
		EndTimestamp:      aws.Time(time.UnixMilli(w.End())),
		SamplingInterval:  aws.Int32(int32(w.Step)),
		Format:            types.Format(s.Format),
		MaxResults:        aws.Int64(int64(n)),
	}
	in.StreamName, in.StreamARN = target(c.stream.key)
	if s.JPEGQuality != 0 {
		in.FormatConfig = map[string]string{qualityKey: fmt.Sprint(s.JPEGQuality)}
	}
	if s.WidthPixels != 0 {
		in.WidthPixels, in.HeightPixels = aws.Int32(s.WidthPixels), aws.Int32(s.HeightPixels)
	}
	if token != "" {
		in.NextToken = &token
	}
	return in
}

// answers reads the entries of a page, whose pictures were lifted off it.
func (c *shardCalls) answers(out *media.GetImagesOutput, payloads []lift.Payload) []ask.Answer {
	answers := make([]ask.Answer, len(out.Images))
	for i, entry := range out.Images {
		a := ask.Answer{Kind: ask.Empty, MS: ask.UnknownTime}
		if entry.TimeStamp != nil {
			a.MS = entry.TimeStamp.UnixMilli()
		}
		switch content := lift.PayloadOf(entry.ImageContent, payloads); {
		case content.Err != nil:
			a.Kind, a.Cause = ask.Corrupt, content.Err.Error()
		case len(content.Data) > 0:
			size, err := lift.PictureSize(content.Data, c.series.Format)
			if err != nil {
				a.Kind, a.Cause = ask.Corrupt, err.Error()
				break
			}
			a.Kind, a.Data, a.Size = ask.Pictured, content.Data, size
		case entry.Error == types.ImageErrorNoMedia:
			a.Kind = ask.NoMedia
		case entry.Error == types.ImageErrorMediaError:
			a.Kind = ask.MediaError
		case entry.Error != "":
			a.Kind, a.Cause = ask.UnknownError, outside.Text(string(entry.Error))
		}
		answers[i] = a
	}
	return answers
}
