package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"syscall"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/internal/keys"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/store"
)

// Kind is what an error is about, in a word, for programs that decide whom to notify.
type Kind string

// Every error is of one of these kinds.
const (
	KindMistake     Kind = "mistake"     // what was asked for is wrong: a person must mend it
	KindCredentials Kind = "credentials" // there are none, or they are not taken, or not any more
	KindPermission  Kind = "permission"  // the credentials, or the user, may not do that: a person must mend it
	KindUnreachable Kind = "unreachable" // the service does not answer
	KindThrottled   Kind = "throttled"   // the service answers with nothing but throttles
	KindStore       Kind = "store"       // the dataset's place does not do what it is asked for
	KindStreamGone  Kind = "stream_gone" // there is no such stream, or it keeps no data: a person must mend it
	KindBusy        Kind = "busy"        // another backfill into the dataset was not over in the time to wait
	KindInterrupted Kind = "interrupted" // a signal, or the end of the context
	KindInternal    Kind = "internal"    // none of the others, as far as the error tells
)

// Kinds are all kinds of errors. Of several errors at once the kind is that which comes first
// here, but internal ones count before interrupted ones.
var Kinds = []Kind{
	KindMistake, KindPermission, KindStreamGone, KindCredentials, KindThrottled, KindUnreachable, KindStore, KindBusy,
	KindInternal, KindInterrupted,
}

// Passes reports whether an error may pass by itself, so that the same backfill may come
// through later.
func (k Kind) Passes() bool {
	return k != KindMistake && k != KindPermission && k != KindStreamGone
}

// hint says what to do next.
func (k Kind) hint() string {
	switch k {
	case KindMistake:
		return "Mend what the message names, then run the command again."
	case KindCredentials:
		return "Log in again, or look at where the credentials come from; where a machine gives them, run the same command again."
	case KindPermission:
		return "Allow what the message names to the credentials in use, then run the same command again."
	case KindUnreachable:
		return "Run the same command again later; if that does not help, look at the network and at the endpoint."
	case KindThrottled:
		return "Run the same command again later, or with a smaller share of the streams' quota."
	case KindStore:
		return "Look at the dataset's place (is it reachable, has it room?), then run the same command again."
	case KindBusy:
		return "Run the same command again later, or let it wait longer; where it happens every night, begin further apart."
	case KindStreamGone:
		return "Take the streams out of what is asked for, or let the command keep going without them."
	case KindInterrupted:
		return "Run the same command again: it goes on from there."
	}
	return "Run the same command again; if the message stays the same, report it."
}

// Problem is an error as a program reads it. Nothing in it is secret.
type Problem struct {
	Kind    Kind     `json:"kind"`
	Message string   `json:"message"` // as it is shown to people
	Streams []string `json:"streams"` // the names of those that it is about; may be empty
	Hint    string   `json:"hint"`    // what to do next, in a sentence
}

// ProblemOf returns an error as a program reads it. It is nil for nil, and for an
// [IncompleteError], but for one of streams that could not be read.
func ProblemOf(err error) *Problem {
	lacking := (*IncompleteError)(nil)
	if errors.As(err, &lacking) {
		err = usage(lacking.Unread...)
	}
	if err == nil {
		return nil
	}
	kind := KindOf(err)
	return &Problem{kind, outside.Clean(err.Error()), streamsIn(err), kind.hint()}
}

// KindOf returns the kind of an error of this package, or of [dataset.Open] and its like.
func KindOf(err error) Kind {
	if job := (*JobError)(nil); errors.As(err, &job) {
		if kind, ok := kindOf(job.Err); ok {
			return kind
		}
		return kindOfText(job.Cause) // Beam hands over no more
	}
	early := (*UsageError)(nil)
	other := KindInternal
	faults := []error{err}
	if errors.As(err, &early) {
		faults, other = early.Faults, KindMistake
	}
	first := len(Kinds) - 1
	for _, fault := range faults {
		kind, ok := kindOf(fault)
		if !ok {
			kind = other
		}
		first = min(first, slices.Index(Kinds, kind))
	}
	return Kinds[first]
}

// kindOf returns the kind of an error that has types to tell it.
func kindOf(err error) (Kind, bool) {
	if errors.Is(err, ErrInterrupted) || errors.Is(err, context.Canceled) {
		return KindInterrupted, true
	}
	if _, blocked := errors.AsType[*dataset.InTheWayError](err); blocked {
		return KindMistake, true
	}
	if _, held := errors.AsType[*dataset.HeldError](err); held {
		return KindBusy, true
	}
	if failed := (*store.Error)(nil); errors.As(err, &failed) {
		return kindOfStore(failed), true
	}
	if failure, ok := kvsio.FailureOf(err); ok {
		if failure == kvsio.WrongCall {
			return "", false
		}
		return Kind(failure), true
	}
	return kindOfFile(err)
}

func kindOfStore(err *store.Error) Kind {
	_, keyless := errors.AsType[*keys.Error](err)
	switch {
	case keys.IsMistake(err), errors.Is(err, store.ErrNoBucket):
		return KindMistake
	case keyless, lackingKeys.MatchString(err.Error()):
		return KindCredentials
	case errors.Is(err, fs.ErrPermission):
		return KindPermission
	case err.Op == "opening": // which asks the store nothing: the URL is wrong
		return KindMistake
	}
	return KindStore
}

// kindOfFile returns the kind of an error of the operating system.
func kindOfFile(err error) (Kind, bool) {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return KindPermission, true
	}
	for _, passing := range []syscall.Errno{
		syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EIO, syscall.ESTALE, syscall.ETIMEDOUT, syscall.ENOTCONN,
	} {
		if errors.Is(err, passing) {
			return KindStore, true
		}
	}
	return "", false
}

var (
	lackingKeys = regexp.MustCompile(`no (AWS|Google) credentials|AWS credentials could not be retrieved|\b(UnrecognizedClientException|InvalidSignatureException|ExpiredToken(Exception)?|` +
		`InvalidClientTokenId|SignatureDoesNotMatch|InvalidAccessKeyId|InvalidToken)\b`)

	// What the errors of workers say that matters, the first that matches.
	saidByWorkers = []struct {
		kind Kind
		text *regexp.Regexp
	}{
		{KindThrottled, regexp.MustCompile(`throttled, and no call got through for|throttled for \d`)},
		{KindCredentials, lackingKeys},
		{KindPermission, regexp.MustCompile(`\b(AccessDenied|NotAuthorized)(Exception)?\b|permission denied|HTTP 40[13]|read-only file system`)},
		{KindStreamGone, regexp.MustCompile(`\b(ResourceNotFoundException|NoDataRetentionException)\b`)},
		{KindStore, regexp.MustCompile(`\b(opening|reading|writing|listing|removing) (s3|gs)://|no space left on device|` +
			`file too large|disk quota exceeded|input/output error|\b(open|write|mkdir|rename|link) /?\S+: `)},
		{KindUnreachable, regexp.MustCompile(`after \d+ attempts: |no whole answer within|connection refused`)},
	}

	readByWorkers = regexp.MustCompile(`\breading ([\w.-]+) at \d{4}-`)
)

// kindOfText returns the kind of a job's error by what it says.
func kindOfText(text string) Kind {
	for _, said := range saidByWorkers {
		if said.text.MatchString(text) {
			return said.kind
		}
	}
	return KindInternal
}

// streamsIn returns the names of the streams that an error is about, in order, each once.
func streamsIn(err error) []string {
	names := []string{}
	faults := []error{err}
	if early := (*UsageError)(nil); errors.As(err, &early) {
		faults = early.Faults
	}
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, part := range fault.Split(errors.Join(faults...)) {
		if of := (*kvsio.StreamError)(nil); errors.As(part, &of) {
			add(of.Stream)
		}
	}
	if job := (*JobError)(nil); errors.As(err, &job) && len(names) == 0 {
		if found := readByWorkers.FindStringSubmatch(job.Cause); found != nil {
			add(found[1])
		}
	}
	return names
}
