package main

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// house lists the module's packages from the ground floor up. Each may import
// those that stand before it, and no others.
var house = []string{
	"internal/fault",
	"internal/card",
	"internal/storetest",
	"internal/httpguard",
	"internal/outside",
	"internal/awsbase",
	"internal/keys",
	"internal/sockets",
	"internal/scratch",
	"io/internal/disk",
	"io/store",
	"io/store/internal/bucket",
	"io/store/gcsstore",
	"io/store/memstore",
	"io/store/s3store",
	"io/frame",
	"internal/header",
	"io/frame/framepb",
	"internal/shardtest",
	"io/ledger",
	"io/internal/container",
	"io/internal/foldertest",
	"io/internal/placetest",
	"io/kvsio/kvstest",
	"io/kvsio/internal/grid",
	"io/kvsio/internal/pagetest",
	"io/kvsio/internal/lift",
	"io/kvsio/internal/pace",
	"io/kvsio/internal/admit",
	"io/kvsio/internal/ask",
	"io/kvsio",
	"io/dataset/internal/sealed",
	"io/dataset",
	"io/pack",
	"transforms/internal/jpeg",
	"transforms/internal/references",
	"transforms/internal/pixels",
	"transforms",
	"pipeline/internal/beamrun",
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

// TestSourceWithoutClouds: the source and the paginator depend on no client of a store,
// and on few packages.
func TestSourceWithoutClouds(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./io/kvsio")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) >= 500 {
		t.Errorf("io/kvsio depends on %d packages, want fewer than 500", len(packages))
	}
	for _, name := range packages {
		if strings.Contains(name, "/service/s3") || strings.HasPrefix(name, "cloud.google.com/go/storage") ||
			strings.HasPrefix(name, "gocloud.dev") {
			t.Errorf("io/kvsio depends on %s", name)
		}
	}
}

// TestRequirements: whoever uses the module gets what it needs to run. What only tests
// need is required by modules of their own, in testdata/stores and tools, but for two
// that are small, and that tests of most packages import.
func TestRequirements(t *testing.T) {
	needed := []string{"go.uber.org/goleak", "pgregory.net/rapid"}
	list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	needed = append(needed, strings.Fields(string(out))...)
	edit := exec.Command("go", "mod", "edit", "-json")
	if out, err = edit.Output(); err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Tool    []struct{ Path string }
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	for _, tool := range mod.Tool {
		t.Errorf("go.mod has the tool %s", tool.Path)
	}
	for _, required := range mod.Require {
		if !required.Indirect && !slices.Contains(needed, required.Path) {
			t.Errorf("go.mod requires %s, which nothing but tests needs", required.Path)
		}
	}
}
