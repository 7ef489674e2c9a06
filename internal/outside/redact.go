package outside

import (
	"regexp"
	"strings"
)

// What a secret looks like, or what stands before one. The names of headers, of
// members of JSON and XML, of variables and of parameters of a URL are the same
// but for their case and what is between their words.
var (
	// A PEM block, whole or cut off.
	block = regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*-----.*?(?:-----END [A-Z0-9 ]*-----|$)`)

	// Names that nothing but a secret has.
	strict = regexp.MustCompile(named(`(?:` + strings.Join([]string{
		`secret[-_ ]?(?:access[-_ ]?)?keys?`, `access[-_ ]?key(?:[-_ ]?ids?)?`, `aws[-_ ]?access[-_ ]?key[-_ ]?id`,
		`(?:session|security|access|refresh|bearer|auth|authorization|identity|metadata)[-_ ]?token`, `\bid[-_ ]?token`,
		`client[-_ ]?secret`, `private[-_ ]?key`, `api[-_ ]?key`, `passw(?:or)?d`, `passphrase`, `dpop[-_ ]?key`,
		`x-(?:amz|goog)-(?:signature|credential)`, `authorization`,
	}, "|") + `)`))

	// Names that words of a sentence may be, too, unless they stand alone.
	loose = regexp.MustCompile(`(?i)(^|[^A-Za-z0-9])` + named(`(?:token|secret|signature|credentials?|pwd|sig|auth)`))

	// What each of these names, and all that speaks of keys, has a part of: most texts
	// have none, and are done.
	names = regexp.MustCompile(`(?i)secret|token|key|pass|credential|auth|sig|pwd|bearer|basic|negotiate|\(removed\)`)

	// A scheme of Authorization and what goes with it.
	scheme = regexp.MustCompile(`(?i)\b(bearer|basic|negotiate)((?: |%20|\+)+)([A-Za-z0-9._~+/=%-]{6,})`)

	// What can be recognized by how it begins.
	known = regexp.MustCompile(`\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}` + // ids of AWS keys
		`|(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz|AQoDYXdz|AQoEXAMPLE)[A-Za-z0-9+/=%_\\-]*` + // AWS session tokens
		`|\bey[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*` + // JSON web tokens
		`|\bya29\.[A-Za-z0-9._-]*|\b1//[A-Za-z0-9_-]{20,}|\bAIza[A-Za-z0-9_-]{30,}|\bGOCSPX-[A-Za-z0-9_-]*`) // Google's

	// The user of a URL.
	user = regexp.MustCompile(`(://)[^/?#\s"'<>]*@`)

	// A secret access key of AWS has 40 characters. So do other things: it takes
	// something near it that speaks of keys.
	fortyLong = regexp.MustCompile(`[A-Za-z0-9/+]{40,}`)
	ofKeys    = regexp.MustCompile(`(?i)secret|credential|access.?key|\(removed\)`)
)

// nearKey is how far before a secret access key there is a word for it.
const nearKey = 120

// named matches a name and the value that follows it. The groups are the name
// with all up to the value, and the value.
func named(name string) string {
	quote := `(?:\\*["']|&quot;|%22)`
	return `(?i)(` + name + quote + `?\s*(?:[:=]|=>|%3a|%3d|>)\s*\[?)` +
		`(\\+".*?\\+"|\\+"\S*|"(?:\\.|[^"\\])*"?|'[^']*'?|&quot;.*?&quot;|%22.*?%22|\(removed\)|[^\s"'<>,;&()\[\]{}|]+)`
}

// redact takes out what is known to be a secret, and what looks like one.
func redact(s string) string {
	s = redactKnown(redactBlocks(s))
	s = user.ReplaceAllString(s, "${1}"+removed+"@")
	s = known.ReplaceAllString(s, removed)
	if !names.MatchString(s) {
		return s
	}
	s = replaceValues(scheme, s, 3, func(_, value string) bool { return !isWord(value) })
	s = replaceValues(strict, s, 2, func(before, value string) bool { return assigned(before, value) || !isSaid(value) })
	s = replaceValues(loose, s, 3, func(before, value string) bool { return assigned(before, value) || isToken(value) })
	return redactForty(s)
}

// redactBlocks takes out what may stand on many lines.
func redactBlocks(s string) string { return block.ReplaceAllString(s, removed) }

// replaceValues takes out the last group of what matches, where secret says so of
// what stands before it and of itself.
func replaceValues(pattern *regexp.Regexp, s string, group int, secret func(before, value string) bool) string {
	var b strings.Builder
	done := 0
	for _, at := range pattern.FindAllStringSubmatchIndex(s, -1) {
		from, to := at[2*group], at[2*group+1]
		if value := s[from:to]; value != removed && secret(s[at[0]:from], value) {
			b.WriteString(s[done:from])
			b.WriteString(removed)
			done = to
		}
	}
	return b.String() + s[done:]
}

// assigned reports whether a value is that of a name, and not what somebody says
// of it: NAME=value, "NAME": "value", <NAME>value. What follows a colon may be
// either, so it must be in quotes, as the name is.
func assigned(before, value string) bool {
	before = strings.TrimRight(before, " [")
	name := strings.TrimRight(before, ":")
	return name == before || quoteEnd.MatchString(name) && quoteStart.MatchString(value)
}

var (
	quoteEnd   = regexp.MustCompile(`(?i)(?:["']|&quot;|%22)$`)
	quoteStart = regexp.MustCompile(`(?i)^(?:\\*["']|&quot;|%22)`)
)

// isWord reports whether a value is one of a sentence.
func isWord(value string) bool { return word.MatchString(value) }

var word = regexp.MustCompile(`^[A-Za-z]?[a-z]{0,20}[.!?:]*$`)

// isSaid reports whether a value is a word, or another thing that errors say after
// a colon: a status, a URL.
func isSaid(value string) bool { return isWord(value) || said.MatchString(value) }

var said = regexp.MustCompile(`^(?:[0-9]{1,3}:?|"?https?://.*)$`)

// isToken reports whether a value is long, and of characters too mixed for a word,
// a host or a time.
func isToken(value string) bool {
	const shortest = 16
	return len(value) >= shortest && token.MatchString(value) && (isMixed(value) || hexadecimal.MatchString(value))
}

var (
	token       = regexp.MustCompile(`^["']?[A-Za-z0-9+/=._~%-]+["']?$`)
	hexadecimal = regexp.MustCompile(`^[0-9a-f]{32,}$`)
)

// redactForty takes out what may be secret access keys.
func redactForty(s string) string {
	var b strings.Builder
	done := 0
	for _, at := range fortyLong.FindAllStringIndex(s, -1) {
		value := s[at[0]:at[1]]
		if len(value) == 40 && isMixed(value) && ofKeys.MatchString(s[max(0, at[0]-nearKey):at[0]]) {
			b.WriteString(s[done:at[0]])
			b.WriteString(removed)
			done = at[1]
		}
	}
	return b.String() + s[done:]
}

// isMixed reports whether characters are random, and not words or hexadecimal.
func isMixed(s string) bool {
	var upper, lower, digit bool
	for _, c := range []byte(s) {
		upper = upper || 'A' <= c && c <= 'Z'
		lower = lower || 'a' <= c && c <= 'z'
		digit = digit || '0' <= c && c <= '9'
	}
	return upper && lower && digit
}
