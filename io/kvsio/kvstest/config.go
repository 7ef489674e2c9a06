package kvstest

import "time"

// Config says what the stand-in serves and how. The zero value is a server
// without streams; a zero field means the default that its comment gives.
type Config struct {
	// Region is the AWS region that ARNs and signatures name. Default us-east-1.
	Region string `yaml:"region"`
	// Account is the AWS account that ARNs name: 12 digits. Default 111122223333.
	Account string `yaml:"account"`
	// AccessKeys maps access key ids to their secrets; signatures by others are
	// refused. Default {"test": "test"}.
	AccessKeys map[string]string `yaml:"access_keys"`
	// Roles are the ARNs of the roles that the Security Token Service lets be
	// assumed: by AccessKeys, and by ID tokens of the metadata server.
	Roles []string `yaml:"roles"`
	// SessionTTL is how long a role's credentials work. Default: as long as was
	// asked for.
	SessionTTL time.Duration `yaml:"session_ttl"`
	// PageSize is the most images one GetImages answer holds, whatever
	// MaxResults says: 1 to 100. Default 25.
	PageSize int `yaml:"page_size"`
	// EndInclusive reports whether an image exactly at EndTimestamp belongs to the
	// range. The service does not document it. Default true.
	EndInclusive *bool `yaml:"end_inclusive"`
	// TimeStamps says what an image's TimeStamp is: that of the "frame" that was
	// found, or the "instant" that was asked for. The service does not document
	// it. Default "frame".
	TimeStamps string `yaml:"timestamps"`
	// BeforeRetention is the answer to a range that begins before what a stream
	// keeps: "no_media", entries with that Error; "invalid_argument", a 400
	// InvalidArgumentException; or "not_found", a 404 ResourceNotFoundException.
	// The APIs beside GetImages answer with the 400 for SERVER_TIMESTAMP and with
	// the 404 for PRODUCER_TIMESTAMP. Default "no_media".
	BeforeRetention string `yaml:"before_retention"`
	// EndpointTokenTTL is how long a data endpoint works after GetDataEndpoint
	// gave it. Default 45 minutes.
	EndpointTokenTTL time.Duration `yaml:"endpoint_token_ttl"`
	// Latency is how long GetImages takes. Default: as long as the work takes.
	Latency Latency `yaml:"latency"`
	// Seed chooses the calls that Faults hit. Default 1.
	Seed int64 `yaml:"seed"`
	// Streams are the account's streams, by unique names.
	Streams []Stream `yaml:"streams"`
	// Faults are what goes wrong. A call has at most one fault: the first of
	// the list whose turn it is.
	Faults []Fault `yaml:"faults"`
	// Now is the clock of retention, of tokens, and of all that happens to streams
	// as time goes on. Default time.Now. It is called from many goroutines.
	Now func() time.Time `yaml:"-"`
	// Served, where set, is called for each picture before it is answered, with the stream's
	// name and the instant that was asked for. It is called from many goroutines, and an
	// answer waits until it returns.
	Served func(stream string, instant time.Time) `yaml:"-"`
}

// Latency is a model of how long GetImages takes: PerCall + PerImage × images
// answered, counted from the request's arrival. Zero: no waiting.
type Latency struct {
	PerCall  time.Duration `yaml:"per_call"`
	PerImage time.Duration `yaml:"per_image"`
}

// Stream is one video stream.
type Stream struct {
	// Name is 1 to 256 of a-z A-Z 0-9 _ . -
	Name string `yaml:"name"`
	// Width and Height are the size of images for which none is asked, in
	// pixels: up to 3840×2160. Default 1280×720.
	Width  int `yaml:"width"`
	Height int `yaml:"height"`
	// FrameRate is in frames a second, above 0 and up to 1000. Default 10.
	FrameRate float64 `yaml:"frame_rate"`
	// Media lists when the stream has media, without overlaps. Empty: never,
	// every instant is NO_MEDIA.
	Media []Range `yaml:"media"`
	// Fragment is the length of a fragment: 1 ms to 20 s. The last one of a
	// stretch may be shorter. Default 4 s.
	Fragment time.Duration `yaml:"fragment"`
	// Delay is how long after its end a fragment gets into the archive, by Config.Now; below 0 where
	// the producer's clock is ahead. Default: all of Media is in the archive at any time.
	Delay *time.Duration `yaml:"delay"`
	// Late lists stretches that get into the archive long after they were recorded, as those of a
	// camera that was offline. They are no part of Media, and do not overlap it or each other.
	Late []Late `yaml:"late"`
	// Created and Deleted are when there begins to be such a stream, and when it
	// has gone with all its media. Default: it is always there, and its ARN is of
	// the time of its first media.
	Created time.Time `yaml:"created"`
	Deleted time.Time `yaml:"deleted"`
	// Forbidden lists when nobody may use the stream: AccessDeniedException.
	Forbidden []Range `yaml:"forbidden"`
	// MediaErrors lists when the media cannot be decoded: MEDIA_ERROR.
	MediaErrors []Range `yaml:"media_errors"`
	// Folder holds pictures (*.jpg, *.jpeg, *.png) to serve in place of the
	// drawn scene: in name order, one a frame, from the first media stretch on,
	// looping. They are scaled and converted where a request asks for another
	// size, format or JPEGQuality than the default, else answered byte by byte
	// as they are, at their own size. One whose header cannot be read is refused
	// when the server starts.
	Folder string `yaml:"folder"`
	// Retention is how long media is kept, from when it was recorded, that of Late from when it got
	// into the archive: whole hours, 0 to 87600. With 0 the stream keeps nothing and GetImages answers
	// NoDataRetentionException. Default 87600 h.
	Retention *time.Duration `yaml:"retention"`
	// Tags are what ListTagsForStream answers.
	Tags map[string]string `yaml:"tags"`
	// Quota is what GetImages and ListFragments may use. Default {500, 10000}.
	Quota *Quota `yaml:"quota"`
	// ListFragmentsDenied makes ListFragments answer AccessDeniedException.
	ListFragmentsDenied bool `yaml:"list_fragments_denied"`
}

// Late is a stretch of time, From inclusive, To exclusive, as a Range, that gets into the archive
// at an instant of its own.
type Late struct {
	From time.Time `yaml:"from"`
	To   time.Time `yaml:"to"`
	At   time.Time `yaml:"at"`
}

// Range is a stretch of time, From inclusive, To exclusive, cut to whole
// milliseconds, in the years 1970 to 2262.
type Range struct {
	From time.Time `yaml:"from"`
	To   time.Time `yaml:"to"`
}

// Quota is in points a second and stream, with one second's worth of burst;
// 0: no limit. A GetImages call costs as many media points as images it asks
// for (MaxResults, at most a page), and 400 more than that in metadata points. One of
// ListFragments costs its MaxResults in metadata points.
// A call that costs more than a second's worth passes when all of that is
// there, and leaves a debt.
type Quota struct {
	MediaPoints    float64 `yaml:"media_points"`
	MetadataPoints float64 `yaml:"metadata_points"`
}

// Fault makes GetImages calls go wrong.
type Fault struct {
	// Kind is one of [FaultKinds].
	Kind string `yaml:"kind"`
	// Rate is the share of calls that are hit: 0 to 1.
	Rate float64 `yaml:"rate"`
	// Streams are the names of the streams that are hit. Empty: all.
	Streams []string `yaml:"streams"`
	// During lists when calls are hit, by [Config.Now]. Empty: always.
	During []Range `yaml:"during"`
}

const (
	defaultRegion    = "us-east-1"
	defaultAccount   = "111122223333"
	defaultRetention = 87600 * time.Hour
)

// The values of TimeStamps and BeforeRetention.
const (
	timeOfFrame   = "frame"
	timeOfInstant = "instant"

	answerNoMedia         = "no_media"
	answerInvalidArgument = "invalid_argument"
	answerNotFound        = "not_found"
)

// withDefaults returns a copy with every zero field replaced by its default.
func (c Config) withDefaults() Config {
	setDefault(&c.Region, defaultRegion)
	setDefault(&c.Account, defaultAccount)
	setDefault(&c.PageSize, 25)
	setDefault(&c.TimeStamps, timeOfFrame)
	setDefault(&c.BeforeRetention, answerNoMedia)
	setDefault(&c.EndpointTokenTTL, 45*time.Minute)
	setDefault(&c.Seed, 1)
	if c.AccessKeys == nil {
		c.AccessKeys = map[string]string{"test": "test"}
	}
	if c.EndInclusive == nil {
		c.EndInclusive = new(true)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	streams := make([]Stream, len(c.Streams))
	for i, s := range c.Streams {
		streams[i] = s.withDefaults()
	}
	c.Streams = streams
	return c
}

func (s Stream) withDefaults() Stream {
	setDefault(&s.Width, 1280)
	setDefault(&s.Height, 720)
	setDefault(&s.FrameRate, 10)
	setDefault(&s.Fragment, 4*time.Second)
	if s.Retention == nil {
		s.Retention = new(defaultRetention)
	}
	if s.Quota == nil {
		s.Quota = &Quota{MediaPoints: 500, MetadataPoints: 10000}
	}
	return s
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
