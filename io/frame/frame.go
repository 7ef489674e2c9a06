package frame

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
)

func init() {
	beam.RegisterType(reflect.TypeFor[Frame]())
	beam.RegisterType(reflect.TypeFor[Gap]())
	beam.RegisterType(reflect.TypeFor[Drop]())
	beam.RegisterType(reflect.TypeFor[Shard]())
}

// The image formats of GetImages.
const (
	JPEG = "JPEG"
	PNG  = "PNG"
)

// What transforms make of them. Data is then height × width × 3 bytes of red,
// green and blue, row by row without padding; or a .npy file that holds a tensor.
const (
	RGB = "RGB"
	NPY = "NPY"
)

// Frame is a sample's image. Consumers share it: a transform makes a new
// Frame, it never writes to Data.
type Frame struct {
	Stream    string // name
	StreamARN string // empty where only the name is known
	SampleMs  int64  // the instant asked for, in milliseconds since the Unix epoch
	ImageMs   int64  // the instant of the picture that the service found for it
	Format    string // JPEG or PNG; RGB or NPY where a transform made it
	Width     int32  // pixels, as the picture's header says
	Height    int32  // pixels, as the picture's header says
	Data      []byte // the picture, encoded in Format

	// Tensor is a .npy file that a transform made of the picture, to stand beside
	// it. It is nil where there is none, and as Data it is shared.
	Tensor []byte

	// Labels is what a user's function says about the frame, by name. It is nil
	// where none said anything, and as Data it is shared.
	Labels map[string]string

	// Tag is that of the request for which kvsio read the frame on its own. A frame of
	// a Shard has none.
	Tag string
}

// SampleTime returns the instant asked for. It is the frame's event time.
func (f Frame) SampleTime() time.Time { return time.UnixMilli(f.SampleMs).UTC() }

// ImageTime returns the instant of the picture that the service found.
func (f Frame) ImageTime() time.Time { return time.UnixMilli(f.ImageMs).UTC() }

// Key returns the frame's name in every dataset format; see [Key].
func (f Frame) Key() string { return Key(f.Stream, f.SampleMs) }

// LabelsJSON returns labels as a JSON object, the names in order. It is {} where
// there are none.
func LabelsJSON(labels map[string]string) string {
	if len(labels) == 0 {
		return "{}"
	}
	text, _ := json.Marshal(labels) // texts always can
	return string(text)
}

// Extension returns the file name extension of an image format, with its dot.
func Extension(format string) string {
	switch format {
	case PNG:
		return ".png"
	case NPY:
		return ".npy"
	case RGB:
		return ".rgb"
	}
	return ".jpg"
}

// Why a sample has no image. The first two are the service's words.
const (
	NoMedia     = "NO_MEDIA"     // the stream has no media at that instant
	MediaError  = "MEDIA_ERROR"  // its media does not yield an image
	NotReturned = "NOT_RETURNED" // asked for up to 30 times, answered with neither image nor error
	// asked for twice, answered with something that is not a picture; or a picture that a transform cannot decode
	Corrupt        = "CORRUPT"
	OutOfRetention = "OUT_OF_RETENTION" // older than what the stream keeps
	Failed         = "FAILED"           // its shard's calls failed for good; the next backfill asks again
)

// GapReasons lists every reason a Gap can have.
var GapReasons = []string{NoMedia, MediaError, NotReturned, Corrupt, OutOfRetention, Failed}

// Gap is a sample without an image, and why.
type Gap struct {
	Stream    string
	StreamARN string
	SampleMs  int64  // the instant asked for, in milliseconds since the Unix epoch
	Reason    string // one of GapReasons
	Cause     string // for people; may be empty
	Tag       string // as that of a Frame
}

// SampleTime returns the instant asked for. It is the gap's event time.
func (g Gap) SampleTime() time.Time { return time.UnixMilli(g.SampleMs).UTC() }

// Drop is a frame that a transform left out on purpose, and why.
type Drop struct {
	SampleMs int64
	Reason   string
}

// Shard is consecutive samples of one series, fetched: each of them is exactly
// one of its frames, gaps and drops, and each of the three is in time order. Of a
// second look (Again) that holds for the samples that were asked for.
type Shard struct {
	Span   Span
	Frames []Frame
	Gaps   []Gap
	Drops  []Drop

	// Transforms describes what was done to the frames since they were fetched, in order.
	// Package transforms sets it; a dataset takes only shards that have its own.
	Transforms []string

	// New says that the ledger had nothing of the shard when its samples were asked for, so
	// that a sink need not look for what it replaces.
	New bool

	// Again makes the shard a second look at one that its dataset has: it lists the samples
	// that were asked for again, as [Union] returns them. Of the span's other samples the
	// shard has nothing: what the dataset has of them stays. It is nil where all samples
	// were asked for.
	Again []Span
}
