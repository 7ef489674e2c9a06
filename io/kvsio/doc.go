// Package kvsio reads pictures out of Amazon Kinesis Video Streams archives, as
// a source for Apache Beam pipelines.
//
// A [Request] asks for the images of a stream in a time range, one every
// sampling interval, with the parameters of the GetImages operation and
// without its limit of 300 s a range. [Read] turns requests into a PCollection
// of frames and one of gaps: for every request, frames + gaps = samples, each
// sample once, whatever the runner splits, retries or kills. [ReadAll] does the
// same for a PCollection of requests, and gives back what cannot be read; a
// request's Tag comes back on its frames and gaps. [ReadShards] hands out whole
// shards, the unit that sinks write and resume by.
//
// Frames, gaps and requests cross Beam's stages, and languages, as rows without
// nulls. In the row of a Request instants are StartMicros and EndMicros, microseconds
// since the Unix epoch, and the interval is SamplingIntervalMicros.
//
// # Samples
//
// A request's samples lie on a grid that begins at its StartTimestamp. The
// grid is the same for every request whose start is a multiple of the interval
// away, so requests that overlap share samples, and what a ledger has is not
// fetched again. The event time of a frame is its sample time, the instant
// asked for; its image time is that of the picture that the service found.
//
// # How it reads
//
// Requests are cut into shards (100 samples, at multiples of 100 from the epoch
// on), and the shards of many streams dealt into works, the elements of a
// splittable DoFn. Streams take turns. A shard is claimed when its calls start,
// so a split never costs a call, and goes out as soon as it is whole, in any
// order.
//
// GetImages has traps, and the source knows them:
//
//   - It answers at a data endpoint only, whose token expires. The source asks
//     for it, keeps it and renews it.
//   - It leaves out the fragment that a range starts inside, up to 20 s, as if
//     there were no media. Samples that are empty at the head of a range are
//     asked for again by a range that starts 20 s earlier.
//   - Pages may be short or empty; entries may be missing, doubled, damaged or
//     without image and error, or have a time that is not theirs. An entry is
//     believed where the number of its page's entries, or its own time, proves
//     which sample it is of. A time is in doubt where the next sample turns out
//     to have the same picture with another time. Whatever is not answered, or
//     in doubt, is asked for again before it is a gap, alone if need be. A
//     picture from more than 20 s before or after its sample, longer than a
//     fragment can be, is a gap CORRUPT.
//   - Pictures come as base64 in JSON, up to 150 MiB a page. The source decodes
//     them from where they lie in the answer, straight into the frame.
//   - Its throttle (ClientLimitExceededException) is a 400 that the SDK does
//     not retry. Attempts are the source's own.
//   - Its quotas are points: 500 images a second and stream, shared with
//     everyone who watches the stream. The source paces itself to a share
//     of them (half, by default), and below that finds what it can have when it
//     is throttled.
//
// # Failures
//
// A call that fails in passing is made again, up to 10 times over half a
// minute or more; a process whose calls all fail makes few. A stream that is
// throttled is slowed down, and fails only if nothing at all gets through for
// [CallParams.ThrottlePatience]. When a shard's calls fail for good the job fails, with one
// error that names stream and time; with [ReadParams.KeepGoing] the shard's
// samples become FAILED gaps, and ReadAll gives requests for them back. A stream
// that cannot work at all (gone, forbidden) fails once, not once a shard.
//
// # What follows the source
//
// What only needs facts about pictures should make them first and leave Data behind: a
// GroupByKey keeps its elements until their window ends, on a local runner in the memory
// of the process (59 MB of pictures took 680 MB on prism, and 1.9 GB behind a Flatten).
// Sinks take whole shards of [ReadShards], which no stage boundary parts from the source.
// With [LedgerParams.Ledger] set, [ReadShards] emits nothing for shards that the ledger
// has: what follows sees what is new, and reads the rest from the dataset. A shard with gaps
// that may have an image by now is looked at again: these samples are asked for, in ranges of
// their own, and no others but up to 20 s that lead to a range, where its head is empty.
//
// # Without Beam
//
// A [Paginator] reads the images of one GetImages range page by page, as
// boto3's paginator does: with its PaginationConfig, and with tokens that boto3
// and the AWS CLI take. Its calls are made in the same way as the source's.
// What the source adds to them it leaves out, as boto3 does: ranges over 300 s,
// and asking again for what a range's head or a page lacks. A range over 300 s
// it reads as the source would where [PaginationConfig] says so (SplitRange).
//
// # Credentials
//
// Credentials come from the AWS SDK's default chain on each worker. They are
// never part of a pipeline; what [AWSParams] says is. With a RoleARN they are
// those of a role; with a WebIdentity the role is assumed on machines of
// Google's, for which no AWS keys are needed. A program may register what no
// field covers: [RegisterAWSConfig].
package kvsio
