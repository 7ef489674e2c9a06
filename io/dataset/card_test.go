package dataset

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/ledger"
)

func finish(t testing.TB, dir string) Contents {
	t.Helper()
	contents, err := opened(t, dir).Finish(context.Background(), FinishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

const wantCard = `---
# kvsframes writes this file at the end of every backfill. Without this line it is yours, and stays as it is.
configs:
- config_name: default
  data_files:
  - split: train
    path: "shards/*/*.tar"
size_categories:
- n<1K
tags:
- image
- kinesis-video-streams
- kvsframes
---

# Frames of Kinesis Video Streams

Made by [kvsframes](https://github.com/kvsframes/kvsframes), whose ` + "`verify`" + ` proves that it is whole. Times are in UTC.

| samples | |
|---|---:|
| all | 13 |
| frames | 5 |
| gaps, FAILED | 1 |
| gaps, NO\_MEDIA | 3 |
| drops, SAME | 2 |
| asked for and not there | 2 |

The pictures take BYTES.

## Load it

In the folder of this file:

` + "```python" + `
import glob, webdataset
frames = webdataset.WebDataset(glob.glob("shards/*/*.tar"), shardshuffle=False).decode("pil")
` + "```" + `

` + "```python" + `
import datasets, os
samples = datasets.load_dataset(os.getcwd(), split="train")
` + "```" + `

` + "```python" + `
import duckdb
duckdb.sql("SELECT stream, kind, outcome, count(*) FROM 'index/*/*.parquet' GROUP BY ALL").show()
` + "```" + `

` + "`index/`" + ` has a row a sample: what became of it, and the file, offset, size and SHA-256 of its picture. The dataset format is ` + "`webdataset`" + `.

## What was asked for

| stream | first sample | last sample | every | by | picture | samples |
|---|---|---|---:|---|---|---:|
| back\_door | 2026-01-01T00:00:00.000Z | 2026-01-01T00:00:03.000Z | 3s | PRODUCER\_TIMESTAMP | PNG 160×90 | 2 |
| front.door | 2026-01-01T00:00:00.000Z | 2026-01-01T00:00:12.000Z | 3s | PRODUCER\_TIMESTAMP | JPEG | 5 |
| front.door | 2026-01-02T00:00:00.000Z | 2026-01-02T00:00:15.000Z | 3s | PRODUCER\_TIMESTAMP | JPEG | 6 |

## Gaps and drops

| stream | when | samples | frames | gaps | drops |
|---|---|---:|---:|---|---|
| front.door | 2026-01-01 | 5 | 2 | FAILED 1, NO\_MEDIA 1 | SAME 1 |
| front.door | 2026-01-02 | 4 | 1 | NO\_MEDIA 2 | SAME 1 |
`

const dayOfSamples = 24 * 60 * 20

// TestCard: the card and the contents are the same wherever the dataset lies, and
// a README.md of somebody's own stays.
func TestCard(t *testing.T) {
	yard := door
	yard.StreamName, yard.Format, yard.WidthPixels, yard.HeightPixels = "back_door", frame.PNG, 160, 90
	everywhere(t, func(t *testing.T, where func(testing.TB) spot) {
		s := createAt(t, where, Options{Format: "webdataset"})
		write(t, s.name, shardOf(door, dayOfSamples, "fnnd"), shardOf(door, 0, "fnfd"), shardOf(door, 4, "F"),
			shardOf(yard, 0, "ff"))
		if err := ledger.Open(s.name).Request(t.Context(),
			frame.Span{Series: door, First: first + dayOfSamples, Samples: 6}); err != nil {
			t.Fatal(err)
		}
		contents := finish(t, s.name)
		size := contents.Bytes
		want := Contents{
			Schema: ContentsSchema, Dataset: s.name, Samples: 13, Frames: 5, Missing: 2, Bytes: size, Card: true,
			Gaps: map[string]int64{frame.Failed: 1, frame.NoMedia: 3}, Drops: map[string]int64{"SAME": 2},
		}
		if !reflect.DeepEqual(contents, want) || size < 1000 {
			t.Errorf("the contents are %+v, want %+v", contents, want)
		}
		want2 := strings.Replace(wantCard, "BYTES", card.Bytes(size), 1)
		if got := s.files(t)[card.File]; got != want2 {
			t.Errorf("the card is\n%s\nwant\n%s", got, want2)
		}

		s.put(t, card.File, "---\n"+cardMark+"\n---\nan old card")
		if finish(t, s.name); s.files(t)[card.File] != want2 {
			t.Error("an old card stays")
		}
		s.put(t, card.File, "# My frames")
		if contents := finish(t, s.name); contents.Card || s.files(t)[card.File] != "# My frames" {
			t.Error("a README.md of somebody's own is written over")
		}
		s.remove(t, card.File)
		write(t, s.name, shardOf(door, dayOfSamples, "fnndnn"), shardOf(door, 4, "f"))
		if contents := finish(t, s.name); !contents.Complete || contents.Missing != 0 || s.files(t)[card.File] == "" {
			t.Errorf("when all is there, the contents are %+v", contents)
		}
	})
}

// TestCardRequests: what was asked for is told stream by stream, in the order of time,
// ranges that touch as one.
func TestCardRequests(t *testing.T) {
	pngs, attic := door, door
	pngs.Format, attic.StreamName = frame.PNG, "attic"
	c := &cataloger{tally: newTally()}
	for _, span := range []frame.Span{
		{Series: pngs, First: first + 300, Samples: 1},
		{Series: door, First: first + 2000, Samples: 1_234_567},
		{Series: door, First: first + 10, Samples: 5},
		{Series: pngs, First: first + 7, Samples: 2},
		{Series: door, First: first, Samples: 10},
		{Series: attic, First: first + 9000, Samples: 1},
	} {
		c.cover.of(span.Series).ask(span)
	}
	text := new(strings.Builder)
	c.requests(text)
	const want = `
| attic | 2026-01-01T07:30:00.000Z | 2026-01-01T07:30:00.000Z | 3s | PRODUCER\_TIMESTAMP | JPEG | 1 |
| front.door | 2026-01-01T00:00:00.000Z | 2026-01-01T00:00:42.000Z | 3s | PRODUCER\_TIMESTAMP | JPEG | 15 |
| front.door | 2026-01-01T00:00:21.000Z | 2026-01-01T00:00:24.000Z | 3s | PRODUCER\_TIMESTAMP | PNG | 2 |
| front.door | 2026-01-01T00:15:00.000Z | 2026-01-01T00:15:00.000Z | 3s | PRODUCER\_TIMESTAMP | PNG | 1 |
| front.door | 2026-01-01T01:40:00.000Z | 2026-02-12T22:28:18.000Z | 3s | PRODUCER\_TIMESTAMP | JPEG | 1,234,567 |
`
	if !strings.HasSuffix(text.String(), want) {
		t.Errorf("the card says%s\nwant%s", text, want)
	}
}

// TestCardOfNothing: a dataset without a frame has no files to load.
func TestCardOfNothing(t *testing.T) {
	for _, format := range Formats() {
		dir := createIn(t, format)
		if contents := finish(t, dir); contents.Complete || contents.Samples != 0 {
			t.Errorf("%s: an empty dataset has %+v", format, contents)
		}
		write(t, dir, shardOf(door, 0, "nn"))
		finish(t, dir)
		if card := tree(t, dir)[card.File]; strings.Contains(card, "configs:") || strings.Contains(card, "shards/") {
			t.Errorf("%s:\n%s", format, card)
		}
	}
}

// TestCardStaysShort: of many days and streams, periods and rows are folded, and
// none of their samples is lost.
func TestCardStaysShort(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		streams, days int64
		rows          int
		when          string
	}{
		{2, 50, 100, "2026-01-01"},
		{2, 51, 4, "2026-01"},
		{2, 2000, 12, "2026"},
		{20, 2000, 20, ""},
		{120, 30, 120, ""},
	} {
		c, counts := &cataloger{tally: newTally()}, make(map[string]*fileCount)
		var want int64
		for stream := range test.streams {
			for day := range test.days {
				for range stream + 1 {
					want++
					series := door
					series.StreamName = fmt.Sprintf("cam-%03d", stream)
					at := first + day*dayMs/int64(door.IntervalMs)
					if counts[series.StreamName] == nil {
						counts[series.StreamName] = new(fileCount)
					}
					counts[series.StreamName].addRun(series, ledger.Run{First: at, Samples: 1, Kind: ledger.Gap, Reason: frame.NoMedia})
				}
			}
		}
		whole := door
		whole.StreamName = "whole"
		counts["whole"] = new(fileCount)
		counts["whole"].addRun(whole, ledger.Run{First: first, Samples: 1})
		for stream, count := range counts {
			c.take(stream, count)
		}
		periods := c.periods()
		var got int64
		for _, p := range periods {
			got += p.Gaps[frame.NoMedia]
		}
		if len(periods) != test.rows || periods[0].when != test.when || got != want {
			t.Errorf("%d streams of %d days: %d rows, the first %+v, with %d gaps of %d", test.streams, test.days, len(periods),
				periods[0], got, want)
		}
		text := new(strings.Builder)
		c.gaps(text)
		if n := strings.Count(text.String(), "\n| "); n != 1+min(test.rows, cardRows) {
			t.Errorf("%d rows are shown", n)
		}
		if test.rows > cardRows && (!strings.HasSuffix(text.String(), "\nand 20 more.\n") || periods[0].stream != "cam-119") {
			t.Errorf("the most of %d streams do not come first, or the rest is not told:\n%s", test.streams, text)
		}
	}
}
