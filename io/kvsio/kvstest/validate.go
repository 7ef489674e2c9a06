package kvstest

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	regionPattern  = regexp.MustCompile(`^[a-z0-9-]+$`)
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	namePattern    = regexp.MustCompile(`^[a-zA-Z0-9_.-]+$`)
	tagPattern     = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

	earliest = time.Unix(0, 0)
	latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

// A complaint is one thing wrong with a Config: path is the field as a
// configuration file would spell it.
type complaint struct{ path, problem string }

func (c complaint) Error() string { return c.path + ": " + c.problem }

// complaints collects everything that is wrong, in the order of the fields.
type complaints []complaint

func (cs complaints) Error() string {
	lines := make([]string, len(cs))
	for i, c := range cs {
		lines[i] = c.Error()
	}
	return "kvstest: " + strings.Join(lines, "\nkvstest: ")
}

func (cs *complaints) check(ok bool, path string, value any, allowed string) {
	if !ok {
		*cs = append(*cs, complaint{path, fmt.Sprintf("is %v: must be %s", value, allowed)})
	}
}

// Validate reports everything that is wrong with c at once: the field, its
// value and what is allowed. Fields at zero have their defaults.
func (c Config) Validate() error {
	if cs := c.complaints(); len(cs) > 0 {
		return cs
	}
	return nil
}

func (cs *complaints) accessKeys(keys map[string]string) {
	cs.check(len(keys) > 0, "access_keys", "empty", "at least one access key id and its secret")
	for _, id := range sortedKeys(keys) {
		cs.check(id != "" && keys[id] != "", "access_keys", "an empty id or secret at "+quote(id), "both given")
	}
}

func (c Config) complaints() complaints {
	c = c.withDefaults()
	var cs complaints
	cs.check(regionPattern.MatchString(c.Region), "region", quote(c.Region),
		"lower-case letters, digits and dashes, such as us-east-1")
	cs.check(accountPattern.MatchString(c.Account), "account", quote(c.Account), "12 digits")
	cs.accessKeys(c.AccessKeys)
	for i, arn := range c.Roles {
		cs.check(rolePattern.MatchString(arn), fmt.Sprintf("roles[%d]", i), quote(arn), "arn:aws:iam::ACCOUNT:role/NAME")
	}
	cs.check(c.SessionTTL >= 0, "session_ttl", c.SessionTTL, "0 or more")
	cs.check(1 <= c.PageSize && c.PageSize <= 100, "page_size", c.PageSize, "1 to 100")
	cs.check(c.TimeStamps == timeOfFrame || c.TimeStamps == timeOfInstant, "timestamps", quote(c.TimeStamps),
		"frame or instant")
	cs.check(slices.Contains([]string{answerNoMedia, answerInvalidArgument, answerNotFound}, c.BeforeRetention),
		"before_retention", quote(c.BeforeRetention), "no_media, invalid_argument or not_found")
	cs.check(c.EndpointTokenTTL > 0, "endpoint_token_ttl", c.EndpointTokenTTL, "above 0")
	cs.check(c.Latency.PerCall >= 0, "latency.per_call", c.Latency.PerCall, "0 or more")
	cs.check(c.Latency.PerImage >= 0, "latency.per_image", c.Latency.PerImage, "0 or more")
	names := map[string]int{}
	for i, s := range c.Streams {
		path := fmt.Sprintf("streams[%d]", i)
		if first, twice := names[s.Name]; twice {
			cs.check(false, path+".name", quote(s.Name), fmt.Sprintf("unique: streams[%d] has it too", first))
		} else {
			names[s.Name] = i
		}
		s.validate(path, &cs)
	}
	for i, f := range c.Faults {
		f.validate(fmt.Sprintf("faults[%d]", i), names, &cs)
	}
	return cs
}

func (s Stream) validate(path string, cs *complaints) {
	cs.check(len(s.Name) <= 256 && namePattern.MatchString(s.Name), path+".name", quote(s.Name),
		"1 to 256 of a-z A-Z 0-9 _ . -")
	cs.check(1 <= s.Width && s.Width <= maxWidth, path+".width", s.Width, "1 to 3840")
	cs.check(1 <= s.Height && s.Height <= maxHeight, path+".height", s.Height, "1 to 2160")
	cs.check(s.FrameRate > 0 && s.FrameRate <= 1000, path+".frame_rate", s.FrameRate,
		"above 0, up to 1000 frames a second")
	wholeMillis := s.Fragment%time.Millisecond == 0
	cs.check(0 < s.Fragment && s.Fragment <= 20*time.Second && wholeMillis, path+".fragment", s.Fragment,
		"1ms to 20s, whole milliseconds")
	validateRanges(path+".media", s.Media, cs)
	validateRanges(path+".media_errors", s.MediaErrors, cs)
	s.validateArrival(path, cs)
	s.validateLife(path, cs)
	r := *s.Retention
	cs.check(0 <= r && r <= defaultRetention && r%time.Hour == 0, path+".retention", r, "0h to 87600h, whole hours")
	s.Quota.validate(path+".quota", cs)
	cs.check(len(s.Tags) <= 50, path+".tags", fmt.Sprintf("%d entries", len(s.Tags)), "at most 50")
	for _, k := range sortedKeys(s.Tags) {
		v := s.Tags[k]
		ok := k != "" && len(k) <= 128 && len(v) <= 256 && tagPattern.MatchString(k) && tagPattern.MatchString(v)
		cs.check(ok, path+".tags", quote(k)+": "+quote(v), "a key of 1 to 128 and a value of up to 256 letters, digits, "+
			"spaces and _.:/=+-@")
	}
	if s.Folder != "" {
		if err := checkPictures(s.Folder); err != nil {
			*cs = append(*cs, complaint{path + ".folder", err.Error()})
		}
	}
}

// validateLife checks when there is such a stream, and who may use it.
func (s Stream) validateLife(path string, cs *complaints) {
	validateRanges(path+".forbidden", s.Forbidden, cs)
	cs.check(s.Created.IsZero() || !s.Created.Before(earliest) && !s.Created.After(latest), path+".created",
		s.Created.Format(time.RFC3339), "in the years 1970 to 2261")
	cs.check(s.Deleted.IsZero() || s.Created.Before(s.Deleted), path+".deleted", s.Deleted.Format(time.RFC3339Nano),
		"after created, "+s.Created.Format(time.RFC3339Nano))
}

func (q Quota) validate(path string, cs *complaints) {
	valid := func(points float64) bool { return points >= 0 && !math.IsInf(points, 1) }
	cs.check(valid(q.MediaPoints), path+".media_points", q.MediaPoints, "0 (no limit) or more")
	cs.check(valid(q.MetadataPoints), path+".metadata_points", q.MetadataPoints, "0 (no limit) or more")
}

func validateRanges(path string, ranges []Range, cs *complaints) {
	for i, r := range ranges {
		p := fmt.Sprintf("%s[%d]", path, i)
		cs.check(!r.From.IsZero(), p+".from", "missing", "a time such as 2026-01-01T00:00:00Z")
		cs.check(!r.To.IsZero(), p+".to", "missing", "a time such as 2026-01-02T00:00:00Z")
		if r.From.IsZero() || r.To.IsZero() {
			continue
		}
		cs.check(!r.From.Before(earliest), p+".from", r.From.Format(time.RFC3339), "1970 or later")
		cs.check(!r.To.After(latest), p+".to", r.To.Format(time.RFC3339), "2262-01-01 or earlier")
		cs.check(r.From.UnixMilli() < r.To.UnixMilli(), p+".to", r.To.Format(time.RFC3339Nano),
			"after from, "+r.From.Format(time.RFC3339Nano))
	}
	sorted := sortedRanges(ranges)
	for i := 1; i < len(sorted); i++ {
		a, b := sorted[i-1], sorted[i]
		cs.check(!b.From.Before(a.To), path, "overlapping at "+b.From.Format(time.RFC3339Nano), "stretches without overlaps")
	}
}

// validateArrival checks when footage gets into the archive.
func (s Stream) validateArrival(path string, cs *complaints) {
	if s.Delay != nil {
		cs.check(s.Delay.Abs() <= defaultRetention && *s.Delay%time.Millisecond == 0, path+".delay", *s.Delay,
			"-87600h to 87600h, whole milliseconds")
	}
	all := slices.Clone(s.Media)
	for i, l := range s.Late {
		all = append(all, Range{l.From, l.To})
		cs.check(!l.At.IsZero() && !l.At.Before(l.To), fmt.Sprintf("%s.late[%d].at", path, i), l.At.Format(time.RFC3339Nano),
			"at or after to, "+l.To.Format(time.RFC3339Nano))
	}
	if len(s.Late) > 0 {
		validateRanges(path+".late", all, cs)
	}
}

func (f Fault) validate(path string, streams map[string]int, cs *complaints) {
	cs.check(slices.Contains(FaultKinds(), f.Kind), path+".kind", quote(f.Kind),
		"one of "+strings.Join(FaultKinds(), ", "))
	cs.check(f.Rate >= 0 && f.Rate <= 1, path+".rate", f.Rate, "0 to 1")
	for i, name := range f.Streams {
		_, known := streams[name]
		cs.check(known, fmt.Sprintf("%s.streams[%d]", path, i), quote(name), "the name of a stream of this configuration")
	}
	validateRanges(path+".during", f.During, cs)
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

func sortedRanges(ranges []Range) []Range {
	return slices.SortedFunc(slices.Values(ranges), func(a, b Range) int { return a.From.Compare(b.From) })
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
