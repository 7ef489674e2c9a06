// Package ledger records what became of every shard: one receipt a shard, loose in a file of
// its own until it is sealed in one of many. Sinks write it; a source asks it before it
// fetches; resuming, verifying and summing up read it.
//
// A ledger lies in the place of its dataset, which package store names:
//
//	requests/<series>/<span>.json        what was asked for, written before a job begins: one file for spans
//	                                     that touch or overlap
//	ledger/<series>/<span>.json          the receipt of a shard
//	ledger/<series>/<span>.failed.json   the receipt of a shard with FAILED gaps: not the end of it
//	ledger/<series>/<span>.void.json     a mark: what sealed receipts say of this shard holds no longer
//	sealed/<series>/<span>.<digest>.parquet         the sealed receipts of consecutive shards
//	sealed/<series>/<span>.failed.<digest>.parquet  the same of shards with FAILED gaps
//	index/<series>/<span>.parquet        what all sealed receipts of a block say, for readers: see [Ledger.PutIndex]
//	tmp/<series>.<span>.<random>         in a folder: what is being written, see [Ledger.Temp]; gone after [Ledger.Sweep]
//
// where <series> is [frame.Series.ID] and <span> is [frame.Span.Name]. The
// names alone say which samples are done, so planning needs listings only. The files of
// sealed receipts are Parquet, which package dataset writes and reads: see [RegisterSealed].
//
// # Promises
//
// A receipt appears whole, under its final name, after all that it speaks of.
// It holds nothing of when, where or how a shard was fetched: the same shard
// has the same bytes in every ledger, a checksum among them. A receipt that is
// damaged counts as not there, so its shard is fetched again. These promises hold
// whatever process is killed. In a folder they hold after a power cut, too: what a call that
// writes a receipt, a mark or a request has written is on the disk when it returns, and before
// what it takes the place of goes. What is removed may come back until [Ledger.Flush].
//
// All of a [Ledger] may be used by many goroutines and processes at once.
package ledger
