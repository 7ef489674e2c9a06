package beamrun

import (
	"regexp"
	"strings"

	"github.com/kvsframes/kvsframes/internal/outside"
)

var (
	// Beam wraps an error once for each node it goes through, and tells of each
	// node in lines of their own. The cause is below the last of them.
	beamContext = regexp.MustCompile(`(?m)^(?:.*caused by:|DoFn\[UID:.*\] failed:|.*[Ff]ull error:)[ \t]*\n`)

	// A job server's jobs have names that say nothing here.
	failedJob = regexp.MustCompile(`^job \S+ failed:\s*`)

	// What Flink says where cluster and job server are of versions that do not go
	// together.
	foreign = regexp.MustCompile(`RestClientException: \[Internal server error|InvalidClassException|(?:NoSuchMethod|NoSuchField|NoClassDefFound|IncompatibleClassChange|AbstractMethod)Error`)

	// A panic's stack, as Beam and Java print it.
	stack = regexp.MustCompile(`(?s)\s*(?:goroutine \d+ \[.*|\n\s+at [\w.$/<>]+\(.*)`)
)

// CauseOf returns what an error of Beam is about, without the graph that it
// went through and without a stack, as it may be shown.
func CauseOf(err error) string {
	text := stack.ReplaceAllString(err.Error(), "")
	text = failedJob.ReplaceAllString(text, "")
	if at := beamContext.FindAllStringIndex(text, -1); at != nil {
		text = text[at[len(at)-1][1]:]
	}
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return outside.Text(strings.Join(lines, " "))
}
