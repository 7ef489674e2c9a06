// Package store reads and writes files where they lie: in a folder, or in a bucket.
//
// # Places
//
// A place is named by a path, or by a URL:
//
//	frames, file:///data/frames
//	s3://BUCKET/PREFIX?region=eu-west-1
//	s3://BUCKET/PREFIX?region=us-east-1&endpoint=https://minio.example.com:9000
//	gs://BUCKET/PREFIX
//	mem://NAME/PREFIX                     for tests: it lives as long as the process
//
// In a bucket files are objects. An object appears under its final name, or replaces
// another one, when its upload is complete. An upload that is cancelled or killed before
// leaves nothing that a listing shows. Parts of a large object may stay, which only a list
// of multipart uploads shows: give the bucket a lifecycle rule that aborts incomplete
// uploads. The service must show an object to whoever reads or lists after it was written,
// as S3 and Google Cloud Storage do.
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
//
// # Drivers
//
// Folders need none. A program that uses s3://, gs:// or mem:// places imports
// [github.com/kvsframes/kvsframes/io/store/s3store],
// [github.com/kvsframes/kvsframes/io/store/gcsstore] or
// [github.com/kvsframes/kvsframes/io/store/memstore] for its effect:
//
//	import _ "github.com/kvsframes/kvsframes/io/store/s3store"
package store
