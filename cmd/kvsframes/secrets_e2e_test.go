//go:build e2e

package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
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

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// The secrets of a user who is robbed. None begins as those of AWS do, but the
// key's id.
const (
	markedID     = "ASIAMARKEDKEY0123456"
	markedSecret = "Marked0Secret/Key+AbCdEfGhIjKlMnOpQrStUv"
	markedToken  = "MarkedToken/Of+A0Session==0123456789abcdefghijklmnopqrstuvwxyz"
)

// markedKeys are credentials as programs and services give them.
var markedKeys = fmt.Sprintf(`{"Version":1,"AccessKeyId":%q,"SecretAccessKey":%q,"SessionToken":%q,"Token":%[3]q}`,
	markedID, markedSecret, markedToken)

// markedEnv has them in the environment.
var markedEnv = []string{
	"AWS_ACCESS_KEY_ID=" + markedID, "AWS_SECRET_ACCESS_KEY=" + markedSecret,
	"AWS_SESSION_TOKEN=" + markedToken,
}

// wantNoMark looks for the marked secrets in every form.
func wantNoMark(t *testing.T, what, text string) {
	t.Helper()
	for _, secret := range []string{markedID, markedSecret, markedToken} {
		quoted, _ := json.Marshal(secret)
		inner := strings.ReplaceAll(string(quoted[1:len(quoted)-1]), "/", `\/`)
		for _, form := range []string{
			secret, url.QueryEscape(secret), inner, strings.ReplaceAll(secret, "+", `\u002b`),
			base64.StdEncoding.EncodeToString([]byte(secret))[:24], secret[:16],
		} {
			if strings.Contains(text, form) {
				t.Errorf("%s holds %s:\n%.3000s", what, form, text)
				return
			}
		}
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == '\u202e' {
			t.Errorf("%s has the character %U", what, r)
			return
		}
	}
}

// echo is a server that says what it was asked, and more, with every answer.
func echo(t *testing.T, status int, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request,
	) {
		writeEcho(w, r, status, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func writeEcho(w http.ResponseWriter, r *http.Request, status int, body string) {
	if body == "" {
		sent, _ := httputil.DumpRequest(r, true)
		said := "\x1b[31m\u009b1m\u202eThe canonical string is " + string(sent) + url.QueryEscape(markedToken) + " " +
			markedKeys
		quoted, _ := json.Marshal(said)
		body = fmt.Sprintf(`{"__type":"AccessDeniedException","code":"AccessDeniedException","message":%s,"Message":%[1]s}`,
			quoted)
		// the Security Token Service
		if isXML := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"); isXML {
			var escaped strings.Builder
			xml.EscapeText(&escaped, []byte(said))
			body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>" + escaped.String() +
				"</Message></Error></ErrorResponse>"
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// TestNoSecretIsTold: whatever a source of credentials or a service does wrong, no
// secret of it is shown or stored.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	config := func(lines ...string) string {
		return "[default]\nregion = us-east-1\n" + strings.Join(lines, "\n") + "\n"
	}
	process := func(script string) string { return config("credential_process = sh ./keys.sh\n# " + script) }
	denied, cutOff := echo(t, 403, ""), markedKeys[:len(markedKeys)-1]
	role := "[profile marked]\nregion = us-east-1\nrole_arn = " + testRole + "\nsource_profile = base\n[profile base]\n"
	for name, test := range map[string]struct {
		files map[string]string // of the user's folder
		env   []string
		args  []string // of backfill, which get-images does not have
		want  string   // in what is told
	}{
		"program prints more": {files: map[string]string{
			"config":  process(""),
			"keys.sh": "echo hello\necho '" + markedKeys + "'",
		}, want: "credential_process sh of profile default failed"},
		"program prints and fails": {files: map[string]string{
			"config":  process(""),
			"keys.sh": "echo '" + markedKeys + "' >&2\necho '" + markedKeys + "'\nexit 3",
		}, want: "exit status 3"},
		"program of another version": {files: map[string]string{
			"config":  process(""),
			"keys.sh": "echo '" + strings.Replace(markedKeys, "1", "2", 1) + "'",
		}, want: "wrong version"},
		"program of other types": {files: map[string]string{
			"config":  process(""),
			"keys.sh": "echo '" + strings.Replace(markedKeys, "1", `"1"`, 1) + "'",
		}, want: "withheld"},
		"program prints none": {
			files: map[string]string{"config": process(""), "keys.sh": "echo '" + markedKeys + "' >&2"},
			want:  "withheld",
		},
		"program behind a role": {
			files: map[string]string{
				"config":  role + "credential_process = sh ./keys.sh\n",
				"keys.sh": "echo '" + markedKeys + "' >&2; echo '" + markedKeys + "' x",
			},
			env: []string{"AWS_PROFILE=marked"}, want: "of profile base failed",
		},
		"role of a profile is refused": {
			files: map[string]string{"config": role + "aws_access_key_id = " + markedID + "\naws_secret_access_key = " +
				markedSecret + "\naws_session_token = " + markedToken + "\n"},
			env: []string{"AWS_PROFILE=marked", "AWS_ENDPOINT_URL_STS=" + denied}, want: "AccessDenied",
		},
		"keys without =": {files: map[string]string{"config": config("aws_access_key_id "+markedID,
			"aws_secret_access_key "+markedSecret)}},
		"half the keys": {files: map[string]string{"config": config("aws_secret_access_key = " + markedSecret)}},
		"container is cut off": {env: []string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + echo(t, 200, cutOff),
			"AWS_CONTAINER_AUTHORIZATION_TOKEN=" + markedToken,
		}},
		"container refuses": {env: []string{
			"AWS_CONTAINER_CREDENTIALS_FULL_URI=" + denied,
			"AWS_CONTAINER_AUTHORIZATION_TOKEN=" + markedToken,
		}},
		"instance is cut off": {env: []string{
			"AWS_EC2_METADATA_DISABLED",
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + echo(t, 200, cutOff),
		}},
		"web identity refused": {
			files: map[string]string{"token": markedToken},
			env: []string{
				"AWS_WEB_IDENTITY_TOKEN_FILE=token", "AWS_ROLE_ARN=" + testRole,
				"AWS_ENDPOINT_URL_STS=" + echo(t, 403, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>WebIdentityToken="+url.QueryEscape(markedToken)+" "+markedKeys+"</Message></Error></ErrorResponse>"),
			},
			want: "InvalidIdentityToken",
		},
		"SSO session is junk": {
			files: map[string]string{
				"config": config("sso_start_url = https://sso.example.com", "sso_region = us-east-1",
					"sso_account_id = 111122223333", "sso_role_name = reader"),
				ssoCache: `{"accessToken": "` + markedToken + `", "expiresAt": "` + markedSecret + `"}`,
			},
			want: "aws sso login --profile default",
		},
		"SSO session is over": {
			files: map[string]string{
				"config": config("sso_start_url = https://sso.example.com", "sso_region = us-east-1",
					"sso_account_id = 111122223333", "sso_role_name = reader"),
				ssoCache: `{"accessToken": "` + markedToken + `", "expiresAt": "2020-01-01T00:00:00Z"}`,
			},
			want: "aws sso login --profile default",
		},
		"SSO refuses": {
			files: map[string]string{
				"config": config("sso_start_url = https://sso.example.com", "sso_region = us-east-1",
					"sso_account_id = 111122223333", "sso_role_name = reader"),
				ssoCache: `{"accessToken": "` + markedToken + `", "expiresAt": "2090-01-01T00:00:00Z"}`,
			},
			env: []string{"AWS_ENDPOINT_URL_SSO=" + denied},
		},
		"login session is junk": {
			files: map[string]string{
				"config":              config("login_session = " + testRole),
				"login/" + loginCache: `{"accessToken": ` + markedKeys + `}`,
			},
			env: []string{"AWS_LOGIN_CACHE_DIRECTORY=login"},
		},
		"MFA": {
			files: map[string]string{"config": role + "aws_access_key_id = " + markedID + "\naws_secret_access_key = " +
				markedSecret + "\n[profile mfa]\nrole_arn = " + testRole +
				"\nsource_profile = base\nmfa_serial = arn:aws:iam::111122223333:mfa/me\n"},
			env: []string{"AWS_PROFILE=mfa"}, want: "profile mfa asks for an MFA code",
		},
		"service echoes what is signed": {
			env:  append(markedEnv[:3:3], "AWS_ENDPOINT_URL_KINESIS_VIDEO="+denied),
			want: "AccessDeniedException: [31m1mThe canonical string is POST /",
		},
		"role is nobody's": {
			env: markedEnv, args: []string{"--aws-role-arn", testRole + "s"},
			want: "assuming " + testRole + "s: AccessDenied: Not authorized to perform sts:AssumeRole",
		},
		"role is refused": {
			env: append(markedEnv[:3:3], "AWS_ENDPOINT_URL_STS="+denied), args: []string{"--aws-role-arn", testRole},
			want: "assuming " + testRole + ": ",
		},
		"service echoes a role's session": {
			env: append(markedEnv[:3:3], "AWS_ENDPOINT_URL_KINESIS_VIDEO="+denied), args: []string{"--aws-role-arn", testRole},
			want: "AccessDeniedException: [31m1mThe canonical string is POST /",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, kvstest.Config{
				AccessKeys: map[string]string{markedID: markedSecret}, Roles: []string{testRole},
				Streams: []kvstest.Stream{camera("cam")},
			})
			u = u.with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE=config",
				"AWS_SHARED_CREDENTIALS_FILE=none",
				"AWS_ENDPOINT_URL_STS="+u.server.URL).with(test.env...)
			for name, text := range test.files {
				os.MkdirAll(filepath.Join(u.dir, filepath.Dir(name)), 0o777)
				u.write(name, text)
			}
			commands := [][]string{good(append(test.args, "--log-level", "debug")...)}
			if test.args == nil {
				commands = append(commands, append([]string{"get-images"}, good()[1:len(good())-2]...))
			}
			for _, args := range commands {
				o := u.run(args...)
				wantNoMark(t, args[0]+"'s stdout", o.stdout)
				wantNoMark(t, args[0]+"'s stderr", o.stderr)
				wantNoSecret(t, args[0]+"'s stderr", o.stderr, sessionMarks...)
				if told := o.stdout + o.stderr; !strings.Contains(told, test.want) || o.status == 0 {
					t.Errorf("%s: exit status %d, want %q in:\n%s", args[0], o.status, test.want, told)
				}
			}
		})
	}
}

// Where the AWS CLI leaves its sessions, after the SHA-1 of the start URL and the
// SHA-256 of the session.
const ssoCache = ".aws/sso/cache/cf8f61a1fcd658d6ea92588dc7066b5b3da53201.json"

var loginCache = fmt.Sprintf("%x.json", sha256.Sum256([]byte(testRole)))

// TestNoSecretOfAStoreIsTold: the same of the credentials of a store, which are its own.
func TestNoSecretOfAStoreIsTold(t *testing.T) {
	t.Parallel()
	echoing := echo(t, 403, "")
	for name, test := range map[string]struct{ profile, script, endpoint, want string }{
		"program prints more": {
			"credential_process = sh ./keys.sh", "echo hello\necho '" + markedKeys + "'", "http://127.0.0.1:1",
			"credential_process sh of profile store failed",
		},
		"program prints and fails": {
			"credential_process = sh ./keys.sh", "echo '" + markedKeys + "' >&2\necho '" + markedKeys + "'\nexit 3",
			"http://127.0.0.1:1",
			"exit status 3",
		},
		"store echoes what is signed": {
			"credential_process = sh ./keys.sh", "echo '" + markedKeys + "'", echoing,
			"permission denied: ",
		},
		"half the keys": {"aws_secret_access_key = " + markedSecret, "", "http://127.0.0.1:1", "partial credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}}).with("AWS_CONFIG_FILE=config")
			u.must(0, good("--out", "there")...)
			u.write("config", "[profile store]\nregion = us-east-1\n"+test.profile+"\n")
			u.write("keys.sh", test.script)
			place := "s3://archive/frames?region=us-east-1&profile=store&endpoint=" + test.endpoint
			for _, args := range [][]string{
				good("--log-level", "debug", "--out", place),
				{"verify", place},
				{"index", place},
				{"pack", place, "set"},
				{"pack", "there", place},
			} {
				o := u.run(args...)
				wantNoMark(t, args[0]+"'s stdout", o.stdout)
				wantNoMark(t, args[0]+"'s stderr", o.stderr)
				if o.status == 0 || !strings.Contains(o.stderr, test.want) {
					t.Errorf("%v: exit status %d, want %q in:\n%s", args, o.status, test.want, o.stderr)
				}
			}
		})
	}
}

// TestNoSecretIsInAJob: whatever the submitter's credentials are, the job has none of
// them.
func TestNoSecretIsInAJob(t *testing.T) {
	u, c := dataflowUser(t, kvstest.Config{Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")}})
	u.write("keys.sh", "echo '"+markedKeys+"'")
	u.write("config", "[profile keys]\naws_access_key_id = "+markedID+"\naws_secret_access_key = "+markedSecret+
		"\naws_session_token = "+markedToken+
		"\n[profile program]\ncredential_process = sh ./keys.sh\n")
	u = u.with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONFIG_FILE=config",
		"AWS_SHARED_CREDENTIALS_FILE=none")
	for name, test := range map[string]struct{ env, args []string }{
		"environment":       {env: markedEnv},
		"profile":           {env: []string{"AWS_PROFILE=keys"}},
		"profile of a flag": {args: []string{"--aws-profile", "keys"}},
		"program":           {env: []string{"AWS_PROFILE=program"}},
		"role":              {env: markedEnv, args: []string{"--aws-role-arn", testRole}},
		"web identity":      {env: markedEnv, args: asRole},
	} {
		t.Run(name, func(t *testing.T) {
			o := u.with(test.env...).run(c.args(append(test.args, "--dry_run")...)...)
			if o.status != 0 || !strings.Contains(o.stderr, "kvsio.readFn") {
				t.Fatalf("exit status %d; stderr must have the job:\n%.3000s", o.status, o.stderr)
			}
			wantNoMark(t, "the job", o.stderr)
			// Not even one that was removed from what is printed.
			wantNoSecret(t, "the job", o.stderr, append(secrets, markedID, markedSecret, markedToken, "(removed)")...)
		})
	}
}

// TestServersWordsAreNotStored: a service that echoes keys and a terminal's
// sequences gets none of it into a dataset, or to whom it is shown.
func TestServersWordsAreNotStored(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{
		AccessKeys: map[string]string{markedID: markedSecret},
		Streams:    []kvstest.Stream{camera("cam")},
	})
	stand, _ := url.Parse(u.server.URL)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(stand); r.Out.Host = r.In.Host }}
	front := httptest.NewUnstartedServer(nil)
	front.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/getDataEndpoint":
			fmt.Fprintf(w, `{"DataEndpoint":%q}`, front.URL)
		case r.URL.Path == "/getImages":
			writeEcho(w, r, 400, "")
		default:
			proxy.ServeHTTP(w, r)
		}
	})
	front.Start()
	t.Cleanup(front.Close)
	o := u.with("AWS_SESSION_TOKEN="+markedToken,
		"AWS_ENDPOINT_URL_KINESIS_VIDEO="+front.URL).run(good("--keep-going", "--json")...)
	if o.status != exitIncomplete {
		t.Errorf("exit status %d; stderr:\n%s", o.status, o.stderr)
	}
	wantNoMark(t, "stdout", o.stdout)
	wantNoMark(t, "stderr", o.stderr)
	causes := 0
	for name, text := range tree(t, filepath.Join(u.dir, "out")) {
		if strings.HasSuffix(name, ".parquet") {
			continue
		}
		wantNoMark(t, name, text)
		if len(text) > 10_000 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
	}
	for recorded, err := range ledger.Open(filepath.Join(u.dir, "out")).All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		text := recorded.Receipt.String()
		wantNoMark(t, recorded.Entry.Path(), text)
		causes += strings.Count(text, "canonical string")
	}
	if causes == 0 {
		t.Error("no receipt says why")
	}
	if o := u.run("verify", "out"); o.status != exitIncomplete {
		t.Errorf("verify: exit status %d", o.status)
	} else {
		wantNoMark(t, "verify", o.stdout+o.stderr)
	}
}
