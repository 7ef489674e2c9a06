package sockets

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func addrPort(a net.Addr) netip.AddrPort {
	p := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}

func TestOwner(t *testing.T) {
	l := listen(t, "127.0.0.1:0")
	ours, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer ours.Close()
	local, remote := addrPort(ours.LocalAddr()), addrPort(ours.RemoteAddr())
	if uid, err := Owner(local, remote); err != nil || uid != os.Getuid() {
		t.Errorf("it is of user %d, want %d: %v", uid, os.Getuid(), err)
	}
	if _, err := Owner(local, local); err == nil {
		t.Error("a connection that is not there has an owner")
	}
}

// What is closed has no owner: Linux shows it as root's.
func TestOwnerOfAClosedConnection(t *testing.T) {
	local, remote := netip.MustParseAddrPort("127.0.0.1:57358"), netip.MustParseAddrPort("127.0.0.1:34393")
	for _, test := range []struct {
		name, line string
		found      bool
	}{
		{"open", "0: 0100007F:E00E 0100007F:8659 01 00000000:00000000 00:00000000 00000000  1001        0 9177 1 0 20 4 30 10 -1", true},
		{"open, of IPv6", "0: 0000000000000000FFFF00000100007F:E00E 0000000000000000FFFF00000100007F:8659 01 0:0 00:0 0  " +
			"1001 0 9177 1 0", true},
		{"closed by its process", "0: 0100007F:E00E 0100007F:8659 05 00000000:00000000 00:00000000 00000000     0        0 " +
			"0 1 0 20 4 30 10 -1", false},
		{"without a process", "0: 0100007F:E00E 0100007F:8659 01 00000000:00000000 00:00000000 00000000     0        0 0 1 " +
			"0 20 4 30 10 -1", false},
		{"waiting", "0: 0100007F:E00E 0100007F:8659 06 00000000:00000000 03:000016F3 00000000     0        0 0 3 0", false},
		{"the other way", "0: 0100007F:8659 0100007F:E00E 01 00000000:00000000 00:00000000 00000000  1001        0 9177 1 " +
			"0 20 4 30 10 -1", false},
	} {
		s, err := parse(test.line)
		if err != nil {
			t.Fatal(err)
		}
		if uid, err := owner([]socket{s}, local, remote); (err == nil) != test.found || test.found && uid != 1001 {
			t.Errorf("%s: user %d, %v", test.name, uid, err)
		}
	}
}

func TestListening(t *testing.T) {
	one, all := listen(t, "127.0.0.1:0"), listen(t, ":0")
	mine, err := Listening(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []netip.AddrPort{addrPort(one.Addr()), addrPort(all.Addr())} {
		if !slices.Contains(mine, want) {
			t.Errorf("%v is not among %v", want, mine)
		}
	}
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer other.Wait()
	defer other.Process.Kill()
	if its, err := Listening(other.Process.Pid); err != nil || len(its) > 0 {
		t.Errorf("a process that does not listen: %v, %v", its, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("0: 0100007F:E00E 0100007F:8659 01 00000000:00000000 00:00000000 00000000  1001        0 9177 1 0 20 4 30 10 -1")
	f.Add("0: 00000000000000000000000001000000:8659 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 3 1 0")
	f.Fuzz(func(t *testing.T, line string) {
		if s, err := parse(line); err == nil && (!s.local.IsValid() || !s.remote.IsValid() ||
			strings.ContainsRune(s.inode, ' ')) {
			t.Errorf("%q is %v", line, s)
		}
	})
}
