package bucket

import (
	"context"
	"strings"

	"gocloud.dev/blob"
)

// firstPage is how many names are asked for first of a part of a folder: mostly it is
// short. If it is longer, laterPages are what services allow.
const firstPage, laterPages = 100, 1000

// ListBetween is as [store.Bucket] says.
func (b *Bucket) ListBetween(ctx context.Context, folder, first, last string) (files []string, err error) {
	prefix := b.prefix(folder)
	options := &blob.ListOptions{Prefix: prefix, Delimiter: "/"}
	if b.client.Between != nil {
		options.BeforeList = b.client.Between(prefix+first, prefix+last)
	}
	ctx = b.listContext(ctx)
	size := firstPage
	for token := blob.FirstPageToken; len(token) > 0; size = laterPages {
		var page []*blob.ListObject
		if page, token, err = b.client.ListPage(ctx, token, size, options); err != nil {
			return nil, b.fault(ctx, "listing", folder, err)
		}
		for _, object := range page {
			name := strings.TrimPrefix(object.Key, prefix)
			if name > last {
				return files, nil
			}
			if !object.IsDir && name != "" && name >= first {
				files = append(files, name)
			}
		}
	}
	return files, nil
}
