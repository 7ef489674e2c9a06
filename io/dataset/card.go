package dataset

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/store"
)

// cardMark is the line of a card that says whose it is.
const cardMark = "# kvsframes writes this file at the end of every backfill. Without this line it is yours, and " +
	"stays as it is."

// cardRows bounds each of a card's tables.
const cardRows = 100

// cardLimit is more than cards take: their tables have cardRows rows, and a name has
// at most 256 characters.
const cardLimit = 1 << 20

// writeCard writes the card, unless there is one that is somebody's own.
func (c *cataloger) writeCard(ctx context.Context) error {
	_, ours, err := readCard(ctx, c.store, hasMark)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if c.contents.Card = err != nil || ours; !c.contents.Card {
		return nil
	}
	return store.WriteFile(ctx, c.store, card.File, func(w io.Writer) error {
		_, err := io.WriteString(w, c.card())
		return err
	})
}

func hasMark(card []byte) bool { return bytes.Contains(card, []byte(cardMark)) }

// readCard reads the card, and reports whether it is one of ours: not where it is no file.
// It is read as what is damaged is, unless it is as expected.
func readCard(ctx context.Context, from store.Store, expected func([]byte) bool) (have []byte, ours bool, err error) {
	unexpected := errors.New("another card")
	err = store.Twice(from, func() (err error) {
		if have, err = from.Read(ctx, card.File, cardLimit); err == nil && !expected(have) {
			err = unexpected
		}
		return err
	}, func(err error) bool { return err == unexpected || isNoFile(err) })
	if err == unexpected || isNoFile(err) {
		err = nil
	}
	return have, hasMark(have), err
}

// card tells of the dataset, and nothing of when or where it was made.
func (c *cataloger) card() string {
	w := new(strings.Builder)
	var splits []card.Split
	if c.contents.Frames > 0 {
		splits = []card.Split{{Name: "train", Path: "shards/" + card.LoadingOf(c.desc.Format, false).Shards}}
		if !card.IsOfDatasets(c.desc.Format, c.tensors) {
			splits[0].Path = indexGlob
		}
	}
	fmt.Fprintf(w, "---\n%s\n", cardMark)
	card.FrontMatter(w, splits, c.desc.Format == "files" && !c.tensors, c.contents.Frames)
	fmt.Fprint(w, "\n# Frames of Kinesis Video Streams\n\n")
	fmt.Fprintln(w, "Made by [kvsframes](https://github.com/kvsframes/kvsframes), whose `verify` proves that it is "+
		"whole. Times are in UTC.")
	c.counts(w)
	c.loading(w)
	c.requests(w)
	c.gaps(w)
	return w.String()
}

func (c *cataloger) counts(w io.Writer) {
	fmt.Fprint(w, "\n| samples | |\n|---|---:|\n")
	row := func(name string, n int64) { fmt.Fprintf(w, "| %s | %s |\n", card.Cell(name), card.Number(n)) }
	row("all", c.contents.Samples)
	row("frames", c.contents.Frames)
	for _, reason := range slices.Sorted(maps.Keys(c.contents.Gaps)) {
		row("gaps, "+reason, c.contents.Gaps[reason])
	}
	for _, reason := range slices.Sorted(maps.Keys(c.contents.Drops)) {
		row("drops, "+reason, c.contents.Drops[reason])
	}
	if c.contents.Missing > 0 {
		row("asked for and not there", c.contents.Missing)
	}
	fmt.Fprintf(w, "\nThe pictures take %s.\n", card.Bytes(c.contents.Bytes))
	if len(c.desc.Transforms) > 0 {
		fmt.Fprintf(w, "\nWhat was done to frames: `%s`.\n", strings.Join(c.desc.Transforms, "`, then `"))
	}
}

func (c *cataloger) loading(w io.Writer) {
	fmt.Fprint(w, "\n## Load it\n\nIn the folder of this file:\n")
	loading := card.LoadingOf(c.desc.Format, c.tensors)
	block := func(line string) { fmt.Fprintf(w, "\n```python\n%s\n```\n", strings.ReplaceAll(line, "; ", "\n")) }
	if c.contents.Frames > 0 {
		block(loading.Python(""))
		// datasets takes "." for no name
		block(`import datasets, os; samples = datasets.load_dataset(os.getcwd(), split="train")`)
	}
	block(`import duckdb; duckdb.sql("SELECT stream, kind, outcome, count(*) FROM '` + indexGlob + `' GROUP BY ALL").show()`)
	fmt.Fprintf(w, "\n`index/` has a row a sample: what became of it, and the file, offset, size and SHA-256 of "+
		"its picture. The dataset format is `%s`.\n", c.desc.Format)
}

// requests is what was asked for.
func (c *cataloger) requests(w io.Writer) {
	var asked []frame.Span
	for _, cover := range c.cover {
		asked = append(asked, frame.Union(cover.asked)...)
	}
	slices.SortFunc(asked, inTime)
	fmt.Fprint(w, "\n## What was asked for\n\n| stream | first sample | last sample | every | by | picture | samples "+
		"|\n|---|---|---|---:|---|---|---:|\n")
	for _, span := range asked[:min(len(asked), cardRows)] {
		s := span.Series
		fmt.Fprintf(w, "| %s | %s | %s | %v | %s | %s | %s |\n", card.Cell(s.StreamName), frame.Clock(s.At(span.First)),
			frame.Clock(s.At(span.End()-1)),
			time.Duration(s.IntervalMs)*time.Millisecond, card.Cell(s.ImageSelectorType), picturesOf(s), card.Number(span.Samples))
	}
	more(w, len(asked))
}

// inTime orders spans of all series by stream, then by time.
func inTime(a, b frame.Span) int {
	return cmp.Or(
		cmp.Compare(a.Series.StreamName, b.Series.StreamName),
		cmp.Compare(a.Series.At(a.First), b.Series.At(b.First)),
		cmp.Compare(a.Series.ID(), b.Series.ID()),
	)
}

func picturesOf(s frame.Series) string {
	text := s.Format
	if s.WidthPixels > 0 {
		text += fmt.Sprintf(" %d×%d", s.WidthPixels, s.HeightPixels)
	}
	if s.JPEGQuality > 0 {
		text += fmt.Sprintf(" quality %d", s.JPEGQuality)
	}
	return text
}

// gaps is where the gaps and drops are.
func (c *cataloger) gaps(w io.Writer) {
	periods := c.periods()
	if len(periods) == 0 {
		return
	}
	fmt.Fprint(w, "\n## Gaps and drops\n\n| stream | when | samples | frames | gaps | drops "+
		"|\n|---|---|---:|---:|---|---|\n")
	for _, p := range periods[:min(len(periods), cardRows)] {
		fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s |\n", card.Cell(p.stream), cmp.Or(p.when, "ever"),
			card.Number(p.Samples), card.Number(p.Frames), reasons(p.Gaps), reasons(p.Drops))
	}
	more(w, len(periods))
}

// period is consecutive days of a stream.
type period struct {
	stream, when string
	dayCount
}

// periods is the days that have gaps or drops; or the months, or the years, or the
// streams, where there would be too many. Of too many streams, those with most come
// first.
func (c *cataloger) periods() (all []period) {
	for _, length := range []int{len("2006-01-02"), len("2006-01"), len("2006"), 0} {
		if all = c.fold(length); len(all) <= cardRows {
			return all
		}
	}
	slices.SortStableFunc(all, func(a, b period) int { return cmp.Compare(b.Samples-b.Frames, a.Samples-a.Frames) })
	return all
}

// fold adds up days whose dates agree in the first characters.
func (c *cataloger) fold(length int) (all []period) {
	type key struct{ stream, when string }
	sums := make(map[key]*period)
	for at, day := range c.days {
		k := key{at.stream, time.UnixMilli(at.day * dayMs).UTC().Format(time.DateOnly)[:length]}
		sum := sums[k]
		if sum == nil {
			sum = &period{stream: k.stream, when: k.when}
			sums[k] = sum
		}
		sum.add(day)
	}
	for _, sum := range sums {
		if sum.Frames < sum.Samples {
			all = append(all, *sum)
		}
	}
	slices.SortFunc(all, func(a, b period) int {
		return cmp.Or(cmp.Compare(a.stream, b.stream), cmp.Compare(a.when, b.when))
	})
	return all
}

func reasons(counts map[string]int64) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, card.Cell(reason)+" "+card.Number(counts[reason]))
	}
	return strings.Join(parts, ", ")
}

func more(w io.Writer, rows int) {
	if rows > cardRows {
		fmt.Fprintf(w, "\nand %s more.\n", card.Number(int64(rows-cardRows)))
	}
}
