package kvsio

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/io/kvsio/internal/grid"
)

// Check makes sure that requests can be read, before a pipeline exists: it
// describes each stream and asks for its data endpoint, once. It returns the
// requests with their StreamARN in place of their StreamName, so that a stream
// has one name whoever asks. The error names every stream that cannot be read.
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
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	resolved := make([]Request, len(requests))
	for i, r := range requests {
		r.StreamARN, r.StreamName = arns[grid.StreamKey{ARN: r.StreamARN, Name: r.StreamName}], ""
		resolved[i] = r
	}
	return resolved, nil
}

// checksAtOnce keeps a preflight well under the account's 300 calls a second.
const checksAtOnce = 16

func (e *engine) check(ctx context.Context, key grid.StreamKey) (arn string, err error) {
	info, err := e.describe(ctx, key, quickAttempts)
	if err != nil {
		return "", streamError("describing", key, err)
	}
	if aws.ToInt32(info.DataRetentionInHours) == 0 && info.DataRetentionInHours != nil {
		return "", &StreamError{key.String(), StreamGone, fmt.Errorf("stream %s keeps no data: its retention is 0 hours", key)}
	}
	arn = *info.StreamARN
	_, err = e.dataEndpoint(ctx, e.reading(grid.StreamKey{ARN: arn}), quickAttempts)
	return arn, err
}
