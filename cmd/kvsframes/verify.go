package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/io/dataset"
)

const verifyHelp = `Read everything in a dataset back, and check that
  - each sample that was ever requested is there exactly once,
  - each picture is the one that was written, byte for byte, with the format and size
    that were recorded,
  - nothing was recorded that was not requested, and no other files lie among the shards,
  - the rows of the index name the places of their pictures.
It makes no calls to Kinesis Video Streams. DIR is the folder of a dataset, or its
URL, as backfill takes it with --out. Without --repair it changes nothing.

--since TIME reads back only the shards with samples at or after TIME, as a nightly run
needs it: of older ones it looks at names and at the footers of sealed files. --books reads
nothing back: it compares names and sizes of files with what their receipts tell, by
listings, so that a bucket answers few requests. Neither finds a changed byte in a file
that it does not read, and "complete" of their reports says no more than what was looked
at: the text says so, and JSON in "scope" ("since TIME" or "books") and "unread" (shards).
TIME is as backfill takes it.

--repair, which takes neither of the two, then removes what is damaged, so that the same backfill fetches that, and
nothing else, again: shards with pictures that are missing or not as they were
written, damaged receipts, damaged requests, and the second copy of samples that are there
twice. It writes rows of the index anew that are wrong, and records shards of samples that
were requested, whole but without a receipt, anew from their files. It prints
what it did; the report is of the dataset after the repair. Files that could not be
read stay, and so do other files that no receipt names. An interrupted backfill leaves
nothing to repair: the same backfill goes on from there.

Exit status: 0 complete, as far as was looked; 1 it could not be opened or read to its end, or
repaired, which may pass; 2 not a dataset, or one that may not be read; 3 not complete.`

const verifyExample = `  kvsframes verify frames
  kvsframes verify frames --json | jq .complete
  kvsframes verify frames --repair
  kvsframes verify frames --since -2d
  kvsframes verify frames --books
  kvsframes verify 's3://archive/frames?region=eu-west-1'`

func newVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "verify DIR",
		Short:   "Read a dataset back and prove that it is complete",
		Long:    verifyHelp,
		Example: verifyExample,
		Args:    oneFolder,
	}
	show := newOutput(cmd)
	repair := cmd.Flags().Bool("repair", false, "take away what is damaged, so that the next backfill fetches just that")
	since := textFlag(cmd.Flags(), "since", "read back only shards with samples at or after a `time`")
	zone := zoneFlag(cmd.Flags())
	books := cmd.Flags().Bool("books", false, "read nothing back: compare names and sizes of files with receipts")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		options, err := verifyOptions(cmd, string(*since), string(*zone), *books, *repair)
		if err != nil {
			return err
		}
		ds, err := dataset.Open(cmd.Context(), args[0])
		if err != nil {
			return interrupted(mistakes(err))
		}
		report, err := show.verify(cmd, ds, options, *repair)
		if report.Schema == "" {
			return err
		}
		return errors.Join(show.print(cmd.OutOrStdout(), report, func() string { return reportText(report) }), err)
	}
	return cmd
}

// verifyOptions returns what the flags ask for, or all that is wrong with them.
func verifyOptions(cmd *cobra.Command, since, zone string, books, repair bool) (o dataset.VerifyOptions, err error) {
	o.Books = books
	clock, err := clockOf(cmd, zone)
	faults := []error{err}
	isPart := books
	if cmd.Flags().Changed("since") {
		isPart = true
		if o.Since, _, err = clock.read(since); err != nil {
			faults = append(faults, fmt.Errorf("--since is %s: %w", quoted(since), err))
		}
		if books {
			faults = append(faults, errors.New("--since and --books are both given: it must be one of the two"))
		}
	}
	if isPart && repair {
		faults = append(faults, errors.New("--repair reads everything back: leave --since and --books out"))
	}
	return o, mistakes(faults...)
}

func oneFolder(_ *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return mistakes(fmt.Errorf("%d folders are named: it must be one, the folder or the URL of a dataset", len(args)))
}

// verify verifies a dataset, or repairs it. The report is empty where there cannot
// be one.
func (show *output) verify(cmd *cobra.Command, ds *dataset.Dataset, options dataset.VerifyOptions, repair bool) (
	dataset.Report, error,
) {
	check := ds.Verify
	if repair {
		check = ds.Repair
	}
	line := show.progress(cmd)
	done := "read back"
	if options.Books || !options.Since.IsZero() {
		done = "verified"
	}
	options.Progress = func(n, total int64) {
		line.draw(shardsStatus(n, total, done))
	}
	report, err := check(cmd.Context(), options)
	line.end()
	if err == nil && !report.Complete {
		err = incompleteError(fmt.Sprintf("%s is not complete: %s", ds.Dir(), nextStep(report, repair)))
	}
	return report, interrupted(err)
}

// nextStep is what makes a dataset complete.
func nextStep(r dataset.Report, repaired bool) string {
	var steps []string
	if r.Foreign > 0 {
		steps = append(steps, "move away what is not the dataset's")
	}
	if r.Stale && r.Repairable {
		steps = append(steps, "verify --repair makes the index again")
	}
	if r.Damaged > 0 && !r.Repairable {
		steps = append(steps, "put right, or move away, what is another dataset's")
	}
	switch {
	case !repaired && r.Repairable && r.Missing+r.Corrupt+r.Duplicate+r.Damaged+r.Foreign > 0:
		steps = append(steps, "verify --repair takes away what is damaged, then the same backfill fetches what is missing")
	case r.Missing+r.Corrupt+r.Duplicate+r.Failed > 0, repaired && r.Damaged > 0:
		steps = append(steps, "the same backfill fetches what is missing or FAILED")
	case r.Unasked > 0:
		steps = append(steps, "the same backfill writes down what it asks for")
	case len(steps) == 0:
		steps = append(steps, "a backfill writes down what it asks for")
	}
	return strings.Join(steps, "; ")
}
