//go:build e2e

package main

import (
	"encoding/base64"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

const testRole = "arn:aws:iam::111122223333:role/archive-reader"

// onGoogle puts the user on a machine of Google's, without anything of AWS's but
// where its services are.
func onGoogle(u *user) *user {
	return u.with(
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_ENDPOINT_URL_STS="+u.server.URL, "GCE_METADATA_HOST="+strings.TrimPrefix(u.server.URL, "http://"),
	)
}

// sessionMarks are what every secret of a stand-in's session holds, and what every
// ID token begins with.
var sessionMarks = []string{"kvstest-session-", "ASIA", "eyJhbGci"}

func wantNoSecret(t *testing.T, what, text string, secrets ...string) {
	t.Helper()
	text = unwrapped(text, wrappings)
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("%s holds %q", what, secret)
		}
	}
}

var base64Text = regexp.MustCompile(`[A-Za-z0-9+/]{8,}={0,2}`)

// wrappings is how often Beam puts functions and elements into base64 in base64.
const wrappings = 4

// unwrapped is a text with all that is base64 in it, and in that.
func unwrapped(text string, depth int) string {
	if depth == 0 {
		return text
	}
	all := []string{text}
	for _, found := range base64Text.FindAllString(text, -1) {
		for cut := range 4 { // what stands before it may be of the same letters
			inner, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(found[cut:], "="))
			all = append(all, unwrapped(string(inner), depth-1))
		}
	}
	return strings.Join(all, "\n")
}

// TestWithoutKeys: a machine of Google's reads streams without AWS keys, and
// nothing secret is written or told.
func TestWithoutKeys(t *testing.T) {
	t.Parallel()
	u := onGoogle(newUser(t, kvstest.Config{Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")}}))
	o := u.run(good("--aws-web-identity", "gcp", "--aws-role-arn", testRole, "--log-level", "debug")...)
	if o.status != 0 {
		t.Fatalf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
	wantNoSecret(t, "stderr", o.stderr, sessionMarks...)
	for name, text := range tree(t, filepath.Join(u.dir, "out")) {
		if strings.HasSuffix(name, ".json") {
			wantNoSecret(t, name, text, sessionMarks...)
		}
	}
}

// TestRoleThatCannotBeAssumed: one message, in seconds.
func TestRoleThatCannotBeAssumed(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}})
	for name, u := range map[string]*user{
		"Assume":                    u.with("AWS_ENDPOINT_URL_STS=" + u.server.URL),
		"AssumeRoleWithWebIdentity": onGoogle(u),
	} {
		args := good("--aws-role-arn", testRole)
		if name != "Assume" {
			args = append(args, "--aws-web-identity", "gcp")
		}
		o := u.run(args...)
		want := "assuming " + testRole + ": AccessDenied: Not authorized to perform sts:" + name
		if o.status != 2 || !strings.Contains(o.stderr, want) ||
			!strings.Contains(o.stderr, "look at the role's trust policy") {
			t.Errorf("exit status %d; stderr must contain %q:\n%s", o.status, want, o.stderr)
		}
		if o.took > 10*time.Second {
			t.Errorf("it took %v", o.took)
		}
	}
}
