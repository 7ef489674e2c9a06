package keys_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"

	"github.com/kvsframes/kvsframes/internal/awsbase"
	"github.com/kvsframes/kvsframes/internal/httpguard"
	"github.com/kvsframes/kvsframes/internal/keys"
	"github.com/kvsframes/kvsframes/internal/outside"
)

const (
	aRole     = "arn:aws:iam::111122223333:role/reader"
	container = `{"AccessKeyId": "AKIA", "SecretAccessKey": %q, "Token": "t", "Expiration": "2999-01-01T00:00:00Z"}`
)

// profiles sets the process up with profiles, each of which assumes a role of the
// Security Token Service that answer is, and each of whose source has a secret of its
// own: its name and the rest of secretOf.
func profiles(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		os.WriteFile(name, []byte(text), 0o600)
		return name
	}
	role := "\nrole_arn = " + aRole
	static := func(of string) string {
		return "\naws_access_key_id = AKIA\naws_secret_access_key = " + secretOf(of)
	}
	program := "\ncredential_process = cat " + file("keys",
		`{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "`+secretOf("program")+`"}`)
	printing := "\ncredential_process = exec sh " + file("printing", "yes x | head -c 2000000; exec sleep 1000")
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": file("config", "[profile p]"+program+"\n[profile printing]"+printing+
			"\n[profile s]"+static("static")+"\n[profile c]"+static("chain")+
			"\n[profile program]"+role+"\nsource_profile = p\n[profile static]"+role+"\nsource_profile = s"+
			"\n[profile first]"+role+"\nsource_profile = c"+
			"\n[profile chain]"+role+"\nsource_profile = first"+
			"\n[profile container]"+role+"\ncredential_source = EcsContainer"+
			"\n[profile environment]"+role+"\ncredential_source = Environment"+
			"\n[profile of printing]"+role+"\nsource_profile = printing"+
			"\n[profile identity]"+role+"\nweb_identity_token_file = "+file("token", secretOf("identity"))+
			"\n[profile login]\nlogin_session = "+aRole+"\n"),
		"AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
		"AWS_EC2_METADATA_DISABLED": "true",
		"AWS_ENDPOINT_URL_STS":      server.URL, "AWS_ENDPOINT_URL_SIGNIN": server.URL,
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": server.URL + "/container",
		"AWS_ACCESS_KEY_ID":                  "AKIA", "AWS_SECRET_ACCESS_KEY": secretOf("environment"),
		"AWS_LOGIN_CACHE_DIRECTORY": dir,
	} {
		t.Setenv(name, value)
	}
	return server
}

// secretOf is a secret that has nothing in common with another one's.
func secretOf(name string) string {
	var secret strings.Builder
	for i := range 5 {
		fmt.Fprintf(&secret, "%s/%d+", name, i)
	}
	return secret.String()
}

// asked returns what the credentials of a profile are, and how asking for them fails.
func asked(t *testing.T, profile string) (aws.Credentials, error) {
	cfg, err := awsbase.Load(t.Context(), config.WithSharedConfigProfile(profile))
	if err != nil {
		t.Fatal(err)
	}
	keys.Guard(&cfg, nil)
	return cfg.Credentials.Retrieve(t.Context())
}

// TestWhatIsExchangedIsNotShown: the service that gives credentials for other ones, or
// for a token, may say these.
func TestWhatIsExchangedIsNotShown(t *testing.T) {
	profiles(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/container" {
			fmt.Fprintf(w, container, secretOf("container"))
			return
		}
		w.WriteHeader(403)
	})
	for _, profile := range []string{"program", "static", "chain", "container", "environment", "identity"} {
		if _, err := asked(t, profile); err == nil {
			t.Errorf("%s has credentials", profile)
		}
		secret := secretOf(profile)
		for _, said := range []string{secret, secret[3:19], base64.StdEncoding.EncodeToString([]byte(secret))} {
			if text := outside.Text("it is " + said); text != "it is (removed)" {
				t.Errorf("%s: %s", profile, text)
			}
		}
	}
}

// TestEverySourceIsGuarded: whatever a role's source is.
func TestEverySourceIsGuarded(t *testing.T) {
	status := 0
	profiles(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/container":
			fmt.Fprintf(w, container, "s")
		case status == 400:
			w.WriteHeader(400)
			fmt.Fprint(w, "<ErrorResponse><Error><Code>", strings.Repeat("A", 1<<20))
		default:
			w.Header().Set("Location", "http://elsewhere.example/")
			w.WriteHeader(307)
		}
	})
	for _, profile := range []string{"program", "static", "chain", "container", "environment", "identity"} {
		status = 307
		if _, err := asked(t, profile); !is[*httpguard.RedirectError](err) {
			t.Errorf("%s: %v", profile, err)
		}
		status = 400
		if _, err := asked(t, profile); !is[*httpguard.LongBodyError](err) {
			t.Errorf("%s: %.300v", profile, err)
		}
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// TestAnswerWithoutCredentials: the SDK dereferences what is not there.
func TestAnswerWithoutCredentials(t *testing.T) {
	body := ""
	server := profiles(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
	want := strings.TrimPrefix(server.URL, "http://") + " answers without credentials"
	const id, secret = "<AccessKeyId>a</AccessKeyId>", "<SecretAccessKey>b</SecretAccessKey>"
	const token, expiration = "<SessionToken>c</SessionToken>", "<Expiration>2999-01-01T00:00:00Z</Expiration>"
	for inner, whole := range map[string]bool{
		id + secret + token: false, id + secret + expiration: false,
		id + token + expiration: false, secret + token + expiration: false,
		id + secret + token + expiration: true,
	} {
		for _, profile := range []string{"static", "identity", ""} {
			call := map[string]string{"identity": "AssumeRoleWithWebIdentity"}[profile]
			if call == "" {
				call = "AssumeRole"
			}
			result := func(s string) string {
				return fmt.Sprintf("<%sResponse><%[1]sResult>%s</%[1]sResult></%[1]sResponse>", call, s)
			}
			for _, body = range []string{"", "x", result(""), result("<Credentials>" + inner + "</Credentials>")} {
				var c aws.Credentials
				var err error
				if profile == "" { // a role of ours
					cfg := aws.Config{Region: "us-east-1"}
					cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
						return aws.Credentials{AccessKeyID: "a", SecretAccessKey: "b"}, nil
					})
					cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
					c, err = stscreds.NewAssumeRoleProvider(awsbase.NewSTS(cfg, server.URL), aRole).Retrieve(t.Context())
				} else {
					c, err = asked(t, profile)
				}
				if whole && strings.Contains(body, id) {
					if err != nil || c.AccessKeyID != "a" {
						t.Errorf("%s: %v", profile, err)
					}
				} else if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%s: %s: %v", profile, body, err)
				}
			}
		}
	}
}

// TestLoginSessionIsUnusable: the SDK panics with what it reads, where nobody can catch
// it.
func TestLoginSessionIsUnusable(t *testing.T) {
	profiles(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	// As the AWS CLI names it.
	file := filepath.Join(os.Getenv("AWS_LOGIN_CACHE_DIRECTORY"), fmt.Sprintf("%x.json", sha256.Sum256([]byte(aRole))))
	const noPEM = `{"accessToken": {"accessKeyId": "a", "secretAccessKey": "b", "sessionToken": "c", "accountId": "1",
		"expiresAt": "2001-01-01T00:00:00Z"}, "refreshToken": "r", "idToken": "i", "clientId": "c", "dpopKey": "no PEM",
		"tokenType": "t"}`
	for _, text := range []string{"null", noPEM} {
		os.WriteFile(file, []byte(text), 0o600)
		_, err := asked(t, "login")
		const want = "the login session has expired, or its file cannot be read: run aws login --profile login"
		if err == nil || err.Error() != want {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestProgramPrintsWithoutEnd: a program is ended once it has printed more than is read.
func TestProgramPrintsWithoutEnd(t *testing.T) {
	profiles(t, func(http.ResponseWriter, *http.Request) { t.Error("a role is assumed") })
	for _, profile := range []string{"printing", "of printing"} {
		_, err := asked(t, profile)
		const want = "the credential_process exec of profile printing failed: it prints more than 1048576 bytes"
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %.300v", profile, err)
		}
	}
}

// TestRoleAtTheEndpointOfAll: what holds for all services does for a profile's role.
func TestRoleAtTheEndpointOfAll(t *testing.T) {
	server := profiles(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) })
	t.Setenv("AWS_ENDPOINT_URL_STS", "")
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	for _, profile := range []string{"program", "static", "chain"} {
		if _, err := asked(t, profile); err == nil || !strings.Contains(err.Error(), "StatusCode: 403") {
			t.Errorf("%s: %v", profile, err)
		}
	}
}
