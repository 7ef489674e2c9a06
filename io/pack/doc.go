// Package pack makes training sets out of datasets: the frames that are wanted, shuffled by
// a seed, split, in files of one size.
//
// [NewPlan] reads the receipts of a dataset and says which file of the set each frame goes
// into; [Plan.Create] makes the description of the set in a place of its own; [Pack] is the
// transform that writes its files; [Plan.Finish] lists them when the job is over.
//
// # What is in a set
//
//	pack.json                     its description: what was packed and how, and a fingerprint of it
//	<split>-<number>.tar, …       its files, from 000000 on without holes, in any of the formats;
//	                              in "files" a folder <split>-<number> of pictures
//	shards.json                   at the end: the files of each split, and the frames of each file
//	README.md                     at the end: a card that Hugging Face reads
//	tmp/                          in a folder: what is being written; gone when the set is whole
//
// All files of a split have the same number of frames, but for the last. Frames are in the
// order of the dataset's index or, with a seed, in one that depends on the seed, the split
// and the number of its frames. Where only some frames have tensors, in a Parquet file those
// of the others are empty. A frame's key is that of the dataset, but where the set has
// several series of its stream, as pictures of two sizes: there it begins with the series in
// place of the stream, for keys must not meet. Row groups of shuffled Parquet files do not
// say that they are sorted.
//
// # Promises
//
// The description is made first, and has all that the bytes of a set depend on. So the same
// dataset and [Options] give the same set, on every runner, and whatever was killed on the
// way: a file appears whole or not at all, and one that is there is not made again. Every
// picture is compared with its checksum. The description and shards.json end with a checksum
// of their own. A wrong checksum is damage, and so is an unknown field.
//
// How frames are split does not depend on the seed. By stream or day, whole streams or days
// are laid end to end, in an order that depends on their names, and cut where the shares
// say, to the nearest of them. By sample, each frame's stream and instant decide, so it stays
// in its split when the dataset grows.
package pack
