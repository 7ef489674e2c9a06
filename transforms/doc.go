// Package transforms makes of frames what training and inference take: pixels,
// pictures of one size, tensors, without those that are nearly the same, and with
// what a function of your own says about each.
//
// A [Step] says what is done: [DecodeParams], [ResizeParams], [TensorParams],
// [DedupeParams], [MapParams], [FilterParams]. [Shards] puts the frames of shards
// through steps on their way from the source to a sink, [Frames] a PCollection of
// frames. Either is one DoFn: runners fuse it with the source, and no frame
// crosses from one stage to another. [Decode], [Resize], [Tensor], [Map] and
// [Filter] are Frames with one step.
//
// A classifier is a [MapParams] with Pixels: its function sees the picture decoded, and
// the frame goes on with its picture encoded and the labels that the function gave it.
//
// Steps of one call work on pixels: a picture is decoded once, when a step needs
// its pixels, and encoded once, at the end or where a function of your own is to
// see it. So a resize and a tensor in one call are without a loss between them, and
// in two calls are not, where the frames are JPEGs.
//
// # Samples
//
// No sample is lost. A picture that cannot be decoded becomes a gap
// [frame.Corrupt] with the cause; a frame that is left out becomes a drop with
// its reason. What becomes of a frame depends on nothing but the frame and the
// steps, and for a dedupe the frames of its shard: so a retry makes the same again.
// The exceptions are functions of your own, which must keep to it, too.
//
// # The same as in Python
//
// Pixels are those that Pillow 13 has, tensors those of numpy, and hashes those of
// imagehash: what a model was trained on in Python is what it gets here. Value
// for value:
//
//   - JPEGs, grey or YCbCr and sequential, as nearly all are, decoded in full or
//     at 1/2, 1/4 and 1/8 of their size. Progressive and CMYK JPEGs go
//     through image/jpeg, and differ by at most 3 a channel.
//   - PNGs, with Pillow's rules of convert("RGB"): alpha is left out, palettes are
//     looked up, of 16 bits the higher byte is taken. Greys of 16 bits, which
//     Pillow would cut off at 255, lose their lower byte, too.
//   - Every mode and filter of a resize: Image.resize, ImageOps.contain, fit and
//     pad, of Pillow since 13.0.0, which takes the vertical pass first where that
//     saves work. A JPEG that is to be less than half its size is first decoded
//     smaller, as by Image.draft with twice the size of the result, unless a decode
//     step is ahead or the filter is [Nearest].
//
// # Speed
//
// Put a dedupe first: of JPEGs it decodes an eighth of the size, of pixels it must
// look at all.
//
// Frames of a shard are worked on with as many goroutines as GOMAXPROCS says.
// Buffers are used again: in steady state a frame costs the memory of its result.
// A resize of a JPEG reads its rows as they are decoded, of a crop only what it keeps: the
// whole picture is in memory only where the vertical pass is first.
//
// There is no cgo. On amd64 with AVX2 the arithmetic is in assembly; elsewhere, and with
// the build tag purego, it is in Go, with the same values.
package transforms

//go:generate go test -run=^TestKernelsAreGenerated$ -update .
