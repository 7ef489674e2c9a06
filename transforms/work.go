package transforms

import (
	"fmt"
	"time"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
)

// work is a frame on its way through the steps of one call. Its picture is
// decoded once at most, and encoded once at its end.
type work struct {
	frame   frame.Frame  // its Data is behind where pixels are stale
	pixels  pixels.Image // none where no step has needed them
	stale   bool         // pixels are newer than frame.Data
	quality int          // to encode a JPEG with
	hash    uint64

	corrupt error  // why it cannot be decoded
	drop    string // why it is left out
	spent   [kinds]struct {
		frames int64
		time   time.Duration
	}
}

// gone reports whether the work is not a frame any more.
func (w *work) gone() bool { return w.corrupt != nil || w.drop != "" }

// undecodable is an error that makes a gap of a frame. Other errors fail the
// bundle.
type undecodable struct{ error }

func (u undecodable) Unwrap() error { return u.error }

// decode makes pixels of the frame, where it has none, at 1/denominator of its
// size where that can be had.
func (w *work) decode(p DecodeParams, denominator int) error {
	if w.pixels.Data != nil {
		return nil
	}
	began := time.Now()
	switch w.frame.Format {
	case frame.RGB:
		borrowed, err := pixels.Borrow(int(w.frame.Width), int(w.frame.Height), w.frame.Data)
		if err != nil {
			return undecodable{err}
		}
		w.pixels = borrowed
		return nil
	case frame.JPEG, frame.PNG:
		decoded, err := pixels.Decode(w.frame.Data, pixels.Options(p), denominator)
		if err != nil {
			return undecodable{err}
		}
		w.pixels = decoded
		w.frame.Width, w.frame.Height = int32(decoded.Width), int32(decoded.Height)
	default:
		return fmt.Errorf("the frame's format is %q: pictures are made of JPEG, PNG and RGB", w.frame.Format)
	}
	w.count(decoding, time.Since(began))
	return nil
}

// decodeFor decodes what a resize needs of the frame.
func (w *work) decodeFor(p ResizeParams) error {
	denominator := 1
	if w.pixels.Data == nil && w.frame.Format == frame.JPEG {
		header, err := pixels.JPEGHeader(w.frame.Data, pixels.Options{})
		if err != nil {
			return undecodable{err}
		}
		denominator = p.denominator(header.Width, header.Height)
	}
	return w.decode(DecodeParams{}, denominator)
}

// settle brings frame.Data up to date.
func (w *work) settle() error {
	switch {
	case w.frame.Format == frame.RGB:
		if w.pixels.Data != nil && !w.pixels.Borrowed() {
			w.frame.Data = w.pixels.Take()
		}
	case w.stale:
		began := time.Now()
		data, err := w.pixels.Encode(w.frame.Format, w.quality)
		if err != nil {
			return err
		}
		w.frame.Data = data
		w.count(encoding, time.Since(began))
	}
	w.stale = false
	return nil
}

func (w *work) count(k kind, took time.Duration) {
	w.spent[k].frames++
	w.spent[k].time += took
}

// run prepares the frame by a step, and says what it cost.
func (w *work) run(step Step, k kind) error {
	began, inside := time.Now(), w.spent[decoding].time+w.spent[encoding].time
	err := step.prepare(w)
	if k != decoding {
		w.count(k, time.Since(began)-(w.spent[decoding].time+w.spent[encoding].time-inside))
	}
	return err
}
