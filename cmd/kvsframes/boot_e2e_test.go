//go:build e2e

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/artifact"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/kvsframes/kvsframes/io/kvsio/kvstest"
)

// runnerOf is as much of a runner as a worker meets when it starts.
type runnerOf struct {
	fnpb.UnimplementedProvisionServiceServer
	fnpb.UnimplementedBeamFnControlServer
	fnpb.UnimplementedBeamFnLoggingServer
	jobpb.UnimplementedArtifactRetrievalServiceServer
	address string
	binary  []byte // that was submitted
	fetched atomic.Int32
	workers chan string
}

func (r *runnerOf) GetProvisionInfo(context.Context, *fnpb.GetProvisionInfoRequest) (*fnpb.GetProvisionInfoResponse,
	error,
) {
	sum := sha256.Sum256(r.binary)
	payload, err := proto.Marshal(&pipepb.ArtifactFilePayload{
		Path:   "/elsewhere/worker",
		Sha256: hex.EncodeToString(sum[:]),
	})
	here := &pipepb.ApiServiceDescriptor{Url: r.address}
	return &fnpb.GetProvisionInfoResponse{Info: &fnpb.ProvisionInfo{
		PipelineOptions: &structpb.Struct{}, LoggingEndpoint: here, ArtifactEndpoint: here, ControlEndpoint: here,
		Dependencies: []*pipepb.ArtifactInformation{{
			TypeUrn: artifact.URNFileArtifact, TypePayload: payload, RoleUrn: artifact.URNGoWorkerBinaryRole,
		}},
	}}, err
}

func (r *runnerOf) ResolveArtifacts(_ context.Context,
	in *jobpb.ResolveArtifactsRequest,
) (*jobpb.ResolveArtifactsResponse, error) {
	return &jobpb.ResolveArtifactsResponse{Replacements: in.GetArtifacts()}, nil
}

func (r *runnerOf) GetArtifact(_ *jobpb.GetArtifactRequest,
	out jobpb.ArtifactRetrievalService_GetArtifactServer,
) error {
	r.fetched.Add(1)
	for rest := r.binary; len(rest) > 0; {
		n := min(1<<20, len(rest))
		if err := out.Send(&jobpb.GetArtifactResponse{Data: rest[:n]}); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

func (r *runnerOf) Control(stream fnpb.BeamFnControl_ControlServer) error {
	info, _ := metadata.FromIncomingContext(stream.Context())
	r.workers <- strings.Join(info.Get("worker_id"), " ")
	<-stream.Context().Done()
	return nil
}

func newRunnerOf(t *testing.T, binary []byte) *runnerOf {
	t.Helper()
	listener, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &runnerOf{address: listener.Addr().String(), binary: binary, workers: make(chan string, 1)}
	server := grpc.NewServer()
	fnpb.RegisterProvisionServiceServer(server, r)
	fnpb.RegisterBeamFnControlServer(server, r)
	fnpb.RegisterBeamFnLoggingServer(server, r)
	jobpb.RegisterArtifactRetrievalServiceServer(server, r)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return r
}

// The command is its own boot program: with boot's flags it becomes a worker, in
// the same process. It fetches the binary that was submitted only where that is
// another one.
func TestBoot(t *testing.T) {
	t.Parallel()
	same, err := os.ReadFile(binary())
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		submitted []byte
		fetched   int32
	}{
		"the same binary": {same, 0},
		"another binary":  {append(same[:len(same):len(same)], 0), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRunnerOf(t, test.submitted)
			u := newUser(t, kvstest.Config{})
			cmd := u.start("--id=1-1", "--provision_endpoint="+r.address, "--semi_persist_dir="+u.dir)
			if id := <-r.workers; id != "1-1" {
				t.Errorf("the worker is %q", id)
			}
			if n := r.fetched.Load(); n != test.fetched {
				t.Errorf("the binary was fetched %d times, want %d", n, test.fetched)
			}
			if left, _ := filepath.Glob(u.dir + "/*"); len(left) != 0 {
				t.Errorf("it left %v", left)
			}
			cmd.Process.Kill() // it is the worker itself, not somebody who waits for it
			cmd.Wait()
		})
	}
}

func TestBootThatFails(t *testing.T) {
	t.Parallel()
	u := newUser(t, kvstest.Config{})
	o := u.run("--id=1-1", "--provision_endpoint=127.0.0.1:1", "--nonsense=1")
	if o.status != 1 || !strings.Contains(o.stderr, "nonsense") {
		t.Errorf("%+v", o)
	}
}
