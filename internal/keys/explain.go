package keys

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/smithy-go"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/outside"
)

// Error is why there are no credentials, and what to do, without anything of what
// programs print or of what is secret.
type Error struct {
	text string
	err  error

	configured bool // there is a source, which fails
}

func (e *Error) Error() string { return e.text }

// Unwrap returns what the SDK says.
func (e *Error) Unwrap() error { return e.err }

// Load is why the SDK's configuration could not be made of a profile's name, which
// may be empty.
func Load(profile string, err error) error {
	if err == nil {
		return nil
	}
	return explain(config.SharedConfig{Profile: cmp.Or(profile, os.Getenv("AWS_PROFILE"), "default")}, err)
}

// explain says what the SDK does not.
func explain(profile config.SharedConfig, err error) error {
	if known, ok := errors.AsType[*Error](err); ok {
		return known
	}
	text, configured := outside.Text(err.Error()), true
	program, printed := errors.AsType[*processcreds.ProviderError](err)
	missing, unknown := errors.AsType[config.SharedConfigProfileNotExistError](err)
	unread, unreadable := errors.AsType[config.SharedConfigLoadError](err)
	role, sourceless := errors.AsType[config.SharedConfigAssumeRoleError](err)
	switch {
	case unknown:
		text = fmt.Sprintf("there is no profile %q in %s", missing.Profile, strings.Join(sharedFiles(), " or "))
		if sourceless {
			text = fmt.Sprintf("role_arn %s needs the source_profile %q: %s", role.RoleARN, role.Profile, text)
		}
		text = outside.Text(text)
	case unreadable:
		text = outside.Text(fmt.Sprintf("the shared config file %s cannot be read: %v", unread.Filename, unread.Err))
	case printed:
		text = ofProgram(profile, program)
	case isMFA(err):
		text = fmt.Sprintf("profile %s asks for an MFA code, which a job cannot be asked for: get keys for a session first, "+
			"such as with aws configure export-credentials --profile %[1]s --format env, and run with them", profile.Profile)
	// What is wrong with the file of a session may be quoted from it.
	case isOldSSO(profile, err):
		text = fmt.Sprintf("the SSO session has expired, or its file cannot be read: run aws sso login --profile %s",
			cmp.Or(profile.Profile, "PROFILE"))
	case isOldLogin(profile, err):
		text = fmt.Sprintf("the login session has expired, or its file cannot be read: run aws login --profile %s",
			profile.Profile)
	default:
		var advice string
		if advice, configured = answered(err); advice != "" {
			text += ": " + advice
		}
	}
	return &Error{text, err, configured}
}

// IsMistake reports whether an error is of what the shared config files say, or do not, or of
// an MFA code: time does not mend that.
func IsMistake(err error) bool {
	_, codeless := errors.AsType[*awsbase.MFAError](err)
	_, unknown := errors.AsType[config.SharedConfigProfileNotExistError](err)
	_, unread := errors.AsType[config.SharedConfigLoadError](err)
	_, sourceless := errors.AsType[config.SharedConfigAssumeRoleError](err)
	return unknown || unread || sourceless || codeless || isMFA(err)
}

// sharedFiles returns the files that profiles are read from.
func sharedFiles() []string {
	return []string{
		cmp.Or(os.Getenv("AWS_CONFIG_FILE"), config.DefaultSharedConfigFilename()),
		cmp.Or(os.Getenv("AWS_SHARED_CREDENTIALS_FILE"), config.DefaultSharedCredentialsFilename()),
	}
}

func isMFA(err error) bool {
	_, ok := errors.AsType[config.AssumeRoleTokenProviderNotSetError](err)
	return ok
}

// isOldSSO reports whether an SSO session is over, which has no type of its own
// where it is an sso_session's.
func isOldSSO(profile config.SharedConfig, err error) bool {
	if _, ok := errors.AsType[*ssocreds.InvalidTokenError](err); ok {
		return true
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	return awsbase.Root(profile).SSOAccountID != "" &&
		(strings.Contains(err.Error(), "SSO token") || ok && refused.ErrorCode() == "UnauthorizedException")
}

// isOldLogin reports whether a session of aws login is over, which has no type.
func isOldLogin(profile config.SharedConfig, err error) bool {
	_, refused := errors.AsType[smithy.APIError](err)
	return awsbase.Root(profile).LoginSession != "" &&
		(errors.Is(err, awsbase.ErrUnusable) || strings.Contains(err.Error(), "reauthenticate") ||
			!refused && strings.Contains(err.Error(), "login token"))
}

// ofProgram says how a credential_process failed. What it printed may be keys.
func ofProgram(profile config.SharedConfig, err *processcreds.ProviderError) string {
	how := outside.Text(err.Err.Error())
	exit, exited := errors.AsType[*exec.ExitError](err)
	_, odd := errors.AsType[*json.UnmarshalTypeError](err)
	_, broken := errors.AsType[*json.SyntaxError](err)
	switch {
	case exited:
		how = exit.Error()
	case odd, broken, strings.HasPrefix(how, "parse failed"):
		how = "what it prints is not the JSON of credentials alone"
	}
	return fmt.Sprintf("the credential_process%s failed: %s (what it prints is withheld, it may hold keys: run it by hand)",
		named(profile), how)
}

// named names the program and the profile, as far as they are known. What follows
// the program's name may be secret.
func named(profile config.SharedConfig) string {
	profile = awsbase.Root(profile)
	for word := range strings.FieldsSeq(profile.CredentialProcess) {
		if !strings.Contains(word, "=") {
			return fmt.Sprintf(" %s of profile %s", outside.Text(strings.Trim(word, `"'`)), profile.Profile)
		}
	}
	return ""
}
