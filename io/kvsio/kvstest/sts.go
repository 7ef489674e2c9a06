package kvstest

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The Security Token Service: its operations are forms that are posted to /, and
// its answers are XML.

const (
	stsService   = "sts"
	stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"
	leastSession = 15 * time.Minute
)

var (
	rolePattern        = regexp.MustCompile(`^arn:[a-z\d-]+:iam::[0-9]{12}:role/([\w+=,.@/-]+)$`)
	sessionNamePattern = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)
)

// isSTS recognizes a call of the Security Token Service.
func isSTS(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/" &&
		strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}

type stsAnswer struct {
	XMLName   xml.Name
	Result    stsResult
	RequestID string `xml:"ResponseMetadata>RequestId"`
}

type stsResult struct {
	XMLName                     xml.Name
	SubjectFromWebIdentityToken string             `xml:",omitempty"`
	Audience                    string             `xml:",omitempty"`
	Provider                    string             `xml:",omitempty"`
	Arn                         string             `xml:"AssumedRoleUser>Arn"`
	AssumedRoleID               string             `xml:"AssumedRoleUser>AssumedRoleId"`
	Credentials                 sessionCredentials `xml:"Credentials"`
}

func (s *Server) serveSTS(c *call) {
	result, err := s.assume(c)
	if err != nil {
		s.stats.refused("", err.code)
		err.writeXML(c.w)
		return
	}
	s.stats.session()
	operation := strings.TrimSuffix(result.XMLName.Local, "Result")
	writeXML(c.w, http.StatusOK, stsAnswer{
		XMLName: xml.Name{Space: stsNamespace, Local: operation + "Response"}, Result: result, RequestID: requestID(),
	})
}

// assume answers AssumeRole, which is signed, and AssumeRoleWithWebIdentity, for
// which a token of the metadata server vouches.
func (s *Server) assume(c *call) (result stsResult, err *apiError) {
	if err := s.readBody(c); err != nil {
		return result, err
	}
	form, _ := url.ParseQuery(string(c.body))
	operation := form.Get("Action")
	result.XMLName.Local = operation + "Result"
	switch operation {
	case "AssumeRole":
		err = s.verifier.verify(c.r, c.body, stsService)
	case "AssumeRoleWithWebIdentity":
		var id identity
		id, err = s.readIdentity(form.Get("WebIdentityToken"))
		result.SubjectFromWebIdentityToken, result.Audience, result.Provider = id.Subject, id.Audience, id.Issuer
	default:
		err = refuse("InvalidAction", "Could not find operation %s for version %s", operation, form.Get("Version"))
	}
	if err != nil {
		return result, err
	}
	arn, name := form.Get("RoleArn"), form.Get("RoleSessionName")
	role := rolePattern.FindStringSubmatch(arn)
	duration, valid := sessionDuration(form.Get("DurationSeconds"))
	switch {
	case role == nil:
		return result, refuse("ValidationError", "%s is invalid", arn)
	case !sessionNamePattern.MatchString(name):
		return result, refuse("ValidationError", "Value '%s' at 'roleSessionName' failed to satisfy constraint: Member "+
			"must satisfy regular expression pattern: [\\w+=,.@-]*", name)
	case !valid:
		return result, refuse("ValidationError", "Value '%s' at 'durationSeconds' failed to satisfy constraint: Member "+
			"must have value greater than or equal to 900", form.Get("DurationSeconds"))
	case !slices.Contains(s.cfg.Roles, arn):
		return result, refuse("AccessDenied", "Not authorized to perform sts:%s on resource: %s", operation, arn)
	}
	if s.cfg.SessionTTL > 0 {
		duration = s.cfg.SessionTTL
	}
	result.Arn = "arn:aws:sts::" + strings.Split(arn, ":")[4] + ":assumed-role/" + role[1] + "/" + name
	result.AssumedRoleID = "AROATEST:" + name
	result.Credentials = s.verifier.sessions.issue(s.cfg.Now().Add(duration))
	return result, nil
}

// sessionDuration reads DurationSeconds, which is an hour where it is left out.
func sessionDuration(text string) (d time.Duration, ok bool) {
	if text == "" {
		return time.Hour, true
	}
	n, err := strconv.Atoi(text)
	d = time.Duration(n) * time.Second
	return d, err == nil && leastSession <= d && d <= 12*time.Hour
}

// writeXML writes the refusal as the Security Token Service does.
func (e *apiError) writeXML(w http.ResponseWriter) {
	type wrong struct{ Type, Code, Message string }
	writeXML(w, e.status, struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
		Error     wrong
		RequestID string `xml:"RequestId"`
	}{Error: wrong{"Sender", e.code, e.message}, RequestID: requestID()})
}

func writeXML(w http.ResponseWriter, status int, answer any) {
	body, err := xml.Marshal(answer)
	if err != nil {
		panic(err) // all answers are plain structs
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	w.Write(body)
}
