package kvstest

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
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
	if len(st.footage.stretches) > 0 {
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
