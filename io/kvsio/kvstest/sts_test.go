package kvstest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesisvideo"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
)

const testRole = "arn:aws:iam::111122223333:role/path/reader"

func (f fixture) sts() *sts.Client {
	return sts.NewFromConfig(f.srv.AWSConfig(), func(o *sts.Options) { o.Retryer = aws.NopRetryer{} })
}

// identity fetches an ID token as a machine of Google's does.
func (f fixture) identity(audience string) string {
	f.Helper()
	status, token := f.metadata("instance/service-accounts/default/identity?audience="+audience, true)
	if status != http.StatusOK {
		f.Fatalf("%d: %s", status, token)
	}
	return token
}

func (f fixture) metadata(path string, flavored bool) (status int, body string) {
	f.Helper()
	r, err := http.NewRequest(http.MethodGet, f.srv.URL+"/computeMetadata/v1/"+path, nil)
	if err != nil {
		f.Fatal(err)
	}
	if flavored {
		r.Header.Set("Metadata-Flavor", "Google")
	}
	response, err := f.srv.transport.RoundTrip(r)
	if err != nil {
		f.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.Header.Get("Metadata-Flavor") != "Google" {
		f.Fatal(err, response.Header)
	}
	return response.StatusCode, string(text)
}

// as lists streams with a session's credentials.
func (f fixture) as(c *types.Credentials) error {
	cfg := f.srv.AWSConfig()
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	client := kinesisvideo.NewFromConfig(cfg, func(o *kinesisvideo.Options) { o.Retryer = aws.NopRetryer{} })
	_, err := client.ListStreams(f.Context(), &kinesisvideo.ListStreamsInput{})
	return err
}

func wantCode(t *testing.T, doing string, err error, code string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if code == "" && err != nil || code != "" && (!ok || api.ErrorCode() != code) {
		t.Errorf("%s: the error is %v, want %q", doing, err, code)
	}
}

// TestRoles: the SDK's own client assumes roles in both ways, and their
// credentials work as long as they say, with their token alone.
func TestRoles(t *testing.T) {
	now := newYear
	f := start(t, Config{Roles: []string{testRole}, Now: func() time.Time { return now }})
	signed, err := f.sts().AssumeRole(t.Context(),
		&sts.AssumeRoleInput{RoleArn: new(testRole), RoleSessionName: new("me"), DurationSeconds: new(int32(900))})
	if err != nil {
		t.Fatal(err)
	}
	vouched, err := f.sts().AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: new(testRole), RoleSessionName: new("me"), WebIdentityToken: new(f.identity("sts.amazonaws.com")),
	})
	if err != nil {
		t.Fatal(err)
	}
	if *vouched.AssumedRoleUser.Arn != "arn:aws:sts::111122223333:assumed-role/path/reader/me" ||
		*vouched.SubjectFromWebIdentityToken != serviceAccount ||
		!vouched.Credentials.Expiration.Equal(now.Add(time.Hour)) ||
		!signed.Credentials.Expiration.Equal(now.Add(15*time.Minute)) {
		t.Errorf("sessions until %v, %v of %s, %s", signed.Credentials.Expiration, vouched.Credentials.Expiration,
			*vouched.AssumedRoleUser.Arn, *vouched.SubjectFromWebIdentityToken)
	}
	wantCode(t, "signed", f.as(signed.Credentials), "")
	wantCode(t, "vouched for", f.as(vouched.Credentials), "")
	mixed := *signed.Credentials
	mixed.SessionToken = vouched.Credentials.SessionToken
	wantCode(t, "another's token", f.as(&mixed), "UnrecognizedClientException")
	mixed.SessionToken = new("")
	wantCode(t, "no token", f.as(&mixed), "UnrecognizedClientException")
	now = now.Add(15 * time.Minute)
	wantCode(t, "a quarter of an hour later", f.as(signed.Credentials), "ExpiredTokenException")
	wantCode(t, "a quarter of an hour later", f.as(vouched.Credentials), "")
	if s := f.srv.Stats(); s.Sessions != 2 || s.IdentityTokens != 1 {
		t.Errorf("%d sessions, %d tokens", s.Sessions, s.IdentityTokens)
	}
}

func TestRolesAreRefused(t *testing.T) {
	now := newYear
	f := start(t, Config{Roles: []string{testRole}, Now: func() time.Time { return now }})
	old := f.identity("sts.amazonaws.com")
	now = now.Add(2 * time.Hour)
	token := f.identity("sts.amazonaws.com")
	for _, c := range []struct{ name, role, session, token, code string }{
		{"as it should be", testRole, "me", token, ""},
		{"an unknown role", testRole + "s", "me", token, "AccessDenied"},
		{"no role", "reader", "me", token, "ValidationError"},
		{"no session name", testRole, "a b", token, "ValidationError"},
		{"an old token", testRole, "me", old, "ExpiredTokenException"},
		{"another audience", testRole, "me", f.identity("example.com"), "AccessDenied"},
		{"no token of ours", testRole, "me", token[:strings.LastIndexByte(token, '.')] + ".AAAA", "InvalidIdentityToken"},
		{"no token", testRole, "me", "token", "InvalidIdentityToken"},
	} {
		_, err := f.sts().AssumeRoleWithWebIdentity(t.Context(),
			&sts.AssumeRoleWithWebIdentityInput{RoleArn: &c.role, RoleSessionName: &c.session, WebIdentityToken: &c.token})
		wantCode(t, c.name, err, c.code)
	}
	_, err := f.sts().AssumeRole(t.Context(),
		&sts.AssumeRoleInput{RoleArn: new(testRole), RoleSessionName: new("me"), DurationSeconds: new(int32(60))})
	wantCode(t, "a minute", err, "ValidationError")
	_, err = f.sts().AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: new(testRole), RoleSessionName: new("me")},
		func(o *sts.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider("test", "wrong", "")
		})
	wantCode(t, "badly signed", err, "InvalidSignatureException")
	_, err = f.sts().GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	wantCode(t, "another operation", err, "InvalidAction")
	if refused := f.srv.Stats().Refused; refused["AccessDenied"] != 2 || refused["InvalidAction"] != 1 {
		t.Errorf("refused: %v", refused)
	}
}

func TestMetadataServer(t *testing.T) {
	f := start(t, Config{})
	const path = "instance/service-accounts/default/identity"
	for _, c := range []struct {
		path     string
		flavored bool
		status   int
	}{
		{path + "?audience=x", true, http.StatusOK},
		{path + "?audience=x", false, http.StatusForbidden},
		{path, true, http.StatusBadRequest},
		{"project/project-id", true, http.StatusNotFound},
	} {
		if status, body := f.metadata(c.path, c.flavored); status != c.status {
			t.Errorf("%s: %d %s, want %d", c.path, status, body, c.status)
		}
	}
}
