package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
)

// Survey is what names tell of a series, and what was asked of it.
type Survey struct {
	Series frame.Series
	Files  Files
	Asked  []frame.Span    // in order; they may overlap
	Lost   []*DamagedError // requests that cannot be read
}

// Survey looks at every series that has receipts or requests, in the order of
// [frame.Series.ID]. It reads names and requests. One whose files are all damaged is left out.
func (l *Ledger) Survey(ctx context.Context) ([]Survey, error) {
	ids, err := l.ids(ctx)
	if err != nil {
		return nil, err
	}
	all, known := make([]Survey, len(ids)), make([]bool, len(ids))
	err = each(len(ids), func(i int) (err error) {
		all[i], known[i], err = l.survey(ctx, ids[i])
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the ledger of %q: %w", l.place, err)
	}
	i := 0
	return slices.DeleteFunc(all, func(Survey) bool { i++; return !known[i-1] }), nil
}

func (l *Ledger) survey(ctx context.Context, id string) (s Survey, known bool, err error) {
	var lost []error
	if s.Asked, lost, err = l.requestsOf(ctx, id); err != nil {
		return s, false, err
	}
	for _, err := range lost {
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			s.Lost = append(s.Lost, damaged)
		}
	}
	if known = len(s.Asked) > 0; known {
		s.Series = s.Asked[0].Series
	} else if s.Series, known, err = l.seriesOf(ctx, id); err != nil || !known {
		return s, false, err
	}
	s.Files, err = l.Files(ctx, s.Series)
	return s, true, err
}
