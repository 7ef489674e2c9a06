package dataset

import (
	"context"
	"fmt"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/register"

	"github.com/kvsframes/kvsframes/io/frame/framepb"
)

func init() {
	beam.RegisterDoFn(&sealFn{})
	register.Function3x2((&sealFn{}).ProcessElement)
	register.Iter1[*framepb.Request]()
	register.Function1x0(forget)
}

// seal seals blocks that were written, a PCollection<KV<string, *framepb.Request>>, each once
// all of it is.
func seal(s beam.Scope, p WriteParams, blocks beam.PCollection) {
	s = s.Scope("seal")
	sealed := beam.ParDo(s, &sealFn{Dir: p.Dir}, beam.GroupByKey(s, blocks))
	// Prism (2.77) spins a core for every bundle of a stage that has no outputs.
	beam.ParDo0(s, forget, beam.Reshuffle(s, sealed))
}

func forget(string) {}

type sealFn struct {
	Dir string

	dataset *Dataset
}

func (fn *sealFn) Setup(ctx context.Context) (err error) {
	fn.dataset, err = Open(ctx, fn.Dir)
	return err
}

func (fn *sealFn) ProcessElement(ctx context.Context, name string, blocks func(**framepb.Request) bool) (string, error) {
	var block *framepb.Request
	if !blocks(&block) {
		return name, nil
	}
	if err := fn.dataset.sealBlock(ctx, block.Span()); err != nil {
		return "", fmt.Errorf("sealing the receipts of %v: %w", block.Span(), err)
	}
	return name, nil
}
