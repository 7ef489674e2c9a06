package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/pipeline"
)

const statusOfJobHelp = `Print the state of a job that backfill has submitted, with --async or before it
was killed. Its job server knows the job as long as the server itself runs. Use
verify to see what the dataset has by now.

Exit status: 0 the job is under way, or done; 1 it has failed or was cancelled; 2
there is no such job.`

const cancelHelp = `Cancel a job that backfill has submitted, also on its Flink cluster. What it wrote
stays valid, and the same backfill goes on from there.

Exit status: 0 the job is cancelled; 1 it may go on, on a cluster that cannot be
reached; 2 there is no such job, or it is over.`

func newStatus() *cobra.Command {
	return newJobCommand("status", "Print the state of a submitted job", statusOfJobHelp, pipeline.JobServer.Job,
		func(job pipeline.Job) error {
			switch job.State {
			case "FAILED":
				return fmt.Errorf("job %s failed: %s", job.ID, job.Cause)
			case "CANCELLED":
				return fmt.Errorf("job %s was cancelled", job.ID)
			}
			return nil
		})
}

func newCancel() *cobra.Command {
	return newJobCommand("cancel", "Cancel a submitted job", cancelHelp, pipeline.JobServer.Cancel,
		func(pipeline.Job) error { return nil })
}

// newJobCommand makes a command about one job of a job server. Its result is what
// ask returns, and judge its exit status.
func newJobCommand(name, short, long string,
	ask func(pipeline.JobServer, context.Context, string) (pipeline.Job, error),
	judge func(pipeline.Job) error,
) *cobra.Command {
	cmd := &cobra.Command{
		Use:     name + " --endpoint HOST:PORT JOB",
		Short:   short,
		Long:    long,
		Example: "  kvsframes " + name + " --endpoint jobserver:8099 kvsframes0backfill01769853600_5f0e",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return mistakes(fmt.Errorf("%d jobs are named: name one, by the ID that backfill --async prints", len(args)))
		},

		DisableFlagsInUseLine: true,
	}
	endpoint := textFlag(cmd.Flags(), "endpoint", "`HOST:PORT` of the Beam job server that has the job")
	show := &output{json: cmd.Flags().Bool("json", false, "print the result as one JSON object")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *endpoint == "" {
			return mistakes(errors.New("--endpoint is not set: it must be the HOST:PORT of the Beam job server that has the " +
				"job, such as localhost:8099"))
		}
		job, err := ask(pipeline.JobServer(*endpoint), cmd.Context(), args[0])
		if err != nil {
			return jobNames.translate(err)
		}
		err = judge(job)
		return errors.Join(show.print(cmd.OutOrStdout(), job, func() string {
			if err != nil {
				return "" // the error says it
			}
			return fmt.Sprintf("%s %s\n", job.ID, job.State)
		}), err)
	}
	return cmd
}
