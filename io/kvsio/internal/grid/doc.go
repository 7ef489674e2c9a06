// Package grid is the arithmetic of a backfill: what of a stream's time is to be
// fetched, in which pieces, and in which order. It does no I/O.
//
// A series samples a stream at the instants phase + i·interval, for every integer i
// from the epoch on. A span (frame.Span) is consecutive samples of one series.
// Everything here maps spans to spans:
//
//   - [Union] and [Difference] make runs: what is asked for, minus what a ledger has.
//   - A run is cut into shards ([ShardCount], [ShardAt]), at multiples of the number
//     of samples a shard. A shard is what is fetched, written and recorded as a whole.
//   - [CutWorks] spreads the shards of all runs over works of equal size. An [Order]
//     puts the shards of a work in order, and [Turns] says whose shard is next while
//     streams keep different paces.
//   - A shard is asked for window by window ([Windows]): as much as one range of
//     GetImages may cover.
//
// Times and intervals are in milliseconds, times since the Unix epoch.
package grid
