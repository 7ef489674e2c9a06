package kvsio

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	media "github.com/aws/aws-sdk-go-v2/service/kinesisvideoarchivedmedia"
	"github.com/aws/smithy-go/logging"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/keys"
)

// ResolveAWS fills in the region and the endpoint of p from the environment
// and the shared config files, as every AWS tool finds them, and makes sure
// that there are credentials. What it returns travels with a pipeline to
// workers that have none of this machine's environment; the credentials do not.
//
// Where p names no region, and all of the requests name their stream by its ARN, the
// region is that of the ARNs. The error names each request whose ARN is of another
// region than the others', or than p's.
func ResolveAWS(ctx context.Context, p AWSParams, requests ...Request) (AWSParams, error) {
	if err := numbered(requests, CheckRegions(p, requests)); err != nil {
		return p, err
	}
	p, cfg, err := p.inRegionOf(arnsOf(requests)).locate(ctx)
	if err != nil {
		return p, err
	}
	if p.Region == "" {
		return p, errNoRegion()
	}
	const beside = "in %[1]s, where the streams without an ARN are looked for, not in %[2]s: read each region by " +
		"itself, or name all streams by their ARNs"
	if err := numbered(requests, inOneRegion(p.Region, requests, beside)); err != nil {
		return p, err
	}
	return p, checkCredentials(ctx, cfg)
}

func errNoRegion() error {
	return fault.Errorf("no AWS region: set AWS_REGION, or a region in the shared config file, or give %s",
		fault.Name("AWS.Region"))
}

// checkCredentials makes sure that there are credentials. The SDK's providers make
// attempts of their own: where there are none, more of ours would find none.
func checkCredentials(ctx context.Context, cfg aws.Config) error {
	if cfg.Credentials == nil { // of a configuration of a user's own
		return errors.New("no AWS credentials: the configuration has none")
	}
	ctx, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	_, err := cfg.Credentials.Retrieve(ctx)
	if failed, ok := errors.AsType[*roleError](err); ok {
		return failed
	}
	if err != nil {
		return keys.Lacking(err, fault.Errorf("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with %s, "+
			"or run where a role is given", fault.Name("AWS.Profile")))
	}
	return nil
}

// locate fills in the region and the endpoints, where they can be found.
func (p AWSParams) locate(ctx context.Context) (AWSParams, aws.Config, error) {
	cfg, err := p.load(ctx)
	if err != nil {
		return p, cfg, err
	}
	p.Region = cfg.Region
	errs := []error{
		checkEndpoint("AWS.EndpointURL", p.EndpointURL, "kinesisvideo"),
		checkEndpoint("AWS.STSEndpointURL", p.STSEndpointURL, "sts"),
	}
	if endpoint := kinesisvideo.NewFromConfig(cfg).Options().BaseEndpoint; endpoint != nil && p.EndpointURL == "" {
		p.EndpointURL = *endpoint
		errs = append(errs, checkEndpoint("the endpoint of Kinesis Video ("+foundIn+"AWS_ENDPOINT_URL_KINESIS_VIDEO or "+
			"the shared config file)", p.EndpointURL, "kinesisvideo"))
	}
	sts := awsbase.NewSTS(cfg, "").Options().BaseEndpoint
	if sts != nil && p.STSEndpointURL == "" && p.RoleARN != "" {
		p.STSEndpointURL = *sts
		errs = append(errs, checkEndpoint("the endpoint of STS ("+foundIn+"AWS_ENDPOINT_URL_STS or the shared config file)",
			p.STSEndpointURL, "sts"))
	}
	return p, cfg, errors.Join(errs...)
}

// foundIn is where any service's endpoint may be said.
const foundIn = "from AWS_ENDPOINT_URL, "

const credentialsTimeout = 15 * time.Second

// checkEndpoint makes sure that an endpoint is one, and holds no secret: it
// travels with the pipeline.
func checkEndpoint(field, endpoint, service string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if strings.Contains(endpoint, "@") {
		return fault.Of(field, " names a user or a password: leave it out, calls are signed")
	}
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fault.New(field, quoted(endpoint), "a URL like https://"+service+".us-east-1.amazonaws.com")
	}
	return nil
}

// load makes the SDK's configuration, with the credentials of the role where one
// is to be assumed.
func (p AWSParams) load(ctx context.Context) (aws.Config, error) {
	cfg, err := p.base(ctx)
	if err != nil {
		return cfg, err
	}
	base := cfg
	keys.Guard(&base, p.base)
	if p.RoleARN == "" {
		return base, nil
	}
	cfg.Credentials = p.assume(base)
	keys.Guard(&cfg, nil) // the role is assumed anew, with base
	return cfg, nil
}

// base is load without the role.
func (p AWSParams) base(ctx context.Context) (aws.Config, error) {
	if p.Config != "" {
		cfg, err := registered(ctx, p.Config)
		cfg.Logger = logging.Nop{}
		if p.Region != "" {
			cfg.Region = p.Region
		}
		return cfg, err
	}
	var options []func(*config.LoadOptions) error
	if p.Region != "" {
		options = append(options, config.WithRegion(p.Region))
	}
	if p.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(p.Profile))
	}
	cfg, err := awsbase.Load(ctx, options...)
	if err == nil {
		return cfg, nil
	}
	known := keys.Load(p.Profile, err)
	if missing, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok && missing.Profile == p.Profile {
		return cfg, fault.Of("AWS.Profile", " is %q: %w", p.Profile, known)
	}
	return cfg, fmt.Errorf("reading the AWS configuration: %w", known)
}

// clients are the service's two APIs: the control plane, and the archive, whose
// endpoint is given call by call.
type clients struct {
	control *kinesisvideo.Client
	media   *media.Client
	close   func()
}

// newClients makes the clients. Attempts are ours: the SDK gives a throttle or a
// cut body of this service one attempt, and its retry budget ends a backfill
// after a hundred calls.
func newClients(cfg aws.Config, p AWSParams, maxInFlight int) clients {
	client, closeIdle := newHTTPClient(cfg.HTTPClient, maxInFlight)
	cfg.HTTPClient = client
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return clients{
		control: kinesisvideo.NewFromConfig(cfg, func(o *kinesisvideo.Options) {
			if p.EndpointURL != "" {
				o.BaseEndpoint = &p.EndpointURL
			}
			if o.BaseEndpoint != nil { // as for a data endpoint
				o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateDisabled
				o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateDisabled
			}
		}),
		media: media.NewFromConfig(cfg, func(o *media.Options) {
			// A data endpoint is a host already: the SDK refuses to make it
			// another one.
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateDisabled
			o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateDisabled
		}),
		close: closeIdle,
	}
}
