package kvsio

import (
	"encoding/base64"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestStartingTokens(t *testing.T) {
	object := func(json string) string { return base64.StdEncoding.EncodeToString([]byte(json)) }
	for name, c := range map[string]struct {
		token string
		want  resumeToken
	}{
		// Made by botocore 1.44.5.
		"cut on the first page": {"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiA1fQ==", resumeToken{skip: 5}},
		"cut on a later page": {
			"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09IiwgImJvdG9fdHJ1bmNhdGVfYW1vdW50IjogMn0=",
			resumeToken{"dG9rZW4tMg==", 2},
		},
		"at the end of a page": {"eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09In0=", resumeToken{next: "dG9rZW4tMg=="}},

		"the service's":              {"AgB/x+9=", resumeToken{next: "AgB/x+9="}},
		"the service's, binary":      {"AgIC", resumeToken{next: "AgIC"}},
		"the longest":                {strings.Repeat("A", 4096), resumeToken{next: strings.Repeat("A", 4096)}},
		"the base64 of a number":     {object("5"), resumeToken{next: "NQ=="}},
		"the base64 of a list":       {object(`["x"]`), resumeToken{next: "WyJ4Il0="}},
		"the base64 of nothing much": {object("null"), resumeToken{next: "bnVsbA=="}},
		"old":                        {"tok___2", resumeToken{"tok", 2}},
		"old, of the first page":     {"None___2", resumeToken{skip: 2}},
		"None":                       {"None", resumeToken{}},
		"None, written down":         {object(`{"NextToken": "None"}`), resumeToken{}},
		"without NextToken":          {object(`{"boto_truncate_amount": 4}`), resumeToken{skip: 4}},
		"an empty object":            {object("{}"), resumeToken{}},
		"with line breaks": {
			"eyJOZXh0VG9rZW4iOiBudWxs\nLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiA1fQ==\n",
			resumeToken{skip: 5},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := parseStartingToken(c.token); !ok || got != c.want {
				t.Errorf("%+v, %v", got, ok)
			}
		})
	}
	for name, token := range map[string]string{
		"empty":                       "",
		"too long":                    strings.Repeat("A", 4097),
		"too long inside":             object(`{"NextToken": "` + strings.Repeat("A", 4097) + `"}`),
		"characters":                  "not a token",
		"three parts":                 "a___b___3",
		"old, with no number":         "tok___two",
		"old, with a negative number": "tok___-1",
		"another key":                 object(`{"NextToken": "AAAA", "Marker": "x"}`),
		"another case":                object(`{"nexttoken": "AAAA"}`),
		"an empty NextToken":          object(`{"NextToken": ""}`),
		"a NextToken that is none":    object(`{"NextToken": 5}`),
		"an amount that is a text":    object(`{"NextToken": null, "boto_truncate_amount": "2"}`),
		"a negative amount":           object(`{"NextToken": null, "boto_truncate_amount": -1}`),
		"half an image":               object(`{"NextToken": null, "boto_truncate_amount": 1.5}`),
		"a huge amount":               object(`{"NextToken": null, "boto_truncate_amount": 99999999999999999999}`),
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := parseStartingToken(token); ok {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestResumeTokensAreBotocores(t *testing.T) {
	for got, want := range map[string]string{
		resumeToken{skip: 5}.cut():               `{"NextToken": null, "boto_truncate_amount": 5}`,
		resumeToken{"A+/=", 12}.cut():            `{"NextToken": "A+/=", "boto_truncate_amount": 12}`,
		resumeToken{next: "dG9rZW4tMg"}.whole():  `{"NextToken": "dG9rZW4tMg"}`,
		resumeToken{next: "A", skip: 0}.cut():    `{"NextToken": "A", "boto_truncate_amount": 0}`,
		resumeToken{next: "B", skip: 99}.whole(): `{"NextToken": "B"}`,
	} {
		if text, err := base64.StdEncoding.DecodeString(got); err != nil || string(text) != want {
			t.Errorf("%s (%v), want %s", text, err, want)
		}
	}
}

func TestResumeTokensComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := resumeToken{
			next: rapid.StringMatching(`([a-zA-Z0-9+/]{1,60}={0,2})?`).Draw(t, "next"),
			skip: rapid.IntRange(0, 1<<40).Draw(t, "skip"),
		}
		if want.next == pythonNone {
			t.Skip("boto3's word for no token")
		}
		if got, ok := parseStartingToken(want.cut()); !ok || got != want {
			t.Errorf("%+v, %v; want %+v", got, ok, want)
		}
		want.skip = 0
		if got, ok := parseStartingToken(want.whole()); !ok || got != want {
			t.Errorf("%+v, %v; want %+v", got, ok, want)
		}
	})
}

// Whatever is taken for a token can be sent to the service, and written down.
func FuzzStartingToken(f *testing.F) {
	for _, token := range []string{
		"", "None", "AgB/x+9=", "tok___2", "a___b___3", "e30=", "NQ==", "eyJOZXh0VG9rZW4iOiAiZEc5clpXNHRNZz09In0=",
		"eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQiOiA1fQ==",
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, ok := parseStartingToken(token)
		if !ok {
			return
		}
		if got.skip < 0 || len(got.next) > longestNextToken || got.next != "" && !nextTokenPattern.MatchString(got.next) {
			t.Errorf("%+v", got)
		}
		if again, ok := parseStartingToken(got.cut()); !ok || again != got {
			t.Errorf("%+v, then %+v", got, again)
		}
	})
}
