package beamrun

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	beamprism "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism" // registers itself, and universal
)

// prism has its job service and its workers in this process, unless Beam's --endpoint
// is of another job service.
type prism struct{ portable }

func (prism) IsLocal() bool { return true }

func (r prism) CheckFlags() error { return r.undemanding.CheckFlags() }

func (prism) Prepare(context.Context, ...string) error { return nil }

// Run starts the job service first.
func (r prism) Run(ctx context.Context, name string, p *beam.Pipeline) (string, error) {
	if *jobopts.Endpoint == "" {
		startPrism(context.WithoutCancel(ctx))
	}
	return r.portable.Run(ctx, name, p)
}

// startPrism starts prism's server in this process, and sets Beam's --endpoint: so it
// is known before there is a job. An empty pipeline is an error, but prism starts its
// server first. Nothing can stop that, or make it listen on the loopback only.
func startPrism(ctx context.Context) {
	log.Warn(ctx, "prism, the runner that you asked for, opens a Beam job service on all network interfaces until this "+
		"process ends, and runs any program that whoever reaches it asks for, as this user; --runner direct opens nothing")
	beamprism.Execute(ctx, beam.NewPipeline())
}
