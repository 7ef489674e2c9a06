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
  - index.parquet, where there is one, matches the receipts.
It makes no calls to Kinesis Video Streams. DIR is the folder of a dataset, or its
URL, as backfill takes it with --out. Without --repair it changes nothing.

--repair then removes what is damaged, so that the same backfill fetches that, and
nothing else, again: shards with pictures that are missing or not as they were
written, damaged receipts with their shards, damaged requests, the second copy of
samples that are there twice, and an index that does not match the receipts. It prints
what it did; the report is of the dataset after the repair. Files that could not be
read stay, and so do files that no receipt names. An interrupted backfill leaves
nothing to repair: the same backfill goes on from there.

Exit status: 0 complete; 1 it could not be read to its end, or repaired; 2 not a
dataset, or one that cannot be opened; 3 not complete.`

const verifyExample = `  kvsframes verify frames
  kvsframes verify frames --json | jq .complete
  kvsframes verify frames --repair
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
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ds, err := dataset.Open(cmd.Context(), args[0])
		if err != nil {
			return interrupted(mistakes(err))
		}
		report, err := show.verify(cmd, ds, *repair)
		if report.Schema == "" {
			return err
		}
		return errors.Join(show.print(cmd.OutOrStdout(), report, func() string { return reportText(report) }), err)
	}
	return cmd
}

func oneFolder(_ *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return mistakes(fmt.Errorf("%d folders are named: it must be one, the folder or the URL of a dataset", len(args)))
}

// verify verifies a dataset, or repairs it. The report is empty where there cannot
// be one.
func (show *output) verify(cmd *cobra.Command, ds *dataset.Dataset, repair bool) (dataset.Report, error) {
	check := ds.Verify
	if repair {
		check = ds.Repair
	}
	line := show.progress(cmd)
	report, err := check(cmd.Context(), dataset.VerifyOptions{Progress: func(done, total int64) {
		line.draw(fmt.Sprintf("%s of %s shards read back", number(done), number(total)))
	}})
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
	if r.Stale {
		steps = append(steps, "kvsframes index makes the index again")
	}
	if r.Damaged > 0 && !r.Repairable {
		steps = append(steps, "put right, or move away, what is another dataset's")
	}
	switch {
	case !repaired && r.Repairable:
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
