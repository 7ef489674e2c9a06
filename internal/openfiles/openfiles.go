// Package openfiles knows when a process has as many open files, connections among
// them, as it may have.
package openfiles

import (
	"errors"
	"net"
	"strings"
	"syscall"
)

// Exhausted reports whether an error says that no more files can be opened. Trying
// again, as after what another machine says, takes long and mends nothing.
func Exhausted(err error) bool {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok { // which has a text alone
		return strings.Contains(lookup.Err, syscall.EMFILE.Error())
	}
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
