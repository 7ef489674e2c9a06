package beamrun

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
)

// program makes a file that begins as a program for linux does.
func program(t *testing.T, machine elf.Machine) string {
	t.Helper()
	header := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Ehsize: 64}
	copy(header.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	var data bytes.Buffer
	binary.Write(&data, binary.LittleEndian, header)
	name := filepath.Join(t.TempDir(), "worker")
	if err := os.WriteFile(name, data.Bytes(), 0o777); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestWorkerBinary(t *testing.T) {
	defer func() { *jobopts.WorkerBinary = "" }()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ named, uses, want string }{
		{"", self, ""},
		{program(t, elf.EM_X86_64), "", ""},
		{program(t, elf.EM_AARCH64), "", "which is a program for EM_AARCH64, and workers are linux/amd64: build one"},
		{"workerbinary_test.go", "", "which is no program for linux: build one"},
		{"nowhere", "", "no such file"},
	} {
		*jobopts.WorkerBinary = test.named
		err := setWorkerBinary()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: the error is %v, want %q", test.named, err, test.want)
		}
		if test.uses != "" && *jobopts.WorkerBinary != test.uses {
			t.Errorf("the worker binary is %s, want %s", *jobopts.WorkerBinary, test.uses)
		}
	}
}
