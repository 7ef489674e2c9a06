package main

import (
	"errors"
	"strconv"
	"time"
)

const intervalForms = "a duration such as 3s, 500ms or 1m30s, or a whole number of milliseconds such as 3000"

// parseInterval reads a Go duration ("3s") or a bare number of milliseconds
// ("3000"), as the API has it.
func parseInterval(s string) (time.Duration, error) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil {
		if d := time.Duration(ms) * time.Millisecond; d/time.Millisecond == time.Duration(ms) {
			return d, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	return 0, errors.New("it must be " + intervalForms)
}
