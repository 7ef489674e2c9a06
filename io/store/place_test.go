package store_test

import (
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/io/store"
	_ "github.com/kvsframes/kvsframes/io/store/gcsstore"
	_ "github.com/kvsframes/kvsframes/io/store/memstore"
	_ "github.com/kvsframes/kvsframes/io/store/s3store"
)

func TestParsePlace(t *testing.T) {
	for name, want := range map[string]string{
		"out":                             "out",
		"/a/b c":                          "/a/b c",
		"./a://b":                         "./a://b",
		"":                                "",
		"file:///a/b":                     "/a/b",
		"file://localhost/a%20b":          "/a b",
		"s3://bucket":                     "s3://bucket/",
		"s3://bucket/":                    "s3://bucket/",
		"S3://bucket/a/b/":                "s3://bucket/a/b",
		"s3://bucket/a%23b?region=x":      "s3://bucket/a%23b",
		"s3://bucket?profile=me@work":     "s3://bucket/",
		"s3://my.bucket_1/day=1/me@work":  "s3://my.bucket_1/day=1/me@work",
		"gs://bucket/p?endpoint=http://x": "gs://bucket/p",
		"mem://x/y":                       "mem://x/y",
	} {
		p, err := store.ParsePlace(name)
		if err != nil || p.String() != want {
			t.Errorf("%q is %q, %v, want %q", name, p, err, want)
		}
		if local := !strings.Contains(want, "://") || want == "./a://b"; local != (p.Bucket == "") {
			t.Errorf("%q: the bucket is %q", name, p.Bucket)
		}
	}
}

// TestBadPlaces: what is wrong is told, and nothing that may be a secret.
func TestBadPlaces(t *testing.T) {
	for name, want := range map[string]string{
		"az://bucket/p":                            `"az://" is no kind of place that is known`,
		"https://bucket.s3.amazonaws.com/p":        "s3://BUCKET/PREFIX",
		"s3:bucket":                                "no //",
		"gs:/bucket":                               "no //",
		"s3://":                                    "names no bucket",
		"s3:///p":                                  "names no bucket",
		"s3://?region=x":                           "names no bucket",
		"gs://bucket:80/p":                         "has a port",
		"s3://bucket/p#x":                          "%23",
		"s3://bucket/a//b":                         "none of its parts",
		"s3://bucket/../b":                         "none of its parts",
		"s3://bucket/p?region=":                    "region without a value",
		"s3://bucket/p?region=a&region=b":          "more than once",
		"s3://bucket/p?a=%zz":                      "cannot be read",
		"s3://bucket/p?colour=blue":                `"colour"`,
		"gs://bucket/p?region=x":                   "endpoint, anonymous, universe_domain",
		"mem://x/y?a=b":                            "nothing after a ?",
		"file://host/a":                            "file:///FOLDER",
		"file://a":                                 "file:///FOLDER",
		"file:///a?b=c":                            "nothing after a ?",
		"s3://SECRET@bucket/p":                     "leave it out",
		"s3://user:SECRET@bucket":                  "leave it out",
		"s3://user:SECRET@bucket?region=x":         "leave it out",
		"s3://user:SEC/SECRET@bucket/p":            "cannot be read",
		"s3://%SECRET@/p":                          "leave it out",
		"s3://bucket/p?access_key=SECRET":          "leave it out",
		"s3://bucket/p?AWSAccessKeyId=SECRET":      "leave it out",
		"s3://bucket/p?X-Amz-Signature=SECRET":     "leave it out",
		"s3://bucket/p?session_token=SECRET":       "leave it out",
		"gs://bucket/p?private_key_path=SECRET":    "leave it out",
		"s3://bucket/p?SECRET":                     "after its ?",
		"s3://bucket/p?SECRETx=1":                  "after its ?",
		"s3://bucket/p?endpoint=SECRET":            "endpoint in the s3:// URL must be a URL",
		"s3://bucket/p?endpoint=http://a:SECRET@b": "endpoint in the s3:// URL must be a URL",
		"s3://bucket/p?endpoint=http://b?k=SECRET": "endpoint in the s3:// URL must be a URL",
	} {
		err := store.Check(name)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
		if _, err := store.At(name); err == nil {
			t.Errorf("%q: At gives no error", name)
		}
	}
}

// TestResolve: workers are told the region and the endpoint that S3 has here; an
// endpoint for all services counts for none.
func TestResolve(t *testing.T) {
	for _, env := range []string{"AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"} {
		t.Setenv(env, "")
	}
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ENDPOINT_URL", "http://kinesis.example.com")
	for name, want := range map[string]string{
		"/var/../out":                 "/out",
		"file:///var/out":             "/var/out",
		"gs://bucket/p":               "gs://bucket/p",
		"s3://one/p":                  "s3://one/p?region=eu-west-1",
		"s3://two/p?region=us-east-1": "s3://two/p?region=us-east-1",
		"s3://three?endpoint=http://x&use_path_style=false": "s3://three/?endpoint=http%3A%2F%2Fx&region=eu-west-1&use_path_style=false",
	} {
		if got, err := store.Resolve(name); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", name, got, err, want)
		}
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://s3.example.com")
	const want = "s3://four/p?endpoint=http%3A%2F%2Fs3.example.com&region=eu-west-1&use_path_style=true"
	if got, err := store.Resolve("s3://four/p"); err != nil || got != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	t.Setenv("AWS_REGION", "")
	if _, err := store.Resolve("s3://five/p"); err == nil || !strings.Contains(err.Error(), "region=REGION") {
		t.Errorf("no region: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	if _, err := store.Resolve("s3://six/p?region=x"); err == nil || !strings.Contains(err.Error(), "no AWS credentials") {
		t.Errorf("no credentials: %v", err)
	}
	if _, err := store.Resolve("s3://seven/p?region=x&anonymous=true"); err != nil {
		t.Errorf("none are needed: %v", err)
	}
}

// FuzzCheckPlace: whatever is typed, it is a place or an error in one line, and
// a URL that is accepted names no user.
func FuzzCheck(f *testing.F) {
	for _, seed := range []string{
		"out", "s3://b/p?region=x", "s3://u:p@b/", "file:///x", "gs://b", "mem://x",
		"s3://b/%2e%2e/x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		p, err := store.ParsePlace(name)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v", name, err)
			}
			return
		}
		if p.Folder != "" || name == "" {
			return
		}
		again, err := store.ParsePlace(p.String())
		if err != nil || again.Bucket != p.Bucket || again.Prefix != p.Prefix {
			t.Errorf("%q is %q, which is %+v, %v", name, p, again, err)
		}
	})
}

func TestOfThisMachine(t *testing.T) {
	for name, want := range map[string]bool{
		"out": true, "/a/b c": true, "./a://b": true, "file:///a/b": true, "mem://x/y": true, "MEM://x": true,
		"s3://bucket/p": false, "gs://bucket": false, "az://bucket/p": false,
	} {
		if store.OfThisMachine(name) != want {
			t.Errorf("%s: %v, want %v", name, !want, want)
		}
	}
}

// A name that is not UTF-8 does not come through a pipeline as it is: it is refused
// before anything is made.
func TestCheckPlaceIsUTF8(t *testing.T) {
	for _, name := range []string{"out\xff", "s3://bucket/\xff", "file:///\xc3"} {
		if err := store.Check(name); err == nil || !strings.Contains(err.Error(), "UTF-8") {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := store.Check("größe"); err != nil {
		t.Error(err)
	}
}

func TestBelow(t *testing.T) {
	for _, test := range []struct{ place, other, path string }{
		{"a/shards/new", "a", "shards/new"},
		{"a/b/../tmp/", "./a", "tmp"},
		{"a", "a", ""},
		{"a-b", "a", ""},
		{"../a", "a", ""},
		{"s3://bucket/a/ledger?region=x", "s3://bucket/a", "ledger"},
		{"s3://bucket/a/tmp", "s3://bucket", "a/tmp"},
		{"s3://bucket/ab", "s3://bucket/a", ""},
		{"s3://another/a/ledger", "s3://bucket/a", ""},
		{"gs://bucket/a/ledger", "s3://bucket/a", ""},
		{"a/shards", "s3://bucket/a", ""},
	} {
		if path, ok := store.Below(test.place, test.other); ok != (test.path != "") || ok && path != test.path {
			t.Errorf("%s below %s: %q, %v", test.place, test.other, path, ok)
		}
	}
}
