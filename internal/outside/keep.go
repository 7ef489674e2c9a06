package outside

import (
	"encoding/base64"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// secrets are what this process knows to be secret.
var secrets struct {
	sync.RWMutex
	kept []secret // the newest last
}

type secret struct {
	value   string
	pattern *regexp.Regexp  // its value as it is, escaped or in base64
	parts   map[string]bool // all its parts of partOf characters
}

const (
	// shortestSecret is how long a value is of which not every other word may
	// be a part.
	shortestSecret = 8

	// mostSecrets is of how many values the newest are kept: credentials follow
	// one another for as long as a process lives.
	mostSecrets = 64
)

// Keep takes note of values that must be in no text. Short ones are no secrets.
func Keep(values ...string) {
	for _, value := range values {
		if len(value) >= shortestSecret {
			keep(value)
		}
	}
}

func keep(value string) {
	is := func(s secret) bool { return s.value == value }
	secrets.RLock()
	there := slices.ContainsFunc(secrets.kept, is)
	secrets.RUnlock()
	if there {
		return
	}
	s := secret{value, patternOf(value), partsOf(value)}
	secrets.Lock()
	defer secrets.Unlock()
	if slices.ContainsFunc(secrets.kept, is) {
		return
	}
	secrets.kept = append(secrets.kept, s)
	if len(secrets.kept) > mostSecrets {
		secrets.kept = slices.Delete(secrets.kept, 0, 1)
	}
}

// ofEnvironment are the variables whose values are secrets.
var ofEnvironment = []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}

// redactKnown takes out the secrets that this process knows.
func redactKnown(s string) string {
	for _, name := range ofEnvironment {
		Keep(os.Getenv(name))
	}
	secrets.RLock()
	defer secrets.RUnlock()
	for _, known := range secrets.kept {
		s = known.takeParts(known.pattern.ReplaceAllString(s, removed))
	}
	if plain := unescape(s); plain != s && slices.ContainsFunc(secrets.kept,
		func(k secret) bool { return k.takeParts(plain) != plain }) {
		return removed
	}
	return s
}

// partOf is how many characters in a row of a secret are not shown. A text may have
// been cut inside of it, or have something between its parts.
const partOf = 12

func partsOf(value string) map[string]bool {
	parts := make(map[string]bool)
	for i := 0; i+partOf <= len(value); i++ {
		parts[value[i:i+partOf]] = true
	}
	return parts
}

// takeParts takes parts of a secret out of a text.
func (k secret) takeParts(s string) string {
	var b strings.Builder
	done := 0
	for end := partOf; end <= len(s); end++ {
		start := end - partOf
		if !k.parts[s[start:end]] {
			continue
		}
		for end < len(s) && k.parts[s[end+1-partOf:end+1]] {
			end++
		}
		b.WriteString(s[done:start])
		b.WriteString(removed)
		done = end
		end += partOf - 1 // what follows begins there
	}
	return b.String() + s[done:]
}

var percent = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// unescape undoes what a URL escapes, wherever a text has it.
func unescape(s string) string {
	return percent.ReplaceAllStringFunc(s, func(c string) string {
		n, _ := strconv.ParseUint(c[1:], 16, 8) // it matches nothing else
		return string([]byte{byte(n)})
	})
}

// patternOf matches a value as it is, as in URLs and JSON, and in base64, alone or
// as a part of something longer.
func patternOf(value string) *regexp.Regexp {
	var escaped strings.Builder
	for _, c := range strings.ToValidUTF8(value, "\uFFFD") {
		as := regexp.QuoteMeta(string(c))
		if isPlain := c >= 0x80 || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9'; !isPlain {
			as = fmt.Sprintf(`(?:\\*%s|%%(?:25)*(?i:%02x)|\\+u00(?i:%02x)|&#(?:%d|[xX](?i:%x));)`, as, c, c, c, c)
		}
		escaped.WriteString(as)
	}
	forms := []string{escaped.String()}
	for before := range 3 {
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + value))
			// The characters at both ends are of the bytes beside it, too.
			first := (before*8 + 5) / 6
			last := (before + len(value)) * 8 / 6
			forms = append(forms, regexp.QuoteMeta(text[first:last])+`[A-Za-z0-9+/_=-]{0,3}`)
		}
	}
	return regexp.MustCompile(strings.Join(forms, "|"))
}
