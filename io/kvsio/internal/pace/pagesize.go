package pace

import "sync"

// PageSize is the largest page that the service documents, in images.
const PageSize = 25

// PageSizes finds out how large a stream's pages really are. Quota is paid by
// what is asked for, not by what comes, so no more is asked for than a page
// brings, and one less than that: a page as long as was asked for proves where
// the next begins only where the service had room for all of it. The zero value
// takes the service at its word.
type PageSizes struct {
	mu    sync.Mutex
	limit int // 0: pageSize
	short int // the size of the last page that was shorter than asked
	times int // how often in a row it was that
	asked int // pages since the limit was last tried
}

const (
	// believeShort pages of one size are no accident.
	believeShort = 3
	// tryLonger is after how many short pages a whole one is asked for again.
	tryLonger = 32
)

// Most returns how many images to ask for at most.
func (p *PageSizes) Most() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.limit == 0 {
		return PageSize
	}
	if p.asked++; p.asked%tryLonger == 0 {
		return PageSize
	}
	return p.limit
}

// Learn takes note of a page: how many images it was asked for, how many
// entries it had, and whether more are to come.
func (p *PageSizes) Learn(asked, got int, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case got > p.limit && p.limit > 0:
		p.limit, p.times = 0, 0
	case got == 0 || got >= asked || !more:
		return
	case got != p.short:
		p.short, p.times = got, 1
	default:
		if p.times++; p.times >= believeShort {
			p.limit = max(1, got-1) // each may have had an entry too many
		}
	}
}
