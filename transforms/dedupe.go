package transforms

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strconv"
	"sync"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
)

// Duplicate is the reason of a frame that a dedupe step dropped.
const Duplicate = "DUPLICATE"

// DedupeParams are, as a [Step] of [Shards], to drop frames that are nearly the
// same as the last one that was kept. The first frame of a shard is always kept,
// and nothing but the shard's own frames is looked at: so what is dropped does not
// depend on how a runner deals out shards.
//
// Frames are compared by the number of bits that differ in their hashes. The
// hash is the dhash of the Python package imagehash, 8 × 8 bits: of a JPEG that
// the step gets encoded, of the picture that Pillow loads after
// draft("L", (72, 64)), which takes a fraction of the time; of all others, of the
// picture itself.
type DedupeParams struct {
	// Threshold is how many of 64 bits may differ: 0 drops what has the same
	// hash, 64 all frames of a shard but its first. The noise of a still scene
	// is some 0 to 3 bits.
	Threshold int
}

// Validate returns an error that names each field that is wrong.
func (p DedupeParams) Validate() error {
	if p.Threshold < 0 || p.Threshold > 64 {
		return fault.New("DedupeParams.Threshold", p.Threshold, "from 0 to 64 bits")
	}
	return nil
}

// String describes the step in one line: "dedupe 3".
func (p DedupeParams) String() string { return fmt.Sprintf("dedupe %d", p.Threshold) }

// ParseDedupe reads a threshold. What it returns is valid.
func ParseDedupe(s string) (DedupeParams, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return DedupeParams{}, errors.New("it must be a number of bits, from 0 to 64")
	}
	p := DedupeParams{Threshold: n}
	return p, p.Validate()
}

func (DedupeParams) prepare(w *work) (err error) {
	w.hash, err = w.dhash()
	return err
}

func (p DedupeParams) decider() decider {
	var kept uint64
	first := true
	return func(_ context.Context, w *work) error {
		if !first && bits.OnesCount64(kept^w.hash) <= p.Threshold {
			w.drop = Duplicate
			return nil
		}
		first, kept = false, w.hash
		return nil
	}
}

// lumas holds luma that is being hashed.
var lumas = sync.Pool{New: func() any { return new([]byte) }}

func (w *work) dhash() (uint64, error) {
	memory := lumas.Get().(*[]byte)
	defer lumas.Put(memory)
	if w.pixels.data == nil && w.frame.Format == frame.JPEG {
		header, err := jpegHeader(w.frame.Data, DecodeParams{})
		if err != nil {
			return 0, undecodable{err}
		}
		if header.Common {
			scale := scaleFor(min(header.Width/72, header.Height/64))
			luma, width, height, err := lumaCommon((*memory)[:0], w.frame.Data, header, scale)
			*memory = luma
			if err != nil {
				return 0, undecodable{err}
			}
			return dhash(luma, width, height), nil
		}
	}
	if err := w.decode(DecodeParams{}, 1); err != nil {
		return 0, err
	}
	*memory = w.pixels.luma(*memory)
	return dhash(*memory, w.pixels.width, w.pixels.height), nil
}

// luma puts the picture in grey, as Pillow makes it, over dst.
func (p *pixels) luma(dst []byte) []byte {
	n := p.width * p.height
	dst = slices.Grow(dst[:0], n)[:n]
	for i := range dst {
		s := p.data[3*i : 3*i+3 : 3*i+3]
		dst[i] = uint8((19595*uint32(s[0]) + 38470*uint32(s[1]) + 7471*uint32(s[2]) + 1<<15) >> 16)
	}
	return dst
}

// dhash says, of 8 × 8 places in a picture, whether it gets lighter to the
// right. The first place is the highest bit.
func dhash(luma []byte, width, height int) (hash uint64) {
	var memory [9 * 8]byte
	key := resamplerKey{"lanczos", box{0, 0, float32(width), float32(height)}, width, height, 9, 8}
	small := resample(memory[:0], luma, 1, lanczos, key)
	for y := range 8 {
		for x := range 8 {
			hash <<= 1
			if small[9*y+x+1] > small[9*y+x] {
				hash |= 1
			}
		}
	}
	return hash
}
