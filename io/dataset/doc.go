// Package dataset keeps the frames of a backfill: it writes shards, and proves
// that what was written is there.
//
//	ds, err := dataset.Create(ctx, dir, dataset.Options{})   // or Open
//	err = ds.Begin(ctx, request.Span())                      // what is asked for is on record
//	dataset.Write(s, dataset.WriteParams{Dir: dir}, shards)  // in a Beam pipeline; a Writer does it without Beam
//	contents, err := ds.Finish(ctx, dataset.FinishOptions{}) // what is left of the index, and the card
//	report, err := ds.Verify(ctx, dataset.VerifyOptions{})   // everything is read back
//
// [Dataset.Repair] takes away what is damaged, so that the next backfill fetches it again.
// [Dataset.Remove] takes footage out for good.
// [Dataset.Samples] tells what became of each sample and where its picture lies.
//
// A dataset is a folder, or a prefix of the objects of a bucket, named by a URL
// such as s3://BUCKET/PREFIX or gs://BUCKET/PREFIX; package store says what a
// URL may hold. The same files are in each:
//
//	dataset.json                           its description: format, samples per shard, transforms
//	requests/<series>/<span>.json          what was asked for: one file for spans that touch or overlap
//	ledger/<series>/<span>.json            what became of a shard, until that is sealed
//	sealed/<series>/<span>.<digest>.parquet what became of consecutive shards
//	index/<series>/<span>.parquet          what became of a block of shards, for readers: a row a sample
//	shards/<series>/<span>…                the pictures of a shard, in the dataset's format
//	catalog.json                           what sealed files come to
//	README.md                              the dataset's card
//	tmp/                                   in a folder: what is being written; gone when a job has ended
//
// <series> is [frame.Series.ID], <span> is [frame.Span.Name], <key> is
// [frame.Key]. Package ledger looks after requests and ledger.
//
// # Formats
//
// All hold frames alone, in time order: gaps and drops are in the ledger, and a
// shard without a frame has no file. Times are in UTC: the sample time is the
// instant that was asked for, the image time that of the picture which the service
// found for it. The stream is its name, with its dots, and the format of a picture
// JPEG or PNG.
//
// Where a transform makes tensors of pictures, a .npy file stands wherever a
// picture does, with the format NPY; nothing else changes, but that to Hugging
// Face's datasets the image of a Parquet file is bytes then, no Image. Or the .npy
// file stands beside the picture: what is called tensor below, and is not in other
// files. Where a function says something of frames, a file with such frames tells
// it of each, as a JSON object of texts by name, in order, {} where nothing was
// said: the fields called labels below, which other files do not have. In "files"
// labels are in the index alone, and so are image times.
//
// "webdataset", the default: shards/<series>/<span>.tar, of two members a frame, or
// three.
//
//	<key>.jpg or .png   the picture
//	<key>.npy           tensor
//	<key>.json          key, stream, stream_arn (empty where only the name is known),
//	                    sample_time and image_time (RFC 3339, with milliseconds),
//	                    sample_time_ms and image_time_ms (since the Unix epoch),
//	                    format, width and height (pixels), labels (an object)
//
// "tfrecord": shards/<series>/<span>.tfrecord, of a tf.train.Example a frame, whose
// features are lists of one.
//
//	image/encoded           bytes  the picture
//	image/format            bytes  jpeg or png
//	image/height            int64  pixels
//	image/width             int64  pixels
//	image/key               bytes  the key
//	image/labels            bytes  labels
//	image/stream            bytes  the stream
//	image/timestamp         int64  sample time, in milliseconds since the Unix epoch
//	image/image_timestamp   int64  image time, in milliseconds since the Unix epoch
//	image/tensor            bytes  tensor, a .npy file
//
// "parquet": shards/<series>/<span>.parquet, of a row a frame and a row group
// every 100 rows or 64 MiB of pictures and tensors. No value is null. The metadata
// tells Hugging Face's datasets that image is an Image; row groups have the least
// and the most of every column but image and tensor.
//
//	key           string
//	stream        string
//	sample_time   timestamp[ms, UTC]
//	image_time    timestamp[ms, UTC]
//	width         int32, pixels
//	height        int32, pixels
//	format        string
//	labels        string
//	image         struct of bytes, the picture, and path, <key>.jpg or .png
//	tensor        binary, a .npy file
//
// "files": shards/<series>/<span>/<key>.jpg or .png, a picture each, and <key>.npy.
//
// # The index
//
// The receipts of shards are sealed: of those that follow each other in a series, and lie in
// one block of up to 2,000 shards and 200,000 samples, there is one Parquet file in sealed/, which
// takes the place of the loose ones. Those with FAILED gaps have files of their own, whose names
// say so: <span>.failed.<digest>.parquet. <digest> is of what the receipts say. [Write] seals, on
// the workers, when all is written, and [Dataset.Finish] what a job that was interrupted has
// left.
//
// The index is for readers: index/*/*.parquet has a row for each sample that is in a sealed
// receipt, in the order of sample_time in each file. A block has one file there, whose name, the
// block's span, stays; the file is replaced whole before what it was made of goes. So whoever
// lists the files and reads them, while jobs write, seal and repair the dataset, finds each that
// was listed, never fewer samples than before, and none twice. Two things take rows away: a
// removal, and another process that seals the block of a shard just while that is replaced, until
// the block is sealed again. In a bucket a file may be replaced between two requests of one reader:
// engines that look at its ETag say so, and read it again when asked to; and two processes that
// seal one block at the same moment may show what one of them has sealed a moment later.
//
// Where two shards have a sample, so does the index: in DuckDB, this takes each once:
//
//	SELECT * FROM 'index/*/*.parquet' QUALIFY row_number() OVER (PARTITION BY series, sample_time) = 1
//
// In a folder a block's file is the sealed one under another name, a hard link, where there is
// one sealed file of the block and the file system has links; else it takes room of its own.
// Nothing in this package reads the index but to prove it, and to make sealed files again that are
// lost: it can be made again at any time.
//
//	key           string                 the key
//	stream        string                 the stream
//	stream_arn    string                 empty where only the name is known
//	series        string                 <series>
//	sample_time   timestamp[ms, UTC]
//	image_time    timestamp[ms, UTC]     of frames
//	kind          string                 frame, gap or drop
//	outcome       string                 FRAME, or the reason of the gap or the drop
//	file          string                 of frames: what holds the picture, relative to the dataset, with forward slashes
//	offset        int64                  of frames: the picture's first byte in file
//	size          int64                  of frames: the picture's bytes
//	sha256        string                 of frames: of the picture, hexadecimal
//	format        string                 of frames: JPEG, PNG or NPY
//	width         int32                  of frames: pixels
//	height        int32                  of frames: pixels
//	labels        string                 of frames that have some: a JSON object of texts
//	tensor_file   string                 of frames that have a tensor beside the picture: what holds it, as file
//	tensor_offset int64                  of such frames: the tensor's first byte in tensor_file
//	tensor_size   int64                  of such frames: the tensor's bytes
//	tensor_sha256 string                 of such frames: of the tensor, hexadecimal
//	cause         string                 of gaps that have one: for people
//
// What is of frames is null in other rows, and nothing else is. The row groups
// have the least and the most of every column but the checksums.
//
// The footer of a sealed file holds, besides, what its receipts say but for their frames: plans,
// summaries and cards are made from names and footers. Nothing in this package believes what a
// row says of files and places: it follows from the receipts.
//
// # The card
//
// README.md is for people and for Hugging Face's tools: datasets.load_dataset(DIR)
// loads the frames by what stands at its head, but for tfrecord, which datasets does
// not read: there it loads the index. It says what was asked for, what became of it,
// the gaps of each stream by days (or months, or years, where there are many), and how
// to load the dataset. [Dataset.Finish] writes it, unless there is a README.md
// that has lost, or never had, the line by which it knows its own.
//
// # Promises
//
// The same requests give the same bytes in every file, whatever was killed,
// retried or written twice on the way: a file's name and content are functions
// of series, shard and description, in every format. So [Dataset.Verify] finds every
// byte that is not as it was written, around the pictures too. A shard is written
// whole or not at all, its receipt last; where a shard is replaced, its old
// receipt goes first. So a shard with a receipt is whole, and any other will be
// recorded by what its files say, if they are whole, or fetched again.
//
// What sealed receipts say is in the index, too, where a block has one file of them; and what
// receipts say can be found in the shards, but for gaps and drops, and what the bytes of pictures
// must be. Where receipts are lost, sealed ones among them, [Dataset.Begin], [Dataset.Finish] and
// [Dataset.Repair] record them anew, and the next backfill fetches again only what is in none. In
// "files" the image
// times, the labels and the size of a tensor that has no shape (1, height, width, 3) are lost:
// an image time is the sample time then, a size 0. So a backfill does not rely on these files:
// only Repair does, and others leave them to be fetched again.
//
// The description, requests and receipts end with a checksum. A wrong checksum is damage,
// and so is an unknown field.
//
// Processes may be killed at any instant, and the power may be cut: in a folder the pictures of
// a shard are on the disk before a receipt names them, sealed receipts before those go that
// they take the place of, and what takes a receipt away before its pictures go. So no receipt
// is left without its pictures. What [Writer.Write] has returned, or a bundle of [Write] has
// recorded when it ends, stays. This depends on a disk that keeps what it says is flushed, and on
// a file system that flushes folders: some of networks do not. A bucket's answer is durable.
//
// In a folder a shard is made ready in tmp, flushed and renamed. In a bucket its objects
// are written where they belong, each of them whole or not at all: until the
// receipt follows they are unfinished work, which does no harm and is recorded, or
// written over, by the next backfill. Two processes that create one dataset in
// a bucket agree on its description by a conditional write; a store without them
// lets the last one win, so create a dataset there before many jobs start.
//
// Two jobs may write one dataset at once. Where they were planned before either had
// receipts, and cut what both ask for at different edges, some samples are in two
// shards: all are there, [Dataset.Verify] counts them as duplicates, [Dataset.Repair] leaves each
// once.
package dataset
