package store

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
)

// Place is the name of a store in its parts.
type Place struct {
	Folder string // of the local file system; empty where it is a bucket

	Scheme string // of a bucket's URL, in lower case
	Bucket string // its name; empty where it is a folder
	Prefix string // of every object's name: empty, or ends in a slash
	Query  url.Values
}

const allowedPlaces = "it must be a folder, file:///FOLDER, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX"

// secretName recognizes what people call a secret, or what is as good as one.
var secretName = regexp.MustCompile(`(?i)secret|token|passw|credential|signature|access|private|^x-(amz|goog)|(^|_)(key|user|pwd|auth|sig)`)

// plainName recognizes what nobody takes for a secret.
var plainName = regexp.MustCompile(`^[a-z_]{1,20}$`)

// Check returns an error that says what is wrong with the name of a place. It looks no
// further than the name, and at whether the program has the driver of its scheme. The
// error shows nothing that could be a secret, even where the name holds one.
func Check(name string) error {
	_, err := ParsePlace(name)
	return err
}

// OfThisMachine reports whether, by its name, a place is one that other machines do not
// share: a folder (of a file system that may be shared all the same), file:// or mem://.
func OfThisMachine(name string) bool {
	p, err := ParsePlace(name)
	return err == nil && (p.Bucket == "" || p.Scheme == "mem")
}

// ParsePlace takes the name of a place apart. Its errors show no value that they refuse:
// it may be a secret.
func ParsePlace(name string) (Place, error) {
	if strings.ToValidUTF8(name, "") != name { // pipelines and summaries hold names as UTF-8
		return Place{}, errors.New("the name of the place is not UTF-8: choose one that is")
	}
	scheme, rest, isURL := strings.Cut(name, "://")
	if !isURL {
		for _, scheme := range []string{"s3", "gs"} {
			if strings.HasPrefix(name, scheme+":") {
				return Place{}, fmt.Errorf("%s: is followed by no //: %s", scheme, allowedPlaces)
			}
		}
		return Place{Folder: name}, nil
	}
	if strings.Contains(scheme, "/") {
		return Place{Folder: name}, nil // a path with two slashes in it
	}
	scheme = strings.ToLower(scheme)
	driver, err := driverOf(scheme)
	if err != nil {
		return Place{}, err
	}
	if end := strings.IndexAny(rest+"/", "/?#"); strings.Contains(rest[:end], "@") {
		return Place{}, fmt.Errorf("the %s:// URL names a user or a password: leave it out, credentials are found where "+
			"the service's own tools find them", scheme)
	}
	u, err := url.Parse(name)
	if err != nil || u.Opaque != "" {
		return Place{}, fmt.Errorf("the %s:// URL cannot be read: %s", scheme, allowedPlaces)
	}
	if u.Fragment != "" || strings.HasSuffix(name, "#") {
		return Place{}, fmt.Errorf("the %s:// URL has a #: write it %%23 where it is part of a name", scheme)
	}
	p := Place{Scheme: scheme, Bucket: u.Host}
	if p.Query, err = parseQuery(scheme, driver.Query, u.RawQuery); err != nil {
		return Place{}, err
	}
	if scheme == "file" {
		return p.local(u)
	}
	return p, p.parse(u)
}

// local is the folder of a file:// URL.
func (p Place) local(u *url.URL) (Place, error) {
	if u.Host != "" && u.Host != "localhost" || !strings.HasPrefix(u.Path, "/") {
		return Place{}, errors.New("a file:// URL is of this machine's files: it must be file:///FOLDER, with three slashes")
	}
	return Place{Folder: filepath.FromSlash(u.Path)}, nil
}

func (p *Place) parse(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return fmt.Errorf("the %s:// URL names no bucket: it must be %[1]s://BUCKET/PREFIX", p.Scheme)
	case u.Port() != "" || strings.Contains(u.Host, ":"):
		return fmt.Errorf("the %s:// URL has a port after the bucket's name: where the store is goes into ?endpoint=",
			p.Scheme)
	}
	prefix := strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/")
	if prefix == "" {
		return nil
	}
	for part := range strings.SplitSeq(prefix, "/") {
		if part == "" || part == "." || part == ".." {
			return fmt.Errorf("the prefix of the %s:// URL is %q: none of its parts may be . or .. or empty", p.Scheme, prefix)
		}
	}
	p.Prefix = prefix + "/"
	return nil
}

func parseQuery(scheme string, allowed []string, text string) (url.Values, error) {
	query, err := url.ParseQuery(text)
	if err != nil {
		return nil, fmt.Errorf("what follows the ? of the %s:// URL cannot be read: it must be NAME=VALUE&NAME=VALUE", scheme)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch {
		case !slices.Contains(allowed, name):
			return nil, unknownQuery(scheme, allowed, name)
		case len(query[name]) > 1:
			return nil, fmt.Errorf("the %s:// URL has %s more than once", scheme, name)
		case query.Get(name) == "":
			return nil, fmt.Errorf("the %s:// URL has %s without a value", scheme, name)
		}
	}
	if endpoint := query.Get("endpoint"); endpoint != "" {
		u, err := url.Parse(endpoint)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" ||
			u.Fragment != "" {
			return nil, fmt.Errorf("endpoint in the %s:// URL must be a URL such as https://storage.example.com:9000, with no "+
				"user and no query", scheme)
		}
	}
	return query, nil
}

func unknownQuery(scheme string, allowed []string, name string) error {
	if secretName.MatchString(name) {
		return fmt.Errorf("the %s:// URL has what may be a secret after its ?: leave it out, credentials are found where "+
			"the service's own tools find them", scheme)
	}
	if len(allowed) == 0 {
		return fmt.Errorf("a %s:// URL has nothing after a ?", scheme)
	}
	shown := "something"
	if plainName.MatchString(name) {
		shown = strconv.Quote(name)
	}
	return fmt.Errorf("the %s:// URL has %s after its ?: it may be of %s", scheme, shown, strings.Join(allowed, ", "))
}

// Resolve returns the name of the same place for workers on other machines: of a folder
// its whole path, of a bucket its URL with what its driver found in this machine's
// environment and configuration files, where the URL leaves it out (for S3: region and
// endpoint). Credentials are no part of it: each worker finds its own.
func Resolve(name string) (string, error) {
	p, err := ParsePlace(name)
	if err != nil {
		return name, err
	}
	if p.Bucket == "" {
		return filepath.Abs(p.Folder)
	}
	resolve := drivers[p.Scheme].Resolve
	if resolve == nil {
		return name, nil
	}
	query, err := resolve(p)
	if err != nil {
		return name, err
	}
	return p.String() + "?" + query.Encode(), nil
}

// String is the URL of the place as users may see it: without what follows the ?.
func (p Place) String() string {
	if p.Bucket == "" {
		return p.Folder
	}
	return (&url.URL{Scheme: p.Scheme, Host: p.Bucket, Path: "/" + strings.TrimSuffix(p.Prefix, "/")}).String()
}

// Below returns the path of one place in another one, with forward slashes, by their
// names alone. It reports whether it is in that other one, and not that itself.
func Below(place, other string) (path string, ok bool) {
	p, err1 := ParsePlace(place)
	o, err2 := ParsePlace(other)
	if err1 != nil || err2 != nil || p.Scheme != o.Scheme && (p.Bucket != "" || o.Bucket != "") || p.Bucket != o.Bucket {
		return "", false
	}
	if p.Bucket != "" {
		path, ok = strings.CutPrefix(p.Prefix, o.Prefix)
		return strings.TrimSuffix(path, "/"), ok && path != ""
	}
	in, err1 := filepath.Abs(p.Folder)
	of, err2 := filepath.Abs(o.Folder)
	path, err := filepath.Rel(of, in)
	return filepath.ToSlash(path), errors.Join(err1, err2, err) == nil && path != "." && filepath.IsLocal(path)
}
