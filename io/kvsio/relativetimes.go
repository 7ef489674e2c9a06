package kvsio

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// timeInForms lists the plainest of the forms that TimeIn takes, for messages.
const timeInForms = "RFC 3339 (2026-01-31T10:00:00Z), epoch seconds (1769853600.5), a date (2026-01-31), now, today, " +
	"yesterday, or a time before now (-24h, -2d, -1h30m)"

var beforeNow = regexp.MustCompile(`^-(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$`)

// beforeNowUnits are the seconds of what beforeNow takes apart.
var beforeNowUnits = [...]int64{86_400, 3_600, 60, 1}

// TimeIn reads an instant in the forms of ParseTime, and in these, which depend on now:
//
//   - now;
//   - today and yesterday, for the midnight that these days begin with in the zone;
//   - -24h, -90m, -2d, -1d6h, -1h30m: days (d, of 24 hours), hours, minutes and seconds
//     (s) before now, in this order, each a whole number.
//
// Dates and times without a zone are in the zone given. A day that has no midnight there,
// because clocks are put forward then, begins with its first instant. A time that clocks show twice,
// or never, is an error: with an offset it can be read in one way only.
//
// It reports whether the instant depends on now. The error says what the text must be.
func TimeIn(text string, now time.Time, zone *time.Location) (t time.Time, relative bool, err error) {
	switch text {
	case "now":
		return now.UTC(), true, nil
	case "today", "yesterday":
		year, month, day := now.In(zone).Date()
		if text == "yesterday" {
			day--
		}
		return startOfDay(time.Date(year, month, day, 0, 0, 0, 0, time.UTC), zone), true, nil
	}
	if m := beforeNow.FindStringSubmatch(text); m != nil && text != "-" {
		seconds := now.Unix()
		for i, unit := range beforeNowUnits {
			n, _ := strconv.ParseInt(m[i+1], 10, 64) // none is 0
			seconds -= n * unit
		}
		return time.Unix(seconds, int64(now.Nanosecond())).UTC(), true, nil
	}
	t, err = timeReader{zone, timeInForms}.read(text)
	return t, false, err
}

// startOfDay returns the first instant of a day in a zone. The day is that of wall, in UTC.
func startOfDay(wall time.Time, zone *time.Location) time.Time {
	year, month, day := wall.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	shown, earliest := instantsOf(midnight, zone)
	if len(shown) > 0 {
		return shown[0]
	}
	_, end := earliest.In(zone).ZoneBounds() // when clocks are put forward, over midnight
	return end.UTC()
}

// onWall returns the instant at which clocks in a zone show what clocks on UTC show at wall.
func onWall(wall time.Time, zone *time.Location) (time.Time, error) {
	shown, _ := instantsOf(wall, zone)
	text := wall.Format("2006-01-02T15:04:05")
	switch len(shown) {
	case 1:
		return shown[0], nil
	case 0:
		return time.Time{}, fmt.Errorf("clocks in %s do not show that time, they are put forward: write it with an offset, "+
			"such as %sZ", zone, text)
	}
	return time.Time{}, fmt.Errorf("clocks in %s show that time twice: write %s or %s", zone,
		shown[0].In(zone).Format(time.RFC3339), shown[1].In(zone).Format(time.RFC3339))
}

// instantsOf returns the instants at which clocks in a zone show what clocks on UTC show at
// wall, in order: one, two where clocks are put back, or none where they are put
// forward. earliest is the earliest that the zone's offsets around that time make of it.
func instantsOf(wall time.Time, zone *time.Location) (shown []time.Time, earliest time.Time) {
	year, month, day := wall.Date()
	hour, minute, second := wall.Clock()
	near := time.Date(year, month, day, hour, minute, second, wall.Nanosecond(), zone)
	around := []time.Time{near}
	start, end := near.ZoneBounds()
	if near.Sub(start) < longestChange {
		around = append(around, start.Add(-1))
	}
	if !end.IsZero() && end.Sub(near) < longestChange {
		around = append(around, end)
	}
	for i, t := range around {
		_, offset := t.Zone()
		made := wall.Add(-time.Duration(offset) * time.Second).UTC()
		if i == 0 || made.Before(earliest) {
			earliest = made
		}
		if _, there := made.In(zone).Zone(); there == offset && !slices.Contains(shown, made) {
			shown = append(shown, made)
		}
	}
	slices.SortFunc(shown, time.Time.Compare)
	return shown, earliest
}

// longestChange is longer than any change of a zone's clocks: some skipped a day.
const longestChange = 48 * time.Hour
