package pipeline

import "errors"

// Status is how a backfill ended, or another command on a dataset.
type Status string

// The statuses, and the exit status of the command kvsframes with each.
const (
	StatusComplete    Status = "complete"    // 0: each sample that was asked for is there
	StatusSubmitted   Status = "submitted"   // 0: the job goes on without this process
	StatusPlanned     Status = "planned"     // 0: a dry run
	StatusFailed      Status = "failed"      // 1: what may pass by itself, or an error of the job
	StatusRefused     Status = "refused"     // 2: a person must mend something first; nothing was fetched
	StatusIncomplete  Status = "incomplete"  // 3: the end was reached, but something is missing
	StatusInterrupted Status = "interrupted" // 130
)

// StatusOf returns the status that an error of [Backfill] and its like ends with.
func StatusOf(err error) Status {
	early := (*UsageError)(nil)
	lacking := (*IncompleteError)(nil)
	switch {
	case err == nil:
		return StatusComplete
	case errors.As(err, &early):
		if KindOf(early).Passes() {
			return StatusFailed
		}
		return StatusRefused
	case errors.As(err, &lacking):
		return StatusIncomplete
	case errors.Is(err, ErrInterrupted):
		return StatusInterrupted
	}
	return StatusFailed
}
