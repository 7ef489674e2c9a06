package kvsio

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// resumeToken says where a paginator goes on, as boto3 and the AWS CLI write it
// down.
type resumeToken struct {
	next string // the service's NextToken; empty: from the first page on
	skip int    // images of that page that were returned before
}

// cut writes down that part of a page was returned. It is byte for byte what
// botocore's TokenEncoder makes, down to the blanks of Python's JSON.
func (t resumeToken) cut() string {
	return encodeToken(fmt.Sprintf(`{"NextToken": %s, "boto_truncate_amount": %d}`, t.nextJSON(), t.skip))
}

// whole writes down that nothing of a page was returned.
func (t resumeToken) whole() string {
	return encodeToken(fmt.Sprintf(`{"NextToken": %s}`, t.nextJSON()))
}

func (t resumeToken) nextJSON() string {
	if t.next == "" {
		return "null"
	}
	quoted, _ := json.Marshal(t.next) // a string can always be marshalled
	return string(quoted)
}

func encodeToken(object string) string { return base64.StdEncoding.EncodeToString([]byte(object)) }

// pythonNone is what Python makes of no NextToken in its old tokens.
const pythonNone = "None"

// nextTokenPattern is the service's, which bounds it to 4096 characters, too.
var nextTokenPattern = regexp.MustCompile(`^[a-zA-Z0-9+/]+={0,2}$`)

const longestNextToken = 4096

// parseStartingToken reads what botocore takes for a StartingToken: a token of
// its own, one of its old ones (NextToken___2), or the service's NextToken.
func parseStartingToken(token string) (t resumeToken, ok bool) {
	next, skip := token, 0
	if object := tokenObject(token); object != nil {
		if next, skip, ok = readTokenObject(object); !ok {
			return resumeToken{}, false
		}
	} else if old, amount, found := strings.Cut(token, "___"); found {
		n, err := strconv.Atoi(amount)
		if err != nil || n < 0 {
			return resumeToken{}, false
		}
		next, skip = old, n
	}
	if next == pythonNone {
		return resumeToken{skip: skip}, true
	}
	return resumeToken{next, skip}, len(next) <= longestNextToken && nextTokenPattern.MatchString(next)
}

// tokenObject returns the JSON object that a token is the base64 of, nil where
// it is none. As in Python, line breaks do not matter, and JSON that is not an
// object is the service's own business.
func tokenObject(token string) (object map[string]json.RawMessage) {
	text, err := base64.StdEncoding.DecodeString(token)
	if err != nil || !utf8.Valid(text) || json.Unmarshal(text, &object) != nil {
		return nil
	}
	return object
}

// readTokenObject reads the members of a token. Botocore takes one that lacks
// NextToken, too, and goes on from the first page.
func readTokenObject(object map[string]json.RawMessage) (next string, skip int, ok bool) {
	var nextToken *string
	for key, value := range object {
		var err error
		switch key {
		case "NextToken":
			err = json.Unmarshal(value, &nextToken)
		case "boto_truncate_amount":
			err = json.Unmarshal(value, &skip)
		default:
			return "", 0, false
		}
		if err != nil || skip < 0 {
			return "", 0, false
		}
	}
	if nextToken == nil {
		return pythonNone, skip, true
	}
	return *nextToken, skip, true
}
