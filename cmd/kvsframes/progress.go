package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/pipeline"
)

// progress shows how far something is: on a terminal as one line that is drawn again and
// again, elsewhere, or where lines were asked for, as a line every half minute.
type progress struct {
	w     io.Writer
	width func() int // columns of the terminal; nil: lines

	mu     sync.Mutex
	now    status
	drawn  bool
	last   time.Time // when a line was drawn or left to stand
	ignore func()    // ends what redraws the line when the terminal changes its size
}

// status is how far something is.
type status struct {
	done, total int64
	parts       []string // what is said of it, by importance: as much of it as there is room for
}

const (
	drawEvery = 100 * time.Millisecond // on a terminal
	lineEvery = 30 * time.Second       // elsewhere
)

// progress returns one that shows nothing where that was asked for.
func (show *output) progress(cmd *cobra.Command) *progress {
	p := &progress{w: cmd.ErrOrStderr(), last: time.Now(), ignore: func() {}}
	if *show.quiet {
		p.w = io.Discard
	}
	if isTerminal(p.w) && *show.progressForm != "plain" {
		p.width = func() int { return columns(p.w.(*os.File)) }
		p.ignore = onResize(p.redraw)
	}
	return p
}

// clearLine goes back to the line's beginning, and clears it and what it was wrapped to.
const clearLine = "\r\x1b[J"

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// columns returns how wide a terminal is, or is taken to be where it does not know.
func columns(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

func (p *progress) show(now pipeline.Progress) { p.draw(backfillStatus(now)) }

func (p *progress) draw(now status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	every := lineEvery
	if p.width != nil {
		every = drawEvery
	}
	if p.now = now; time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	if p.width == nil {
		fmt.Fprintln(p.w, now.plain())
		return
	}
	p.drawn = true
	p.drawLine()
}

// drawLine leaves the cursor at the beginning of the line: there it stays when a terminal that
// becomes narrower wraps the line, and clearLine clears all of it.
func (p *progress) drawLine() { fmt.Fprint(p.w, clearLine+p.now.line(p.width())+"\r") }

func (p *progress) redraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		p.drawLine()
	}
}

// end leaves the line to what is printed next.
func (p *progress) end() {
	p.ignore()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drawn {
		fmt.Fprint(p.w, clearLine)
		p.drawn = false
	}
}

func (s status) percent() string {
	if s.total <= 0 {
		return "0%"
	}
	return fmt.Sprintf("%d%%", min(s.done, s.total)*100/s.total)
}

func (s status) plain() string {
	return outside.Text(strings.Join(append([]string{s.percent()}, s.parts...), separator))
}

const separator = " · "

// The lengths of a bar, in columns with its brackets.
const (
	shortestBar = 10
	longestBar  = 32
)

// line is as much as fits in less than width columns, so that no terminal wraps it.
func (s status) line(width int) string {
	text := s.percent()
	for _, part := range s.parts {
		if longer := text + separator + outside.Text(part); utf8.RuneCountInString(longer) < width {
			text = longer
		}
	}
	if room := min(width-1-utf8.RuneCountInString(text)-1, longestBar); room >= shortestBar {
		text = s.bar(room) + " " + text
	}
	if utf8.RuneCountInString(text) >= width {
		return ""
	}
	return text
}

func (s status) bar(length int) string {
	full := length - len("[]")
	done := 0
	if s.total > 0 {
		done = int(min(s.done, s.total) * int64(full) / s.total)
	}
	bar := strings.Repeat("=", done)
	if 0 < done && done < full {
		bar = bar[1:] + ">"
	}
	return "[" + bar + strings.Repeat(" ", full-done) + "]"
}

// backfillStatus is how far a backfill is.
func backfillStatus(now pipeline.Progress) status {
	if other := now.WaitingFor; other != nil {
		return status{parts: []string{"waiting for the backfill by " + other.String()}}
	}
	if now.Receipts > 0 {
		return indexStatus(now.Indexed, now.Receipts)
	}
	done := now.Done.Frames + now.Done.Gaps
	s := status{done: done, total: now.Samples}
	add := func(format string, args ...any) { s.parts = append(s.parts, fmt.Sprintf(format, args...)) }
	seconds := now.Elapsed.Seconds()
	if left := now.Samples - done; done > 0 && left > 0 {
		add("%v left", time.Duration(seconds/float64(done)*float64(left)*float64(time.Second)).Round(time.Second))
	}
	if now.Streams > 1 {
		add("%s of %s streams", card.Number(now.StreamsDone), card.Number(now.Streams))
		if behind := now.Streams - now.StreamsDone; now.StreamsDone > 0 && 0 < behind && behind <= max(1, now.Streams/10) {
			add("waiting for %s", now.Slowest)
		}
	}
	if now.Lost+now.AtRisk > 0 {
		add("%s lost, %s at risk", card.Number(now.Lost), card.Number(now.AtRisk))
	}
	if seconds > 0 {
		add("%.0f frames/s", float64(now.Done.Frames)/seconds)
		add("%s/s", size(int64(float64(now.Done.Bytes)/seconds)))
		add("%v elapsed", now.Elapsed.Round(time.Second))
	}
	add("%s of %s", card.Number(done), card.Count(now.Samples, "sample"))
	if now.Done.Throttles > 0 {
		add("%s", card.Count(now.Done.Throttles, "throttle"))
	}
	if again := now.Done.Retries - now.Done.Throttles; again == 1 {
		add("1 retry")
	} else if again > 1 {
		add("%s retries", card.Number(again))
	}
	return s
}

func indexStatus(done, total int64) status { return shardsStatus(done, total, "in the index") }

// shardsStatus is of how many shards something is done.
func shardsStatus(done, total int64, what string) status {
	return status{done, total, []string{fmt.Sprintf("%s of %s %s", card.Number(done), card.Count(total, "shard"), what)}}
}
