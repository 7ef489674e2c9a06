package beamrun

import (
	"context"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	//lint:ignore SA1019 Beam would have prism in its place, which anybody can connect to
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/direct" // registers itself
)

// direct runs jobs in this process, and accepts no connections.
type direct struct{ undemanding }

func (direct) IsLocal() bool { return true }

// Run lets the runner see ctx end, unlike others: prism panics when the client that
// submitted a job goes away, and the rest would not hear of it.
func (direct) Run(ctx context.Context, _ string, p *beam.Pipeline) (string, error) {
	_, err := await(ctx, func() (beam.PipelineResult, error) { return beam.Run(ctx, "direct", p) },
		func(context.Context) bool { return false })
	return "", err
}
