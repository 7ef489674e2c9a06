package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/io/dataset"
	"github.com/kvsframes/kvsframes/io/ledger"
	"github.com/kvsframes/kvsframes/pipeline"
)

const verifyHelp = `Read everything in a dataset back: that each sample that was ever asked for is
there exactly once, that every picture is the one that was written, byte for
byte, and that decoders will find the format and size that were recorded.
It makes no calls to Kinesis Video Streams and changes nothing. DIR is the folder of
a dataset, or its URL, as backfill takes it with --out.

Exit status: 0 complete; 2 not a dataset; 3 not complete.`

const verifyExample = `  kvsframes verify frames
  kvsframes verify frames --json | jq .complete
  kvsframes verify 's3://archive/frames?region=eu-west-1'`

func newVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "verify DIR",
		Short:   "Read a dataset back and prove that it is complete",
		Long:    verifyHelp,
		Example: verifyExample,
		Args:    oneFolder,
	}
	show := newOutput(cmd.Flags())
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if _, err := ledger.StoreAt(args[0]); err != nil {
			return mistakes(err)
		}
		report, err := show.verify(cmd, args[0])
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

// verify verifies a dataset. The report is empty where there cannot be one.
func (show *output) verify(cmd *cobra.Command, dir string) (dataset.Report, error) {
	line := show.progress(cmd)
	report, err := dataset.Verify(cmd.Context(), dir, dataset.VerifyOptions{Progress: func(done, total int64) {
		line.draw(fmt.Sprintf("%s of %s shards read back", number(done), number(total)))
	}})
	line.end()
	switch {
	case errors.Is(err, context.Canceled):
		return report, fmt.Errorf("%w", pipeline.ErrInterrupted)
	case errors.Is(err, dataset.ErrNoDataset), errors.Is(err, dataset.ErrForeign):
		return report, mistakes(err)
	case err == nil && !report.Complete:
		return report, incompleteError(fmt.Sprintf("%s is not complete", dir))
	}
	return report, err
}
