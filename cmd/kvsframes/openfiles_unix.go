//go:build unix

package main

import (
	"fmt"
	"syscall"
)

// openFilesHint says how many files this process may have open, and what to do.
func openFilesHint() string {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return ""
	}
	return fmt.Sprintf(" (this process may have %d open: raise it with ulimit -n, "+
		"or make fewer calls at once with --max-in-flight)", limit.Cur)
}
