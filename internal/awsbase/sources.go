package awsbase

import (
	"context"
	"errors"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/logincreds"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/service/signin"

	"github.com/kvsframes/kvsframes/internal/outside"
)

// Keep has no text show credentials.
func Keep(c aws.Credentials) {
	outside.Keep(c.SecretAccessKey, c.SessionToken)
	if len(c.AccessKeyID) >= shortestID { // else it may be any word
		outside.Keep(c.AccessKeyID)
	}
}

// shortestID is how long AWS's own are at least.
const shortestID = 16

// ErrUnusable says that the SDK cannot use what it has read. Its panics say no more
// that helps, and may hold what was read.
var ErrUnusable = errors.New("the AWS SDK cannot use what it has read of the credentials: log in again")

// source is where credentials come from that other ones are got with: whoever is
// asked for these may say the first ones again.
type source struct{ aws.CredentialsProvider }

// Retrieve keeps what it returns out of all texts.
func (s *source) Retrieve(ctx context.Context) (c aws.Credentials, err error) {
	defer func() {
		if recover() != nil {
			err = ErrUnusable
		}
	}()
	c, err = s.CredentialsProvider.Retrieve(ctx)
	Keep(c)
	return c, err
}

// IsCredentialsProvider is the SDK's question of what it is.
func (s *source) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(s.CredentialsProvider, target)
}

// ProviderSources is what the SDK tells the service of where keys come from.
func (s *source) ProviderSources() []aws.CredentialSource { return sourcesOf(s.CredentialsProvider) }

func sourcesOf(p aws.CredentialsProvider) []aws.CredentialSource {
	if from, ok := p.(aws.CredentialProviderSource); ok {
		return from.ProviderSources()
	}
	return nil
}

// ours returns a provider in place of one of the SDK's that reads a program's output
// without end, or that may panic. All others stay.
func ours(cfg aws.Config, p aws.CredentialsProvider) aws.CredentialsProvider {
	root := Root(Profile(cfg))
	switch {
	case aws.IsCredentialsProvider(p, (*processcreds.Provider)(nil)):
		return aws.NewCredentialsCache(&program{root.CredentialProcess, sourcesOf(p)})
	case aws.IsCredentialsProvider(p, (*logincreds.Provider)(nil)):
		file, err := logincreds.StandardCachedTokenFilepath(root.LoginSession, os.Getenv("AWS_LOGIN_CACHE_DIRECTORY"))
		if err != nil {
			return p
		}
		login := logincreds.New(signin.NewFromConfig(cfg), file, func(o *logincreds.Options) {
			o.CredentialSources = sourcesOf(p)
			o.RestrictPermissions = cfg.RestrictFilePermissions != aws.RestrictFilePermissionsUnrestricted
		})
		// A cache retrieves where no panic of what is in it can be caught.
		return aws.NewCredentialsCache(&source{login})
	}
	return p
}

// Root is the profile that a profile has its credentials from.
func Root(profile config.SharedConfig) config.SharedConfig {
	for profile.Source != nil {
		profile = *profile.Source
	}
	return profile
}
