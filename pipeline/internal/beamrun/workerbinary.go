package beamrun

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
)

// setWorkerBinary makes the running program the one that workers run, unless
// Beam's --worker_binary names another. Left alone, Beam runs "go build" on source
// that users of a binary do not have.
func setWorkerBinary() error {
	const build = "build one from the same version with GOOS=linux GOARCH=amd64 CGO_ENABLED=0 go build, and name it " +
		"with --worker_binary"
	if named := *jobopts.WorkerBinary; named != "" {
		if err := checkWorkerBinary(named); err != nil {
			return fmt.Errorf("--worker_binary is %q, %w: %s", named, err, build)
		}
		return nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return fmt.Errorf("this program is for %s/%s, and workers are linux/amd64: %s", runtime.GOOS, runtime.GOARCH, build)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's own file: %w: %s", err, build)
	}
	*jobopts.WorkerBinary = self
	return nil
}

// checkWorkerBinary says why a file is no program for workers.
func checkWorkerBinary(name string) error {
	f, err := elf.Open(name)
	if os.IsNotExist(err) || os.IsPermission(err) {
		return err
	}
	if err != nil {
		return errors.New("which is no program for linux")
	}
	defer f.Close()
	if f.Machine != elf.EM_X86_64 {
		return fmt.Errorf("which is a program for %v, and workers are linux/amd64", f.Machine)
	}
	return nil
}
