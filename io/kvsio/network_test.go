package kvsio_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
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
