package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/artifact"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"

	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/internal/scratch"
)

// Init makes this process a worker where a runner started it as one, and does not
// return then: it serves until the runner is done with it. A program that calls
// [Backfill] or [Pack] begins its main function with it, before it looks at its own
// arguments; flag.Parse and [beam.Init] follow. What the program registers in init functions,
// such as a function of [transforms.MapParams], is then known to the workers that a
// cluster starts from its binary.
//
// A worker is started with Beam's flag --worker, or with the flags of Beam's boot program,
// of which --provision_endpoint is one: so the program can stand in a cluster's image, or in
// --environment_config of PROCESS, as what starts workers.
func Init() {
	args := os.Args[1:]
	switch {
	case isWorker(args):
		flag.Parse()
		beam.Init() // exits
	case isBoot(args):
		fmt.Fprintf(os.Stderr, "%s: %v\n", programName(), outside.Error(boot(context.Background(), args)))
	default:
		return
	}
	os.Exit(1)
}

func programName() string { return filepath.Base(os.Args[0]) }

// isWorker recognizes how runners start the worker processes of a job: with
// Beam's --worker, and with no subcommand.
func isWorker(args []string) bool {
	for _, arg := range args {
		name, ok := strings.CutPrefix(arg, "-")
		if !ok {
			return false
		}
		name, value, given := strings.Cut(strings.TrimPrefix(name, "-"), "=")
		if name == "worker" {
			on, err := strconv.ParseBool(value)
			return !given || err == nil && on
		}
	}
	return false
}

// isBoot recognizes how runners start a program that is to become a worker: with
// the flags of Beam's boot program, and with no subcommand.
func isBoot(args []string) bool {
	for _, arg := range args {
		if !strings.HasPrefix(arg, "-") {
			return false
		}
		if strings.HasPrefix(strings.TrimLeft(arg, "-"), "provision_endpoint=") {
			return true
		}
	}
	return false
}

// boot makes this process a worker, as Beam's boot program does. So the program
// is all that a machine or an image needs to run workers. It returns where that
// fails.
func boot(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(programName(), flag.ContinueOnError)
	id := flags.String("id", "", "of the worker")
	provision := flags.String("provision_endpoint", "", "that has the other addresses")
	logging := flags.String("logging_endpoint", "", "for the worker's log")
	artifacts := flags.String("artifact_endpoint", "", "of what was staged")
	control := flags.String("control_endpoint", "", "of the runner")
	dir := flags.String("semi_persist_dir", os.TempDir(), "for temporary files")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx = grpcx.WriteWorkerID(ctx, *id)
	info, err := tools.ProvisionInfo(ctx, *provision)
	if err != nil {
		return fmt.Errorf("asking %s what to work for: %w", *provision, err)
	}
	set(logging, info.GetLoggingEndpoint().GetUrl())
	set(artifacts, info.GetArtifactEndpoint().GetUrl())
	set(control, info.GetControlEndpoint().GetUrl())
	err = become(ctx, info, *artifacts, *dir, "--worker=true", "--id="+*id,
		"--logging_endpoint="+*logging, "--control_endpoint="+*control, "--semi_persist_dir="+*dir)
	(&tools.Logger{Endpoint: *logging}).Errorf(ctx, "%s cannot become a worker: %v", programName(), outside.Error(err))
	return err
}

func set(endpoint *string, address string) {
	if address != "" {
		*endpoint = address
	}
}

// become replaces this process by the worker: a runner that kills what it has
// started kills the worker, and nothing stays behind.
func become(ctx context.Context, info *fnpb.ProvisionInfo, artifacts, dir string, args ...string) error {
	options, err := tools.ProtoToJSON(info.GetPipelineOptions())
	if err != nil {
		return fmt.Errorf("reading the pipeline's options: %w", err)
	}
	program, err := workerBinary(ctx, info, artifacts, dir)
	if err != nil {
		return fmt.Errorf("getting the worker binary: %w", err)
	}
	env := append(os.Environ(),
		"STATUS_ENDPOINT="+info.GetStatusEndpoint().GetUrl(),
		"RUNNER_CAPABILITIES="+strings.Join(info.GetRunnerCapabilities(), " "))
	args = append([]string{programName(), "--options=" + options}, args...)
	return fmt.Errorf("starting the worker binary: %w", syscall.Exec(program, args, env))
}

// workerBinary returns the path of the binary that was submitted. That is this
// one where it is the same to the byte; else it is what was staged.
func workerBinary(ctx context.Context, info *fnpb.ProvisionInfo, artifacts, dir string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	sum, err := checksum(self)
	if err != nil {
		return "", err
	}
	for _, dependency := range info.GetDependencies() {
		if dependency.GetRoleUrn() != artifact.URNGoWorkerBinaryRole || dependency.GetTypeUrn() != artifact.URNFileArtifact {
			continue
		}
		if _, submitted := artifact.MustExtractFilePayload(dependency); submitted == sum {
			return self, nil
		}
	}
	return staged(ctx, info, artifacts, dir)
}

// staged fetches the worker binary that was staged. It leaves nothing in dir: the
// path is of an open file that has no name any more.
func staged(ctx context.Context, info *fnpb.ProvisionInfo, artifacts, dir string) (string, error) {
	dir, remove, err := scratch.Make(dir, "kvsframes-worker-")
	if err != nil {
		return "", err
	}
	defer remove()
	fetched, err := artifact.Materialize(ctx, artifacts, info.GetDependencies(), info.GetRetrievalToken(), dir)
	if err != nil {
		return "", err
	}
	for _, a := range fetched {
		if a.GetRoleUrn() != artifact.URNGoWorkerBinaryRole {
			continue
		}
		name, _ := artifact.MustExtractFilePayload(a)
		fd, err := syscall.Open(filepath.Join(dir, name), syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		return fmt.Sprintf("/proc/self/fd/%d", fd), err
	}
	return "", errors.New("none was staged")
}

func checksum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
