package s3store

import (
	"context"
	"io"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/kvsframes/kvsframes/io/store"
)

// onePut is the size up to which an object goes to S3 in one request. Larger ones go
// in parts, so that what a connection loses is sent again alone.
const onePut = 64 << 20

// putter sends objects to a place in one request, from where they lie: the driver's
// uploads begin with a copy of them.
type putter struct {
	client *s3.Client
	place  store.Place
}

func (p putter) put(ctx context.Context, key, contentType string, content *io.SectionReader) (sent bool, err error) {
	if content.Size() > onePut || !isAsIs(key) {
		return false, nil
	}
	input := &s3.PutObjectInput{
		Bucket: &p.place.Bucket, Key: &key, Body: content,
		ContentLength: new(content.Size()), ContentType: &contentType,
		ServerSideEncryption: types.ServerSideEncryption(p.place.Query.Get("ssetype")),
	}
	if id := p.place.Query.Get("kmskeyid"); id != "" {
		input.SSEKMSKeyId = &id
	}
	_, err = p.client.PutObject(ctx, input)
	return true, err
}

// isAsIs: the driver has other names for some keys.
func isAsIs(key string) bool {
	return !strings.Contains(key, "../") && !strings.ContainsFunc(key, unicode.IsControl)
}
