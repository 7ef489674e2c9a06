package kvsio

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// requestJSON is a Request as boto3's paginate takes it.
type requestJSON struct {
	StreamName        string            `json:",omitzero"`
	StreamARN         string            `json:",omitzero"`
	ImageSelectorType ImageSelectorType `json:",omitzero"`
	StartTimestamp    instantJSON       `json:",omitzero"`
	EndTimestamp      instantJSON       `json:",omitzero"`
	SamplingInterval  intervalJSON      `json:",omitzero"`
	Format            string            `json:",omitzero"`
	FormatConfig      map[string]string `json:",omitzero"`
	WidthPixels       int               `json:",omitzero"`
	HeightPixels      int               `json:",omitzero"`
	Tag               string            `json:",omitzero"`
}

// MarshalJSON writes r as the keyword arguments of boto3's get_images: the
// fields that are set, timestamps as RFC 3339, SamplingInterval in milliseconds
// (or, where these are not whole, as a Go duration).
func (r Request) MarshalJSON() ([]byte, error) {
	return json.Marshal(requestJSON{
		r.StreamName, r.StreamARN, r.ImageSelectorType,
		instantJSON{r.StartTimestamp},
		instantJSON{r.EndTimestamp},
		intervalJSON(r.SamplingInterval), r.Format, r.FormatConfig, r.WidthPixels, r.HeightPixels, r.Tag,
	})
}

// UnmarshalJSON reads the keyword arguments of boto3's get_images, and of its
// paginator: the API's fields in its own spelling, and Tag. Timestamps are texts or
// numbers as ParseTime takes them, SamplingInterval is a number of milliseconds
// or a text as ParseInterval takes it; what is left out is not set.
//
// The error names every key that a Request does not have (MaxResults,
// PaginationConfig) and every value of another type. Whether the values are
// allowed is for Validate.
func (r *Request) UnmarshalJSON(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("reading a request: %w", err)
	}
	var in requestJSON
	fields := map[string]any{
		"StreamName": &in.StreamName, "StreamARN": &in.StreamARN, "ImageSelectorType": &in.ImageSelectorType,
		"StartTimestamp": &in.StartTimestamp, "EndTimestamp": &in.EndTimestamp, "SamplingInterval": &in.SamplingInterval,
		"Format": &in.Format, "FormatConfig": &in.FormatConfig,
		"WidthPixels": &in.WidthPixels, "HeightPixels": &in.HeightPixels, "Tag": &in.Tag,
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value := members[name]
		if field, ok := fields[name]; !ok {
			errs = append(errs, fmt.Errorf("unknown key %q: a request has %s",
				name, strings.Join(slices.Sorted(maps.Keys(fields)), ", ")))
		} else if string(value) == "null" {
			errs = append(errs, fmt.Errorf("%s is null: give it a value, or leave it out", name))
		} else if err := json.Unmarshal(value, field); err != nil {
			errs = append(errs, fmt.Errorf("%s is %s: %w", name, value, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	*r = Request{
		in.StreamName, in.StreamARN, in.ImageSelectorType, in.StartTimestamp.Time, in.EndTimestamp.Time,
		time.Duration(in.SamplingInterval), in.Format, in.FormatConfig, in.WidthPixels, in.HeightPixels,
		in.Tag,
	}
	return nil
}

type instantJSON struct{ time.Time }

func (i instantJSON) MarshalJSON() ([]byte, error) { return i.UTC().MarshalJSON() }

func (i *instantJSON) UnmarshalJSON(text []byte) (err error) {
	i.Time, err = parseJSON(text, ParseTime)
	return err
}

type intervalJSON time.Duration

func (i intervalJSON) MarshalJSON() ([]byte, error) {
	d := time.Duration(i)
	if d%time.Millisecond != 0 {
		return json.Marshal(d.String())
	}
	return json.Marshal(d.Milliseconds())
}

func (i *intervalJSON) UnmarshalJSON(text []byte) error {
	d, err := parseJSON(text, ParseInterval)
	*i = intervalJSON(d)
	return err
}

// parseJSON reads a text, or a number as it stands there: a float64 would lose
// what makes it exact.
func parseJSON[T any](value []byte, parse func(string) (T, error)) (parsed T, err error) {
	text := string(value)
	if value[0] == '"' {
		if err := json.Unmarshal(value, &text); err != nil {
			return parsed, err
		}
	}
	return parse(text)
}
