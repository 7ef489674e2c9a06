package frame

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// The forms of a stream's name and of its ARN in Kinesis Video Streams.
var (
	streamName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{1,256}$`)
	streamARN  = regexp.MustCompile(`^arn:[a-z\d-]+:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+/([a-zA-Z0-9_.-]+)/[0-9]+$`)
)

// IsStreamName reports whether a stream of Kinesis Video Streams may have a name.
func IsStreamName(name string) bool { return streamName.MatchString(name) }

// NameInARN returns the name of the stream that an ARN is of. It reports whether the
// ARN is one of a stream: of the service's form, and of at most 1024 characters.
func NameInARN(arn string) (name string, ok bool) {
	m := streamARN.FindStringSubmatch(arn)
	if m == nil || len(arn) > 1024 {
		return "", false
	}
	return m[1], true
}

// CheckNames says what is wrong with the names of a series that was read from
// elsewhere. A name that the service knows no stream by must not become part of a
// path, nor of a key.
func (s Series) CheckNames() error {
	_, isARN := NameInARN(s.StreamARN)
	switch {
	case !IsStreamName(s.StreamName):
		return fmt.Errorf("%.300q is no name of a stream: it must be of 1 to 256 characters of a–z A–Z 0–9 _ . -",
			s.StreamName)
	case s.StreamARN != "" && !isARN:
		return fmt.Errorf("%.1100q is no ARN of a stream: it must be "+
			"arn:PARTITION:kinesisvideo:REGION:ACCOUNT:stream/NAME/CREATION", s.StreamARN)
	case s.Format != JPEG && s.Format != PNG:
		return fmt.Errorf("the series of %s has the format %.100q: it must be JPEG or PNG", s.StreamName, s.Format)
	}
	return nil
}

// Key returns the name of a sample's picture without its extension,
// "front-door_20260101T000003000Z". It is the key of the sample in every
// dataset format, so it holds no dot: readers of tar shards cut a key there.
func Key(stream string, ms int64) string { return FileName(stream) + "_" + Instant(ms) }

// longestName leaves room for an instant and an extension in the 255 bytes
// that file systems give a name.
const longestName = 200

// FileName returns a stream's name as it stands in keys and file names. Dots
// become "~" and a leading "_" becomes "+", which no stream name holds: pyarrow,
// Spark and Hugging Face's datasets pass over what begins with "." or "_". A name
// over 200 characters is cut and ends in a hash of the whole.
func FileName(stream string) string {
	name := strings.ReplaceAll(stream, ".", "~")
	if rest, ok := strings.CutPrefix(name, "_"); ok {
		name = "+" + rest
	}
	if len(name) > longestName {
		h := sha256.Sum256([]byte(stream))
		name = name[:longestName-13] + "~" + hex.EncodeToString(h[:6])
	}
	return name
}
