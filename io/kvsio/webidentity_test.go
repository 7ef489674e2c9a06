package kvsio_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

const reader = "arn:aws:iam::111122223333:role/archive-reader"

// machine makes this process a machine with nothing but what env says: no keys,
// no profile, no instance role.
func machine(t *testing.T, env ...string) {
	t.Helper()
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION",
		"AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_KINESIS_VIDEO",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("GCE_METADATA_HOST", "127.0.0.1:1") // nobody
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		t.Setenv(name, value)
	}
}

func host(server *kvstest.Server) string { return strings.TrimPrefix(server.URL, "http://") }

// gcp is a worker on a machine of Google's, and what travels to it.
func gcp(t *testing.T, config kvstest.Config) (*kvstest.Server, kvsio.ReadParams) {
	t.Helper()
	server := kvstest.NewServer(config)
	t.Cleanup(server.Close)
	machine(t, "GCE_METADATA_HOST="+host(server))
	p := paramsOf(server)
	p.AWS.WebIdentity, p.AWS.RoleARN, p.AWS.STSEndpointURL = kvsio.WebIdentityGCP, reader, server.URL
	return server, p
}

// TestWebIdentity: without AWS keys, files or variables, streams are read on a
// machine of Google's.
func TestWebIdentity(t *testing.T) {
	server, p := gcp(t, kvstest.Config{
		Roles: []string{reader}, Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}},
	})
	r := request("cam", newYear, 10*time.Minute)
	if _, err := kvsio.Check(t.Context(), p, []kvsio.Request{r}); err != nil {
		t.Fatal(err)
	}
	if frames, gaps := run(t, "direct", p, r); len(frames) != 200 || len(gaps) != 0 {
		t.Errorf("%d frames and %d gaps, want 200 and 0", len(frames), len(gaps))
	}
	if s := server.Stats(); s.Sessions != 1 || s.IdentityTokens != 1 || len(s.Refused) > 0 {
		t.Errorf("%d sessions of %d tokens, refused: %v", s.Sessions, s.IdentityTokens, s.Refused)
	}
}

// TestSessionsAreRefreshedBeforeTheyExpire: a session with less than five minutes
// left is followed by the next while it still works.
func TestSessionsAreRefreshedBeforeTheyExpire(t *testing.T) {
	for _, left := range []time.Duration{4 * time.Minute, time.Hour} {
		server, p := gcp(t, kvstest.Config{
			Roles: []string{reader}, SessionTTL: left, Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}},
		})
		if frames, _ := run(t, "direct", p, request("cam", newYear, 10*time.Minute)); len(frames) != 200 {
			t.Errorf("%d frames, want 200", len(frames))
		}
		s := server.Stats()
		if refreshed := s.Sessions > 1 && s.IdentityTokens == s.Sessions; refreshed != (left < 5*time.Minute) ||
			len(s.Refused) > 0 {
			t.Errorf("sessions of %v: %d of %d tokens in %d calls, refused: %v", left, s.Sessions, s.IdentityTokens,
				s.GetImagesCalls, s.Refused)
		}
	}
}

// TestRole: the default chain's credentials assume a role, where the environment
// says that roles are assumed; and that place travels.
func TestRole(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{
		Roles:   []string{reader},
		Streams: []kvstest.Stream{{Name: "cam", Media: day}},
	})
	defer server.Close()
	machine(t, append(server.Env(), "AWS_ENDPOINT_URL_STS="+server.URL)...)
	p, err := kvsio.ResolveAWS(t.Context(), kvsio.AWSParams{RoleARN: reader})
	if err != nil {
		t.Fatal(err)
	}
	if p.STSEndpointURL != server.URL || p.EndpointURL != server.URL || p.Region != server.Region {
		t.Errorf("what travels is %+v", p)
	}
	if _, err := kvsio.Check(t.Context(), kvsio.ReadParams{AWS: p},
		[]kvsio.Request{request("cam", newYear, time.Minute)}); err != nil {
		t.Error(err)
	}
	if s := server.Stats(); s.Sessions != 2 { // of the check of credentials, and of the calls
		t.Errorf("%d sessions, want 2", s.Sessions)
	}
}

// TestWhoCannotBeAnyone: a message, in seconds, that says what to look at.
func TestWhoCannotBeAnyone(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{Roles: []string{reader}})
	defer server.Close()
	nobody := httptest.NewServer(http.NotFoundHandler()) // a machine without a service account
	defer nobody.Close()
	const other = "arn:aws:iam::111122223333:role/other"
	for _, test := range []struct {
		name string
		env  []string
		aws  kvsio.AWSParams
		want string
	}{
		{
			"a role that does not trust", server.Env(),
			kvsio.AWSParams{RoleARN: other},
			"assuming " + other + ": AccessDenied: Not authorized to perform sts:AssumeRole on resource: " + other +
				": look at the role's trust policy",
		},
		{
			"a role that does not trust Google",
			[]string{"GCE_METADATA_HOST=" + host(server)},
			kvsio.AWSParams{RoleARN: other, WebIdentity: "gcp"},
			"assuming " + other + ": AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
		},
		{
			"no machine of Google's", nil,
			kvsio.AWSParams{RoleARN: reader, WebIdentity: "gcp"},
			"assuming " + reader + ": no metadata server of Google's answers here",
		},
		{
			"a machine without a service account",
			[]string{"GCE_METADATA_HOST=" + strings.TrimPrefix(nobody.URL, "http://")},
			kvsio.AWSParams{RoleARN: reader, WebIdentity: "gcp"},
			"no ID token of the machine's service account",
		},
		{"no keys to assume a role with", nil, kvsio.AWSParams{RoleARN: reader}, "no AWS credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			machine(t, test.env...)
			test.aws.Region, test.aws.STSEndpointURL = server.Region, server.URL
			began := time.Now()
			_, err := kvsio.ResolveAWS(t.Context(), test.aws)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if noServer := test.name == "no machine of Google's"; noServer != errors.Is(err, kvsio.ErrNoMetadataServer) {
				t.Errorf("ErrNoMetadataServer: %v", !noServer)
			}
		})
	}
}

func init() {
	kvsio.RegisterAWSConfig("vault", func(context.Context) (aws.Config, error) {
		return aws.Config{Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}, nil
	})
	kvsio.RegisterAWSConfig("empty", func(context.Context) (aws.Config, error) { return aws.Config{}, nil })
	kvsio.RegisterAWSConfig("sealed", func(context.Context) (aws.Config, error) {
		return aws.Config{},
			errors.New("the vault is sealed")
	})
}

// TestRegisterAWSConfig: what no field covers has a name, and only that travels.
func TestRegisterAWSConfig(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{
		Region: "eu-west-1", Roles: []string{reader}, Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}},
	})
	defer server.Close()
	machine(t)
	for _, role := range []string{"", reader} {
		p := kvsio.ReadParams{AWS: kvsio.AWSParams{
			Config: "vault", EndpointURL: server.URL, RoleARN: role,
			STSEndpointURL: server.URL,
		}}
		resolved, err := kvsio.ResolveAWS(t.Context(), p.AWS)
		if err != nil || resolved.Region != "eu-west-1" {
			t.Fatalf("resolved %+v, %v", resolved, err)
		}
		if frames, _ := run(t, "direct", p, request("cam", newYear, time.Minute)); len(frames) != 20 {
			t.Errorf("%d frames, want 20", len(frames))
		}
	}
	for name, want := range map[string]string{
		"sealed": "making the AWS configuration sealed: the vault is sealed",
		"empty":  "making the AWS configuration empty: it has no credentials",
		"volt":   `Config is "volt": it must be registered in this program, which has empty, private-buildable, private-other, private-plain, sealed, vault`,
	} {
		if _, err := kvsio.ResolveAWS(t.Context(), kvsio.AWSParams{Config: name, Region: "eu-west-1"}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v, want %q", name, err, want)
		}
	}
}

func TestAWSParamsAreValidated(t *testing.T) {
	const secret = "hunter2"
	for _, test := range []struct {
		aws  kvsio.AWSParams
		want string // "": nothing is wrong
	}{
		{kvsio.AWSParams{WebIdentity: "gcp", RoleARN: reader}, ""},
		{kvsio.AWSParams{RoleARN: "arn:aws-cn:iam::111122223333:role/path/to/reader"}, ""},
		{kvsio.AWSParams{Config: "vault", RoleARN: reader}, ""},
		{kvsio.AWSParams{WebIdentity: "gcp"}, "AWS.WebIdentity is gcp without AWS.RoleARN"},
		{kvsio.AWSParams{WebIdentity: "azure", RoleARN: reader}, `WebIdentity is "azure": it must be gcp`},
		{
			kvsio.AWSParams{RoleARN: "archive-reader"},
			`RoleARN is "archive-reader": it must be arn:aws:iam::ACCOUNT:role/NAME`,
		},
		{kvsio.AWSParams{Region: "fips-us-east-1"}, ""},
		{kvsio.AWSParams{Region: "Out is"}, `Region is "Out is": it must be the name of a region`},
		{kvsio.AWSParams{Config: "volt"}, `Config is "volt": it must be registered`},
		{kvsio.AWSParams{Config: "vault", Profile: "archive"}, `Config is "vault" together with AWS.Profile`},
		{kvsio.AWSParams{EndpointURL: "https://me:" + secret + "@example.com"}, "EndpointURL names a user or a password"},
		{kvsio.AWSParams{EndpointURL: "me:" + secret + "@example.com"}, "EndpointURL names a user or a password"},
		{
			kvsio.AWSParams{RoleARN: reader, STSEndpointURL: "https://" + secret + "@example.com"},
			"STSEndpointURL names a user or a password",
		},
	} {
		err := kvsio.ReadParams{AWS: test.aws}.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: the error is %v, want %q", test.aws, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells a password: %v", err)
		}
	}
}

// What travels is text that names, and nothing that opens.
func TestAWSParamsHoldNoSecret(t *testing.T) {
	server, p := gcp(t, kvstest.Config{Roles: []string{reader}, Streams: []kvstest.Stream{{Name: "cam", Media: day}}})
	resolved, err := kvsio.ResolveAWS(t.Context(), p.AWS)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(resolved)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		if !slices.Contains([]any{"", false, server.Region, server.URL, reader, "gcp"}, value) {
			t.Errorf("%s is %v", name, value)
		}
	}
}
