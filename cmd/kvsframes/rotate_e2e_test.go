//go:build e2e

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

const oldID, newID = "AKIAOLD0000000000000", "AKIANEW0000000000000"

// rotating is a user whose keys, in a file, are the old ones. The backfill is that of
// slowly.
func rotating(t *testing.T) (*user, []string) {
	u := newUser(t, kvstest.Config{
		AccessKeys: map[string]string{oldID: "of " + oldID}, Streams: []kvstest.Stream{camera("cam")},
		Latency: kvstest.Latency{PerCall: 100 * time.Millisecond},
		Roles:   []string{testRole}, SessionTTL: 4 * time.Minute, // so short that a session is for one call
	})
	_, args := slowly(t)
	u = u.with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_CONFIG_FILE=config",
		"AWS_SHARED_CREDENTIALS_FILE=credentials", "AWS_ENDPOINT_URL_STS="+u.server.URL)
	u.rotate("credentials", "[default]\n"+keysOf(oldID))
	return u, args
}

func keysOf(id string) string {
	return fmt.Sprintf("aws_access_key_id = %s\naws_secret_access_key = of %[1]s\n", id)
}

// take has the stand-in take one key alone.
func take(t *testing.T, u *user, id string) {
	t.Helper()
	if err := u.server.SetAccessKeys(map[string]string{id: "of " + id}); err != nil {
		t.Fatal(err)
	}
}

// rotate writes a file whole or not at all.
func (u *user) rotate(name, text string) {
	u.t.Helper()
	u.write(name+".new", text)
	if err := os.Rename(filepath.Join(u.dir, name+".new"), filepath.Join(u.dir, name)); err != nil {
		u.t.Fatal(err)
	}
}

// refusals are the calls that the stand-in refused for their keys.
func refusals(u *user) int { return u.server.Stats().Refused["UnrecognizedClientException"] }

// TestKeysAreRotated: keys that are replaced in mid-job, wherever they come from, cost
// no more than the calls under way.
func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	program := func(id string) string {
		return fmt.Sprintf("echo run >> runs\necho '{\"Version\":1,\"AccessKeyId\":%q,\"SecretAccessKey\":\"of %[1]s\"}'\n",
			id)
	}
	for name, test := range map[string]struct {
		file string
		text func(id string) string
		more map[string]string // files
		args []string
	}{
		"credentials file": {file: "credentials", text: func(id string) string { return "[default]\n" + keysOf(id) }},
		"config file": {
			file: "config", text: func(id string) string { return "[default]\n" + keysOf(id) },
			more: map[string]string{"credentials": ""},
		},
		"program": {
			file: "keys.sh", text: program,
			more: map[string]string{"credentials": "", "config": "[default]\ncredential_process = sh ./keys.sh\n"},
		},
		"role": {
			file: "credentials", text: func(id string) string { return "[default]\n" + keysOf(id) },
			args: []string{"--aws-role-arn", testRole},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, args := rotating(t)
			u.t = t
			for name, text := range test.more {
				u.rotate(name, text)
			}
			u.rotate(test.file, test.text(oldID))
			cmd := u.start(append(args, test.args...)...)
			until(t, "shards are written", func() bool { return receipts(u) >= 3 })
			u.rotate(test.file, test.text(newID))
			take(t, u, newID)
			o := finish(t, cmd)
			if o.status != 0 {
				t.Errorf("exit status %d; stderr:\n%s", o.status, o.stderr)
			}
			if n := refusals(u); n == 0 || n > inFlight {
				t.Errorf("%d calls were refused", n)
			}
			if runs, err := os.ReadFile(filepath.Join(u.dir, "runs")); err == nil && strings.Count(string(runs), "run") > 4 {
				t.Errorf("the program ran %d times", strings.Count(string(runs), "run"))
			}
			wantNoSecret(t, "stderr", o.stderr, oldID, newID, "of AKIA")
		})
	}
}

// TestKeysAreRefused: where the file has no other keys, the job fails and says why, and
// the file is read again once.
func TestKeysAreRefused(t *testing.T) {
	t.Parallel()
	u, args := rotating(t)
	u.rotate("credentials", "")
	u.rotate("config", "[default]\ncredential_process = sh ./keys.sh\n")
	u.write("keys.sh", "echo run >> runs\necho '{\"Version\":1,\"AccessKeyId\":\""+oldID+"\",\"SecretAccessKey\":\"of "+
		oldID+"\"}'\n")
	cmd := u.start(args...)
	until(t, "shards are written", func() bool { return receipts(u) >= 3 })
	before, _ := os.ReadFile(filepath.Join(u.dir, "runs"))
	take(t, u, newID)
	wantOneLine(t, finish(t, cmd), 1, "UnrecognizedClientException")
	after, _ := os.ReadFile(filepath.Join(u.dir, "runs"))
	if n := strings.Count(string(after), "run") - strings.Count(string(before), "run"); n != 1 {
		t.Errorf("the program ran %d times", n)
	}
}

// TestKeysOfAStoreAreRotated: the same of the credentials of a store.
func TestKeysOfAStoreAreRotated(t *testing.T) {
	t.Parallel()
	u, args := slowly(t)
	var taken atomic.Pointer[string]
	taken.Store(new(oldID))
	var refused atomic.Int32
	b := newBucketBehind(t, func(store http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.Header.Get("Authorization"), "Credential="+*taken.Load()+"/") {
				store.ServeHTTP(w, r)
				return
			}
			refused.Add(1)
			w.WriteHeader(http.StatusForbidden)
			if r.Method != http.MethodHead {
				fmt.Fprint(w, "<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key Id you provided does not exist "+
					"in our records.</Message></Error>")
			}
		})
	})
	u = u.with("AWS_SHARED_CREDENTIALS_FILE=credentials")
	u.rotate("credentials", "[store]\n"+keysOf(oldID))
	cmd := u.start(append(args, "--out", b.out+"&profile=store")...)
	until(t, "shards are written", func() bool { return b.receipts() >= 3 })
	u.rotate("credentials", "[store]\n"+keysOf(newID))
	taken.Store(new(newID))
	if o := finish(t, cmd); o.status != 0 || refused.Load() == 0 {
		t.Errorf("exit status %d after %d refusals; stderr:\n%s", o.status, refused.Load(), o.stderr)
	}
	t.Logf("%d requests were refused", refused.Load())
}
