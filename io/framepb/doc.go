// Package framepb holds what travels through a kvsframes pipeline and what is
// kept when it is over.
//
// [Frame], [Gap], [Drop] and [Shard] are the elements of PCollections. They are
// plain Go structs under Beam's row coder: Beam samples the sizes of elements
// inside a fused stage by encoding them, and as protos shards of 10 MB would be
// marshalled whole for it.
//
// [Work], [Receipt], [Request] and [Dataset] are what is planned or stored.
// They are protos; what is stored of them is JSON with a checksum, see [EncodeJSON].
// A version that gives one a new field gives datasets a new version.
//
// A [Series] is a stream sampled in one way; a [Span] is consecutive samples
// of it: a request, a run or a shard. Both are comparable values.
package framepb

//go:generate go test -run=^TestGenerated$ -update .
