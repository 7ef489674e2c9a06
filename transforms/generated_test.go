package transforms

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the generated code in place of comparing it")

// The assembly of the kernels is what tools/kernels generates with the avo that tools/go.mod pins.
func TestKernelsAreGenerated(t *testing.T) {
	const tools = "../tools"
	sources, err := filepath.Glob(tools + "/kernels/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(sources, tools+"/go.mod") { // so go test runs this again when they change
		if _, err := os.Stat(name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"jpeg", "pixels"} {
		command := exec.Command("go", "run", "-C", tools, "./kernels", name)
		command.Env = append(os.Environ(), "GOWORK=off") // a workspace need not know tools
		command.Stderr = os.Stderr
		want, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		generated := filepath.Join("internal", name, "kernels_amd64.s")
		if *update {
			if err := os.WriteFile(generated, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(generated)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(have, want) {
			t.Errorf("%s is not what tools/kernels generates; run go generate ./transforms", generated)
		}
	}
}
