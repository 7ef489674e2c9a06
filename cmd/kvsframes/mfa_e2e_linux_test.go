//go:build e2e

package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

const (
	mfaSerial = "arn:aws:iam::111122223333:mfa/me"
	mfaPrompt = "MFA code for " + mfaSerial + ": "
)

// terminal is a pseudo terminal, and what a command has written to it.
type terminal struct {
	keyboard *os.File // what is written to it, somebody has typed
	device   *os.File // for the command

	mu    sync.Mutex
	shown bytes.Buffer
	ended chan struct{}
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	device, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{keyboard: keyboard, device: device, ended: make(chan struct{})}
	go func() {
		defer close(term.ended)
		io.Copy(term, keyboard)
	}()
	return term
}

// Write takes what the command shows.
func (term *terminal) Write(p []byte) (int, error) {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.shown.Write(p)
}

func (term *terminal) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.shown.String()
}

// run runs a command at the terminal, for somebody who answers its first question.
func (term *terminal) run(u *user, answer string, args ...string) (status int, stdout, shown string) {
	u.t.Helper()
	var out bytes.Buffer
	cmd := u.command(args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = term.device, &out, term.device
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true} // so that Ctrl-C interrupts it
	if err := cmd.Start(); err != nil {
		u.t.Fatal(err)
	}
	term.device.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		cmd.Wait()
	}()
	until(u.t, "the command asks or ends", func() bool {
		select {
		case <-ended:
			return true
		default:
			return strings.Contains(term.text(), mfaPrompt)
		}
	})
	io.WriteString(term.keyboard, answer)
	<-ended
	<-term.ended
	return cmd.ProcessState.ExitCode(), out.String(), term.text()
}

// mfaUser is a user whose profile asks for a code, 123456, that is good once.
func mfaUser(t *testing.T) *user {
	u := newUser(t, kvstest.Config{Roles: []string{testRole}, Streams: []kvstest.Stream{camera("cam")}})
	stand, _ := url.Parse(u.server.URL)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(stand); r.Out.Host = r.In.Host }}
	code := "123456"
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		if given := form.Get("TokenCode"); given == "" || given != code || form.Get("SerialNumber") != mfaSerial {
			w.WriteHeader(403)
			io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed with "+
				"invalid MFA one time pass code.</Message></Error></ErrorResponse>")
			return
		}
		code = ""
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(sts.Close)
	u.write("config", "[profile base]\naws_access_key_id = test\naws_secret_access_key = test\n"+
		"[profile mfa]\nregion = us-east-1\nrole_arn = "+testRole+"\nsource_profile = base\nmfa_serial = "+mfaSerial+"\n")
	return u.with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE=config",
		"AWS_SHARED_CREDENTIALS_FILE=none",
		"AWS_PROFILE=mfa", "AWS_ENDPOINT_URL_STS="+sts.URL)
}

// TestMFA: at a terminal a command asks for the code of an MFA device, once for all
// of its clients.
func TestMFA(t *testing.T) {
	t.Parallel()
	images := append([]string{"get-images"}, good()[1:len(good())-2]...)
	for name, test := range map[string]struct {
		args   func(t *testing.T) []string
		answer string
		status int
		want   string
	}{
		"backfill": {args: func(*testing.T) []string { return good("--json") }, answer: "123456\n"},
		"backfill into a bucket": {args: func(t *testing.T) []string {
			place := strings.Replace(newBucket(t).out, "eu-west-1", "us-east-1", 1) // where the stand-in signs
			return good("--json", "--out", place+"&profile=mfa")
		}, answer: " 123456 \n"},
		"get-images": {args: func(*testing.T) []string { return images }, answer: "123456\n"},
		"wrong code": {
			args: func(*testing.T) []string { return good() }, answer: "654321\n", status: 2,
			want: "invalid MFA one time pass code",
		},
		"no code": {
			args: func(*testing.T) []string { return good() }, answer: "what?\n", status: 2,
			want: "what was typed is no MFA code: it must be six digits; run the command again",
		},
		"end of input": {
			args: func(*testing.T) []string { return good() }, answer: "\x04", status: 2,
			want: "no MFA code was typed: run the command again",
		},
		"interrupt": {args: func(*testing.T) []string { return good() }, answer: "\x03", status: 130, want: "interrupted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := mfaUser(t)
			status, stdout, shown := newTerminal(t).run(u, test.answer, test.args(t)...)
			if status != test.status || strings.Count(shown, mfaPrompt) != 1 || !strings.Contains(shown, test.want) {
				t.Errorf("exit status %d, want %d; the terminal shows, with %q wanted:\n%s", status, test.status, test.want, shown)
			}
			wantNoSecret(t, "what is shown", stdout+shown, sessionMarks...)
			if status == 0 && !strings.Contains(stdout, "{") {
				t.Errorf("stdout is %q", stdout)
			}
		})
	}
}

// TestMFAWithoutTerminal: a command that has nobody to ask says what to do, whichever
// of its two streams is no terminal.
func TestMFAWithoutTerminal(t *testing.T) {
	t.Parallel()
	for name, redirect := range map[string]string{"stdin": "< /dev/null", "stderr": "2> told"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := mfaUser(t)
			shell := u.command()
			shell.Path, shell.Args = "/bin/sh", append([]string{"sh", "-c", binary() + ` "$@" ` + redirect, "sh"}, good()...)
			term := newTerminal(t)
			shell.Stdin, shell.Stderr = term.device, term.device
			shell.Run()
			term.device.Close()
			<-term.ended
			told, _ := os.ReadFile(filepath.Join(u.dir, "told"))
			if text := term.text() + string(told); shell.ProcessState.ExitCode() != 2 ||
				!strings.Contains(text, "profile mfa asks for an MFA code, which a job cannot be asked for") {
				t.Errorf("exit status %d, told:\n%s", shell.ProcessState.ExitCode(), text)
			}
		})
	}
}
