package kvsio

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
)

// ImageSelectorType says whose clock timestamps are of.
type ImageSelectorType string

// The image selector types of GetImages.
const (
	ProducerTimestamp ImageSelectorType = "PRODUCER_TIMESTAMP"
	ServerTimestamp   ImageSelectorType = "SERVER_TIMESTAMP"
)

// The bounds of a sampling interval. The service's page for GetImages calls
// 3 s a soft limit, its page of quotas gives 200 ms: so 3 s is what a request
// is held to unless a lower floor is asked for.
const (
	DefaultMinInterval = 3 * time.Second
	LowestMinInterval  = 200 * time.Millisecond
	maxInterval        = (1<<31 - 1) * time.Millisecond // a Java int of milliseconds
)

// Request asks for the images of one stream in the time range
// [StartTimestamp, EndTimestamp), one every SamplingInterval from
// StartTimestamp on; for one image, where the range is shorter than that.
//
// The fields are those of the GetImages operation
// (https://docs.aws.amazon.com/kinesisvideostreams/latest/dg/API_reader_GetImages.html),
// without its limit of 300 s a range. Timestamps are rounded to the nearest
// millisecond, which is all the service knows; where that leaves nothing
// between start and end, the range is one millisecond.
type Request struct {
	// StreamName is the stream's name, 1–256 characters of a–z A–Z 0–9 _ . -
	// Give exactly one of StreamName and StreamARN.
	StreamName string
	// StreamARN is the stream's ARN,
	// arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/CREATION.
	StreamARN string
	// ImageSelectorType is ProducerTimestamp or ServerTimestamp. Required.
	ImageSelectorType ImageSelectorType
	// StartTimestamp is the instant of the first sample, in the years
	// 1970–2262. Required.
	StartTimestamp time.Time
	// EndTimestamp is the end of the range and not itself part of it.
	// Required, after StartTimestamp.
	EndTimestamp time.Time
	// SamplingInterval is the time between samples: whole milliseconds, at
	// least 3 s unless a lower floor is asked for, at most 2147483647 ms.
	// Required.
	SamplingInterval time.Duration
	// Format is frame.JPEG or frame.PNG. Required.
	Format string
	// FormatConfig may hold one entry: JPEGQuality, a number from "1" (small)
	// to "100" (good). The service's default is 80.
	FormatConfig map[string]string
	// WidthPixels (1–3840) and HeightPixels (1–2160) are the size that images
	// are stretched to. Both, or neither: then images are as large as the
	// stream's own.
	WidthPixels  int
	HeightPixels int
	// Tag is any text in UTF-8, with a meaning for the caller alone: Read and ReadAll put it on every
	// frame and gap of the request. Samples that requests of different tags ask for
	// are read once, and come out once for each tag. Of a stream that goes by its name
	// in one request and by its ARN in another they are read, and come out, twice.
	Tag string
}

// Span returns the samples that a valid request asks for: those of its series'
// grid in [StartTimestamp, EndTimestamp), at least one. The grid's phase is
// StartTimestamp modulo SamplingInterval. Timestamps are rounded to the
// nearest millisecond. A request without an interval has no samples.
func (r Request) Span() frame.Span {
	interval := r.SamplingInterval.Milliseconds()
	if interval <= 0 {
		return frame.Span{}
	}
	start := toMillis(r.StartTimestamp)
	end := max(toMillis(r.EndTimestamp), start+1)
	series := frame.Series{
		StreamARN:         r.StreamARN,
		StreamName:        r.StreamName,
		ImageSelectorType: string(r.ImageSelectorType),
		IntervalMs:        int32(interval),
		PhaseMs:           int32(start % interval),
		Format:            r.Format,
		JPEGQuality:       r.quality(),
		WidthPixels:       int32(r.WidthPixels),
		HeightPixels:      int32(r.HeightPixels),
	}
	if name, ok := frame.NameInARN(r.StreamARN); ok {
		series.StreamName = name
	}
	return frame.Span{
		Series:  series,
		First:   start / interval,
		Samples: (end - start + interval - 1) / interval,
	}
}

// quality makes a quality that is not said and the service's default for it
// the same series. It does not apply to PNG.
func (r Request) quality() int32 {
	if r.Format != frame.JPEG {
		return 0
	}
	if q, err := strconv.Atoi(r.FormatConfig[qualityKey]); err == nil {
		return int32(q)
	}
	return 80
}

func toMillis(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.Nanosecond()%int(time.Millisecond) >= int(time.Millisecond)/2 {
		ms++
	}
	return ms
}

// Fault is one thing that is wrong with a Request, with what a Paginator is made
// of, or with ReadParams: an error that is there for errors.As. Field is the name of
// the field in its struct, PaginationConfig.NAME or AWS.NAME; Value and Allowed are
// what it holds and what it may hold.
type Fault = fault.Fault

// RequestError is everything that is wrong with one Request, or with what one
// Paginator is made of.
type RequestError struct {
	Faults []*Fault
}

func (e *RequestError) Error() string { return e.Unwrap().Error() }

// Unwrap returns an error that unwraps to all of the Faults.
func (e *RequestError) Unwrap() error {
	all := make([]any, len(e.Faults))
	for i, f := range e.Faults {
		all[i] = f
	}
	return fault.Errorf(strings.TrimSuffix(strings.Repeat("%w; ", len(all)), "; "), all...)
}

// Validate returns a *RequestError that names all faults of the request by
// field, value and what is allowed, or nil. It makes no calls.
func (r Request) Validate() error { return r.ValidateFloor(DefaultMinInterval) }

// ValidateFloor is Validate with another lower bound for SamplingInterval, not
// under LowestMinInterval. 0 stands for DefaultMinInterval.
func (r Request) ValidateFloor(floor time.Duration) error {
	var c checks
	c.stream(r)
	c.selector(r.ImageSelectorType)
	c.times(r)
	c.interval(r.SamplingInterval, floor)
	c.oneOf("Format", r.Format, frame.JPEG, frame.PNG)
	c.formatConfig(r.FormatConfig)
	c.size(r.WidthPixels, r.HeightPixels)
	if !utf8.ValidString(r.Tag) {
		c.add("Tag", quoted(r.Tag), "text in UTF-8")
	}
	if len(c.faults) == 0 {
		return nil
	}
	return &RequestError{Faults: c.faults}
}

// checks collects faults.
type checks struct{ faults []*Fault }

func (c *checks) add(field string, value, allowed any) {
	c.faults = append(c.faults, fault.New(field, value, allowed))
}

func (c *checks) oneOf(field, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	c.add(field, quoted(value), strings.Join(allowed, " or "))
}

func (c *checks) selector(value ImageSelectorType) {
	c.oneOf("ImageSelectorType", string(value), string(ProducerTimestamp), string(ServerTimestamp))
}

const arnForm = "arn:PARTITION:kinesisvideo:REGION:ACCOUNT:stream/NAME/CREATION, at most 1024 characters"

func (c *checks) stream(r Request) {
	const other = fault.Name("StreamARN")
	switch {
	case r.StreamName == "" && r.StreamARN == "":
		c.add("StreamName", fault.Errorf("not set, and neither is %s", other),
			fault.Errorf("set, or %s (exactly one of the two)", other))
	case r.StreamName != "" && r.StreamARN != "":
		c.add("StreamName", fault.Errorf("%s beside a %s", quoted(r.StreamName), other),
			fault.Errorf("left out, or %s (exactly one of the two)", other))
	}
	if r.StreamName != "" && !frame.IsStreamName(r.StreamName) {
		c.add("StreamName", quoted(r.StreamName), "1–256 characters of a–z A–Z 0–9 _ . -")
	}
	if _, ok := frame.NameInARN(r.StreamARN); r.StreamARN != "" && !ok {
		c.add("StreamARN", quoted(r.StreamARN), arnForm)
	}
}

var (
	earliest = time.Unix(0, 0)
	latest   = time.Unix(0, 1<<63-1) // what Beam's clock can say, 2262-04-11
)

func (c *checks) times(r Request) {
	start := c.instant("StartTimestamp", r.StartTimestamp)
	end := c.instant("EndTimestamp", r.EndTimestamp)
	if start && end && !r.StartTimestamp.Before(r.EndTimestamp) {
		c.add("EndTimestamp", r.EndTimestamp.Format(time.RFC3339Nano),
			fault.Errorf("after %s, which is %s", fault.Name("StartTimestamp"), r.StartTimestamp.Format(time.RFC3339Nano)))
	}
}

func (c *checks) instant(field string, t time.Time) bool {
	switch {
	case t.IsZero():
		c.add(field, "not set", "an instant from 1970 to 2262")
	case t.Before(earliest) || t.After(latest):
		c.add(field, t.Format(time.RFC3339Nano), "an instant from 1970 to 2262")
	default:
		return true
	}
	return false
}

func (c *checks) interval(d, floor time.Duration) {
	if floor == 0 {
		floor = DefaultMinInterval
	}
	switch {
	case d == 0:
		c.add("SamplingInterval", "not set", fmt.Sprintf("at least %v", floor))
	case d < floor && floor > LowestMinInterval:
		c.add("SamplingInterval", d.String(), fault.Errorf("at least %v, which %s can lower to %v", floor,
			fault.Name("MinInterval"), LowestMinInterval))
	case d < floor || d < LowestMinInterval:
		c.add("SamplingInterval", d.String(), fmt.Sprintf("at least %v", max(floor, LowestMinInterval)))
	case d > maxInterval:
		c.add("SamplingInterval", d.String(), fmt.Sprintf("at most %v", maxInterval))
	case d%time.Millisecond != 0:
		c.add("SamplingInterval", d.String(), "whole milliseconds")
	}
}

// qualityKey is the one key that FormatConfig may hold.
const qualityKey = "JPEGQuality"

func (c *checks) formatConfig(config map[string]string) {
	if config == nil {
		return
	}
	value, ok := config[qualityKey]
	if len(config) != 1 || !ok {
		c.add("FormatConfig", fmt.Sprint(config), "exactly one entry, "+qualityKey+", or left out")
		return
	}
	if q, err := strconv.Atoi(value); err != nil || q < 1 || q > 100 {
		c.add("FormatConfig", qualityKey+"="+value, "a "+qualityKey+" from 1 to 100")
	}
}

func (c *checks) size(width, height int) {
	if width < 0 || width > 3840 {
		c.add("WidthPixels", strconv.Itoa(width), "1–3840")
	}
	if height < 0 || height > 2160 {
		c.add("HeightPixels", strconv.Itoa(height), "1–2160")
	}
	switch {
	case width != 0 && height == 0:
		c.alone("WidthPixels", width, "HeightPixels")
	case height != 0 && width == 0:
		c.alone("HeightPixels", height, "WidthPixels")
	}
}

func (c *checks) alone(field string, pixels int, other fault.Name) {
	c.add(field, fault.Errorf("%d without %s", pixels, other),
		fault.Errorf("given together with %s, or not at all", other))
}

func quoted(s string) string {
	if s == "" {
		return "not set"
	}
	if len(s) > 300 {
		s = s[:300] + "…"
	}
	return strconv.Quote(s)
}

// stream returns the name of the request's stream, for messages.
func (r Request) stream() string {
	if r.StreamARN != "" {
		return r.StreamARN
	}
	return r.StreamName
}

// validate names every invalid parameter, or says of each fault of the requests which
// of them it is in.
func validate(p ReadParams, requests []Request) error {
	if err := p.Validate(); err != nil {
		return err
	}
	errs := make([]error, len(requests))
	for i, r := range requests {
		errs[i] = r.ValidateFloor(p.MinInterval)
	}
	return errors.Join(numbered(requests, errs), numbered(requests, CheckRegions(p.AWS, requests)))
}
