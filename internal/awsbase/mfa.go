package awsbase

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
)

// AskMFA asks somebody for the code of an MFA device. It is nil where nobody can be
// asked, and set before anything is loaded.
var AskMFA func(serial string) (code string, err error)

// mfaSessions are the credentials of the profiles that asked for a code, by the
// profile's name. A code is good for one session: all clients of a process share it.
var mfaSessions = struct {
	mu sync.Mutex
	of map[string]aws.CredentialsProvider
}{of: make(map[string]aws.CredentialsProvider)}

// mfa reports whether a configuration that is read needs a code.
type mfa bool

// option has the SDK ask for a code where a profile names a device.
func (m *mfa) option(o *stscreds.AssumeRoleOptions) {
	if o.SerialNumber == nil || AskMFA == nil {
		return
	}
	*m = true
	serial, began := *o.SerialNumber, false
	o.TokenProvider = func() (string, error) {
		// Hours later nobody may sit there, and all calls would wait.
		if began {
			return "", &MFAError{errors.New("the session that began with an MFA code is over: run the command again, with a new " +
				"code; duration_seconds in the profile lets a session last as long as its role allows")}
		}
		began = true
		code, err := AskMFA(serial)
		if err != nil {
			return "", &MFAError{err}
		}
		return code, nil
	}
}

// MFAError is why there is no MFA code. Only a person helps.
type MFAError struct{ error }

// Unwrap returns what AskMFA returned.
func (e *MFAError) Unwrap() error { return e.error }

// share returns the credentials that the process has for the profile of cfg, those of
// cfg where it has none. It asks for the code: who waits for credentials later has not
// the time that typing takes.
func (m mfa) share(ctx context.Context, cfg aws.Config) (aws.CredentialsProvider, error) {
	if !m {
		return cfg.Credentials, nil
	}
	name := Profile(cfg).Profile
	mfaSessions.mu.Lock()
	defer mfaSessions.mu.Unlock()
	if shared, ok := mfaSessions.of[name]; ok {
		return shared, nil
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, err
	}
	mfaSessions.of[name] = mfaSession{cfg.Credentials}
	return mfaSessions.of[name], nil
}

// mfaSession has no Invalidate, for there is no other session.
type mfaSession struct{ aws.CredentialsProvider }

// Profile returns the profile that a configuration is of, the zero one where it is of
// none.
func Profile(cfg aws.Config) config.SharedConfig {
	for _, source := range cfg.ConfigSources {
		switch profile := source.(type) {
		case config.SharedConfig:
			return profile
		case *config.SharedConfig:
			return *profile
		}
	}
	return config.SharedConfig{}
}
