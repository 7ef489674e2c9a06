package kvsio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// Check makes sure that requests can be read, before a pipeline exists: it
// describes each stream and asks for its data endpoint, once. It returns the
// requests with their StreamARN in place of their StreamName, so that a stream
// has one name whoever asks. The error joins a *[StreamError] for each stream that cannot be
// read; a request of one that could not even be described is returned as it came.
//
// Set p.AWS with ResolveAWS first.
func Check(ctx context.Context, p ReadParams, requests []Request) ([]Request, error) {
	if err := numbered(requests, CheckRegions(p.AWS, requests)); err != nil {
		return nil, err
	}
	p.AWS = p.AWS.inRegionOf(arnsOf(requests))
	e, err := engineFor(ctx, p)
	if err != nil {
		return nil, err
	}
	defer e.release()
	var order []grid.StreamKey
	arns := make(map[grid.StreamKey]string)
	for _, r := range requests {
		key := grid.StreamKey{ARN: r.StreamARN, Name: r.StreamName}
		if _, ok := arns[key]; !ok {
			order = append(order, key)
			arns[key] = ""
		}
	}
	problems := make([]error, len(order))
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(checksAtOnce)
	for i, key := range order {
		group.Go(func() error {
			arn, err := e.check(ctx, key)
			mu.Lock()
			defer mu.Unlock()
			arns[key], problems[i] = arn, err
			return nil
		})
	}
	group.Wait()
	resolved := slices.Clone(requests)
	for i, r := range requests {
		if arn := arns[grid.StreamKey{ARN: r.StreamARN, Name: r.StreamName}]; arn != "" {
			resolved[i].StreamARN, resolved[i].StreamName = arn, ""
		}
	}
	return resolved, errors.Join(problems...)
}

// Retentions returns how long the streams of requests keep footage, by StreamARN, as far as [Check]
// has found that out in this process in the last ten minutes, with the same parameters. It makes no
// calls.
func Retentions(ctx context.Context, p ReadParams, requests []Request) map[string]time.Duration {
	p.AWS = p.AWS.inRegionOf(arnsOf(requests))
	e, err := engineFor(ctx, p)
	if err != nil {
		return nil
	}
	defer e.release()
	known := make(map[string]time.Duration)
	for _, r := range requests {
		if _, ok := known[r.StreamARN]; ok || r.StreamARN == "" {
			continue
		}
		if retention := e.keeps(ctx, e.stream(grid.StreamKey{ARN: r.StreamARN}), false); retention > 0 {
			known[r.StreamARN] = retention
		}
	}
	return known
}

// checksAtOnce keeps a preflight well under the account's 300 calls a second.
const checksAtOnce = 16

func (e *engine) check(ctx context.Context, key grid.StreamKey) (arn string, err error) {
	info, err := e.describe(ctx, key, quickAttempts)
	if err != nil {
		return "", streamError("describing", key, err)
	}
	if aws.ToInt32(info.DataRetentionInHours) == 0 && info.DataRetentionInHours != nil {
		err := fmt.Errorf("stream %s keeps no data: its retention is 0 hours", key)
		return "", &StreamError{key.String(), StreamGone, key, err}
	}
	arn = *info.StreamARN
	r := e.reading(grid.StreamKey{ARN: arn})
	r.note(info)
	_, err = e.imagesEndpoint(ctx, r, quickAttempts)
	if failed, ok := errors.AsType[*StreamError](err); ok {
		failed = &StreamError{failed.Stream, failed.Failure, key, failed.err}
		return arn, failed
	}
	return arn, err
}
