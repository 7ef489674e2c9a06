package httpguard

import (
	"errors"
	"net"
	"strings"
	"syscall"
)

// OutOfFiles reports whether an error says that the process has as many open files,
// connections among them, as it may have. Trying again, as after what another machine
// says, takes long and mends nothing.
func OutOfFiles(err error) bool {
	if lookup, ok := errors.AsType[*net.DNSError](err); ok { // which has a text alone
		return strings.Contains(lookup.Err, syscall.EMFILE.Error())
	}
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
