package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/store"
)

// TestKinds: what kind an error is of, and how a backfill ends with it.
func TestKinds(t *testing.T) {
	refused := func(reason string) error {
		return &store.Error{Op: "opening", URL: "s3://b/x", Err: fmt.Errorf("%w: %s: look", fs.ErrPermission, reason)}
	}
	slow := &store.Error{Op: "reading", URL: "s3://b/x", Err: errors.New("503")}
	job := func(text string) error { return &JobError{Runner: "flink", Cause: text, Err: errors.New(text)} }
	early := func(faults ...error) error { return &UsageError{Faults: faults} }
	for _, test := range []struct {
		name   string
		err    error
		kind   Kind
		status Status
	}{
		{"interrupted", ErrInterrupted, KindInterrupted, StatusInterrupted},
		{"a mistake", early(fault.New("Out", "not set", "a folder")), KindMistake, StatusRefused},
		{"a store that may not be used", early(refused("AccessDenied")), KindPermission, StatusRefused},
		{"a store's keys", early(refused("InvalidAccessKeyId")), KindCredentials, StatusFailed},
		{"no bucket", early(&store.Error{Op: "opening", URL: "s3://b", Err: store.ErrNoBucket}), KindMistake, StatusRefused},
		{"a store", early(fmt.Errorf("the dataset: %w", slow)), KindStore, StatusFailed},
		{
			"a store's URL", early(&store.Error{Op: "opening", URL: "s3://b", Err: errors.New("no region is known")}),
			KindMistake, StatusRefused,
		},
		{
			"Google's keys", early(&store.Error{Op: "opening", URL: "gs://b", Err: errors.New("no Google credentials: run")}),
			KindCredentials, StatusFailed,
		},
		{"a store and a mistake", early(slow, errors.New("x")), KindMistake, StatusRefused},
		{"a folder that may not be used", early(&fs.PathError{Err: syscall.EACCES}), KindPermission, StatusRefused},
		{"a full disk", early(&fs.PathError{Err: syscall.ENOSPC}), KindStore, StatusFailed},
		{"no file", early(&fs.PathError{Err: syscall.ENOENT}), KindMistake, StatusRefused},
		{"a store, later", slow, KindStore, StatusFailed},
		{"a store that ends a job", &JobError{Cause: "x", Err: slow}, KindStore, StatusFailed},
		{"what is not known", errors.New("x"), KindInternal, StatusFailed},
		{"a job that was cancelled", job("context canceled"), KindInternal, StatusFailed},
		{"a worker's panic", job("panic: oh no"), KindInternal, StatusFailed},
		{
			"a worker's stream", job("reading cam at 2026-01-01T00:00:00Z (100 samples): ResourceNotFoundException: no"),
			KindStreamGone, StatusFailed,
		},
		{
			"a worker's throttles", job("reading cam at 2026-01-01T00:00:00Z (100 samples): throttled, and no call got through for 15m0s: x"),
			KindThrottled, StatusFailed,
		},
		{"a worker's keys", job("describing cam: ExpiredTokenException: The security token is expired"), KindCredentials, StatusFailed},
		{"a worker without keys", job("getting the data endpoint of cam: no AWS credentials: x"), KindCredentials, StatusFailed},
		{"a worker's rights", job("getting the data endpoint of cam: AccessDeniedException: x"), KindPermission, StatusFailed},
		{"a worker's network", job("reading cam at 2026-01-01T00:00:00Z (1 samples): after 10 attempts: HTTP 503"), KindUnreachable, StatusFailed},
		{"a worker's disk", job("writing shard x: write /x/y: no space left on device"), KindStore, StatusFailed},
		{"a worker's bucket", job("writing s3://b/x: the store did not answer within 1m0s"), KindStore, StatusFailed},
	} {
		if kind, status := KindOf(test.err), StatusOf(test.err); kind != test.kind || status != test.status {
			t.Errorf("%s: %s and %s, want %s and %s", test.name, kind, status, test.kind, test.status)
		}
	}
	if ProblemOf(nil) != nil || StatusOf(nil) != StatusComplete {
		t.Error("no error is a problem")
	}
	if KindOf(&fs.PathError{Err: context.Canceled}) != KindInterrupted {
		t.Error("a context that ended is no interrupt")
	}
}

// TestEveryKindHasAHint: one sentence each, and a rank.
func TestEveryKindHasAHint(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range Kinds {
		hint := kind.hint()
		if seen[hint] || !strings.HasSuffix(hint, ".") || strings.Contains(hint, "\n") {
			t.Errorf("%s: %q", kind, hint)
		}
		seen[hint] = true
	}
	if len(Kinds) != 10 {
		t.Errorf("%d kinds", len(Kinds))
	}
}

// TestKindsAreExplained: docs/operate.md says what each status and kind asks for.
func TestKindsAreExplained(t *testing.T) {
	text, err := os.ReadFile("../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range Kinds {
		if !strings.Contains(string(text), "\n| `"+string(kind)+"` |") {
			t.Errorf("docs/operate.md does not explain %s", kind)
		}
	}
	for _, status := range []Status{
		StatusComplete, StatusSubmitted, StatusPlanned, StatusFailed, StatusRefused, StatusIncomplete, StatusInterrupted,
	} {
		if !strings.Contains(string(text), "`"+string(status)+"`") {
			t.Errorf("docs/operate.md does not explain %s", status)
		}
	}
}

// TestProblemTellsNoSecrets: messages are cleaned as those on stderr are, and streams named.
func TestProblemTellsNoSecrets(t *testing.T) {
	p := ProblemOf(&JobError{
		Runner: "flink", Err: errors.New("x"),
		Cause: "reading cam at 2026-01-01T00:00:00Z (1 samples): X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE: after 10 attempts: HTTP 503",
	})
	if strings.Contains(p.Message, "IQoJb3") || !slices.Equal(p.Streams, []string{"cam"}) || p.Kind != KindUnreachable {
		t.Errorf("%+v", p)
	}
}

// TestMaxGapRatio: a stream with more gaps than allowed is named; drops are no gaps.
func TestMaxGapRatio(t *testing.T) {
	streams := []StreamSummary{
		{Stream: "good", Counts: Counts{Samples: 100, Frames: 80, Gaps: map[string]int64{"NO_MEDIA": 20}}},
		{Stream: "bad", Counts: Counts{Samples: 100, Frames: 79, Gaps: map[string]int64{"NO_MEDIA": 20}}, Missing: 1},
		{Stream: "still", Counts: Counts{Samples: 100, Frames: 10, Drops: map[string]int64{"DUPLICATE": 90}}},
		{Stream: "none"},
	}
	names := tooManyGaps(streams, 0.2)
	if !slices.Equal(names, []string{"bad"}) || streams[1].Status != StatusIncomplete || streams[1].Reason == "" ||
		streams[0].Reason != "" {
		t.Errorf("%v are named: %+v", names, streams)
	}
	err := &IncompleteError{Dir: "out", Gappy: names, MaxGapRatio: 0.2}
	if want := "out is not complete: more than 0.2 (MaxGapRatio) of the samples are gaps or missing of bad"; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
