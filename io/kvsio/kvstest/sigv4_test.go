package kvstest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSetAccessKeys: signatures by keys that are no longer taken are refused, and those
// by new ones are taken.
func TestSetAccessKeys(t *testing.T) {
	f := start(t, Config{Streams: []Stream{camera("cam")}})
	f.mustImages("cam")
	for _, keys := range []map[string]string{{}, {"new": ""}, {"": "secret"}} {
		if err := f.srv.SetAccessKeys(keys); err == nil || !strings.Contains(err.Error(), "access_keys") {
			t.Errorf("%v: %v", keys, err)
		}
	}
	before := f.client(f.endpoint("cam"))
	if err := f.srv.SetAccessKeys(map[string]string{"new": "secret"}); err != nil {
		t.Fatal(err)
	}
	if _, err := before.GetImages(t.Context(), f.input("cam")); codeOf(err) != "UnrecognizedClientException" {
		t.Errorf("got %v", err)
	}
	f.mustImages("cam")
	if env := f.srv.Env(); !slices.Contains(env, "AWS_ACCESS_KEY_ID=new") ||
		!slices.Contains(env, "AWS_SECRET_ACCESS_KEY=secret") {
		t.Errorf("Env is %q", env)
	}
}

func TestSignatures(t *testing.T) {
	f := start(t, Config{
		Streams:    []Stream{camera("cam")},
		AccessKeys: map[string]string{"test": "test", "other/key": "s"},
	})
	edit := func(name, old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set(name, strings.Replace(r.Header.Get(name), old, new, 1))
		}
	}
	set := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	const mismatch = "InvalidSignatureException"
	for _, c := range []struct {
		name    string
		sign    signer
		code    string
		message string
	}{
		{"right", signer{}, "", ""},
		{"another key", signer{key: "other/key", secret: "s"}, "", ""},
		{"4 minutes late", signer{late: 4 * time.Minute}, "", ""},
		{"4 minutes early", signer{late: -4 * time.Minute}, "", ""},
		{"an unsigned header more", signer{change: set("X-Amz-Security-Token", "t")}, "", ""},
		{"6 minutes late", signer{late: 6 * time.Minute}, mismatch, "Signature expired: "},
		{"6 minutes early", signer{late: -6 * time.Minute}, mismatch, "Signature not yet current: "},
		{"unknown key", signer{key: "nobody"}, "UnrecognizedClientException", ""},
		{"wrong secret", signer{secret: "wrong"}, mismatch, "does not match"},
		{"wrong service", signer{service: "kinesis"}, mismatch, "correct service: 'kinesisvideo'"},
		{"wrong region", signer{region: "eu-west-1"}, mismatch, "valid region"},
		{
			"no signature",
			signer{change: func(r *http.Request) { r.Header.Del("Authorization") }},
			"MissingAuthenticationTokenException", "",
		},
		{"another algorithm", signer{change: set("Authorization", "Basic dGVzdDp0ZXN0")}, "IncompleteSignatureException", ""},
		{
			"part of a signature",
			signer{change: edit("Authorization", ", Signature=", ", Foo=")},
			"IncompleteSignatureException", "'Signature'",
		},
		{
			"part of a scope",
			signer{change: edit("Authorization", "/aws4_request", "")},
			"IncompleteSignatureException",
			"Credential",
		},
		{"another day", signer{change: edit("Authorization", "test/20", "test/19")}, mismatch, "Credential scope"},
		{
			"no date",
			signer{change: func(r *http.Request) { r.Header.Del("X-Amz-Date") }},
			"IncompleteSignatureException",
			"Date",
		},
		{"host not signed", signer{change: edit("Authorization", ";host;", ";")}, mismatch, "'host' must be"},
		{"a signed header changed", signer{change: set("Content-Type", "text/plain")}, mismatch, "does not match"},
		{"host changed", signer{change: func(r *http.Request) { r.Host = "example.com" }}, mismatch, "does not match"},
		{
			"path changed",
			signer{change: func(r *http.Request) { r.URL.Path = "/describeStream" }},
			mismatch,
			"does not match",
		},
		{"query added", signer{change: func(r *http.Request) { r.URL.RawQuery = "a=b" }}, mismatch, "does not match"},
		{
			"payload claimed to be another",
			signer{change: set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")},
			mismatch,
			"payload",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, header, body := c.sign.do(t, f.srv.URL+"/listStreams", "{}")
			code, _, _ := strings.Cut(header.Get("x-amzn-ErrorType"), ":")
			if code != c.code || !strings.Contains(body, c.message) || (status != 403) == (c.code != "") {
				t.Errorf("got %d %s %s, want %s %s", status, code, body, c.code, c.message)
			}
		})
	}
	refused := f.srv.Stats().Refused
	if refused[mismatch] == 0 || refused["UnrecognizedClientException"] != 1 {
		t.Errorf("refused: %v", refused)
	}
}

// Signed by the rules, but not as the Go SDK does it: a query, a path that
// needs escaping, blanks in headers.
func TestSignaturesOfOddRequests(t *testing.T) {
	f := start(t, Config{})
	for _, path := range []string{"/a%20b?z=1&a=%2F&a=", "/a%2Fb/~x/", "/*"} {
		status, header, _ := signer{}.do(t, f.srv.URL+path, "{}")
		if status != 404 {
			t.Errorf("%s: got %d %s", path, status, header.Get("x-amzn-ErrorType"))
		}
	}
}
