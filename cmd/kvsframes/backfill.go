package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/kvsframes/kvsframes/io/store"
	"github.com/kvsframes/kvsframes/pipeline"
)

const backfillHelp = `Fetch one image every --sampling-interval of the streams' time range
[--start-timestamp, --end-timestamp) into the dataset --out, and the reason for
every image that is missing. What the dataset has already is not fetched again: run
the same command to resume, or with a later end to extend.

Times are RFC 3339 (2026-01-31T10:00:00Z), epoch seconds (1769853600.5), dates
(2026-01-31), now, today, yesterday, or a time before now: -24h, -2d, -1h30m. Dates and
times without a zone, and the midnights of today and yesterday, are in --time-zone;
without it they are UTC. Now is read once, when the command starts.

An image of another instant is another image. So a time that depends on now is moved
down, by less than an interval, to the instants that the dataset has of the stream:
multiples of the interval since 1970, where it has none yet. Another start that is not
one of these instants is refused, unless --align moves start and end down to them, or
--new-phase says that it is meant so. An interval that does not divide a day needs
--align where ranges are dates.

Footage gets into the archive some time after it was recorded. Samples younger than
--settle are left for the next backfill: they are pending, and no gaps.

With PRODUCER_TIMESTAMP a range that ends in the future is cut at now, with a warning,
unless it has footage there, of a producer whose clock is ahead.

Credentials, region and endpoint are found as by every AWS tool: AWS_REGION,
AWS_PROFILE, AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_KINESIS_VIDEO, the shared config
files. The --aws- flags take precedence.

--out is a folder, or a place in a bucket: s3://BUCKET/PREFIX?region=REGION, with
&endpoint=URL for a store that speaks S3's language and &profile=PROFILE for
credentials of its own, or gs://BUCKET/PREFIX. Every process finds the store's
credentials as the store's own tools do; the URL has no credentials.
AWS_ENDPOINT_URL and the --aws- flags are not for the store.

With --resize, --dedupe and --tensor frames are resized, then those that are nearly
the same as the one before are left out, then .npy files are written in place of
pictures, or beside them. A picture that cannot be decoded becomes a gap CORRUPT,
one that is left out a drop DUPLICATE: both are accounted for as gaps are. What is
done is part of the dataset, and the same for all of it; later backfills into the
dataset need not repeat the flags.

A requests file is a YAML list; what an entry leaves out is taken from the flags:

  - stream_name: front-door
    start_timestamp: 2026-01-31T10:00:00Z
    end_timestamp: 2026-01-31T12:00:00Z
  - stream_name: back-door
    start_timestamp: 2026-01-30
    end_timestamp: 2026-01-31
    width_pixels: 640
    height_pixels: 360

The job runs in this process, on Beam's direct runner, which accepts no connections.
--runner prism opens a Beam job service on all network interfaces: whoever reaches it
can run any program as you, as long as the command runs. See docs/security.md.

Beam's own flags (--endpoint, --environment_type, --parallelism, …) pass through
under their own names. With --async the command leaves when a cluster has the job,
and prints its ID. Dataflow needs --project, --region and --staging_location, and
--out in a bucket; --dry_run prints its job and submits nothing. Workers run this
program, unless --worker_binary names another one (linux/amd64).

Workers find AWS credentials of their own; the job has the region, endpoint and role.
On Google's machines no keys are needed: with --aws-web-identity gcp the workers'
service account assumes --aws-role-arn. If this machine is not one of Google's, its
own AWS credentials are used to check the streams.

With --json stdout gets one JSON object, however the command ends: how it ended
(status), what kind of error it was (error.kind), and what the dataset has of all that
was requested. --metrics-file writes it for Prometheus. See docs/operate.md.

Another backfill into the dataset that is under way is named, and this one runs beside
it; with --wait 2h it waits for the other one's end first.

With --keep-going streams that are gone, or that may not be read, do not stop the
others: their samples stay missing.
` + statusHelp

const backfillExample = `  # two hours of one camera, an image every 3 seconds
  kvsframes backfill --stream-name front-door --sampling-interval 3s \
    --start-timestamp 2026-01-31T10:00:00Z --end-timestamp 2026-01-31T12:00:00Z --out frames

  # a day of two cameras, an image a minute, small ones, the result as JSON
  kvsframes backfill --stream-name front-door --stream-name back-door --sampling-interval 1m \
    --start-timestamp 2026-01-30 --end-timestamp 2026-01-31 \
    --width-pixels 640 --height-pixels 360 --out small --json

  # yesterday, every night
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out frames \
    --start-timestamp yesterday --end-timestamp today --time-zone Europe/Rome --wait 2h

  # what a file lists, from another account, with a quarter of each stream's quota
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out frames \
    --aws-profile archive --aws-region eu-west-1 --quota-share 0.25

  # pictures of one size for training, without those that are nearly the same
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out frames --resize 224x224:crop --dedupe 4

  # into a bucket
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out 's3://archive/frames?region=eu-west-1'

  # on a Flink cluster with four slots, whose machines have the command, too
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out 's3://archive/frames?region=eu-west-1' \
    --runner flink --endpoint jobserver:8099 --parallelism 4 \
    --environment_type PROCESS --environment_config '{"command": "/usr/local/bin/kvsframes"}'

  # on Dataflow, without AWS keys
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out gs://archive/frames \
    --aws-region eu-west-1 --aws-web-identity gcp --aws-role-arn arn:aws:iam::111122223333:role/archive-reader \
    --runner dataflow --project my-project --region europe-west1 --staging_location gs://archive/staging

  # every hour, and what cameras that were offline have sent meanwhile
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out frames \
    --start-timestamp -3h --end-timestamp now --look-again 48h

  # fetch again what was not there last week
  kvsframes backfill --requests cameras.yaml --sampling-interval 3s --out frames --refetch no_media`

func newBackfill() *cobra.Command {
	cmd := &cobra.Command{
		Use: "backfill (--stream-name NAME | --stream-arn ARN | --requests FILE) --start-timestamp TIME " +
			"--end-timestamp TIME --sampling-interval INTERVAL --out PLACE",
		Short:   "Fetch spans of streams into a dataset",
		Long:    backfillHelp,
		Example: backfillExample,
		Args:    noArgs,

		DisableFlagsInUseLine: true,
	}
	flags := newBackfillFlags(cmd.Flags())
	show := newOutput(cmd)
	addBeamFlags(cmd.Flags())
	check := cmd.PreRunE
	cmd.PreRunE = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return flags.report(pipeline.Summary{}, "", err)
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		options, err := flags.parse(cmd)
		var summary pipeline.Summary
		if err == nil {
			show.startBeam()
			summary, err = show.run(cmd, options)
		}
		err = flags.report(summary, options.Out, err)
		return show.summary(cmd, summary, err)
	}
	return cmd
}

// report writes the file of metrics, where there is to be one, of a backfill that ended with err,
// and returns err, or why the file could not be written. summary may be empty.
func (f *backfillFlags) report(summary pipeline.Summary, out string, err error) error {
	if *f.metricsFile == "" || err != nil && checkMetricsFile(*f.metricsFile) != nil {
		return err
	}
	if summary.Schema == "" {
		summary.Status, summary.Error = statusOf(err), problemOf(err)
		if store.Check(out) == nil { // else it may hold a secret
			summary.Dataset = out
		}
	}
	return errors.Join(err, writeMetrics(*f.metricsFile, summary, time.Now()))
}
