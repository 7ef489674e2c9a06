package awsbase

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// longestCredentials is how many bytes an answer with credentials may have.
const longestCredentials = 1 << 20

// Load reads the AWS configuration as every AWS tool does. The calls that find
// credentials keep the SDK's attempts, follow no redirect and have a limit. Where a
// profile asks for an MFA code, [AskMFA] is asked for it once in a process. No text shows
// the credentials that a profile's role is assumed with.
func Load(ctx context.Context, options ...func(*config.LoadOptions) error) (aws.Config, error) {
	var finders finders
	var mfa mfa
	cfg, err := config.LoadDefaultConfig(ctx, append(options,
		config.WithHTTPClient(defaultClient()),
		config.WithLogger(logging.Nop{}), // what matters comes as an error
		config.WithAPIOptions([]func(*middleware.Stack) error{finders.option, exchange, RetryMore}),
		config.WithServiceOptions(endpointWins),
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
			finders.role(o)
			mfa.option(o)
		}),
	)...)
	if err == nil {
		err = checkRegion(cfg.Region)
	}
	if err != nil {
		return cfg, err
	}
	finders.use(cfg)
	cfg.Credentials = ours(cfg, cfg.Credentials)
	cfg.APIOptions = nil // the finders have theirs
	cfg.Credentials, err = mfa.share(ctx, cfg)
	return cfg, err
}

// secretHeaders are the headers with which credentials are asked for.
var secretHeaders = []string{
	"Authorization", "X-Amz-Security-Token", "X-Amz-Sso_bearer_token",
	"X-Aws-Ec2-Metadata-Token",
}

// finders are the SDK's own clients of a configuration, which find credentials.
// They are made while it is read, with clients that follow some redirects, and
// the SDK takes no other ones together with a CA of a user's. So their calls are
// sent from here.
type finders struct {
	client   *http.Client
	metadata *http.Client // of the machine, which answers at once or is not there
	roles    []*assumer
}

// assumer is the client that a role of a profile is assumed with, whose credentials
// the SDK shows nowhere else.
type assumer struct{ *sts.Client }

func (f *finders) role(o *stscreds.AssumeRoleOptions) {
	if client, ok := o.Client.(*sts.Client); ok {
		role := &assumer{client}
		f.roles = append(f.roles, role)
		o.Client = role
	}
}

// use has the calls made as cfg does.
func (f *finders) use(cfg aws.Config) {
	for _, role := range f.roles {
		o := role.Options()
		if o.Credentials != nil {
			o.Credentials = &source{ours(cfg, o.Credentials)}
		}
		if o.BaseEndpoint == nil { // AWS_ENDPOINT_URL, of which the SDK has not heard when it makes the client
			o.BaseEndpoint = cfg.BaseEndpoint
		}
		role.Client = sts.New(o)
	}
	configured := cfg.HTTPClient
	limit := httpguard.AtMost(longestCredentials)
	f.client = Guarded(configured, asIs, limit)
	if c, ok := configured.(*awshttp.BuildableClient); ok {
		// As the SDK's client of the metadata service does.
		configured = c.WithDialerOptions(func(d *net.Dialer) { d.Timeout = 250 * time.Millisecond })
	}
	f.metadata = Guarded(configured, func(t *http.Transport) { t.ResponseHeaderTimeout = 500 * time.Millisecond }, limit)
}

func (f *finders) option(stack *middleware.Stack) error {
	send := func(ctx context.Context, in middleware.DeserializeInput,
		next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		client, ofMachine := f.client, stack.ID() == "getToken" || stack.ID() == "GetMetadata"
		if ofMachine {
			client = f.metadata
		}
		if r, ok := in.Request.(*smithyhttp.Request); ok { // who is asked may say it again
			for _, name := range secretHeaders {
				outside.Keep(r.Header.Get(name))
			}
		}
		if client == nil { // the configuration is not read yet
			return next.HandleDeserialize(ctx, in)
		}
		answer, metadata, err := smithyhttp.NewClientHandlerWithOptions(client).Handle(ctx, in.Request)
		if response, ok := answer.(*smithyhttp.Response); ok && err == nil && ofMachine {
			err = readMetadata(response)
		}
		return middleware.DeserializeOutput{RawResponse: answer}, metadata, err
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("awsbase.Send", send), middleware.After)
}

// RetryMore makes an API's client try again what the SDK leaves at one attempt:
// after half an answer, and after a 429 that does not say more.
func RetryMore(stack *middleware.Stack) error {
	attempt := func(ctx context.Context, in middleware.FinalizeInput,
		next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		if passes(err) {
			err = Passing(err)
		}
		return out, metadata, err
	}
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("awsbase.RetryMore", attempt), middleware.After)
}

func passes(err error) bool {
	var answered interface{ HTTPStatusCode() int }
	var half *smithy.DeserializationError
	if errors.As(err, &answered) && answered.HTTPStatusCode()/100 != 2 {
		return answered.HTTPStatusCode() == http.StatusTooManyRequests
	}
	return errors.As(err, &half)
}

// Passing returns an error that unwraps to err, and that API clients take for one that
// another attempt may mend.
func Passing(err error) error { return passing{err} }

type passing struct{ error }

func (passing) RetryableError() bool { return true }

func (e passing) Unwrap() error { return e.error }
