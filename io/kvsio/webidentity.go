package kvsio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"cloud.google.com/go/compute/metadata"

	"github.com/kvsframes/kvsframes/internal/httpguard"
)

// WebIdentityGCP as AWSParams.WebIdentity: the machine is one of Google's, and
// its metadata server vouches for its service account. No AWS keys are needed.
const WebIdentityGCP = "gcp"

// WebIdentityAudience is the audience of the ID tokens that a role is assumed
// with. The role's trust policy names it, as accounts.google.com:oaud, and the
// unique ID of the service account, as accounts.google.com:sub.
const WebIdentityAudience = "sts.amazonaws.com"

// ErrNoMetadataServer says that a web identity was asked for on a machine that
// is none of Google's.
var ErrNoMetadataServer = errors.New("no metadata server of Google's answers here: it must be a machine of Google's")

const metadataTimeout = 5 * time.Second

// metadataClient is the metadata library's own, guarded: a token that vouches
// for the machine is in its answers.
var metadataClient = metadata.NewWithOptions(&metadata.Options{Client: &http.Client{Transport: httpguard.New(
	&http.Transport{DialContext: (&net.Dialer{Timeout: 2 * time.Second}).DialContext, IdleConnTimeout: time.Minute},
	httpguard.AtMost(longestStream),
)}})

// gcpIdentity is the service account of a machine of Google's. It asks for a
// token each time: the metadata server keeps them, and knows when one is old.
type gcpIdentity struct{}

func (gcpIdentity) GetIdentityToken() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), metadataTimeout)
	defer cancel()
	path := "instance/service-accounts/default/identity?audience=" + url.QueryEscape(WebIdentityAudience)
	token, err := metadataClient.GetWithContext(ctx, path)
	switch {
	case err == nil:
		return []byte(strings.TrimSpace(token)), nil
	case !hasAnswered(err) || !metadataClient.OnGCEWithContext(ctx): // other clouds answer at the same address
		return nil, &identityError{ErrNoMetadataServer}
	}
	return nil, &identityError{fmt.Errorf("no ID token of the machine's service account: %w", err)}
}

// identityError is why there is nobody who vouches.
type identityError struct{ error }

func (e *identityError) Unwrap() error { return e.error }

// hasAnswered reports whether an error is an answer of a metadata server.
func hasAnswered(err error) bool {
	var refused *metadata.Error
	var missing metadata.NotDefinedError
	var redirect *httpguard.RedirectError
	var long *httpguard.LongBodyError
	return errors.As(err, &refused) || errors.As(err, &missing) || errors.As(err, &redirect) || errors.As(err, &long)
}
