// Package keys guards the credentials of every AWS client here: no text shows them,
// and where there are none, the error says what to do.
package keys

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// Guard returns credentials of cfg that no text shows once they are retrieved, and
// whose errors are an [*Error].
func Guard(cfg aws.Config) aws.CredentialsProvider {
	if cfg.Credentials == nil || aws.IsCredentialsProvider(cfg.Credentials, aws.AnonymousCredentials{}) {
		return cfg.Credentials
	}
	profile := awsbase.Profile(cfg)
	g := &guarded{CredentialsProvider: cfg.Credentials, profile: profile}
	if slices.Contains(g.ProviderSources(), aws.CredentialSourceProcess) && profile.Profile != "" {
		if quiet := quietly(cfg, profile); quiet != nil {
			g.CredentialsProvider = aws.NewCredentialsCache(quiet)
		}
	}
	return g
}

type guarded struct {
	aws.CredentialsProvider
	profile config.SharedConfig
	kept    atomic.Pointer[aws.Credentials]
}

// Retrieve keeps what it returns out of all texts. It is called for each request.
func (g *guarded) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := g.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return c, explain(g.profile, err)
	}
	if last := g.kept.Load(); last == nil || last.SecretAccessKey != c.SecretAccessKey || last.SessionToken != c.SessionToken {
		outside.Keep(c.SecretAccessKey, c.SessionToken)
		if len(c.AccessKeyID) >= shortestID { // else it may be any word
			outside.Keep(c.AccessKeyID)
		}
		g.kept.Store(&c)
	}
	return c, nil
}

// shortestID is how long AWS's own are at least.
const shortestID = 16

// IsCredentialsProvider is the SDK's question of what it is.
func (g *guarded) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(g.CredentialsProvider, target)
}

// ProviderSources is what the SDK tells the service of where keys come from.
func (g *guarded) ProviderSources() []aws.CredentialSource {
	if from, ok := g.CredentialsProvider.(aws.CredentialProviderSource); ok {
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
