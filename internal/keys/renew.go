package keys

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/kvsframes/kvsframes/internal/awsbase"
)

// renewTimeout is how long it may take to find other keys. Calls wait for it.
const renewTimeout = 15 * time.Second

// IsRefusal reports whether an error says that keys are not taken, or not any more.
func IsRefusal(err error) bool {
	code := ""
	if failed, ok := errors.AsType[smithy.APIError](err); ok {
		code = failed.ErrorCode()
	}
	switch code {
	case "", "UnknownError", "Forbidden": // without a body to name it, as S3 answers a HEAD
		var answered interface{ HTTPStatusCode() int }
		return errors.As(err, &answered) && answered.HTTPStatusCode() == http.StatusForbidden
	}
	return IsRefusalCode(code)
}

// IsRefusalCode reports whether a code of a service's error says that keys are not taken.
func IsRefusalCode(code string) bool {
	switch code {
	case "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException", // Kinesis Video Streams
		"InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", // STS
		"InvalidAccessKeyId", "InvalidToken": // S3, and the two before
		return true
	}
	return false
}

// usedBy is where, in the context of a call, the keys that it is signed with are kept.
type usedBy struct{ *guarded }

// option has each attempt of a client's calls, where its keys are refused, made again
// with other ones, if there are any.
func (g *guarded) option(stack *middleware.Stack) error {
	attempt := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		middleware.FinalizeOutput, middleware.Metadata, error,
	) {
		var used aws.Credentials
		from := g.source.Load()
		out, metadata, err := next.HandleFinalize(context.WithValue(ctx, usedBy{g}, &used), in)
		switch {
		case err == nil && g.untried.Load() && same(used, *g.kept.Load()):
			g.untried.Store(false)
		case IsRefusal(err) && used.HasKeys() && g.renew(ctx, from, used):
			err = awsbase.Passing(err)
		}
		return out, metadata, err
	}
	renew := middleware.FinalizeMiddlewareFunc("keys.Renew", attempt)
	return stack.Finalize.Insert(renew, "ResolveAuthScheme", middleware.Before) // each attempt is signed anew after it
}

// renew finds other keys than those that were refused, of a source, and reports whether
// there are any. It looks for them once, whoever else's calls were refused, too; and not
// at all for keys that it has found itself and that no call came through with: a source
// of ever new ones would be asked without end.
func (g *guarded) renew(ctx context.Context, from *source, refused aws.Credentials) bool {
	g.renewing.Lock()
	defer g.renewing.Unlock()
	if last := g.kept.Load(); g.source.Load() != from || last != nil && refused.HasKeys() && !same(*last, refused) {
		return true // it is done already
	}
	if g.untried.Load() || from == g.refusedOf && same(refused, g.refused) {
		return false
	}
	g.refusedOf, g.refused = from, refused
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), renewTimeout)
	defer stop()
	fresh := from
	if g.reload != nil {
		cfg, err := g.reload(ctx)
		if err != nil || cfg.Credentials == nil {
			return false
		}
		fresh = sourceOf(cfg)
	}
	if cache, ok := fresh.CredentialsProvider.(interface{ Invalidate() }); ok { // it may be the one that there was
		cache.Invalidate()
	}
	c, err := fresh.Retrieve(ctx)
	if err != nil || same(c, refused) {
		return false
	}
	g.untried.Store(true)
	g.keep(c)
	g.source.Store(fresh)
	return true
}

// same reports whether two sets of keys are one.
func same(a, b aws.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey == b.SecretAccessKey && a.SessionToken == b.SessionToken
}
