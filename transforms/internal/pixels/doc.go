// Package pixels decodes, converts, resizes, hashes and encodes pictures, with the
// values of Pillow and imagehash.
package pixels
