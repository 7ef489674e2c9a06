// Package jpeg decodes the JPEGs that cameras and Kinesis Video Streams make,
// into RGB or grey, in full or at 1/2, 1/4 and 1/8 of the size, with no memory
// but that of the result once it is warm.
//
// What comes out is what libjpeg makes with its defaults, value for value: the
// accurate integer inverse DCT and its reduced forms, "fancy" (triangular)
// upsampling of chroma, and its fixed-point colours. image/jpeg takes the
// nearest chroma sample in place of that, and its planes are new memory for each
// picture.
//
// It decodes Huffman-coded sequential JPEGs of 8 bits in one scan, grey or
// YCbCr in the usual samplings. [Header.Common] tells them apart; the
// others are for image/jpeg.
//
// A [Decoder] hands out rows from the top down, and of a part of the picture if
// that is all that is wanted. It holds two rows of MCUs, so that they stay in
// the processor's cache.
//
// On amd64 with AVX2 the inverse DCTs, upsampling and colours are done by
// assembly, which tools/kernels generates: a function with the suffix Go is what
// other machines do, with the same values, and what the kernels are tested
// against. The build tag purego leaves the assembly out, and the environment
// variable GODEBUG=cpu.avx2=off does so in a program that is built.
package jpeg
