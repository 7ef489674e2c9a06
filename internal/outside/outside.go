// Package outside is for text that other programs, servers and files have made:
// before it is shown or stored it is bounded, on one line, without characters that
// do something to a terminal, and without secrets.
package outside

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	// Longest is how many bytes [Text] returns at most.
	Longest = 1000

	// looked is how much of a text is looked at. What is cut off there cannot be
	// shown, unless most of what stands before it is secret.
	looked = 32 << 10

	more    = "…"
	removed = "(removed)"
)

// Text returns a text as it may be shown and stored: at most [Longest] bytes of
// valid UTF-8 on one line, without secrets. Text of a text that it returned is
// that text.
func Text(s string) string {
	if plain(s) {
		return s
	}
	if len(s) > looked {
		// What is cut in two may be a secret that cannot be recognized any more.
		s = s[:looked]
		s = s[:strings.LastIndexAny(s, " \t\r\n")+1] + more
	}
	return settled(s, func(s string) string { return cut(redact(strings.Join(strings.Fields(strip(s)), " "))) })
}

// Clean is Text without the bound, line by line, for what is longer because our
// own words are around it.
func Clean(s string) string {
	lines := strings.Split(redactBlocks(s), "\n")
	for i, line := range lines {
		lines[i] = settled(line, func(s string) string { return redact(strip(s)) })
	}
	return strings.Join(lines, "\n")
}

// settled applies f until it changes nothing: what one pass removes may leave
// something that another recognizes.
func settled(s string, f func(string) string) string {
	const most = 8
	for range most {
		next := f(s)
		if next == s {
			return s
		}
		s = next
	}
	return removed
}

// Error returns an error whose text is what [Text] makes of err's, and which
// unwraps to err. It is err itself where that changes nothing, and nil for nil.
func Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if clean := Text(text); clean != text {
		return &cleaned{clean, err}
	}
	return err
}

type cleaned struct {
	text string
	err  error
}

func (e *cleaned) Error() string { return e.text }

func (e *cleaned) Unwrap() error { return e.err }

// JSON returns JSON that says the same, with what [Text] would take out of a
// string for a terminal's sake written as \u and its number.
func JSON(data []byte) []byte {
	if !slices.ContainsFunc(data, func(c byte) bool { return c >= 0x7f }) {
		return data
	}
	escaped := make([]byte, 0, len(data)+64)
	for _, r := range string(data) {
		switch {
		case r < 0x7f || unicode.IsPrint(r):
			escaped = utf8.AppendRune(escaped, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			escaped = fmt.Appendf(escaped, `\u%04x\u%04x`, high, low)
		default:
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		}
	}
	return escaped
}

// plain reports whether a text is a short word in capitals, as the reasons of gaps
// and drops are: these are most of what is asked for.
func plain(s string) bool {
	const longest = 16
	if len(s) > longest {
		return false
	}
	for _, c := range []byte(s) {
		if c != '_' && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// strip puts a text on one line and takes out what is no visible character: the
// controls of ASCII and of Latin-1, marks that change the direction of text, and
// what is not UTF-8.
func strip(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '\u2028', r == '\u2029':
			return ' '
		case r == utf8.RuneError:
			return utf8.RuneError
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
}

// cut bounds a text at a rune.
func cut(s string) string {
	if len(s) <= Longest {
		return s
	}
	end := Longest - len(more)
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.TrimRight(s[:end], " ") + more
}
