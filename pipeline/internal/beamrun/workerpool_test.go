package beamrun

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	fnpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/fnexecution_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// startWorker asks a pool for a worker that is to work for control.
func startWorker(t *testing.T, pool string, params map[string]string, control net.Listener) error {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+pool, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	endpoint := &pipepb.ApiServiceDescriptor{Url: control.Addr().String()}
	_, err = fnpb.NewBeamFnExternalWorkerPoolClient(conn).StartWorker(t.Context(), &fnpb.StartWorkerRequest{
		WorkerId: "1-1", ControlEndpoint: endpoint, LoggingEndpoint: endpoint, Params: params,
	})
	return err
}

// anyRunner listens where a worker is to connect.
func anyRunner(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestPoolWorksForItsJob: a worker starts for who knows the secret that is in the job's
// environment, and for nobody else.
func TestPoolWorksForItsJob(t *testing.T) {
	pool, err := startPool(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer pool.close()
	if at := netip.MustParseAddrPort(pool.address); !at.Addr().IsLoopback() {
		t.Errorf("it listens at %v", at)
	}
	other, err := startPool(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer other.close()
	runner := anyRunner(t)
	for name, params := range map[string]map[string]string{
		"nothing": nil, "an empty secret": {secretParam: ""}, "a part of it": {secretParam: pool.secret[:10]},
		"another job's": {secretParam: other.secret},
	} {
		if err := startWorker(t, pool.address, params, runner); status.Code(err) != codes.PermissionDenied {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(pool.workers) != 0 {
		t.Errorf("there are workers: %v", pool.workers)
	}

	e, err := pool.environment(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var payload pipepb.ExternalPayload
	if err := proto.Unmarshal(e.GetPayload(), &payload); err != nil {
		t.Fatal(err)
	}
	if err := startWorker(t, payload.GetEndpoint().GetUrl(), payload.GetParams(), runner); err != nil {
		t.Fatal(err)
	}
	conn, err := runner.Accept() // the worker's
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// TestPoolOfOneUser: who is not of this user, and not root, is hung up on.
func TestPoolOfOneUser(t *testing.T) {
	for name, test := range map[string]struct {
		uid   int
		err   error
		taken bool
	}{
		"of this user": {os.Geteuid(), nil, true}, "root": {0, nil, true}, "of another user": {os.Geteuid() + 1, nil, false},
		"nobody's any more": {0, net.ErrClosed, false},
	} {
		t.Run(name, func(t *testing.T) {
			inner := anyRunner(t)
			l := &ownListener{Listener: inner, ctx: t.Context(), owner: func(local, remote netip.AddrPort) (int, error) {
				if remote != addrPort(inner.Addr()) || local == remote {
					t.Errorf("asked for the owner of the connection from %v to %v", local, remote)
				}
				return test.uid, test.err
			}}
			accepted := make(chan net.Conn, 1)
			go func() {
				if conn, err := l.Accept(); err == nil {
					accepted <- conn
				}
			}()
			conn, err := net.DialTimeout("tcp", inner.Addr().String(), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if test.taken {
				(<-accepted).Close()
			}
			if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil {
				t.Errorf("it read %d, %v", n, err)
			}
			if !test.taken && len(accepted) > 0 {
				t.Error("it was accepted")
			}
		})
	}
}
