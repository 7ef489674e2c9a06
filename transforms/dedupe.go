package transforms

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"strconv"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
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

var deduping = kind{
	meter: newMeter("dedupe"), inOrder: true,
	parse: func(spec string) (Step, error) { return ParseDedupe(spec) },
}

func (p DedupeParams) after(f form) (form, error) { return f, f.picture(p) }

func (DedupeParams) prepare(s *sample) error {
	if s.pixels.Data == nil && s.frame.Format == frame.JPEG {
		hash, ok, err := pixels.HashJPEG(s.frame.Data)
		if err != nil {
			return undecodable{err}
		}
		if ok {
			s.hash = hash
			return nil
		}
	}
	if err := s.decode(DecodeParams{}, 1); err != nil {
		return err
	}
	s.hash = s.pixels.Hash()
	return nil
}

func (p DedupeParams) decider() decider {
	var kept uint64
	first := true
	return func(_ context.Context, s *sample) error {
		if !first && bits.OnesCount64(kept^s.hash) <= p.Threshold {
			s.drop = Duplicate
			return nil
		}
		first, kept = false, s.hash
		return nil
	}
}
