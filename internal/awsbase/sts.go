package awsbase

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/kvsframes/kvsframes/internal/httpguard"
)

// NewSTS returns a client that assumes roles, at an endpoint where one is given. No text
// shows the credentials of cfg.
func NewSTS(cfg aws.Config, endpoint string) *sts.Client {
	return sts.NewFromConfig(cfg, func(o *sts.Options) {
		if endpoint != "" {
			o.BaseEndpoint = &endpoint
		}
		endpointWins(sts.ServiceID, o)
		o.HTTPClient = Guarded(cfg.HTTPClient, asIs, httpguard.AtMost(longestCredentials))
		o.APIOptions = append(o.APIOptions, exchange, RetryMore)
		if o.Credentials != nil {
			o.Credentials = &source{o.Credentials}
		}
	})
}

// endpointWins lets an endpoint that is given stand: the SDK refuses to make it
// one for FIPS or dual stack, and it is a whole host already.
func endpointWins(_ string, options any) {
	if o, ok := options.(*sts.Options); ok && o.BaseEndpoint != nil {
		o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateDisabled
		o.EndpointOptions.UseDualStackEndpoint = aws.DualStackEndpointStateDisabled
	}
}
