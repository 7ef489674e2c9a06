package dataset

import (
	"time"

	"github.com/kvsframes/kvsframes/io/framepb"
)

// clock writes an instant as RFC 3339 has it, with milliseconds. Each frame of a
// shard file has two: Format takes some times as long.
func clock(ms int64) string {
	s := framepb.Instant(ms)
	if len(s) != len("20060102T150405000Z") {
		return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	return s[:4] + "-" + s[4:6] + "-" + s[6:11] + ":" + s[11:13] + ":" + s[13:15] + "." + s[15:]
}
