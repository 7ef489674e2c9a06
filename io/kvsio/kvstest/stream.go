package kvstest

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"time"
)

// stream is a configured stream and what the server keeps for it.
type stream struct {
	Stream
	footage footage
	source  source // where its pictures come from
	arn     string
	version string
	created int64 // epoch milliseconds

	media         *limiter // GetImages, ListFragments: media points, metadata points
	describes     *limiter
	endpointCalls *limiter
}

// createdWithoutMedia is when a stream that never had media was created:
// 2023-11-14T22:13:20Z.
const createdWithoutMedia = 1_700_000_000_000

func newStream(cfg Config, s Stream, kept *caches) (*stream, error) {
	st := &stream{
		Stream: s, footage: newFootage(s), created: createdWithoutMedia,
		media:     newLimiter(s.Quota.MediaPoints, s.Quota.MetadataPoints),
		describes: newLimiter(describeRate), endpointCalls: newLimiter(describeRate),
	}
	switch {
	case !s.Created.IsZero():
		st.created = s.Created.UnixMilli()
	case len(st.footage.stretches) > 0:
		st.created = st.footage.stretches[0].from
	}
	st.arn = fmt.Sprintf("arn:aws:kinesisvideo:%s:%s:stream/%s/%d", cfg.Region, cfg.Account, s.Name, st.created)
	digest := sha256.Sum256([]byte(st.arn))
	st.version = base32.StdEncoding.EncodeToString(digest[:12])[:20]
	if s.Folder == "" {
		st.source = newScene(s.Name, s.Width, s.Height, kept)
		return st, nil
	}
	folder, err := openFolder(s.Folder, st.footage, kept)
	st.source = folder
	return st, err
}

// exists reports whether there is such a stream at a time.
func (st *stream) exists(now time.Time) bool {
	return !now.Before(st.Created) && (st.Deleted.IsZero() || now.Before(st.Deleted))
}

// forbids returns the refusal of a call while nobody may use the stream, nil otherwise.
func (st *stream) forbids(now time.Time) *apiError {
	if !within(st.Forbidden, now) {
		return nil
	}
	return refuse("AccessDeniedException", "The caller is not authorized to use %s.", st.arn)
}

// within reports whether one of the ranges holds t.
func within(ranges []Range, t time.Time) bool {
	return slices.ContainsFunc(ranges, func(r Range) bool { return !t.Before(r.From) && t.Before(r.To) })
}
