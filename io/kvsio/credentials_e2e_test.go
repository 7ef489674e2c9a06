//go:build e2e

package kvsio_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestCredentialSourcesAreTriedAgain: a source that answers "slow down" once, as
// it does when a hundred workers start together, or half an answer, or none, is asked
// again, whichever of its answers that is.
func TestCredentialSourcesAreTriedAgain(t *testing.T) {
	const creds = `{"Code":"Success","AccessKeyId":"AKIATEST","SecretAccessKey":"secret","Token":"session","Expiration":"2100-01-01T00:00:00Z"}`
	roles := kvstest.NewServer(kvstest.Config{Roles: []string{reader}})
	defer roles.Close()
	const assumed = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>` +
		`<AccessKeyId>AKIATEST</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>` +
		`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
	folder := t.TempDir()
	token, profile := filepath.Join(folder, "token"), filepath.Join(folder, "config")
	for name, text := range map[string]string{
		token: "a web identity",
		profile: "[default]\nrole_arn = " + reader + "\nsource_profile = keys\n[profile keys]\naws_access_key_id = " +
			"test\naws_secret_access_key = test\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := func(answer string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer) })
	}
	machineRole := http.NewServeMux()
	machineRole.Handle("/latest/api/token", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		io.WriteString(w, "token")
	}))
	machineRole.Handle("/latest/meta-data/iam/security-credentials/", text("role"))
	machineRole.Handle("/latest/meta-data/iam/security-credentials/role", text(creds))
	for _, c := range []struct {
		name    string
		source  http.Handler
		env     []string
		answers int // until there are credentials
	}{
		{"a container", text(creds), []string{"AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/creds"}, 1},
		{
			"a machine", machineRole,
			[]string{"AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT=URL"},
			3,
		},
		{"a web identity", text(assumed), []string{
			"AWS_ROLE_ARN=" + reader, "AWS_WEB_IDENTITY_TOKEN_FILE=" + token,
			"AWS_ENDPOINT_URL_STS=URL",
		}, 1},
		{"a profile's role", before(t, roles), []string{"AWS_CONFIG_FILE=" + profile, "AWS_ENDPOINT_URL_STS=URL"}, 1},
	} {
		hangUp := func(w http.ResponseWriter) {
			w.(http.Flusher).Flush() // else nothing comes at all
			panic(http.ErrAbortHandler)
		}
		slowDown := func(w http.ResponseWriter, status int) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(status)
			io.WriteString(w, "slow down")
			hangUp(w)
		}
		for fault, answer := range map[string]func(w http.ResponseWriter, whole string){
			"429": func(w http.ResponseWriter, _ string) { slowDown(w, http.StatusTooManyRequests) },
			"503": func(w http.ResponseWriter, _ string) { slowDown(w, http.StatusServiceUnavailable) },
			"half": func(w http.ResponseWriter, whole string) {
				w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
				io.WriteString(w, whole[:len(whole)/2])
				hangUp(w)
			},
			"empty": func(http.ResponseWriter, string) {},
			"half, and whole to HTTP": func(w http.ResponseWriter, whole string) {
				io.WriteString(w, whole[:len(whole)/2])
			},
		} {
			for nth := range c.answers {
				// The name of a role has no end, and an error is one whatever it is of.
				if nth < c.answers-1 && fault != "half" && fault != "empty" {
					continue
				}
				t.Run(fmt.Sprint(c.name, " ", nth, " ", fault), func(t *testing.T) {
					asked := 0
					server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						whole := httptest.NewRecorder()
						c.source.ServeHTTP(whole, r)
						maps.Copy(w.Header(), whole.Header())
						if asked++; asked == nth+1 {
							answer(w, whole.Body.String())
							return
						}
						w.WriteHeader(whole.Code)
						w.Write(whole.Body.Bytes())
					}))
					defer server.Close()
					env := []string{"AWS_REGION=us-east-1"}
					for _, entry := range c.env {
						env = append(env, strings.ReplaceAll(entry, "=URL", "="+server.URL))
					}
					machine(t, env...)
					os.Unsetenv("AWS_ENDPOINT_URL") // machine sets it back
					if _, err := kvsio.ResolveAWS(t.Context(), kvsio.AWSParams{}); err != nil || asked < 2 {
						t.Errorf("asked %d times: %v", asked, err)
					}
				})
			}
		}
	}
}
