package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kvsframes/kvsframes/internal/card"
	"github.com/kvsframes/kvsframes/internal/outside"
	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/kvsio"
	"github.com/kvsframes/kvsframes/io/pack"
	"github.com/kvsframes/kvsframes/pipeline"
)

const packHelp = `Make a training set of the frames in a dataset: files of equal numbers of frames,
shuffled and split as asked, named SPLIT-000000 and so on without holes. It makes no
calls to Kinesis Video Streams and changes nothing in the dataset. DIR and OUT are folders
or places in buckets, as backfill takes them with --out.

The same frames and flags make the same files, byte for byte, on every runner and
however many workers it has. A pack that was interrupted or killed goes on when the
same command is run again. Another pack into the same OUT is refused.

Files have pictures as they are in the dataset, each compared with its checksum. Where
two series of a stream are packed, such as two sizes of the same pictures, their keys
begin with the series instead of the stream.

With --split-by stream, the default, no stream is in two splits; with day, no day of a
stream is. Frames of one camera or one day are much alike: a model that was trained on
some of them is not tested by the others. The seed has no effect on which split a frame
is in.

Besides the files, OUT has pack.json (what was packed and how), shards.json (every file
with its number of frames, by split), written at the end, and a README.md that Hugging
Face reads.

A dataset that is incomplete, or has damaged receipts, is packed as it is, with a
warning.

Exit status: 0 packed; 1 failed, but it may pass by itself; 2 a mistake, nothing was packed; 130
interrupted, what is written stays valid.`

const packExample = `  # tar files of 10,000 frames for WebDataset, shuffled across cameras and time
  kvsframes pack frames training --shuffle-seed 1

  # two splits that have no camera in common, in Parquet files of about 500 MB
  kvsframes pack frames training --dataset-format parquet --file-size 500MB \
    --shuffle-seed 1 --splits train=0.9,val=0.1

  # one camera, one month, from bucket to bucket
  kvsframes pack 's3://archive/frames?region=eu-west-1' 's3://training/set?region=eu-west-1' \
    --stream-name front-door --start-timestamp 2026-01-01 --end-timestamp 2026-02-01`

var packOptions = []option[pipeline.PackOptions]{
	{
		"dataset-format", "`form` in which files are written: " + strings.Join(dataset.Formats(), ", ") + " (default " +
			dataset.DefaultFormat + ")",
		func(o *pipeline.PackOptions, s string) (err error) {
			o.Format, err = parseFormat(s)
			return err
		},
	},
	{
		"samples-per-file", "`N`: frames that a file has; the last of a split may have fewer (default 10000)",
		func(o *pipeline.PackOptions, s string) (err error) {
			o.SamplesPerFile, err = parseCount(s, pack.MaxSamplesPerFile)
			return err
		},
	},
	{
		"file-size", "approximate `size` of the files, such as 1GB, in place of --samples-per-file",
		func(o *pipeline.PackOptions, s string) error {
			n, err := humanize.ParseBytes(s)
			if err != nil || n < pack.LeastFileSize || n > math.MaxInt64 {
				return errors.New("it must be a size of at least 1MB, such as 500MB or 1GB")
			}
			o.FileSize = int64(n)
			return nil
		},
	},
	{
		"shuffle-seed",
		"`N`: mix the frames of each split, each number in another way (default: the order of streams and time)",
		func(o *pipeline.PackOptions, s string) error {
			seed, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				return errors.New("it must be a whole number")
			}
			o.ShuffleSeed = &seed
			return nil
		},
	},
	{
		"splits", "`NAME=SHARE,…`: parts of the set, as train=0.9,val=0.1 (default train=1)",
		func(o *pipeline.PackOptions, s string) (err error) {
			o.Splits, err = parseSplits(s)
			return err
		},
	},
	{
		"split-by", "`what` is never in two splits: " + strings.Join(pack.SplitUnits, ", ") + " (default " + pack.ByStream +
			")",
		func(o *pipeline.PackOptions, s string) error {
			if !slices.Contains(pack.SplitUnits, s) {
				return fmt.Errorf("it must be one of %s", strings.Join(pack.SplitUnits, ", "))
			}
			o.SplitBy = s
			return nil
		},
	},
	{
		"start-timestamp", "`time` of the first sample that is packed (default: the first there is)",
		func(o *pipeline.PackOptions, s string) (err error) {
			o.Start, err = kvsio.ParseTime(s)
			return err
		},
	},
	{
		"end-timestamp", "`time` at which what is packed ends, itself not part of it (default: after the last there is)",
		func(o *pipeline.PackOptions, s string) (err error) {
			o.End, err = kvsio.ParseTime(s)
			return err
		},
	},
}

// parseSplits reads NAME=SHARE,NAME=SHARE.
func parseSplits(s string) ([]pack.Split, error) {
	var splits []pack.Split
	for _, part := range strings.Split(s, ",") {
		name, text, _ := strings.Cut(part, "=")
		share, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, errors.New("it must be NAME=SHARE,NAME=SHARE with shares that add up to 1, such as train=0.9,val=0.1")
		}
		splits = append(splits, pack.Split{Name: strings.TrimSpace(name), Share: share})
	}
	return splits, pack.CheckSplits(splits)
}

// packFlags are the flags that say what to pack.
type packFlags struct {
	streams *[]string
	options optionFlags[pipeline.PackOptions]
}

func newPackFlags(flags *pflag.FlagSet) *packFlags {
	flags.SortFlags = false
	f := &packFlags{options: newOptionFlags(flags, packOptions)}
	f.streams = flags.StringArray("stream-name", nil, "`name` of a stream whose frames are packed; repeat it for more "+
		"(default: all)")
	return f
}

// parse returns what the flags ask for, or all that is wrong with them.
func (f *packFlags) parse(cmd *cobra.Command, args []string) (pipeline.PackOptions, error) {
	o := pipeline.PackOptions{Dir: args[0], Out: args[1], Runner: *runners.Runner}
	o.Streams = *f.streams
	faults := f.options.apply(cmd, &o)
	if fault := checkEndpoint(o.Runner); fault != nil {
		faults = append(faults, fault)
	}
	if faults == nil {
		faults = packNames.each(o.Validate())
	}
	return o, mistakes(faults...)
}

func newPack() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "pack DIR OUT",
		Short:   "Make a training set of a dataset",
		Long:    packHelp,
		Example: packExample,
		Args:    twoFolders,
	}
	flags := newPackFlags(cmd.Flags())
	show := newOutput(cmd)
	addBeamFlags(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		options, err := flags.parse(cmd, args)
		if err != nil {
			return err
		}
		show.startBeam()
		return show.pack(cmd, options)
	}
	return cmd
}

func twoFolders(_ *cobra.Command, args []string) error {
	if len(args) == 2 {
		return nil
	}
	return mistakes(fmt.Errorf("%d places are named: there must be two, the dataset and the place of the "+
		"set, as in kvsframes pack DIR OUT", len(args)))
}

// pack runs a pack and prints its summary, also where it failed.
func (show *output) pack(cmd *cobra.Command, o pipeline.PackOptions) error {
	line := show.progress(cmd)
	o.Progress = func(now pipeline.PackProgress) { line.draw(packStatus(now)) }
	o.Warn = func(text string) {
		fmt.Fprintf(cmd.ErrOrStderr(), "%s: warning: %s.\n", cmd.CommandPath(), outside.Clean(text))
	}
	defer ownTempDir()()
	summary, err := pipeline.Pack(cmd.Context(), o)
	line.end()
	err = packNames.translate(err)
	if summary.Schema == "" {
		return err
	}
	summary.Error = pipeline.ProblemOf(err) // in the command's names
	return errors.Join(show.print(cmd.OutOrStdout(), summary, func() string { return packText(summary, err == nil) }), err)
}

// packText is a pack's summary for people.
func packText(s pipeline.PackSummary, complete bool) string {
	if s.Unknown != "" {
		return fmt.Sprintf("%s: which files are missing is not known: %s\n", s.Out, s.Unknown)
	}
	if !complete {
		return ""
	}
	w := new(strings.Builder)
	fmt.Fprintf(w, "%s: %s frames, %s of pictures, in %s files of %s, made in %s:\n", s.Out, card.Number(s.Frames),
		size(s.Bytes), card.Number(s.Files), s.Format,
		time.Duration(s.Seconds*float64(time.Second)).Round(100*time.Millisecond))
	for _, split := range s.Splits {
		fmt.Fprintf(w, "  %s  %s frames\n", split.Shards, card.Number(split.Frames))
	}
	return w.String()
}

func packStatus(now pipeline.PackProgress) status {
	s := status{done: now.Done.Files + now.Done.There, total: now.Files}
	s.parts = append(s.parts, fmt.Sprintf("%s of %s", card.Number(s.done), card.Count(s.total, "file")))
	if seconds := now.Elapsed.Seconds(); seconds > 0 {
		s.parts = append(s.parts, fmt.Sprintf("%.0f frames/s", float64(now.Done.Frames)/seconds),
			size(int64(float64(now.Done.Bytes)/seconds))+"/s", now.Elapsed.Round(time.Second).String()+" elapsed")
	}
	return s
}
