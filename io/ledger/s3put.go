package ledger

import (
	"context"
	"io"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// onePut is the size up to which an object goes to S3 in one request. Larger ones go
// in parts, so that what a connection loses is sent again alone.
const onePut = 64 << 20

// putS3 sends an object in one request, from where it lies: the driver's uploads
// begin with a copy of it. It reports false where that is left to the driver.
func (b *Bucket) putS3(ctx context.Context, path string, content *io.SectionReader) (sent bool, err error) {
	var client *s3.Client
	key := b.key(path)
	if content.Size() > onePut || !isAsIs(key) || !b.bucket.As(&client) {
		return false, nil
	}
	input := &s3.PutObjectInput{
		Bucket: &b.place.bucket, Key: &key, Body: content,
		ContentLength: new(content.Size()), ContentType: new(contentType(path)),
		ServerSideEncryption: types.ServerSideEncryption(b.place.query.Get("ssetype")),
	}
	if id := b.place.query.Get("kmskeyid"); id != "" {
		input.SSEKMSKeyId = &id
	}
	_, err = client.PutObject(ctx, input)
	return true, err
}

// isAsIs: the driver has other names for some keys.
func isAsIs(key string) bool {
	return !strings.Contains(key, "../") && !strings.ContainsFunc(key, unicode.IsControl)
}
