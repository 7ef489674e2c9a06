package kvstest

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

var (
	arnPattern       = regexp.MustCompile(`^arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/[a-zA-Z0-9_.-]+/[0-9]+$`)
	pageTokenPattern = regexp.MustCompile(`^[a-zA-Z0-9+/]+={0,2}$`)
	listTokenPattern = regexp.MustCompile(`^[a-zA-Z0-9+/=]*$`)
	configPattern    = regexp.MustCompile(`^[a-zA-Z_0-9]+$`)
)

// input reads the members of a request and keeps the first thing that is wrong
// with them. A member of a wrong JSON type comes before any broken constraint:
// the service reads all of a request before it looks at its values.
type input struct {
	members map[string]json.RawMessage
	typeErr *apiError
	valErr  *apiError
}

func readInput(body []byte) *input {
	in := &input{}
	if len(bytes.TrimSpace(body)) == 0 {
		return in
	}
	if err := json.Unmarshal(body, &in.members); err != nil || in.members == nil {
		in.typeErr = refuse("SerializationException", "The request is not a JSON object.")
	}
	return in
}

func (in *input) err() *apiError {
	if in.typeErr != nil {
		return in.typeErr
	}
	return in.valErr
}

func (in *input) has(name string) bool {
	raw, ok := in.members[name]
	return ok && string(raw) != "null"
}

func (in *input) wrongType(name, want string) {
	if in.typeErr == nil {
		in.typeErr = refuse("SerializationException", "%s must be %s.", name, want)
	}
}

func (in *input) fail(err *apiError) {
	if in.valErr == nil {
		in.valErr = err
	}
}

func (in *input) require(names ...string) {
	for _, name := range names {
		if !in.has(name) {
			in.fail(invalid("%s is required.", name))
		}
	}
}

// str reads a string of min to max characters that matches the pattern; absent
// is "".
func (in *input) str(name string, min, max int, pattern *regexp.Regexp) string {
	if !in.has(name) {
		return ""
	}
	var s string
	if json.Unmarshal(in.members[name], &s) != nil {
		in.wrongType(name, "a string")
		return ""
	}
	switch n := utf8.RuneCountInString(s); {
	case n < min || n > max:
		in.fail(invalid("%s must have %d to %d characters, not %d.", name, min, max, n))
	case !pattern.MatchString(s):
		in.fail(invalid("%s does not match the pattern %s.", name, strings.Trim(pattern.String(), "^$")))
	}
	return s
}

func (in *input) enum(name string, values ...string) string {
	if !in.has(name) {
		return ""
	}
	var s string
	if json.Unmarshal(in.members[name], &s) != nil {
		in.wrongType(name, "a string")
	} else if !slices.Contains(values, s) {
		in.fail(invalid("%s is %q: must be one of %s.", name, s, strings.Join(values, ", ")))
	}
	return s
}

// number reads a whole number of min to max; absent is 0.
func (in *input) number(name string, min, max int64) int64 {
	if !in.has(name) {
		return 0
	}
	n, err := strconv.ParseInt(string(in.members[name]), 10, 64)
	if err != nil {
		// A number too large for any integer type is still a number.
		if _, err := strconv.ParseFloat(string(in.members[name]), 64); err != nil || !digits.Match(in.members[name]) {
			in.wrongType(name, "an integer")
			return 0
		}
		n = math.MaxInt64
	}
	if n < min || n > max {
		in.fail(invalid("%s is %s: must be %d to %d.", name, in.members[name], min, max))
	}
	return n
}

var digits = regexp.MustCompile(`^-?[0-9]+$`)

// millis reads a timestamp in epoch seconds, rounded to whole milliseconds.
func (in *input) millis(name string) int64 {
	if !in.has(name) {
		return 0
	}
	var seconds float64
	if err := json.Unmarshal(in.members[name], &seconds); err != nil {
		in.wrongType(name, "a number of seconds since the epoch")
		return 0
	}
	if seconds < 0 || seconds > float64(latest.Unix()) {
		in.fail(invalid("%s is %s: must be seconds since the epoch.", name, in.members[name]))
		return 0
	}
	return int64(math.Round(seconds * 1000))
}

// object reads a member that is itself a JSON object.
func (in *input) object(name string) map[string]json.RawMessage {
	if !in.has(name) {
		return nil
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(in.members[name], &m) != nil {
		in.wrongType(name, "an object")
	}
	return m
}

// streamRef reads StreamName and StreamARN, of which exactly one must be there.
func (in *input) streamRef() (name, arn string) {
	name = in.str("StreamName", 1, 256, namePattern)
	arn = in.str("StreamARN", 1, 1024, arnPattern)
	if in.has("StreamName") == in.has("StreamARN") {
		in.fail(invalid("Exactly one of StreamName and StreamARN must be given."))
	}
	return name, arn
}
