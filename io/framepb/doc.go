// Package framepb holds what travels through a kvsframes pipeline and what is
// kept when it is over.
//
// [Frame], [Gap], [Drop] and [Shard] are the elements of PCollections. They are
// plain Go structs under Beam's row coder: Beam samples the sizes of elements
// inside a fused stage by encoding them, and as protos shards of 10 MB would be
// marshalled whole for it.
//
// [Work], [Receipt], [Request] and [Dataset] are what is planned or stored.
// They are protos, so that what one version wrote the next can read.
//
// A [Series] is a stream sampled in one way; a [Span] is consecutive samples
// of it: a request, a run or a shard. Both are comparable values.
package framepb

//go:generate go test -run=^TestGenerated$ -update .
