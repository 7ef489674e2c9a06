package httpguard

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
)

func TestOutOfFiles(t *testing.T) {
	dial := func(err error) error {
		return &url.Error{Op: "Post", Err: &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", err)}}
	}
	for _, c := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{dial(syscall.EMFILE), true},
		{fmt.Errorf("writing: %w", &os.PathError{Op: "open", Err: syscall.ENFILE}), true},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "dial udp 127.0.0.1:53: socket: too many open files"}}, true},
		{&net.DNSError{Err: "no such host"}, false},
		{dial(syscall.ECONNREFUSED), false},
		{fmt.Errorf("the server says: %s", syscall.EMFILE), false},
	} {
		if got := OutOfFiles(c.err); got != c.want {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}
