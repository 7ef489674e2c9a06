// Package sockets reads what Linux reports about TCP sockets.
package sockets

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The states of a socket, as proc_pid_net(5) has them.
const (
	established = "01"
	listening   = "0A"
)

// orphan is the inode of a socket that no process has any more. Linux shows it as
// root's, whoever opened it.
const orphan = "0"

// socket is a line of /proc/net/tcp.
type socket struct {
	local, remote netip.AddrPort
	state         string
	uid           int
	inode         string
}

// Owner returns the user who opened the socket at local, which is connected to
// remote. A socket that its process has closed has no owner.
func Owner(local, remote netip.AddrPort) (uid int, err error) {
	all, err := tables("/proc/net")
	if err != nil {
		return 0, err
	}
	return owner(all, local, remote)
}

func owner(all []socket, local, remote netip.AddrPort) (uid int, err error) {
	for _, s := range all {
		if s.local == local && s.remote == remote && s.state == established && s.inode != orphan {
			return s.uid, nil
		}
	}
	return 0, fmt.Errorf("no process has a connection from %s to %s", local, remote)
}

// Listening returns the addresses at which a process of the same user accepts
// connections.
func Listening(pid int) ([]netip.AddrPort, error) {
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return nil, err
	}
	its := make(map[string]bool)
	for _, file := range files {
		target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, file.Name()))
		if err == nil { // else it was closed in the meantime
			its[target] = true
		}
	}
	all, err := tables(fmt.Sprintf("/proc/%d/net", pid))
	if err != nil {
		return nil, err
	}
	var addresses []netip.AddrPort
	for _, s := range all {
		if s.state == listening && its["socket:["+s.inode+"]"] {
			addresses = append(addresses, s.local)
		}
	}
	return addresses, nil
}

// tables returns the sockets of IPv4 and, where the system has it, IPv6.
func tables(dir string) ([]socket, error) {
	all, err := table(filepath.Join(dir, "tcp"))
	if err != nil {
		return nil, err
	}
	six, err := table(filepath.Join(dir, "tcp6"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return append(all, six...), nil
}

func table(name string) ([]socket, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var all []socket
	lines := bufio.NewScanner(file)
	lines.Scan() // the head
	for lines.Scan() {
		s, err := parse(lines.Text())
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		all = append(all, s)
	}
	return all, lines.Err()
}

// parse reads a line: its number, local and remote address, state, two pairs of
// counters, retransmits, user, timeout, inode, and more.
func parse(line string) (s socket, err error) {
	fields := strings.Fields(line)
	if len(fields) < 10 {
		return s, fmt.Errorf("%q has %d fields", line, len(fields))
	}
	s.state, s.inode = fields[3], fields[9]
	if s.local, err = address(fields[1]); err != nil {
		return s, err
	}
	if s.remote, err = address(fields[2]); err != nil {
		return s, err
	}
	s.uid, err = strconv.Atoi(fields[7])
	return s, err
}

// address reads one: words of four bytes in the machine's order, a colon, a port.
func address(text string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no address: %w", text, err)
	}
	ip, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is no address: %w", text, err)
	}
	for word := ip; len(word) >= 4; word = word[4:] {
		binary.BigEndian.PutUint32(word, binary.NativeEndian.Uint32(word))
	}
	addr, ok := netip.AddrFromSlice(ip)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("%q is no address: it has %d bytes", text, len(ip))
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(n)), nil
}
