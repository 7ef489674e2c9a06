// Package ledger records what became of every shard: one receipt a shard, one
// file a receipt. Sinks write it; a source asks it before it fetches; resuming,
// verifying and summing up read it.
//
// A ledger lives in the place of its dataset:
//
//	requests/<series>/<span>.json        what was asked for, written before a job begins
//	ledger/<series>/<span>.json          the receipt of a shard
//	ledger/<series>/<span>.failed.json   the receipt of a shard with FAILED gaps: not the end of it
//	tmp/<series>.<span>.<random>         in a folder: what is being written, see [Ledger.Temp]; gone after [Ledger.Sweep]
//
// where <series> is [framepb.Series.ID] and <span> is [framepb.Span.Name]. The
// names alone say which samples are done, so planning needs listings only.
//
// # Promises
//
// A receipt appears whole, under its final name, after all that it speaks of.
// It holds nothing of when, where or how a shard was fetched: the same shard
// has the same bytes in every ledger, a checksum among them. A receipt that is
// damaged counts as not there, so its shard is fetched again. These promises hold whatever process is
// killed; files are not flushed to the disk one by one, so after a power cut
// verify the dataset.
//
// All of a [Ledger] may be used by many goroutines and processes at once.
//
// # Places
//
// The place of a dataset is named by a path, or by a URL:
//
//	frames, file:///data/frames
//	s3://BUCKET/PREFIX?region=eu-west-1
//	s3://BUCKET/PREFIX?region=us-east-1&endpoint=https://minio.example.com:9000
//	gs://BUCKET/PREFIX
//	mem://NAME/PREFIX                     for tests: it lives as long as the process
//
// In a bucket the files above are objects. One appears under its final name, or
// takes the place of another, when its upload has completed, so there is no tmp.
// What is cancelled or killed before leaves nothing that a listing shows; parts
// of a large object may stay that only a list of multipart uploads does: give
// the bucket a lifecycle rule that aborts incomplete ones. Stores must show an
// object to whoever reads or lists after it was written, as S3 and Google Cloud
// Storage do.
//
// After the ? an s3:// URL may have the names that gocloud.dev's URLs have:
// region, endpoint, profile (of the shared config files), role (an ARN to
// assume), s3ForcePathStyle or use_path_style (the bucket's name in the path, not
// in the host; true where there is an endpoint), anonymous, dualstack, fips,
// accelerate, ssetype and kmskeyid (encryption), request_checksum_calculation
// (when_supported or when_required, which it is where there is an endpoint) and
// response_checksum_validation. What is left out is found as by every AWS tool,
// with one difference: AWS_ENDPOINT_URL counts for nothing, as it may be meant
// for Kinesis Video Streams; AWS_ENDPOINT_URL_S3 does count. A gs:// URL may have
// endpoint, anonymous and universe_domain; STORAGE_EMULATOR_HOST counts.
//
// A URL holds no secret, and one that does is refused: it stands in pipelines,
// summaries and logs. Each process that reads or writes a place finds its
// credentials itself: AWS's default chain, Google's application default
// credentials.
package ledger
