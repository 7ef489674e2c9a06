// Package ledger records what became of every shard: one receipt a shard, one
// file a receipt. Sinks write it; a source asks it before it fetches; resuming,
// verifying and summing up read it.
//
// A ledger lies in the place of its dataset, which package store names:
//
//	requests/<series>/<span>.json        what was asked for, written before a job begins: one file for spans
//	                                     that touch or overlap
//	ledger/<series>/<span>.json          the receipt of a shard
//	ledger/<series>/<span>.failed.json   the receipt of a shard with FAILED gaps: not the end of it
//	tmp/<series>.<span>.<random>         in a folder: what is being written, see [Ledger.Temp]; gone after [Ledger.Sweep]
//
// where <series> is [frame.Series.ID] and <span> is [frame.Span.Name]. The
// names alone say which samples are done, so planning needs listings only.
//
// # Promises
//
// A receipt appears whole, under its final name, after all that it speaks of.
// It holds nothing of when, where or how a shard was fetched: the same shard
// has the same bytes in every ledger, a checksum among them. A receipt that is
// damaged counts as not there, so its shard is fetched again. These promises hold
// whatever process is killed; files are not flushed to the disk one by one, so after a
// power cut verify the dataset.
//
// All of a [Ledger] may be used by many goroutines and processes at once.
package ledger
