package beamrun

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"

	"github.com/apache/beam/sdks/v2/go/container/tools"
	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/graphx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/harness"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/util/protox"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal/runnerlib"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/vet"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/util/grpcx"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/kvsframes/kvsframes/internal/sockets"
)

// runHere runs p on the job server at Beam's --endpoint, with workers in this process:
// what --environment_type LOOPBACK means. Beam's own pool of such workers starts one
// for whoever asks.
func runHere(ctx context.Context, p *beam.Pipeline) (beam.PipelineResult, error) {
	endpoint, err := jobopts.GetEndpoint()
	if err != nil {
		return nil, err
	}
	if *jobopts.Strict {
		if _, err := vet.Execute(ctx, p); err != nil {
			return nil, err
		}
	}
	edges, _, err := p.Build()
	if err != nil {
		return nil, err
	}
	pool, err := startPool(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting workers in this process: %w", err)
	}
	defer pool.close()
	environment, err := pool.environment(ctx)
	if err != nil {
		return nil, err
	}
	job, err := graphx.Marshal(edges, &graphx.Options{
		Environment:           environment,
		PipelineResourceHints: jobopts.GetPipelineResourceHints(),
	})
	if err != nil {
		return nil, err
	}
	return runnerlib.Execute(ctx, job, endpoint, &runnerlib.JobOptions{
		Name: jobopts.GetJobName(), Experiments: jobopts.GetExperiments(), Parallelism: *jobopts.Parallelism, Loopback: true,
	}, false)
}

// workerPool starts workers of one job in this process, when the job's runner asks for
// them. A worker runs what its runner sends it, with all that this process may do, so
// the pool believes only who knows the job's secret. Whoever can ask the job server
// for its jobs learns that, so it accepts connections of its own user and of root only:
// neither needs it to run programs as this user.
type workerPool struct {
	fnpb.UnimplementedBeamFnExternalWorkerPoolServer

	secret  string
	address string
	server  *grpc.Server
	ctx     context.Context // of the workers
	cancel  context.CancelFunc

	mu      sync.Mutex
	workers map[string]context.CancelFunc
}

// secretParam names the parameter of an environment that runners pass on when they ask
// for a worker.
const secretParam = "kvsframes_secret"

func startPool(ctx context.Context) (*workerPool, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	pool := &workerPool{
		secret: rand.Text(), address: l.Addr().String(), server: grpc.NewServer(),
		workers: make(map[string]context.CancelFunc),
	}
	pool.ctx, pool.cancel = context.WithCancel(ctx)
	fnpb.RegisterBeamFnExternalWorkerPoolServer(pool.server, pool)
	go pool.server.Serve(&ownListener{Listener: l, owner: sockets.Owner, ctx: ctx})
	return pool, nil
}

// close ends all workers.
func (pool *workerPool) close() {
	pool.cancel()
	pool.server.Stop()
}

// environment tells a job's runner where its workers are.
func (pool *workerPool) environment(ctx context.Context) (*pipepb.Environment, error) {
	e, err := graphx.CreateEnvironment(ctx, graphx.URNEnvExternal, func(context.Context) string { return pool.address })
	if err != nil {
		return nil, err
	}
	e.Payload = protox.MustEncode(&pipepb.ExternalPayload{
		Endpoint: &pipepb.ApiServiceDescriptor{Url: pool.address},
		Params:   map[string]string{secretParam: pool.secret},
	})
	return e, nil
}

// StartWorker starts a worker for the job's runner.
func (pool *workerPool) StartWorker(ctx context.Context, r *fnpb.StartWorkerRequest) (*fnpb.StartWorkerResponse,
	error,
) {
	if subtle.ConstantTimeCompare([]byte(r.GetParams()[secretParam]), []byte(pool.secret)) != 1 {
		return nil, status.Error(codes.PermissionDenied,
			"this process works for the job that it has submitted, and for no other")
	}
	options := provisioned(ctx, r.GetProvisionEndpoint().GetUrl())
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.workers[r.GetWorkerId()] != nil {
		return &fnpb.StartWorkerResponse{Error: fmt.Sprintf("there is a worker %q", r.GetWorkerId())}, nil
	}
	worker, cancel := context.WithCancel(grpcx.WriteWorkerID(pool.ctx, r.GetWorkerId()))
	pool.workers[r.GetWorkerId()] = cancel
	// the runner tells what fails
	go harness.MainWithOptions(worker, r.GetLoggingEndpoint().GetUrl(), r.GetControlEndpoint().GetUrl(), options)
	return &fnpb.StartWorkerResponse{}, nil
}

// provisioned returns what a runner tells its workers, where it does.
func provisioned(ctx context.Context, endpoint string) (options harness.Options) {
	if endpoint == "" {
		return options
	}
	info, err := tools.ProvisionInfo(ctx, endpoint)
	if err != nil {
		log.Debugf(ctx, "the runner tells its workers nothing: %v", err)
	}
	options.StatusEndpoint, options.RunnerCapabilities = info.GetStatusEndpoint().GetUrl(), info.GetRunnerCapabilities()
	return options
}

// StopWorker ends a worker.
func (pool *workerPool) StopWorker(_ context.Context, r *fnpb.StopWorkerRequest) (*fnpb.StopWorkerResponse, error) {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	cancel := pool.workers[r.GetWorkerId()]
	if cancel == nil {
		return &fnpb.StopWorkerResponse{Error: fmt.Sprintf("there is no worker %q", r.GetWorkerId())}, nil
	}
	cancel()
	delete(pool.workers, r.GetWorkerId())
	return &fnpb.StopWorkerResponse{}, nil
}

// ownListener closes connections of other users, but root, before anything is read
// from them. It knows on Linux whose a connection is, and elsewhere lets all pass.
type ownListener struct {
	net.Listener
	owner func(local, remote netip.AddrPort) (uid int, err error)
	ctx   context.Context // of its log
	warn  sync.Once
}

// Accept returns the next connection of this user or root.
func (l *ownListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || runtime.GOOS != "linux" {
			return conn, err
		}
		user, err := l.owner(addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr()))
		if err == nil && (user == os.Geteuid() || user == 0) {
			return conn, nil
		}
		conn.Close()
		if err == nil {
			l.warn.Do(func() {
				log.Warnf(l.ctx, "a process of user %d wanted workers of this one, which is of user %d, and was refused: "+
					"with --environment_type LOOPBACK Flink must run as the same user", user, os.Geteuid())
			})
		}
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	p := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
