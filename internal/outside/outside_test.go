package outside_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/kvsframes/kvsframes/internal/outside"
)

// marker is a secret that no pattern knows but by what stands beside it.
const marker = "mArK3r/S3cr3t+Of/Nobody0123456789abcdEFGH"

func TestSecretsAreTakenOut(t *testing.T) {
	for _, text := range []string{
		`{"Version":1,"AccessKeyId":"AKIDOTHER","SecretAccessKey":"%s","SessionToken": "%s"}`,
		`{"accessToken":"%s","refreshToken":"%s","clientSecret":"%s","idToken":"%s"}`,
		`{\"SecretAccessKey\": \"%s\", \"Token\": \"%s\"}`,
		`"body: {\\\"SecretAccessKey\\\":\\\"%s\\\"}"`,
		`{'SecretAccessKey': '%s', 'token': '%s'}`,
		`<SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken>`,
		"aws_secret_access_key = %s\naws_session_token=%s",
		"AWS_SECRET_ACCESS_KEY=%s AWS_SESSION_TOKEN='%s' TOKEN=%s",
		"export AWS_SECRET_ACCESS_KEY=%s",
		"aws_secret_access_key: %s",
		"POST / x-amz-date:20260101T000000Z x-amz-security-token:%s x-amz-target:a",
		"map[X-Amz-Security-Token:[%s] Authorization:[Bearer %s]]",
		"https://host/path?X-Amz-Credential=%s&X-Amz-Security-Token=%s&X-Amz-Signature=%s&Expires=1",
		"https://host/path?X-Amz-Credential%%3D%s%%26X-Amz-Security-Token%%3D%s",
		"AWS4-HMAC-SHA256 Credential=%s/20260101/us-east-1/kinesisvideo/aws4_request, SignedHeaders=host;x-amz-date, " +
			"Signature=%s",
		"Authorization: Bearer %s",
		"Authorization: Basic %s",
		"Authorization: %s",
		"x-aws-ec2-metadata-token: %s",
		"x-amz-sso_bearer_token: %s",
		"https://user:%s@proxy.example.com:3128/",
		"password=%s, passwd: %s",
		"eyJhbGciOiJSUzI1NiJ9.%s",
		"ya29.%s",
		"-----BEGIN RSA PRIVATE KEY-----\n%s\n%s\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN EC PRIVATE KEY-----\\n%s\\n",
		"the secret is %.40s",
		"ASIAQWERTYUIOPASDFGH %.40s",
		"IQoJb3JpZ2luX2Vj%s",
	} {
		marker := marker
		if strings.Contains(text, "@proxy") || strings.Contains(text, "ya29") || strings.Contains(text, "eyJ") {
			marker = strings.NewReplacer("/", "x", "+", "y").Replace(marker)
		}
		args := make([]any, strings.Count(text, "%s")+strings.Count(text, "%.40s"))
		for i := range args {
			args[i] = marker
		}
		text := fmt.Sprintf(text, args...)
		for _, f := range []func(string) string{outside.Text, outside.Clean} {
			if got := f(text); strings.Contains(got, marker[:12]) || strings.Contains(got, marker[12:28]) ||
				!strings.Contains(got, "(removed)") {
				t.Errorf("%s\nbecomes\n%s", text, got)
			}
		}
	}
	for _, id := range []string{"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"} {
		if got := outside.Text("the key " + id + " is refused"); got != "the key (removed) is refused" {
			t.Errorf("%s becomes %q", id, got)
		}
	}
}

// TestWhatHelpsStays: what tells people what happened, and what is no secret.
func TestWhatHelpsStays(t *testing.T) {
	for _, text := range []string{
		"reading front-door_2.cam at 2026-01-31T10:00:00Z (100 samples): ResourceNotFoundException: The requested stream " +
			"is not found or not active.",
		"arn:aws:kinesisvideo:eu-west-1:111122223333:stream/front-door/1600000000000",
		"assuming arn:aws:iam::111122223333:role/archive-reader: AccessDenied: User: " +
			"arn:aws:sts::111122223333:assumed-role/AROAEXAMPLEID/x is not authorized to perform: sts:AssumeRole",
		"operation error S3: GetObject, https response error StatusCode: 403, RequestID: 4442587FB7D0A2F9, HostID: " +
			"Uuag1LuByRx9e6j5Onimru9pO4ZVKnJ2Qz7/C1NPcfTWAtRPfTaOFg==, api error AccessDenied: Access Denied",
		"RequestID: 5f1c0a9e-3a0b-4c8a-9a0e-0c1d2e3f4a5b",
		`Get "https://b-1a2b3c4d.kinesisvideo.eu-west-1.amazonaws.com/getImages": dial tcp 127.0.0.1:8087: connect: connection refused`,
		"ExpiredTokenException: The security token included in the request is expired",
		"InvalidAccessKeyId: The AWS Access Key Id you provided does not exist in our records.",
		"InvalidToken: The provided token is malformed or otherwise invalid.",
		"UnrecognizedClientException: The security token included in the request is invalid.",
		"InvalidSignatureException: Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z",
		"no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile, or run where a role is given",
		"oauth2: cannot fetch token: 400 Bad Request",
		`failed to refresh the access token: Post "https://oauth2.googleapis.com/token": context deadline exceeded`,
		"HTTP 503: Service Unavailable",
		"/home/somebody/data sets/frames/shards/front-door-3000ms/20260131T100000000Z-100.tar",
		"sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"sha1 da39a3ee5e6b4b0d3255bfef95601890afd80709 of the secret file",
		"s3://archive/frames?region=eu-west-1",
		"--starting-token is not one of ours; a token holds for the arguments it was made with",
		"größere Straße, 写真, emoji 📷",
		"the job server knows no job \"kvsframes0backfill01769853600_5f0e\"",
		"profile \"archive\" needs an MFA code; its password: none",
	} {
		if got := outside.Text(text); got != text {
			t.Errorf("%s\nbecomes\n%s", text, got)
		}
	}
}

// TestPartsOfASecret: what is left of a secret that was cut, or of which each character
// is escaped, is taken out, too.
func TestPartsOfASecret(t *testing.T) {
	const secret = "Parts/Of+A+Secret/98765432109876543210zyxw"
	outside.Keep(secret)
	var escaped strings.Builder
	for _, c := range []byte(secret) {
		fmt.Fprintf(&escaped, "%%%02x", c)
	}
	for text, want := range map[string]string{
		"it begins with " + secret[:20]:                 "it begins with (removed)",
		"in two: " + secret[:21] + " " + secret[21:]:    "in two: (removed) (removed)",
		"it ends with " + secret[len(secret)-13:] + "!": "it ends with (removed)!",
		"a few of it: " + secret[:8]:                    "a few of it: " + secret[:8],
		"all escaped: " + escaped.String():              "(removed)",
		"100% of %41 is none of it":                     "100% of %41 is none of it",
	} {
		for _, f := range []func(string) string{outside.Text, outside.Clean} {
			if got := f(text); got != want {
				t.Errorf("%s becomes %s, want %s", text, got, want)
			}
		}
	}
}

func TestControlsAreTakenOut(t *testing.T) {
	for text, want := range map[string]string{
		"a\x1b[31mred\x1b[0m":            "a[31mred[0m",
		"title \x1b]0;evil\x07!":         "title ]0;evil!",
		"one\r\ntwo\tthree":              "one two three",
		"c1 \u009b31m \u0085 end":        "c1 31m end",
		"bidi \u202egpj.exe\u202c\u2066": "bidi gpj.exe",
		"zero\u200bwidth\ufeff":          "zerowidth",
		"line\u2028sep\u2029":            "line sep",
		"bad \xff\xfe utf-8":             "bad \uFFFD\uFFFD utf-8",
		"AKIAIOSF\x00ODNN7EXAMPLE":       "(removed)",
		"":                               "",
	} {
		if got := outside.Text(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
	if got := outside.Clean("one\n  two\x1b[0m\nthree"); got != "one\n  two[0m\nthree" {
		t.Errorf("lines become %q", got)
	}
}

func TestTextIsBounded(t *testing.T) {
	huge := strings.Repeat("all work and no play ", 200_000)
	if got := outside.Text(huge); len(got) > outside.Longest || !strings.HasSuffix(got, "…") ||
		!strings.HasPrefix(huge, strings.TrimSuffix(got, "…")) {
		t.Errorf("%d bytes become %d: …%s", len(huge), len(got), got[len(got)-40:])
	}
	// A secret that is cut in two where nobody looks any more.
	if got := outside.Text(strings.Repeat("x ", 16<<10-10) + strings.Repeat("IQoJb3JpZ2lu", 1000)); strings.Contains(got,
		"IQoJ") {
		t.Error("half a token is left")
	}
}

func TestErrorsKeepTheirTypes(t *testing.T) {
	cause := fmt.Errorf("opening: %w", &fs.PathError{Op: "open", Path: "\x1b[31m", Err: fs.ErrNotExist})
	err := outside.Error(cause)
	if _, ok := errors.AsType[*fs.PathError](err); !ok || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not what it was", err)
	}
	if err.Error() != "opening: open [31m: file does not exist" {
		t.Errorf("it says %q", err)
	}
	if harmless := errors.New("harmless"); outside.Error(harmless) != harmless {
		t.Error("a harmless error is another one")
	}
	if outside.Error(nil) != nil {
		t.Error("no error is one")
	}
}

// TestKnownSecrets: what the process knows is found in every form, wherever it
// stands.
func TestKnownSecrets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9+/=._&<"\\-]{16,60}`).Draw(t, "secret")
		outside.Keep(secret)
		before := rapid.StringMatching(`[a-z :]{0,5}`).Draw(t, "before")
		quoted, _ := json.Marshal(secret)
		inner := string(quoted[1 : len(quoted)-1])
		for name, form := range map[string]string{
			"raw": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "JSON": inner,
			"PHP's JSON": strings.ReplaceAll(inner, "/", `\/`), ".NET's JSON": strings.ReplaceAll(inner, "+", `\u002B`),
			"base64":        base64.StdEncoding.EncodeToString([]byte(secret)),
			"base64url":     base64.RawURLEncoding.EncodeToString([]byte(secret)),
			"inside base64": base64.StdEncoding.EncodeToString([]byte(before + secret + " and more")),
		} {
			got := outside.Text("<" + form + ">")
			// A few characters at its edges may stay in base64.
			if at := len(form) / 3; strings.Contains(got, form[at:len(form)-at]) || !strings.Contains(got, "(removed)") {
				t.Errorf("%s: %q is shown as %q", name, form, got)
			}
		}
	})
	outside.Keep("short", "")
	if got := outside.Text("a short one"); got != "a short one" {
		t.Errorf("a short secret makes %q", got)
	}
}

func TestTextHolds(t *testing.T) {
	piece := rapid.OneOf(
		rapid.String(), rapid.StringMatching(`[ -~]{0,80}`), rapid.StringMatching(`[A-Za-z0-9+/]{30,50}`),
		rapid.SampledFrom([]string{
			"SecretAccessKey", `"Token":`, `\"`, `"`, "=", ": ", "AKIAIOSFODNN7EXAMPLE", "Bearer ", "://", "@", "(removed)", "[",
			"%22", "\n",
			"-----BEGIN A-----", "-----END A-----", "eyJhbGciOiJI.", "IQoJb3JpZ2lu", "\x1b[31m", "…", "secret", "token: ",
			"&quot;", "\xff", "aws_session_token=",
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		holds(t, strings.Join(rapid.SliceOfN(piece, 0, 60).Draw(t, "pieces"), ""))
	})
}

func FuzzText(f *testing.F) {
	f.Add("SecretAccessKey: \"abc\x1b\" ya29.x -----BEGIN A-----")
	f.Add(`{"Token":"(removed)"} Bearer [` + strings.Repeat("é", 600))
	f.Fuzz(func(t *testing.T, s string) { holds(t, s) })
}

func holds(t interface{ Errorf(string, ...any) }, s string) {
	text := outside.Text(s)
	switch {
	case len(text) > outside.Longest:
		t.Errorf("%q: %d bytes", s, len(text))
	case !utf8.ValidString(text):
		t.Errorf("%q becomes %q, which is no UTF-8", s, text)
	case strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }):
		t.Errorf("%q becomes %q", s, text)
	case outside.Text(text) != text:
		t.Errorf("%q becomes %q, and that %q", s, text, outside.Text(text))
	}
}
