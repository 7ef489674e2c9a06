package kvstest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	maxWidth       = 3840
	maxHeight      = 2160
	maxRange       = 300 * time.Second
	minInterval    = 200 * time.Millisecond
	defaultQuality = 80
	pageTokenTTL   = 10 * time.Minute
	// pageTokenAge is how much older than it is a token may say it is: within
	// that the same page has the same token.
	pageTokenAge = 5 * time.Minute
)

// imagesRequest is a GetImages request whose members keep their constraints.
type imagesRequest struct {
	name, arn  string
	selector   string
	start, end int64 // epoch milliseconds
	interval   int64 // milliseconds
	format     string
	quality    int // 0: not given
	width      int // 0: the stream's own
	height     int
	maxResults int64
	token      string
}

func readImagesRequest(body []byte) (imagesRequest, *apiError) {
	in := readInput(body)
	in.require("ImageSelectorType", "StartTimestamp", "EndTimestamp", "SamplingInterval", "Format")
	var r imagesRequest
	r.name, r.arn = in.streamRef()
	r.selector = in.enum("ImageSelectorType", "PRODUCER_TIMESTAMP", "SERVER_TIMESTAMP")
	r.start = in.millis("StartTimestamp")
	r.end = in.millis("EndTimestamp")
	r.interval = in.number("SamplingInterval", minInterval.Milliseconds(), math.MaxInt32)
	r.format = in.enum("Format", "JPEG", "PNG")
	r.quality = readFormatConfig(in)
	r.width = int(in.number("WidthPixels", 1, maxWidth))
	r.height = int(in.number("HeightPixels", 1, maxHeight))
	r.maxResults = in.number("MaxResults", 1, 100)
	r.token = in.str("NextToken", 1, 4096, pageTokenPattern)
	if r.start > r.end {
		in.fail(invalid("StartTimestamp must not be after EndTimestamp."))
	}
	if r.end-r.start > maxRange.Milliseconds() {
		in.fail(invalid("The time range between StartTimestamp and EndTimestamp is more than 300 seconds."))
	}
	switch w, h := in.has("WidthPixels"), in.has("HeightPixels"); {
	case w && !h:
		in.fail(refuse("ValidationException", "WidthPixels must be given together with HeightPixels."))
	case h && !w:
		in.fail(invalid("HeightPixels must be given together with WidthPixels."))
	}
	return r, in.err()
}

// readFormatConfig returns the JPEG quality, 0 where none is given.
func readFormatConfig(in *input) int {
	config := in.object("FormatConfig")
	if in.has("FormatConfig") && in.typeErr == nil && len(config) != 1 {
		in.fail(invalid("FormatConfig must have exactly 1 entry, not %d.", len(config)))
	}
	quality := 0
	for key, raw := range config {
		var value string
		if json.Unmarshal(raw, &value) != nil || string(raw) == "null" {
			in.wrongType("FormatConfig", "an object of strings")
			return 0
		}
		n, err := strconv.Atoi(value)
		switch {
		case key != "JPEGQuality":
			in.fail(invalid("FormatConfig has the key %q: must be JPEGQuality.", key))
		case err != nil || n < 1 || n > 100 || !configPattern.MatchString(value):
			in.fail(invalid("JPEGQuality is %q: must be an integer of 1 to 100.", value))
		}
		quality = n
	}
	return quality
}

// digest identifies what is asked for: all of the request but the paging.
func (r imagesRequest) digest(stream string) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %s %d %d %d %s %d %d %d",
		stream, r.selector, r.start, r.end, r.interval, r.format, r.quality, r.width, r.height))
}

// pageToken makes the token of the page that begins with instant k. With another
// salt it is another token of the same page.
func pageToken(s sealer, digest [32]byte, k int64, now time.Time, salt ...byte) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(k))
	plain = binary.BigEndian.AppendUint64(plain, uint64(now.Truncate(pageTokenAge).UnixMilli()))
	plain = append(append(plain, digest[:]...), salt...)
	return base64.StdEncoding.EncodeToString(s.seal(imagesToken, plain))
}

// readPageToken returns the instant that the token's page begins with.
func readPageToken(s sealer, digest [32]byte, token string, now time.Time) (int64, *apiError) {
	sealed, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil || strings.ContainsAny(token, "\r\n") {
		return 0, invalid("NextToken is not valid.")
	}
	plain, err := s.open(imagesToken, sealed)
	if err != nil {
		return 0, invalid("NextToken is not valid.")
	}
	if !bytes.HasPrefix(plain[16:], digest[:]) {
		return 0, invalid("NextToken belongs to a request with other parameters.")
	}
	if now.UnixMilli()-int64(binary.BigEndian.Uint64(plain[8:])) >= pageTokenTTL.Milliseconds() {
		return 0, invalid("NextToken has expired.")
	}
	return int64(binary.BigEndian.Uint64(plain)), nil
}
