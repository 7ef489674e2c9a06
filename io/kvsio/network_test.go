package kvsio_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// private serves over TLS, with a certificate that no CA of the machine's vouches
// for, and returns the file of the one that does.
func private(t *testing.T, handler http.Handler) (server *httptest.Server, bundle string) {
	t.Helper()
	server = httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		0o600); err != nil {
		t.Fatal(err)
	}
	return server, bundle
}

// before stands before a stand-in, and lets it see what it was asked.
func before(t *testing.T, server *kvstest.Server) http.Handler {
	t.Helper()
	behind, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host // it is signed
	}}
}

// privately are the clients of TestRegisteredClients.
var privately = map[string]aws.HTTPClient{}

func init() {
	for _, name := range []string{"buildable", "plain", "other"} {
		kvsio.RegisterAWSConfig("private-"+name, func(context.Context) (aws.Config, error) {
			return aws.Config{
				Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
				HTTPClient: privately[name],
			}, nil
		})
	}
}

type justDo struct{ client *http.Client }

func (d justDo) Do(r *http.Request) (*http.Response, error) { return d.client.Do(r) }

// TestPrivateCA: the CA that the SDK's configuration names vouches for every API
// that is called, and without it none is believed.
func TestPrivateCA(t *testing.T) {
	images := func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			http.Error(w, "all pictures over one connection", http.StatusTeapot)
			return
		}
		io.WriteString(w, `{"Images":[]}`)
	}
	server, bundle := private(t, service(images)) // httptest has one certificate for all
	roles := kvstest.NewServer(kvstest.Config{Roles: []string{reader}})
	defer roles.Close()
	sts, _ := private(t, before(t, roles))
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	believes := func(transport *http.Transport) {
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	plain := &http.Transport{}
	believes(plain)
	privately["buildable"] = awshttp.NewBuildableClient().WithTransportOptions(believes)
	privately["plain"] = &http.Client{Transport: plain, Timeout: time.Minute}
	privately["other"] = justDo{&http.Client{Transport: plain}}
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("[default]\nca_bundle = "+bundle+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct {
		name string
		env  []string
		aws  kvsio.AWSParams
		want string
	}{
		{"AWS_CA_BUNDLE", []string{"AWS_CA_BUNDLE=" + bundle}, kvsio.AWSParams{}, ""},
		{"ca_bundle", []string{"AWS_CA_BUNDLE=", "AWS_CONFIG_FILE=" + file}, kvsio.AWSParams{}, ""},
		{"with a role", []string{"AWS_CA_BUNDLE=" + bundle}, kvsio.AWSParams{RoleARN: reader, STSEndpointURL: sts.URL}, ""},
		{"without a CA", []string{"AWS_CA_BUNDLE="}, kvsio.AWSParams{}, "certificate"},
		{"a CA that is not there", []string{"AWS_CA_BUNDLE=" + none}, kvsio.AWSParams{}, none},
		{"a registered client of the SDK's", nil, kvsio.AWSParams{Config: "private-buildable"}, ""},
		{"a registered client of net/http's", nil, kvsio.AWSParams{Config: "private-plain"}, ""},
		{"another registered client", nil, kvsio.AWSParams{Config: "private-other"}, ""},
		{
			"a registered client, with a role", nil,
			kvsio.AWSParams{Config: "private-buildable", RoleARN: reader, STSEndpointURL: sts.URL},
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			machine(t, append([]string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1"},
				c.env...)...)
			server, _ := private(t, service(images)) // and no clients from before
			c.aws.EndpointURL, c.aws.Region = server.URL, "us-east-1"
			_, err := kvsio.Check(t.Context(), kvsio.ReadParams{AWS: c.aws},
				[]kvsio.Request{request("cam", newYear, time.Minute)})
			if err == nil {
				err = getImages(t, c.aws)
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

// TestEndpointWins: an endpoint that is given is called as it is, whatever else
// the environment says of endpoints.
func TestEndpointWins(t *testing.T) {
	server := kvstest.NewServer(kvstest.Config{
		Roles:   []string{reader},
		Streams: []kvstest.Stream{{Name: "cam", Media: day, Quota: noQuota()}},
	})
	defer server.Close()
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, fmt.Appendf(nil, "[profile reader]\nrole_arn = %s\ncredential_source = Environment\n",
		reader), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"AWS_USE_FIPS_ENDPOINT=true", "AWS_USE_DUALSTACK_ENDPOINT=true"} {
		for _, c := range []struct {
			name string
			env  []string
			aws  kvsio.AWSParams
		}{
			{"a parameter", nil, kvsio.AWSParams{EndpointURL: server.URL}},
			{"AWS_ENDPOINT_URL", []string{"AWS_ENDPOINT_URL=" + server.URL}, kvsio.AWSParams{}},
			{"AWS_ENDPOINT_URL_KINESIS_VIDEO", []string{"AWS_ENDPOINT_URL_KINESIS_VIDEO=" + server.URL}, kvsio.AWSParams{}},
			{"a role", nil, kvsio.AWSParams{EndpointURL: server.URL, RoleARN: reader, STSEndpointURL: server.URL}},
			{
				"a profile's role",
				[]string{"AWS_ENDPOINT_URL=" + server.URL, "AWS_CONFIG_FILE=" + file, "AWS_PROFILE=reader"},
				kvsio.AWSParams{},
			},
		} {
			t.Run(kind+" "+c.name, func(t *testing.T) {
				machine(t, append(append(server.Env(), "AWS_ENDPOINT_URL=", kind), c.env...)...)
				for _, name := range []string{"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_KINESIS_VIDEO"} {
					if os.Getenv(name) == "" {
						os.Unsetenv(name) // machine sets it back
					}
				}
				p, err := kvsio.ResolveAWS(t.Context(), c.aws)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := kvsio.Check(t.Context(), kvsio.ReadParams{AWS: p},
					[]kvsio.Request{request("cam", newYear, time.Minute)}); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

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
