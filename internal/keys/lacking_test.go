package keys_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/keys"
)

// TestLacking: where a source is configured, what it answered and what to do about it is
// told, and not how to configure one.
func TestLacking(t *testing.T) {
	const none = "set some"
	status, code := 0, ""
	profiles(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>no</Message></Error></ErrorResponse>", code)
	})
	config, err := os.OpenFile(os.Getenv("AWS_CONFIG_FILE"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(config, "[profile fails]\ncredential_process = false\n[profile empty]\nregion = us-east-1\n")
	config.Close()
	for _, c := range []struct {
		profile string
		status  int
		code    string
		want    string // with the headline of a source that answers; empty: there is none
	}{
		{"static", 403, "AccessDenied", "AccessDenied: no: look at the role's trust policy"},
		{"static", 400, "Throttling", "it may pass: try again later"},
		{"static", 429, "", "it may pass: try again later"},
		{"container", 503, "", "it may pass: try again later"},
		{"static", 200, "", "it may pass: try again later"}, // without credentials
		{"identity", 400, "InvalidIdentityToken", "InvalidIdentityToken: no"},
		{"fails", 200, "", "run it by hand"},
		{"empty", 200, "", ""},
	} {
		t.Run(fmt.Sprint(c.profile, c.status, c.code), func(t *testing.T) {
			if c.want == "" {
				for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONTAINER_CREDENTIALS_FULL_URI"} {
					t.Setenv(name, "")
				}
			}
			status, code = c.status, c.code
			_, err := asked(t, c.profile)
			if err == nil {
				t.Fatal("there are credentials")
			}
			text := keys.Lacking(err, none).Error()
			if c.want == "" {
				if !strings.HasPrefix(text, "no AWS credentials: set some (no keys for the profile in use are in ") {
					t.Error(text)
				}
				return
			}
			if !strings.HasPrefix(text, "the AWS credentials could not be retrieved: ") || !strings.Contains(text, c.want) ||
				strings.Contains(text, none) {
				t.Errorf("%s\nwant %q", text, c.want)
			}
		})
	}
}
