// Package frame has the words of kvsframes: what travels through a pipeline, and the
// arithmetic of samples.
//
// [Frame], [Gap], [Drop] and [Shard] are the elements of PCollections. They are
// plain Go structs under Beam's row coder: Beam samples the sizes of elements
// inside a fused stage by encoding them, and as protos shards of 10 MB would be
// marshalled whole for it.
//
// A [Series] is a stream sampled in one way; a [Span] is consecutive samples
// of it: a request, a run or a shard. Both are comparable values. [Union], [Minus] and
// [Count] are the arithmetic of spans: a backfill fetches what was asked for minus what
// the ledger has.
//
// What is planned and stored of them is in package framepb.
package frame
