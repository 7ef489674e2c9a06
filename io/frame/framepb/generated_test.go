package framepb

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"testing"
)

var update = flag.Bool("update", false, "write the generated code in place of comparing it")

// TestGenerated holds kvsframes.pb.go against what kvsframes.proto generates
// with the protoc-gen-go that tools/go.mod pins.
func TestGenerated(t *testing.T) {
	const source, generated, tools = "kvsframes.proto", "kvsframes.pb.go", "../../../tools"
	if _, err := os.Stat(tools + "/go.mod"); err != nil { // so go test runs this again when versions change
		t.Fatal(err)
	}
	in, err := os.Open(source)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	command := exec.Command("go", "run", "-C", tools, "./protogo", source)
	command.Env = append(os.Environ(), "GOWORK=off") // a workspace need not know tools
	command.Stdin = in
	command.Stderr = os.Stderr
	want, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
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
		t.Errorf("%s is not what %s generates; run go generate ./io/frame/framepb", generated, source)
	}
}
