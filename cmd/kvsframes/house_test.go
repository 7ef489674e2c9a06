package main

import (
	"os/exec"
	"strings"
	"testing"
)

// house lists the module's packages from the ground floor up. Each may import
// those that stand before it, and no others.
var house = []string{
	"internal/storetest",
	"internal/httpguard",
	"internal/outside",
	"internal/awsbase",
	"internal/keys",
	"internal/sockets",
	"io/internal/own",
	"io/framepb",
	"internal/claim",
	"io/ledger",
	"io/kvsio/kvstest",
	"io/kvsio",
	"io/dataset",
	"transforms/internal/jpeg",
	"transforms/internal/references",
	"transforms",
	"pipeline",
	"cmd/kvsframes",
}

func TestImportsGoDown(t *testing.T) {
	const module = "github.com/kvsframes/kvsframes/"
	floor := make(map[string]int)
	for i, name := range house {
		floor[module+name] = i + 1
	}
	list := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		packages := strings.Fields(line)
		from := floor[packages[0]]
		if from == 0 {
			t.Errorf("%s has no floor", packages[0])
		}
		for _, to := range packages[1:] {
			if strings.HasPrefix(to, module) && floor[to] >= from {
				t.Errorf("%s imports %s, which does not stand below it", packages[0], to)
			}
		}
	}
}
