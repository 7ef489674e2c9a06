package kvsio

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo/types"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/ask"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
	"github.com/kvsframes/kvsframes/io/kvsio/internal/pace"
)

// endpointLife is how long a data endpoint is used. Its token lives for about
// 45 minutes.
const endpointLife = 40 * time.Minute

// stream is what a process knows of one stream: its pace, its pages and its data
// endpoint. Whether it can be read at all is for each reading to find out.
type stream struct {
	key     grid.StreamKey
	pace    *pace.Pace
	pages   pace.PageSizes
	camera  ask.Camera
	relaxed *broadcast    // of the engine
	asking  chan struct{} // holds the one who asks the control plane

	inHand atomic.Int64 // shards, of all bundles
	inLine atomic.Int64 // of their calls, those that wait for their turn

	frameBytes int64 // what its frames took of late; guarded by the engine
	shown      shown // guarded by asking

	mu        sync.Mutex
	endpoints map[types.APIName]dataEndpoint
	answered  time.Time // when a call last succeeded
}

// dataEndpoint is where calls of an API go.
type dataEndpoint struct {
	url     string
	fetched time.Time
}

func newStream(key grid.StreamKey, p *pace.Pace, relaxed *broadcast) *stream {
	return &stream{
		key: key, pace: p, relaxed: relaxed, asking: make(chan struct{}, 1), endpoints: make(map[types.APIName]dataEndpoint),
	}
}

// enoughInLine is how many calls of a stream wait for their turn where more
// shards would not make it faster: one has the next turn, another the one after.
const enoughInLine = 2

// load returns how many shards of the stream are in hand, and whether it can
// take more: it cannot while its quota is what they wait for.
func (s *stream) load() (inHand int, ok bool) {
	return int(s.inHand.Load()), s.inLine.Load() < enoughInLine
}

// wait waits until a call for n images may be made.
func (s *stream) wait(ctx context.Context, n int) (pace.Grant, error) {
	s.inLine.Add(1)
	defer func() {
		if s.inLine.Add(-1) == enoughInLine-1 {
			s.relaxed.send()
		}
	}()
	return s.pace.Wait(ctx, n)
}

// target returns the stream as an API's StreamName and StreamARN.
func target(k grid.StreamKey) (name, arn *string) {
	if k.ARN != "" {
		return nil, aws.String(k.ARN)
	}
	return aws.String(k.Name), nil
}

// hasAnswered reports whether a call has succeeded of late: whoever reads may.
func (s *stream) hasAnswered() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.answered) < endpointLife
}

func (s *stream) answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered = time.Now()
}

// drop forgets a data endpoint that was refused, unless it was replaced since.
func (s *stream) drop(endpoint string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.endpoints, func(_ types.APIName, known dataEndpoint) bool { return known.url == endpoint })
}

func (s *stream) cached(api types.APIName) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.endpoints[api]; time.Since(known.fetched) <= endpointLife {
		return known.url
	}
	return ""
}

// imagesEndpoint returns the endpoint that the stream's images come from.
func (e *engine) imagesEndpoint(ctx context.Context, s *reading, a attempts) (string, error) {
	return e.dataEndpoint(ctx, s, types.APINameGetImages, a)
}

// dataEndpoint returns the endpoint of an API of the stream, asked for once by all who need it at a
// time.
func (e *engine) dataEndpoint(ctx context.Context, s *reading, api types.APIName, a attempts) (string, error) {
	if s.refused() != nil {
		return s.ifRefused, nil
	}
	if endpoint := s.cached(api); endpoint != "" {
		return endpoint, nil
	}
	select {
	case s.asking <- struct{}{}:
		defer func() { <-s.asking }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if dead := s.err(); dead != nil {
		return "", dead
	}
	if endpoint := s.cached(api); endpoint != "" {
		return endpoint, nil
	}
	in := &kinesisvideo.GetDataEndpointInput{APIName: api}
	in.StreamName, in.StreamARN = target(s.key)
	var out *kinesisvideo.GetDataEndpointOutput
	err := e.controlCall(ctx, a, func(ctx context.Context) (err error) {
		out, err = e.clients.control.GetDataEndpoint(ctx, in)
		if err != nil {
			return err
		}
		return checkDataEndpoint(aws.ToString(out.DataEndpoint))
	})
	switch {
	case err == nil:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.endpoints[api] = dataEndpoint{*out.DataEndpoint, time.Now()}
		return *out.DataEndpoint, nil
	case s.ifRefused != "" && statusOf(err)/100 == 4:
		s.mu.Lock()
		defer s.mu.Unlock()
		s.refusal = err
		return s.ifRefused, nil
	}
	failure := streamError("getting the data endpoint of", s.key, err)
	if kills(err) {
		s.kill(failure)
	}
	return "", failure
}

// checkDataEndpoint refuses what no call can be sent to. It may hold a token: it is not
// shown.
func checkDataEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case endpoint == "":
		return errors.New("GetDataEndpoint answered no endpoint")
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return errors.New("GetDataEndpoint answered an endpoint that is not an http or https URL: " + wrongEndpoint)
	}
	return nil
}

// describe asks what the stream is.
func (e *engine) describe(ctx context.Context, key grid.StreamKey, a attempts) (*types.StreamInfo, error) {
	in := &kinesisvideo.DescribeStreamInput{}
	in.StreamName, in.StreamARN = target(key)
	var out *kinesisvideo.DescribeStreamOutput
	err := e.controlCall(ctx, a, func(ctx context.Context) (err error) {
		out, err = e.clients.control.DescribeStream(ctx, in)
		if err == nil && (out.StreamInfo == nil || aws.ToString(out.StreamInfo.StreamARN) == "") {
			err = errors.New("DescribeStream answered no stream: " + wrongEndpoint)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out.StreamInfo, checkDescribed(key, out.StreamInfo)
}

const wrongEndpoint = "is the endpoint that of Kinesis Video Streams?"

// checkDescribed holds what DescribeStream says a stream is against what was asked
// for: all that follows is done in the name of that ARN.
func checkDescribed(k grid.StreamKey, info *types.StreamInfo) error {
	arn, name := aws.ToString(info.StreamARN), aws.ToString(info.StreamName)
	inARN, ok := frame.NameInARN(arn)
	switch {
	case !ok:
		return fmt.Errorf("DescribeStream answered the StreamARN %s: it must be %s; %s", quoted(arn), arnForm, wrongEndpoint)
	case k.ARN != "" && arn != k.ARN:
		return fmt.Errorf("DescribeStream answered another stream, %s: %s", quoted(arn), wrongEndpoint)
	case inARN != k.String() || name != "" && name != k.String():
		return fmt.Errorf("DescribeStream answered another stream, StreamName %s and StreamARN %s: %s",
			quoted(name), quoted(arn), wrongEndpoint)
	}
	return nil
}

// controlCall makes a call of the control plane, which nothing but waiting can
// mend.
func (e *engine) controlCall(ctx context.Context, a attempts, call func(context.Context) error) error {
	err := a.do(ctx, func() error {
		ctx, cancel := context.WithTimeout(ctx, e.params.CallTimeout)
		defer cancel()
		err := call(ctx)
		if err == nil {
			e.reached.Store(true)
		}
		return err
	}, func(v verdict, err error) error {
		switch v {
		case forbidden:
			return plain(err)
		case again:
			return e.retries.wait(ctx)
		}
		return nil
	})
	if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" && e.params.AWS.EndpointURL != "" {
		err = fault.Errorf("%w: the endpoint is %q, as %s or AWS_ENDPOINT_URL says", err, e.params.AWS.EndpointURL,
			fault.Name("AWS.EndpointURL"))
	}
	return err
}

// patience is that of a shard's calls of the control plane. A worker that has
// never reached it may be on a machine that cannot: that is to be known in seconds.
func (e *engine) patience() attempts {
	if e.reached.Load() {
		return patientAttempts
	}
	return readyAttempts
}

// kills reports whether an error of a stream's control plane means that the
// stream cannot work at all.
func kills(err error) bool {
	v := judge(err)
	return v == gone || v == forbidden
}
