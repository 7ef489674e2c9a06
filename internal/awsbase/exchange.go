package awsbase

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/signin"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kvsframes/kvsframes/internal/outside"
)

// exchange guards calls that give something secret for credentials: no text shows
// what is sent, and an answer without credentials, which the SDK would dereference,
// is an error.
func exchange(stack *middleware.Stack) error {
	keep := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
		middleware.InitializeOutput, middleware.Metadata, error,
	) {
		switch in := in.Parameters.(type) {
		case *sts.AssumeRoleWithWebIdentityInput:
			outside.Keep(aws.ToString(in.WebIdentityToken))
		case *ssooidc.CreateTokenInput:
			outside.Keep(aws.ToString(in.ClientSecret), aws.ToString(in.RefreshToken))
		case *signin.CreateOAuth2TokenInput:
			if in.TokenInput != nil {
				outside.Keep(aws.ToString(in.TokenInput.RefreshToken))
			}
		}
		return next.HandleInitialize(ctx, in)
	}
	check := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if r, ok := in.Request.(*smithyhttp.Request); ok && err == nil && lacksCredentials(out.Result) {
			err = &smithy.DeserializationError{Err: fmt.Errorf("%s answers without credentials", r.URL.Host)}
		}
		return out, metadata, err
	}
	return errors.Join(
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc("awsbase.Keep", keep), middleware.Before),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsbase.Check", check), middleware.Before),
	)
}

func lacksCredentials(result any) bool {
	switch out := result.(type) {
	case *sts.AssumeRoleOutput:
		return isPartial(out.Credentials)
	case *sts.AssumeRoleWithWebIdentityOutput:
		return isPartial(out.Credentials)
	case *sso.GetRoleCredentialsOutput:
		c := out.RoleCredentials
		return c == nil || aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == ""
	}
	return false
}

func isPartial(c *types.Credentials) bool {
	return c == nil || c.Expiration == nil ||
		aws.ToString(c.AccessKeyId) == "" || aws.ToString(c.SecretAccessKey) == "" || aws.ToString(c.SessionToken) == ""
}
