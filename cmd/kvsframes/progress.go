package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/pipeline"
)

// progress shows how far something is: on a terminal as a line that is drawn
// again and again, elsewhere as a line a minute.
type progress struct {
	w        io.Writer
	terminal bool
	drawn    bool
	last     time.Time // when a line was drawn or left to stand
}

const (
	drawEvery = 100 * time.Millisecond // on a terminal
	lineEvery = time.Minute            // elsewhere
)

// progress returns one that shows nothing where that was asked for.
func (show *output) progress(cmd *cobra.Command) *progress {
	p := &progress{w: cmd.ErrOrStderr(), last: time.Now()}
	if *show.quiet {
		p.w = io.Discard
	}
	p.terminal = isTerminal(p.w)
	return p
}

// clearLine goes back to the line's beginning and clears the line.
const clearLine = "\r\x1b[K"

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p *progress) show(now pipeline.Progress) { p.draw(progressLine(now)) }

func (p *progress) draw(line string) {
	every, form := lineEvery, "%s\n"
	if p.terminal {
		every, form = drawEvery, clearLine+"%s"
	}
	if time.Since(p.last) < every {
		return
	}
	fmt.Fprintf(p.w, form, line)
	p.last, p.drawn = time.Now(), p.terminal
}

// end leaves the line to what is printed next.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprint(p.w, clearLine)
	}
}

func progressLine(now pipeline.Progress) string {
	if now.Receipts > 0 {
		return indexLine(now.Indexed, now.Receipts)
	}
	done := now.Done.Frames + now.Done.Gaps
	parts := []string{fmt.Sprintf("%s of %s samples", card.Number(done), card.Number(now.Samples))}
	if s := now.Elapsed.Seconds(); s > 0 {
		parts = append(parts, fmt.Sprintf("%.0f frames/s", float64(now.Done.Frames)/s),
			size(int64(float64(now.Done.Bytes)/s))+"/s")
	}
	if now.Done.Throttles > 0 {
		parts = append(parts, card.Number(now.Done.Throttles)+" throttles")
	}
	if again := now.Done.Retries - now.Done.Throttles; again > 0 {
		parts = append(parts, card.Number(again)+" retries")
	}
	if left := now.Samples - done; done > 0 && left > 0 {
		eta := time.Duration(float64(now.Elapsed) * float64(left) / float64(done))
		parts = append(parts, eta.Round(time.Second).String()+" left")
	}
	return strings.Join(parts, " · ")
}

func indexLine(done, total int64) string {
	return fmt.Sprintf("%s of %s shards in the index", card.Number(done), card.Number(total))
}
