package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/kvsframes/kvsframes/io/kvsio"
)

// A field of a request has three names: the API's (StartTimestamp), that of
// requests files (start_timestamp) and that of the flag (--start-timestamp).
// Whatever is said about it to somebody is said in the name that they used.
type field struct {
	api   string
	key   string
	usage string
	set   func(r *kvsio.Request, text string) error // nil for an instant
}

func (f field) flag() string { return "--" + f.flagName() }

func (f field) flagName() string { return strings.ReplaceAll(f.key, "_", "-") }

// instant returns where the request has the field, or nil where that is no instant.
func (f field) instant(r *kvsio.Request) *time.Time {
	switch f.api {
	case "StartTimestamp":
		return &r.StartTimestamp
	case "EndTimestamp":
		return &r.EndTimestamp
	}
	return nil
}

var fields = []field{
	{"StreamName", "stream_name", "", func(r *kvsio.Request, s string) error {
		r.StreamName = s
		return nil
	}},
	{"StreamARN", "stream_arn", "", func(r *kvsio.Request, s string) error {
		r.StreamARN = s
		return nil
	}},
	{
		"ImageSelectorType", "image_selector_type",
		"whose clock timestamps are of: `PRODUCER_TIMESTAMP` or SERVER_TIMESTAMP (default PRODUCER_TIMESTAMP)",
		func(r *kvsio.Request, s string) error {
			r.ImageSelectorType = kvsio.ImageSelectorType(strings.ToUpper(s))
			return nil
		},
	},
	{
		"StartTimestamp", "start_timestamp", "`time` of the first sample", nil,
	},
	{
		"EndTimestamp", "end_timestamp", "`time` at which the range ends, itself not part of it", nil,
	},
	{
		"SamplingInterval", "sampling_interval", "`interval` between samples: 3s, or 3000 (milliseconds)",
		func(r *kvsio.Request, s string) (err error) {
			r.SamplingInterval, err = kvsio.ParseInterval(s)
			return err
		},
	},
	{
		"Format", "format", "of the images: `JPEG` or PNG (default JPEG)",
		func(r *kvsio.Request, s string) error {
			r.Format = strings.ToUpper(s)
			return nil
		},
	},
	{
		"FormatConfig", "format_config", "`JPEGQuality=N`, 1 (small) to 100 (good) (default: the service's, 80)",
		func(r *kvsio.Request, s string) (err error) {
			r.FormatConfig, err = parseFormatConfig(s)
			return err
		},
	},
	{
		"WidthPixels", "width_pixels", "`width` that images are stretched to, together with --height-pixels (default: the " +
			"stream's own)",
		func(r *kvsio.Request, s string) (err error) {
			r.WidthPixels, err = parsePixels(s, 3840)
			return err
		},
	},
	{
		"HeightPixels", "height_pixels", "`height` that images are stretched to, together with --width-pixels",
		func(r *kvsio.Request, s string) (err error) {
			r.HeightPixels, err = parsePixels(s, 2160)
			return err
		},
	},
}

// parseFormatConfig reads the AWS CLI's two forms: JPEGQuality=N, and JSON.
func parseFormatConfig(s string) (map[string]string, error) {
	config := make(map[string]string)
	if json.Unmarshal([]byte(s), &config) == nil {
		return config, nil
	}
	for _, entry := range strings.Split(s, ",") {
		key, value, ok := strings.Cut(entry, "=")
		if !ok {
			return nil, errors.New("it must be JPEGQuality=N with N from 1 to 100")
		}
		config[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	return config, nil
}

func parsePixels(s string, most int) (int, error) {
	if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= most {
		return n, nil
	}
	return 0, fmt.Errorf("it must be a number of pixels, 1–%d", most)
}
