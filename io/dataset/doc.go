// Package dataset keeps the frames of a backfill: it writes shards, and proves
// that what was written is there.
//
// A dataset is a folder, or a prefix of the objects of a bucket, named by a URL
// such as s3://BUCKET/PREFIX or gs://BUCKET/PREFIX; package ledger says what a
// URL may hold. The same files are in each:
//
//	dataset.json                           its description: format, samples per shard, transforms
//	requests/<series>/<span>.json          what was asked for
//	ledger/<series>/<span>.json            what became of each shard
//	shards/<series>/<span>/<key>.jpg       the pictures of a shard, in format "files"
//	tmp/                                   in a folder: what is being written; gone when a job has ended
//
// <series> is [framepb.Series.ID], <span> is [framepb.Span.Name], <key> is
// [framepb.Key]. Package ledger looks after requests and ledger.
//
// # Promises
//
// The same requests give the same bytes in every file, whatever was killed,
// retried or written twice on the way: a file's name and content are functions
// of series, shard and description. A shard is written whole or not at all, its
// receipt last; where a shard is replaced, its old receipt goes first. So a
// shard with a receipt is whole, and any other will be fetched again.
//
// Processes may be killed at any instant. Files are not flushed to the disk one
// by one; after a power cut run [Verify].
//
// In a folder a shard is made ready in tmp and renamed. In a bucket its objects
// are written where they belong, each of them whole or not at all: until the
// receipt follows they are unfinished work, which does no harm and is written
// over when the shard is fetched again. Two processes that create one dataset in
// a bucket agree on its description by a conditional write; a store without them
// lets the last one win, so create a dataset there before many jobs start.
//
// # Use
//
// [Create] opens a dataset for writing, [Write] is the transform that writes
// shards to it, [Writer] is the same without Beam, [Sweep] tidies up when a job
// has ended, and [Verify] reads everything back.
package dataset
