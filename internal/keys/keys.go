// Package keys guards the credentials of every AWS client here: no text shows them,
// and where there are none, the error says what to do.
package keys

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/outside"
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
	s := &source{cfg.Credentials, awsbase.Profile(cfg)}
	if slices.Contains(s.ProviderSources(), aws.CredentialSourceProcess) && s.profile.Profile != "" {
		if quiet := quietly(cfg, s.profile); quiet != nil {
			s.CredentialsProvider = aws.NewCredentialsCache(quiet)
		}
	}
	return s
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
	if err != nil && g.reload != nil && isRefusal(err) && g.renew(ctx, s, aws.Credentials{}) {
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
	outside.Keep(c.SecretAccessKey, c.SessionToken)
	if len(c.AccessKeyID) >= shortestID { // else it may be any word
		outside.Keep(c.AccessKeyID)
	}
	g.kept.Store(&c)
}

// shortestID is how long AWS's own are at least.
const shortestID = 16

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

// quietly makes the provider of a profile whose keys a program prints, without
// giving that program this process's stderr where nobody sits: what it writes there
// would go into logs as it is. At a terminal it may have to ask for something. It
// returns nil for a profile that asks for a code.
func quietly(cfg aws.Config, profile config.SharedConfig) aws.CredentialsProvider {
	if profile.MFASerial != "" {
		return nil
	}
	var provider aws.CredentialsProvider
	switch {
	case profile.Source != nil:
		provider = quietly(cfg, *profile.Source)
	case profile.CredentialProcess != "":
		provider = processcreds.NewProviderCommand(quietCommand(profile.CredentialProcess))
	}
	if provider == nil || profile.RoleARN == "" {
		return provider
	}
	cfg.Credentials = aws.NewCredentialsCache(provider)
	return stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), profile.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = profile.RoleSessionName
		if profile.ExternalID != "" {
			o.ExternalID = &profile.ExternalID
		}
		if profile.RoleDurationSeconds != nil && *profile.RoleDurationSeconds > stscreds.DefaultDuration {
			o.Duration = *profile.RoleDurationSeconds
		}
	})
}

func quietCommand(command string) processcreds.NewCommandBuilder {
	return processcreds.NewCommandBuilderFunc(func(ctx context.Context) (*exec.Cmd, error) {
		cmd, err := processcreds.DefaultNewCommandBuilder{Args: []string{command}}.NewCommand(ctx)
		if err == nil && !isTerminal(os.Stderr) {
			cmd.Stderr = nil
		}
		return cmd, err
	})
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
