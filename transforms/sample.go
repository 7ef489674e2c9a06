package transforms

import (
	"fmt"
	"slices"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
)

// sample is a sample on its way through the steps of one call, as a frame until it
// is a gap or a drop. Its picture is decoded once at most, and encoded once at its end.
type sample struct {
	frame   frame.Frame  // its Data is behind where pixels are stale
	pixels  pixels.Image // none where no step has needed them
	shown   pixels.Image // what a function saw of a picture that no step has needed the pixels of
	stale   bool         // pixels are newer than frame.Data
	quality int          // to encode a JPEG with
	hash    uint64       // of a dedupe step

	corrupt error  // why it cannot be decoded
	drop    string // why it is left out
	costs   []cost
}

// gone reports whether the sample is not a frame any more.
func (s *sample) gone() bool { return s.corrupt != nil || s.drop != "" }

// gap is what a frame that cannot be decoded becomes.
func (s *sample) gap() frame.Gap {
	f := s.frame
	return frame.Gap{
		Stream: f.Stream, StreamARN: f.StreamARN, SampleMs: f.SampleMs,
		Reason: frame.Corrupt, Cause: s.corrupt.Error(), Tag: f.Tag,
	}
}

// failed names the step and the frame that err is of.
func (s *sample) failed(step Step, err error) error {
	return fmt.Errorf("%s: the frame of %s at %s: %w", step, s.frame.Stream, s.frame.SampleTime().Format(time.RFC3339Nano),
		err)
}

// undecodable is an error that makes a gap of a frame. Other errors fail the
// bundle.
type undecodable struct{ error }

func (u undecodable) Unwrap() error { return u.error }

// decode makes pixels of the frame, where it has none, at 1/denominator of its
// size where that can be had.
func (s *sample) decode(p DecodeParams, denominator int) error {
	if s.pixels.Data != nil {
		return nil
	}
	if s.shown.Data != nil && p == (DecodeParams{}) && denominator == 1 {
		s.pixels, s.shown = s.shown, pixels.Image{}
	} else {
		decoded, err := s.picture(p, denominator)
		if err != nil {
			return err
		}
		s.pixels = decoded
		s.shown.Release()
	}
	s.frame.Width, s.frame.Height = int32(s.pixels.Width), int32(s.pixels.Height)
	return nil
}

// picture returns the pixels of frame.Data.
func (s *sample) picture(p DecodeParams, denominator int) (out pixels.Image, err error) {
	began := time.Now()
	switch s.frame.Format {
	case frame.RGB:
		out, err = pixels.Borrow(int(s.frame.Width), int(s.frame.Height), s.frame.Data)
	case frame.JPEG, frame.PNG:
		if out, err = pixels.Decode(s.frame.Data, pixels.Options(p), denominator); err == nil {
			s.spend(decoding.meter, 1, time.Since(began))
		}
	default:
		return out, fmt.Errorf("the frame's format is %q: pictures are made of JPEG, PNG and RGB", s.frame.Format)
	}
	if err != nil {
		return out, undecodable{err}
	}
	return out, nil
}

// show prepares what a function is given. It decodes in full, and other steps do not
// see it: what they make is the same without the function.
func (s *sample) show(asPixels bool) (err error) {
	switch {
	case !asPixels:
		return s.settle()
	case s.pixels.Data == nil && s.shown.Data == nil:
		s.shown, err = s.picture(DecodeParams{}, 1)
	}
	return err
}

// given returns the frame that a function is given.
func (s *sample) given(asPixels bool) frame.Frame {
	f := s.frame
	if asPixels {
		p := s.pixels
		if p.Data == nil {
			p = s.shown
		}
		f.Format, f.Width, f.Height, f.Data = frame.RGB, int32(p.Width), int32(p.Height), slices.Clip(p.Data)
	}
	return f
}

// resize decodes what a resize needs of the frame, and resizes it: in one go if no pixels are there yet.
func (s *sample) resize(p ResizeParams) error {
	denominator := 1
	if s.pixels.Data == nil && s.frame.Format == frame.JPEG {
		header, err := pixels.JPEGHeader(s.frame.Data, pixels.Options{})
		if err != nil {
			return undecodable{err}
		}
		denominator = p.denominator(header.Width, header.Height)
		if header.Common && p.Filter != Nearest && (s.shown.Data == nil || denominator > 1) {
			l := p.layout(header.Scaled(denominator))
			out, took, err := pixels.ResizeJPEG(s.frame.Data, denominator, filters[p.Filter], l.from, l.width, l.height)
			if err != nil {
				return undecodable{err}
			}
			s.spend(decoding.meter, 1, took)
			s.shown.Release()
			s.pixels = p.pad(out, l)
			return nil
		}
	}
	if err := s.decode(DecodeParams{}, denominator); err != nil {
		return err
	}
	s.pixels.Replace(p.resize(&s.pixels))
	return nil
}

// settle brings frame.Data up to date.
func (s *sample) settle() error {
	switch {
	case s.frame.Format == frame.RGB:
		if s.pixels.Data != nil && !s.pixels.Borrowed() {
			s.frame.Data = s.pixels.Take()
		}
	case s.stale:
		began := time.Now()
		data, err := s.pixels.Encode(s.frame.Format, s.quality)
		if err != nil {
			return err
		}
		s.frame.Data = data
		s.spend(encoding, 1, time.Since(began))
	}
	s.stale = false
	return nil
}

// apply prepares the frame by a step. What it costs is the step's, but for what is
// decoded and encoded on the way.
func (s *sample) apply(step Step, k *kind) error {
	began, inside := time.Now(), s.coding()
	err := step.prepare(s)
	if k != &decoding {
		s.spend(k.meter, 1, time.Since(began)-(s.coding()-inside))
	}
	return err
}

// coding returns the time that was spent to decode and encode the frame.
func (s *sample) coding() (took time.Duration) {
	for _, c := range s.costs {
		if c.meter == decoding.meter || c.meter == encoding {
			took += c.took
		}
	}
	return took
}
