package kvsio

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/smithy-go"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/outside"
)

var rolePattern = regexp.MustCompile(`^arn:[a-z\d-]+:iam::\d{12}:role/[\w+=,.@/-]+$`)

const (
	// sessionName is what CloudTrail shows of whoever assumed the role.
	sessionName = "kvsframes"

	// refreshBefore is how long before its end a session is followed by the next.
	refreshBefore = 5 * time.Minute
)

// role assumes a role, with the credentials of base or a web identity.
type role struct {
	arn      string
	base     aws.CredentialsProvider // nil: none are needed
	provider aws.CredentialsProvider
}

// assume returns the credentials of p.RoleARN.
func (p AWSParams) assume(cfg aws.Config) aws.CredentialsProvider {
	client := awsbase.NewSTS(cfg, p.STSEndpointURL)
	r := role{arn: p.RoleARN}
	if p.WebIdentity == "" {
		r.base = cfg.Credentials
		r.provider = stscreds.NewAssumeRoleProvider(client, p.RoleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
		})
	} else {
		arn, who := p.RoleARN, gcpIdentity{}
		r.provider = stscreds.NewWebIdentityRoleProvider(client, arn, who, func(o *stscreds.WebIdentityRoleOptions) {
			o.RoleSessionName = sessionName
		})
	}
	return aws.NewCredentialsCache(r, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = refreshBefore })
}

func (r role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if r.base != nil {
		if _, err := r.base.Retrieve(ctx); err != nil {
			return aws.Credentials{}, err
		}
	}
	c, err := r.provider.Retrieve(ctx)
	if err != nil {
		return c, &roleError{r.arn, err}
	}
	return c, nil
}

// roleError says which role cannot be assumed, and why.
type roleError struct {
	arn string
	err error
}

func (e *roleError) Error() string {
	cause := plain(e.err)
	if nobody, ok := errors.AsType[*identityError](e.err); ok {
		cause = nobody
	}
	text := fmt.Sprintf("assuming %s: %s", e.arn, outside.Text(cause.Error()))
	if api, ok := errors.AsType[smithy.APIError](e.err); ok && api.ErrorCode() == "AccessDenied" {
		text += ": look at the role's trust policy"
	}
	return text
}

func (e *roleError) Unwrap() error { return e.err }
