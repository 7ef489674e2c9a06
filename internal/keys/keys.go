// Package keys guards the credentials of every AWS client here: no text shows them,
// and where there are none, the error says what to do.
package keys

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/kvsframes/kvsframes/internal/awsbase"
)

// Guard makes the credentials of cfg ones that no text shows once they are retrieved,
// and whose errors are an [*Error]. Where a service refuses them, clients of cfg look
// for other ones: reload makes the configuration anew, from files that may have changed.
// Without it those that the source has in hand are forgotten.
func Guard(cfg *aws.Config, reload func(context.Context) (aws.Config, error)) {
	if cfg.Credentials == nil || aws.IsCredentialsProvider(cfg.Credentials, aws.AnonymousCredentials{}) {
		return
	}
	g := &guarded{reload: reload}
	g.source.Store(sourceOf(*cfg))
	cfg.Credentials = g
	cfg.APIOptions = append(slices.Clip(cfg.APIOptions), g.option)
}

// source is where credentials come from.
type source struct {
	aws.CredentialsProvider
	profile config.SharedConfig
}

// sourceOf returns the source of a configuration's credentials.
func sourceOf(cfg aws.Config) *source {
	return &source{cfg.Credentials, awsbase.Profile(cfg)}
}

type guarded struct {
	source atomic.Pointer[source]
	kept   atomic.Pointer[aws.Credentials] // the last that were retrieved

	reload    func(context.Context) (aws.Config, error)
	renewing  sync.Mutex
	refused   aws.Credentials // for which other ones were looked for
	refusedOf *source
	untried   atomic.Bool // no call has come through with those that were found
}

// Retrieve keeps what it returns out of all texts. It is called for each request.
func (g *guarded) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s := g.source.Load()
	c, err := s.Retrieve(ctx)
	// The keys that a profile's role is assumed with may be old.
	if err != nil && g.reload != nil && IsRefusal(err) && g.renew(ctx, s, aws.Credentials{}) {
		s = g.source.Load()
		c, err = s.Retrieve(ctx)
	}
	if err != nil {
		return c, explain(s.profile, err)
	}
	g.keep(c)
	if used, ok := ctx.Value(usedBy{g}).(*aws.Credentials); ok {
		*used = c
	}
	return c, nil
}

// keep takes note of the credentials in use.
func (g *guarded) keep(c aws.Credentials) {
	if last := g.kept.Load(); last != nil && same(*last, c) {
		return
	}
	awsbase.Keep(c)
	g.kept.Store(&c)
}

// IsCredentialsProvider is the SDK's question of what it is.
func (g *guarded) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(g.source.Load().CredentialsProvider, target)
}

// ProviderSources is what the SDK tells the service of where keys come from.
func (g *guarded) ProviderSources() []aws.CredentialSource { return g.source.Load().ProviderSources() }

// ProviderSources is that of the provider.
func (s *source) ProviderSources() []aws.CredentialSource {
	if from, ok := s.CredentialsProvider.(aws.CredentialProviderSource); ok {
		return from.ProviderSources()
	}
	return nil
}
