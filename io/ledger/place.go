package ledger

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// place is where a dataset lies, as a user names it: a folder, or a prefix of
// the objects of a bucket.
type place struct {
	folder string // of the local file system; empty where it is a bucket

	scheme, bucket string
	prefix         string // of every object's name: empty, or ends in a slash
	query          url.Values
}

// queries lists, by scheme, what may be asked for in a URL. None of it is
// secret: a URL is written into pipelines, summaries and logs.
var queries = map[string][]string{
	"file": nil,
	"gs":   {"endpoint", "anonymous", "universe_domain"},
	"mem":  nil,
	"s3": {
		"region", "endpoint", "profile", "role", "s3ForcePathStyle", "use_path_style", "anonymous", "dualstack", "fips", "accelerate",
		"ssetype", "kmskeyid", "request_checksum_calculation", "response_checksum_validation",
	},
}

const allowedPlaces = "it must be a folder, file:///FOLDER, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX"

// secretName recognizes what people call a secret, or what is as good as one.
var secretName = regexp.MustCompile(`(?i)secret|token|passw|credential|signature|access|private|^x-(amz|goog)|(^|_)(key|user|pwd|auth|sig)`)

// plainName recognizes what nobody takes for a secret.
var plainName = regexp.MustCompile(`^[a-z_]{1,20}$`)

// CheckPlace says what is wrong with the name of a place where a dataset is to
// lie: a folder, file://, s3:// or gs://. It looks no further than the name. The
// error holds nothing that could be secret, not even where a secret was named.
func CheckPlace(name string) error {
	_, err := parsePlace(name)
	return err
}

// OfThisMachine says whether a place is one that other machines do not share, by
// its name: a folder (of a file system that may be shared all the same), file://
// or mem://.
func OfThisMachine(name string) bool {
	p, err := parsePlace(name)
	return err == nil && (p.bucket == "" || p.scheme == "mem")
}

// parsePlace reads the name of a place. Its errors tell no value of what they
// refuse: it may be a secret.
func parsePlace(name string) (place, error) {
	if strings.ToValidUTF8(name, "") != name { // pipelines and summaries hold names as UTF-8
		return place{}, errors.New("the name of the place is not UTF-8: choose one that is")
	}
	scheme, rest, isURL := strings.Cut(name, "://")
	if !isURL {
		for _, scheme := range []string{"s3", "gs"} {
			if strings.HasPrefix(name, scheme+":") {
				return place{}, fmt.Errorf("%s: is followed by no //: %s", scheme, allowedPlaces)
			}
		}
		return place{folder: name}, nil
	}
	if strings.Contains(scheme, "/") {
		return place{folder: name}, nil // a path with two slashes in it
	}
	scheme = strings.ToLower(scheme)
	if _, ok := queries[scheme]; !ok {
		return place{}, fmt.Errorf("%q is no kind of place that is known: %s", scheme+"://", allowedPlaces)
	}
	if end := strings.IndexAny(rest+"/", "/?#"); strings.Contains(rest[:end], "@") {
		return place{}, fmt.Errorf("the %s:// URL names a user or a password: leave it out, credentials are found where the service's own tools find them", scheme)
	}
	u, err := url.Parse(name)
	if err != nil || u.Opaque != "" {
		return place{}, fmt.Errorf("the %s:// URL cannot be read: %s", scheme, allowedPlaces)
	}
	if u.Fragment != "" || strings.HasSuffix(name, "#") {
		return place{}, fmt.Errorf("the %s:// URL has a #: write it %%23 where it is part of a name", scheme)
	}
	p := place{scheme: scheme, bucket: u.Host}
	if p.query, err = parseQuery(scheme, u.RawQuery); err != nil {
		return place{}, err
	}
	if scheme == "file" {
		return p.local(u)
	}
	return p, p.parse(u)
}

// local is the folder of a file:// URL.
func (p place) local(u *url.URL) (place, error) {
	if u.Host != "" && u.Host != "localhost" || !strings.HasPrefix(u.Path, "/") {
		return place{}, errors.New("a file:// URL is of this machine's files: it must be file:///FOLDER, with three slashes")
	}
	return place{folder: filepath.FromSlash(u.Path)}, nil
}

func (p *place) parse(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return fmt.Errorf("the %s:// URL names no bucket: it must be %[1]s://BUCKET/PREFIX", p.scheme)
	case u.Port() != "" || strings.Contains(u.Host, ":"):
		return fmt.Errorf("the %s:// URL has a port after the bucket's name: where the store is goes into ?endpoint=", p.scheme)
	}
	prefix := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/")
	if prefix == "" {
		return nil
	}
	for part := range strings.SplitSeq(prefix, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("the prefix of the %s:// URL is %q: none of its parts may be . or .. or empty", p.scheme, prefix)
		}
	}
	p.prefix = prefix + "/"
	return nil
}

func parseQuery(scheme, text string) (url.Values, error) {
	query, err := url.ParseQuery(text)
	if err != nil {
		return nil, fmt.Errorf("what follows the ? of the %s:// URL cannot be read: it must be NAME=VALUE&NAME=VALUE", scheme)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case !slices.Contains(queries[scheme], name):
			return nil, unknownQuery(scheme, name)
		case len(query[name]) > 1:
			return nil, fmt.Errorf("the %s:// URL has %s more than once", scheme, name)
		case query.Get(name) == "":
			return nil, fmt.Errorf("the %s:// URL has %s without a value", scheme, name)
		}
	}
	if endpoint := query.Get("endpoint"); endpoint != "" {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, fmt.Errorf("endpoint in the %s:// URL must be a URL such as https://storage.example.com:9000, with no user and no query", scheme)
		}
	}
	return query, nil
}

func unknownQuery(scheme, name string) error {
	if secretName.MatchString(name) {
		return fmt.Errorf("the %s:// URL has what may be a secret after its ?: leave it out, credentials are found where the service's own tools find them", scheme)
	}
	if len(queries[scheme]) == 0 {
		return fmt.Errorf("a %s:// URL has nothing after a ?", scheme)
	}
	shown := "something"
	if plainName.MatchString(name) {
		shown = strconv.Quote(name)
	}
	return fmt.Errorf("the %s:// URL has %s after its ?: it may be of %s", scheme, shown, strings.Join(queries[scheme], ", "))
}

// Resolve returns the name of the same place for workers on other machines: of a
// folder its whole path, of a bucket its URL with the region and the endpoint
// that were found in this machine's environment and shared config files, where
// the URL leaves them out. Credentials are no part of it: each worker finds its
// own.
func Resolve(name string) (string, error) {
	p, err := parsePlace(name)
	if err == nil && p.bucket == "" {
		return filepath.Abs(p.folder)
	}
	if err != nil || p.scheme != "s3" {
		return name, err
	}
	b, err := openBucket(p)
	if err != nil {
		return name, err
	}
	var client *s3.Client
	if !b.bucket.As(&client) {
		return name, nil
	}
	found := client.Options()
	query := maps.Clone(p.query)
	if !query.Has("region") {
		query.Set("region", found.Region)
	}
	if !query.Has("endpoint") && found.BaseEndpoint != nil {
		query.Set("endpoint", *found.BaseEndpoint)
		query.Set("use_path_style", strconv.FormatBool(found.UsePathStyle))
	}
	return p.String() + "?" + query.Encode(), nil
}

// String is the URL of the place as users may see it: without what follows the ?.
func (p place) String() string {
	if p.bucket == "" {
		return p.folder
	}
	return (&url.URL{Scheme: p.scheme, Host: p.bucket, Path: "/" + strings.TrimSuffix(p.prefix, "/")}).String()
}

// Below returns the path of one place in another one, with forward slashes, by their
// names alone. It reports whether it is in that other one, and not that itself.
func Below(place, other string) (path string, ok bool) {
	p, err1 := parsePlace(place)
	o, err2 := parsePlace(other)
	if err1 != nil || err2 != nil || p.scheme != o.scheme && (p.bucket != "" || o.bucket != "") || p.bucket != o.bucket {
		return "", false
	}
	if p.bucket != "" {
		path, ok = strings.CutPrefix(p.prefix, o.prefix)
		return strings.TrimSuffix(path, "/"), ok && path != ""
	}
	in, err1 := filepath.Abs(p.folder)
	of, err2 := filepath.Abs(o.folder)
	path, err := filepath.Rel(of, in)
	return filepath.ToSlash(path), errors.Join(err1, err2, err) == nil && path != "." && filepath.IsLocal(path)
}
