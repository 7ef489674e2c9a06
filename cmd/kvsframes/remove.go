package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/kvsio"
)

const removeHelp = `Take footage out of a dataset for good: its pictures, its rows of the index and that it was
asked for, of every way in which the stream was sampled; with times, the samples from
--start-timestamp up to --end-timestamp, itself not part of it. DIR is the folder of a
dataset, or its URL, as backfill takes it with --out.

Without --yes it changes nothing, and says what would go. What goes is gone: only the
stream itself may still have it.

The dataset then is, byte for byte, one that never had this footage. Shards that have
other samples, too, are written anew with those. One exception: with --dedupe, frames that
were dropped because they were like one that goes stay dropped.

A removal that was interrupted or killed is ended by the same command; until then verify
may say that samples are missing, or there twice. It may run beside backfills of other
streams, and must not run beside one of the same stream. Copies stay: packed sets, older
versions of objects in a bucket that keeps them, backups.

--stream-arn finds what was fetched by the ARN, --stream-name all that has the name. Times
are as backfill takes them, and are not moved. With --json stdout gets one JSON object, kvsframes.remove/1:
whether it is done, then samples, frames, bytes of pictures, shards, and how many of these
are cut, in all and of each series.

Exit status: 0 removed, or, without --yes, what would be is said; 1 it could not be
removed, which may pass; 2 a mistake, or the dataset has none of it; 130 interrupted.`

const removeExample = `  # what would go
  kvsframes remove frames --stream-name front-door

  # a morning
  kvsframes remove frames --stream-name front-door \
    --start-timestamp 2026-01-31T06:00:00Z --end-timestamp 2026-01-31T12:00:00Z --yes`

func newRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "remove DIR (--stream-name NAME | --stream-arn ARN)",
		Short:   "Take footage out of a dataset for good",
		Long:    removeHelp,
		Example: removeExample,
		Args:    oneFolder,

		DisableFlagsInUseLine: true,
	}
	flags := newRemoveFlags(cmd.Flags())
	show := newOutput(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		what, err := flags.parse(cmd)
		if err != nil {
			return err
		}
		ds, err := dataset.Open(cmd.Context(), args[0])
		if err != nil {
			return interrupted(mistakes(err))
		}
		removed, err := what.remove(cmd.Context(), ds, *flags.yes)
		if err != nil {
			return interrupted(removeNames.translate(err))
		}
		return show.print(cmd.OutOrStdout(), removed, func() string { return removedText(removed) })
	}
	return cmd
}

// removeFlags are the flags that say what to remove.
type removeFlags struct {
	names, arns *[]string
	times       map[string]*text // by the field's name in the API
	zone        *text
	yes         *bool
}

func newRemoveFlags(flags *pflag.FlagSet) *removeFlags {
	flags.SortFlags = false
	f := &removeFlags{times: map[string]*text{}}
	f.names = flags.StringArray("stream-name", nil, "`name` of a stream; repeat it for more")
	f.arns = flags.StringArray("stream-arn", nil, "`ARN` of a stream; repeat it for more")
	f.times["StartTimestamp"] = textFlag(flags, "start-timestamp", "`time` of the first sample that goes (default: the "+
		"first there is)")
	f.times["EndTimestamp"] = textFlag(flags, "end-timestamp", "`time` at which what goes ends, itself not part of it "+
		"(default: after the last there is)")
	f.zone = zoneFlag(flags)
	f.yes = flags.Bool("yes", false, "remove it; without, say what would go")
	return f
}

// footage is samples of streams.
type footage struct {
	names, arns []string
	from, until int64 // milliseconds since the Unix epoch
}

// parse returns what the flags name, or all that is wrong with them.
func (f *removeFlags) parse(cmd *cobra.Command) (footage, error) {
	what := footage{names: *f.names, arns: *f.arns, from: math.MinInt64, until: math.MaxInt64}
	clock, wrongZone := clockOf(cmd, string(*f.zone))
	base := newDraft(removeNames, clock)
	// What a backfill needs besides, so that the rest is checked as its flags are.
	base.request.SamplingInterval = kvsio.DefaultMinInterval
	base.request.StartTimestamp, base.request.EndTimestamp = time.Unix(0, 0), time.Unix(0, math.MaxInt64)
	for api := range f.times {
		if field, _ := findField(api); cmd.Flags().Changed(field.flagName()) {
			base.set(field, field.flag(), string(*f.times[api]))
		}
	}
	if base.where["StartTimestamp"] != "" {
		what.from = ceilMs(base.request.StartTimestamp)
	}
	if base.where["EndTimestamp"] != "" {
		what.until = ceilMs(base.request.EndTimestamp)
	}
	faults := append(base.faults, wrongZone)
	switch {
	case len(what.names) > 0 && len(what.arns) > 0:
		faults = append(faults, errors.New("--stream-name and --stream-arn are both given: it must be one of the two"))
	case len(what.names)+len(what.arns) == 0:
		faults = append(faults, errors.New("no stream is named: give --stream-name or --stream-arn"))
	}
	for i, list := range [][]string{what.names, what.arns} {
		for _, stream := range list {
			d := base.stream(fields[i], stream)
			faults = append(faults, d.explain(d.request.Validate())...)
		}
	}
	return what, mistakes(faults...)
}

// ceilMs is the first millisecond that is not before t.
func ceilMs(t time.Time) int64 { return t.Add(time.Millisecond - 1).UnixMilli() }

// remove removes the footage, or says what would go. What is not there is a mistake, and where
// that is one of several streams nothing goes.
func (f *footage) remove(ctx context.Context, ds *dataset.Dataset, yes bool) (dataset.Removed, error) {
	all, err := ds.Ledger().Series(ctx)
	if err != nil {
		return dataset.Removed{}, err
	}
	unknown := f.unknown(ds.Dir(), all)
	if n := len(unknown); n > 0 && n < len(f.names)+len(f.arns) {
		return dataset.Removed{}, mistakes(unknown...)
	}
	do := ds.Removable
	if yes {
		do = ds.Remove
	}
	removed, err := do(ctx, f.spans(all)...)
	switch {
	case err != nil || len(removed.Series) > 0:
		return removed, err
	case len(unknown) > 0:
		return removed, mistakes(unknown...)
	}
	return removed, mistakes(fmt.Errorf("%s has nothing of %s at that time", ds.Dir(),
		strings.Join(append(f.names, f.arns...), ", ")))
}

// spans returns the footage in each series of its streams.
func (f *footage) spans(all []frame.Series) (spans []frame.Span) {
	for _, s := range all {
		if !slices.Contains(f.names, s.StreamName) && (s.StreamARN == "" || !slices.Contains(f.arns, s.StreamARN)) {
			continue
		}
		first, end := int64(0), int64(math.MaxInt64)
		if f.from != math.MinInt64 {
			first = s.Index(f.from-1) + 1
		}
		if f.until != math.MaxInt64 {
			end = s.Index(f.until-1) + 1
		}
		spans = append(spans, frame.Span{Series: s, First: first, Samples: max(end-first, 0)})
	}
	return spans
}

// unknown says which of the streams a dataset does not have.
func (f *footage) unknown(dir string, all []frame.Series) (faults []error) {
	var names, arns []string
	for _, s := range all {
		names, arns = append(names, s.StreamName), append(arns, s.StreamARN)
	}
	for _, name := range f.names {
		if !slices.Contains(names, name) {
			faults = append(faults, fmt.Errorf("--stream-name: %s has nothing of %s%s", dir, name, didYouMean(name, "", names)))
		}
	}
	for _, arn := range f.arns {
		if slices.Contains(arns, arn) {
			continue
		}
		hint := didYouMean(arn, "", arns)
		if name, _ := frame.NameInARN(arn); slices.Contains(names, name) {
			hint = fmt.Sprintf(": it has a stream %s by its name, or by another ARN: see --stream-name", name)
		}
		faults = append(faults, fmt.Errorf("--stream-arn: %s has nothing of %s%s", dir, arn, hint))
	}
	return faults
}

// removedText is what went, or would go, for people.
func removedText(r dataset.Removed) string {
	w := new(strings.Builder)
	state := "this would go"
	if r.Done {
		state = "removed"
	}
	fmt.Fprintf(w, "%s: %s: %s\n", r.Dataset, state, removedCount(r.RemovedCount))
	for _, of := range r.Series {
		fmt.Fprintf(w, "  %s, every %v", of.Stream, time.Duration(of.Series.IntervalMs)*time.Millisecond)
		if of.FirstSample != "" {
			fmt.Fprintf(w, ", from %s to %s", of.FirstSample, of.LastSample)
		}
		fmt.Fprintf(w, ": %s\n", removedCount(of.RemovedCount))
	}
	if n := r.Unrecorded; n > 0 {
		fmt.Fprintf(w, "%s of pictures that no receipt knows of, and that nothing above counts: receipts are lost, or a "+
			"process was killed.\n", card.Count(n, "more shard"))
		if !r.Done {
			fmt.Fprintf(w, "They would go, too. kvsframes index %[1]s, and for what is missing then verify --repair %[1]s, "+
				"records them first.\n", r.Dataset)
		}
	}
	if !r.Done {
		fmt.Fprintln(w, "Nothing was changed. The same command with --yes removes it for good.")
	}
	return w.String()
}

func removedCount(c dataset.RemovedCount) string {
	if c.Samples == 0 {
		return "what was left by a process that was killed"
	}
	text := fmt.Sprintf("%s samples, %s frames, %s, in %s shards", card.Number(c.Samples), card.Number(c.Frames), size(c.Bytes),
		card.Number(c.Shards))
	if c.Cut > 0 {
		text += fmt.Sprintf(" (%s cut)", card.Number(c.Cut))
	}
	return text
}
