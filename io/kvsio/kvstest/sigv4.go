package kvstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	signingService   = "kinesisvideo"
	signingAlgorithm = "AWS4-HMAC-SHA256"
	signingTime      = "20060102T150405Z"
	maxSkew          = 5 * time.Minute
)

// verifier checks Signature Version 4 in the Authorization header.
type verifier struct {
	region string
	keys   *atomic.Pointer[map[string]string] // access key id: secret
	now    func() time.Time
	denied map[string]bool // access key ids that IAM lets do nothing; for tests

	sessions *sessions
}

// authorization is a parsed Authorization header.
type authorization struct {
	accessKey, date, region, service string
	signedHeaders                    []string
	signature                        string
}

// verify returns why the request is refused, nil if it is well signed for a
// service.
func (v verifier) verify(r *http.Request, body []byte, service string) *apiError {
	header := r.Header.Get("Authorization")
	if header == "" {
		return refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	auth, err := parseAuthorization(header)
	if err != nil {
		return err
	}
	secret, known := (*v.keys.Load())[auth.accessKey]
	if !known {
		if secret, err = v.sessions.secret(auth.accessKey, r.Header.Get("X-Amz-Security-Token")); err != nil {
			return err
		}
	}
	stamp := r.Header.Get("X-Amz-Date")
	signed, perr := time.Parse(signingTime, stamp)
	if perr != nil {
		return refuse("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'. Got '%s'.", stamp)
	}
	if err := v.checkScope(auth, stamp, service); err != nil {
		return err
	}
	if err := checkSkew(signed, v.now()); err != nil {
		return err
	}
	if err := checkSignature(r, body, auth, stamp, secret); err != nil {
		return err
	}
	if v.denied[auth.accessKey] {
		return refuse("NotAuthorizedException", "The caller is not authorized to perform this operation.")
	}
	return nil
}

func parseAuthorization(header string) (authorization, *apiError) {
	var a authorization
	rest, ok := strings.CutPrefix(header, signingAlgorithm+" ")
	if !ok {
		return a, refuse("IncompleteSignatureException", "Unsupported AWS 'algorithm': use %s.", signingAlgorithm)
	}
	values := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		values[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if values[name] == "" {
			return a, refuse("IncompleteSignatureException", "Authorization header requires '%s' parameter.", name)
		}
	}
	// An access key id may hold slashes; the scope after it has four parts.
	scope := strings.Split(values["Credential"], "/")
	if len(scope) < 5 || scope[len(scope)-1] != "aws4_request" {
		return a, refuse("IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements, e.g. "+
			"keyid/date/region/service/term.")
	}
	n := len(scope)
	return authorization{
		accessKey: strings.Join(scope[:n-4], "/"), date: scope[n-4], region: scope[n-3], service: scope[n-2],
		signedHeaders: strings.Split(values["SignedHeaders"], ";"), signature: values["Signature"],
	}, nil
}

func (v verifier) checkScope(a authorization, stamp, service string) *apiError {
	switch {
	case a.service != service:
		return refuse("InvalidSignatureException", "Credential should be scoped to correct service: '%s'.", service)
	case a.region != v.region:
		return refuse("InvalidSignatureException", "Credential should be scoped to a valid region, not '%s'.", a.region)
	case a.date != stamp[:8]:
		return refuse("InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version "+
			"of date from HTTP: '%s' != '%s'.", a.date, stamp[:8])
	}
	return nil
}

func checkSkew(signed, now time.Time) *apiError {
	now = now.UTC()
	switch {
	case now.Sub(signed) > maxSkew:
		return refuse("InvalidSignatureException", "Signature expired: %s is now earlier than %s (%s - 5 min.)",
			signed.Format(signingTime), now.Add(-maxSkew).Format(signingTime), now.Format(signingTime))
	case signed.Sub(now) > maxSkew:
		return refuse("InvalidSignatureException", "Signature not yet current: %s is still later than %s (%s + 5 min.)",
			signed.Format(signingTime), now.Add(maxSkew).Format(signingTime), now.Format(signingTime))
	}
	return nil
}

func checkSignature(r *http.Request, body []byte, a authorization, stamp, secret string) *apiError {
	for _, must := range []string{"host", "x-amz-date"} {
		if !slices.Contains(a.signedHeaders, must) {
			return refuse("InvalidSignatureException", "'%s' must be a 'SignedHeader' in the AWS Authorization.", must)
		}
	}
	digest := sha256.Sum256(body)
	payload := hex.EncodeToString(digest[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != payload {
		return refuse("InvalidSignatureException", "The value of the x-amz-content-sha256 header does not match the payload.")
	}
	canonical := sha256.Sum256([]byte(canonicalRequest(r, a.signedHeaders, payload)))
	scope := strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{signingAlgorithm, stamp, scope, hex.EncodeToString(canonical[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(a.signature)) {
		return refuse("InvalidSignatureException", "The request signature we calculated does not match the signature you "+
			"provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func canonicalRequest(r *http.Request, signedHeaders []string, payload string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + canonicalPath(r.URL) + "\n" + canonicalQuery(r.URL) + "\n")
	for _, name := range signedHeaders {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(signedHeaders, ";") + "\n" + payload)
	return b.String()
}

func canonicalHeader(r *http.Request, name string) string {
	switch name {
	// net/http takes these out of the header map.
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := slices.Clone(r.Header.Values(name))
	for i, v := range values {
		values[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(values, ",")
}

// canonicalPath is the path as sent, normalized and encoded once more, as
// every service but S3 has it.
func canonicalPath(u *url.URL) string {
	sent := u.EscapedPath()
	clean := path.Clean("/" + sent)
	if strings.HasSuffix(sent, "/") && clean != "/" {
		clean += "/"
	}
	segments := strings.Split(clean, "/")
	for i, s := range segments {
		segments[i] = escape(s)
	}
	return strings.Join(segments, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, v := range values {
			pairs = append(pairs, escape(name)+"="+escape(v))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// escape percent-encodes all but the unreserved characters.
func escape(s string) string {
	return strings.NewReplacer("+", "%20", "%7E", "~").Replace(url.QueryEscape(s))
}
