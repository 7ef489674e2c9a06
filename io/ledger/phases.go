package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Phases finds series that differ in their phase alone: the same instants of such are never
// samples of both, so what one has is of no use to the other.
type Phases struct {
	ledger *Ledger
	ids    []string // of series that have requests, in order
}

// Phases lists the series that have requests. In a bucket that takes one request for a thousand.
func (l *Ledger) Phases(ctx context.Context) (*Phases, error) {
	_, ids, err := l.store.List(ctx, "requests")
	if err != nil {
		return nil, fmt.Errorf("listing the requests: %w", err)
	}
	slices.Sort(ids)
	return &Phases{l, ids}, nil
}

// Has reports whether anything was asked of exactly this series. It asks the store for nothing.
func (p *Phases) Has(series frame.Series) bool {
	_, found := slices.BinarySearch(p.ids, series.ID())
	return found
}

// Of returns the series that differ from one in nothing but their phase, that one itself
// included, of which anything was asked, by their phase. It makes two requests to a bucket for each
// other series of the stream, and none where there is none.
func (p *Phases) Of(ctx context.Context, series frame.Series) ([]frame.Series, error) {
	var found []frame.Series
	own := series.ID()
	of := own[:strings.LastIndexByte(own, '_')+1] // what IDs of the stream begin with
	for _, id := range p.ids {
		if id == own {
			found = append(found, series)
			continue
		}
		if hash, ok := strings.CutPrefix(id, of); !ok || len(hash) != len(own)-len(of) {
			continue
		}
		other, known, err := p.ledger.seriesOf(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("reading the requests for %s: %w", series.StreamName, err)
		}
		alike := other
		if alike.PhaseMs = series.PhaseMs; known && alike == series {
			found = append(found, other)
		}
	}
	slices.SortFunc(found, func(a, b frame.Series) int { return int(a.PhaseMs) - int(b.PhaseMs) })
	return found, nil
}

// Newest returns, of at least one series, the one whose newest sample that was asked for is
// latest. Where there are several it lists the requests of each.
func (p *Phases) Newest(ctx context.Context, of []frame.Series) (frame.Series, error) {
	newest, latest := of[0], int64(-1)
	if len(of) == 1 {
		return newest, nil
	}
	for _, series := range of {
		asked, err := p.ledger.Asked(ctx, series)
		if err != nil {
			return newest, err
		}
		if n := len(asked); n > 0 && series.At(asked[n-1].End()-1) > latest {
			latest, newest = series.At(asked[n-1].End()-1), series
		}
	}
	return newest, nil
}
