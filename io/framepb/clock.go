package framepb

import "time"

// Clock returns an instant, in milliseconds since the Unix epoch, as RFC 3339 writes it in
// UTC with milliseconds. Each frame of a shard file has two: Format takes some times as
// long.
func Clock(ms int64) string {
	s := Instant(ms)
	if len(s) != len("20060102T150405000Z") {
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:11] + ":" + s[11:13] + ":" + s[13:15] + "." + s[15:]
}
