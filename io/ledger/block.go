package ledger

import "github.com/kvsframes/kvsframes/io/frame"

// SealedSamples is the most samples that a file of sealed receipts has.
const SealedSamples = 200_000

// sealedShards is the most whole shards that a file of sealed receipts has.
const sealedShards = 2000

// BlockOf returns the block that a shard lies in: the samples whose receipts may be sealed
// in one file, in a dataset of shardSamples a shard. Blocks begin at multiples of their
// length on the grid, so that the files that receipts are sealed in depend on nothing but
// the receipts.
func BlockOf(shard frame.Span, shardSamples int) frame.Span {
	n := int64(shardSamples)
	length := min(SealedSamples/n, sealedShards) * n
	first := shard.First - shard.First%length
	return shard.Slice(first, first+length)
}
