package awsbase_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"golang.org/x/sync/errgroup"

	"github.com/kvsframes/kvsframes/internal/awsbase"
)

const serial = "arn:aws:iam::111122223333:mfa/me"

// withMFA sets the process up with a profile that asks for a code, whose sessions are
// over at an instant. It returns how often somebody was asked.
func withMFA(t *testing.T, name string, over time.Time) *atomic.Int32 {
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("SerialNumber") != serial || r.FormValue("TokenCode") != "123456" {
			t.Errorf("STS is told the device %s and the code %s", r.FormValue("SerialNumber"), r.FormValue("TokenCode"))
		}
		fmt.Fprintf(w, "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"+
			"<SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
			over.Format(time.RFC3339))
	}))
	t.Cleanup(sts.Close)
	file := filepath.Join(t.TempDir(), "config")
	os.WriteFile(file, []byte("[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"+
		"[profile "+name+"]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/reader\nsource_profile = "+
		"base\nmfa_serial = "+serial+"\n"), 0o600)
	for variable, value := range map[string]string{
		"AWS_CONFIG_FILE": file, "AWS_SHARED_CREDENTIALS_FILE": "none", "AWS_ENDPOINT_URL_STS": sts.URL,
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(variable, value)
	}
	var asked atomic.Int32
	awsbase.AskMFA = func(of string) (string, error) {
		if asked.Add(1); of != serial {
			t.Errorf("the code of %s is asked for", of)
		}
		return "123456", nil
	}
	t.Cleanup(func() { awsbase.AskMFA = nil })
	return &asked
}

// TestMFAIsAskedOnce: configurations that are loaded at once share one session.
func TestMFAIsAskedOnce(t *testing.T) {
	asked := withMFA(t, "once", time.Now().Add(time.Hour))
	var group errgroup.Group
	for range 8 {
		group.Go(func() error {
			cfg, err := awsbase.Load(t.Context(), config.WithSharedConfigProfile("once"))
			if err == nil {
				_, err = cfg.Credentials.Retrieve(t.Context())
			}
			return err
		})
	}
	if err := group.Wait(); err != nil || asked.Load() != 1 {
		t.Errorf("it was asked for %d times: %v", asked.Load(), err)
	}
}

// TestMFASessionIsOver: nobody is asked in the middle of a job.
func TestMFASessionIsOver(t *testing.T) {
	asked := withMFA(t, "over", time.Now().Add(-time.Hour))
	cfg, err := awsbase.Load(t.Context(), config.WithSharedConfigProfile("over"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = cfg.Credentials.Retrieve(t.Context())
	if err == nil || !strings.Contains(err.Error(), "run the command again, with a new code") || asked.Load() != 1 {
		t.Errorf("asked %d times: %v", asked.Load(), err)
	}
}
