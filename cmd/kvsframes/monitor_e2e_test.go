//go:build e2e

package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// TestJSONOnEveryExit: with --json stdout is one object that says how it ended, whatever
// happened, and of what kind the error is.
func TestJSONOnEveryExit(t *testing.T) {
	t.Parallel()
	dead := camera("dead")
	dead.Retention = new(time.Duration(0))
	u := newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam"), dead}})
	broken := func(kind string) *user {
		return generic(newUser(t, kvstest.Config{
			Streams: []kvstest.Stream{camera("cam")}, Faults: []kvstest.Fault{{Kind: kind, Rate: 1}},
		}))
	}
	refusing := newBucketBehind(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
	})
	failing := newBucketBehind(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNotImplemented) })
	})
	u.must(0, good("--out", "there", "--shard-samples", "20")...)
	u.write("bad.yaml", "- {stream_name: cam, sampling: 3s}\n")
	const form = `"kvsframes.backfill/1"`
	for _, test := range []struct {
		name    string
		u       *user
		args    []string
		exit    int
		status  string
		kind    string // empty: error is null
		streams string
	}{
		{"complete", u, good("--out", "there"), 0, "complete", "", ""},
		{"a mistyped flag", u, good("--strem-name", "x"), 2, "refused", "mistake", "[]"},
		{"a mistyped flag first", u, append([]string{"backfill", "--strem-name", "x"}, good("--json")[1:]...), 2, "refused", "mistake", "[]"},
		{"a mistyped value", u, good("--sampling-interval", "soon"), 2, "refused", "mistake", "[]"},
		{"a flag without a value", u, good("--out"), 2, "refused", "mistake", "[]"},
		{"a word", u, good("word"), 2, "refused", "mistake", "[]"},
		{"a requests file that is wrong", u, []string{"backfill", "--requests", "bad.yaml", "--out", "out"}, 2, "refused", "mistake", "[]"},
		{"no requests file", u, []string{"backfill", "--requests", "nope.yaml", "--out", "out"}, 2, "refused", "mistake", "[]"},
		{"another shard size", u, good("--out", "there", "--shard-samples", "30"), 2, "refused", "mistake", "[]"},
		{"no profile", u, good("--aws-profile", "nobody"), 2, "refused", "mistake", "[]"},
		{"no region", u.with("AWS_REGION", "AWS_DEFAULT_REGION"), good(), 2, "refused", "mistake", "[]"},
		{"no bucket", generic(u), good("--out", strings.Replace(newBucket(t).out, "archive", "nowhere", 1)), 2, "refused", "mistake", "[]"},
		{"no such stream", u, good("--stream-name", "nope"), 2, "refused", "stream_gone", `["nope"]`},
		{"no retention", u, good("--stream-name", "dead"), 2, "refused", "stream_gone", `["dead"]`},
		{
			"a mistake and an outage", u.with("AWS_ENDPOINT_URL_KINESIS_VIDEO=http://127.0.0.1:1"), good("--format", "gif"),
			2, "refused", "mistake", "[]",
		},
		{"no credentials", u.with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), good(), 1, "failed", "credentials", "[]"},
		{"other credentials", u.with("AWS_ACCESS_KEY_ID=other"), good(), 1, "failed", "credentials", `["cam"]`},
		{
			"no credentials for a bucket", generic(u).with("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
			good("--out", newBucket(t).out), 1, "failed", "credentials", "[]",
		},
		{
			"no service", u.with("AWS_ENDPOINT_URL_KINESIS_VIDEO=http://127.0.0.1:1"), good(),
			1, "failed", "unreachable", `["cam"]`,
		},
		{"a store that refuses", generic(u), good("--out", refusing.out), 2, "refused", "permission", "[]"},
		{"a store that fails", generic(u), good("--out", failing.out), 1, "failed", "store", "[]"},
		{"a data endpoint that refuses", broken("endpoint_expired"), good(), 1, "failed", "permission", `["cam"]`},
		{
			"the same on prism", broken("endpoint_expired"), good("--runner", "prism", "--log-level", "off"),
			1, "failed", "permission", `["cam"]`,
		},
		{
			"throttles alone", broken("throttle"), good("--throttle-patience", "1s"),
			1, "failed", "throttled", `["cam"]`,
		},
		{"gaps for good", broken("endpoint_expired"), good("--keep-going"), 3, "incomplete", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := test.u.with()
			v.t = t
			o := v.run(append([]string{test.args[0], "--json"}, test.args[1:]...)...)
			got := object(t, o.stdout)
			wants(t, got, map[string]any{"schema": form, "status": `"` + test.status + `"`})
			if o.status != test.exit {
				t.Errorf("exit status %d, want %d; stderr:\n%s", o.status, test.exit, o.stderr)
			}
			if test.kind == "" {
				wants(t, got, map[string]any{"error": "null"})
				return
			}
			problem, _ := got["error"].(map[string]any)
			wants(t, problem, map[string]any{"kind": `"` + test.kind + `"`, "streams": test.streams})
			message, _ := problem["message"].(string)
			for _, line := range strings.Split(message, "\n") {
				if !strings.Contains(o.stderr, line) || message == "" {
					t.Errorf("the message is %q; stderr:\n%s", message, o.stderr)
				}
			}
			if hint, _ := problem["hint"].(string); !strings.HasSuffix(hint, ".") {
				t.Errorf("the hint is %q", hint)
			}
		})
	}
}

// TestOtherCommandsJSON: verify, index, pack, remove and status end with one object, too, where they
// have no result.
func TestOtherCommandsJSON(t *testing.T) {
	t.Parallel()
	u := generic(newUser(t, kvstest.Config{Streams: []kvstest.Stream{camera("cam")}}))
	answering := func(status int) string {
		return newBucketBehind(t, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
		}).out
	}
	refusing, failing := answering(http.StatusForbidden), answering(http.StatusNotImplemented)
	u.must(0, good()...)
	for command, args := range map[string]func(place string) []string{
		"verify": func(place string) []string { return []string{"verify", place} },
		"index":  func(place string) []string { return []string{"index", place} },
		"pack":   func(place string) []string { return []string{"pack", place, "set"} },
		"remove": func(place string) []string { return []string{"remove", place, "--stream-name", "cam"} },
	} {
		for _, test := range []struct {
			args         []string
			exit         int
			status, kind string
		}{
			{args("nowhere"), 2, "refused", "mistake"},
			{append(args("out"), "--nonsense"), 2, "refused", "mistake"},
			{args(refusing), 2, "refused", "permission"},
			{args(failing), 1, "failed", "store"},
		} {
			o := u.run(append(test.args, "--json")...)
			got := object(t, o.stdout)
			wants(t, got, map[string]any{"schema": `"kvsframes.` + command + `/1"`, "status": `"` + test.status + `"`})
			problem, _ := got["error"].(map[string]any)
			wants(t, problem, map[string]any{"kind": `"` + test.kind + `"`, "streams": "[]"})
			if o.status != test.exit {
				t.Errorf("%v: exit status %d, want %d; stderr:\n%s", test.args, o.status, test.exit, o.stderr)
			}
		}
	}
	wants(t, object(t, u.must(2, "status", "--json", "job")), map[string]any{"schema": `"kvsframes.job/1"`, "status": `"refused"`})
	wants(t, object(t, u.must(0, "pack", "out", "set", "--json")), map[string]any{"status": `"complete"`, "error": "null"})
}
