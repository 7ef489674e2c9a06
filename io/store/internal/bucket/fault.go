package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"gocloud.dev/gcerrors"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/store"
)

// fault is an error of a driver in our words: one that satisfies fs.ErrNotExist,
// the one of ctx, or a *store.Error.
func (b *Bucket) fault(ctx context.Context, op, path string, err error) error {
	var typed *store.Error
	if err == nil || errors.As(err, &typed) {
		return err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	answer := b.client.Answer(err)
	switch {
	case answer.Elsewhere != nil:
		err = answer.Elsewhere
	case answer.Status == http.StatusUnauthorized || answer.Status == http.StatusForbidden:
		reason := cmp.Or(answer.Reason, answer.Code, "the store refuses it")
		err = fmt.Errorf("%w: %s: look at the credentials and at what they may do", fs.ErrPermission, reason)
	case answer.Code == "NoSuchBucket" || gcerrors.Code(err) == gcerrors.NotFound && op == "listing":
		err = fmt.Errorf("%w %q: make it first, or choose another one", store.ErrNoBucket, b.place.Bucket)
	case gcerrors.Code(err) == gcerrors.NotFound:
		return &fs.PathError{Op: op, Path: b.url(path), Err: fs.ErrNotExist}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("the store did not answer within %v: %w", requestTimeout, err)
	}
	return &store.Error{Op: op, URL: b.url(path), Err: outside.Error(err)}
}

// isTaken: a conditional write found an object.
func (b *Bucket) isTaken(err error) bool {
	answer := b.client.Answer(err)
	return err != nil && (answer.Status == http.StatusPreconditionFailed || answer.Code == "PreconditionFailed" ||
		gcerrors.Code(err) == gcerrors.FailedPrecondition)
}

// isConflict: two conditional writes met, and neither may have been first.
func (b *Bucket) isConflict(err error) bool {
	return b.client.Answer(err).Code == "ConditionalRequestConflict"
}

// isUnconditional: the service knows no conditional writes.
func (b *Bucket) isUnconditional(err error) bool {
	answer := b.client.Answer(err)
	return answer.Status == http.StatusNotImplemented || answer.Code == "NotImplemented"
}
