package ledger

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"gocloud.dev/blob"

	"github.com/kvsframes/kvsframes/internal/outside"
)

// requestTimeout bounds what is asked of a bucket in one go, all attempts
// included, but for the pictures of a shard: those take as long as they take.
const requestTimeout = 2 * time.Minute

// Bucket is the objects of a bucket below a prefix. An object appears, or takes
// the place of another one, when its upload has completed, and not before.
type Bucket struct {
	place  place
	bucket *blob.Bucket
}

// buckets are the clients that this process has, by URL without the prefix: a
// client keeps connections and credentials, so there is one for all that read
// and write a place. They are never closed.
var buckets struct {
	sync.Mutex
	open map[string]*blob.Bucket
}

func openBucket(p place) (*Bucket, error) {
	key := p.scheme + "://" + p.bucket + "?" + p.query.Encode()
	buckets.Lock()
	defer buckets.Unlock()
	if opened := buckets.open[key]; opened != nil {
		return &Bucket{p, opened}, nil
	}
	b := &Bucket{place: p}
	var err error
	switch p.scheme {
	case "s3":
		b.bucket, err = openS3(p)
	case "gs":
		b.bucket, err = openGCS(p)
	default:
		b.bucket = openMemory()
	}
	if err != nil {
		return nil, &StoreError{Op: "opening", URL: p.String(), Err: outside.Error(err)}
	}
	if buckets.open == nil {
		buckets.open = make(map[string]*blob.Bucket)
	}
	buckets.open[key] = b.bucket
	return b, nil
}

func (b *Bucket) key(path string) string { return b.place.prefix + path }

// url names an object to people.
func (b *Bucket) url(path string) string {
	return (&url.URL{Scheme: b.place.scheme, Host: b.place.bucket, Path: "/" + b.key(path)}).String()
}

// Read is as [Store] says.
func (b *Bucket) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	file, err := b.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Size() > limit {
		return nil, tooLarge(path, file.Size(), limit)
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1)) // whatever size it was said to have
	if int64(len(data)) > limit {
		return nil, tooLarge(path, int64(len(data)), limit)
	}
	return data, err
}

// Open is as [Store] says.
func (b *Bucket) Open(ctx context.Context, path string) (File, error) {
	stream, err := b.bucket.NewReader(ctx, b.key(path), nil)
	if err != nil {
		return nil, b.fault(ctx, "reading", path, err)
	}
	return &object{ctx: ctx, bucket: b, path: path, size: stream.Size(), stream: stream}, nil
}

// List is as [Store] says.
func (b *Bucket) List(ctx context.Context, folder string) (files, folders []string, err error) {
	prefix := b.key("")
	if folder != "" {
		prefix = b.key(folder) + "/"
	}
	for object, err := range b.objects(ctx, prefix, "/") {
		if err != nil {
			return nil, nil, b.fault(ctx, "listing", folder, err)
		}
		name := strings.TrimPrefix(object.Key, prefix)
		switch {
		case object.IsDir:
			folders = append(folders, strings.TrimSuffix(name, "/"))
		case name != "": // some tools make an object for a folder itself
			files = append(files, name)
		}
	}
	slices.Sort(files)
	slices.Sort(folders)
	return files, folders, nil
}

// Empty reports whether there is no object in the place.
func (b *Bucket) Empty(ctx context.Context) (bool, error) {
	for _, err := range b.objects(ctx, b.place.prefix, "") {
		return false, b.fault(ctx, "listing", "", err)
	}
	return true, nil
}

// Under is as [Store] says.
func (b *Bucket) Under(ctx context.Context, path string) (names []string, err error) {
	key := b.key(path)
	for object, err := range b.objects(ctx, key, "") {
		if err != nil {
			return nil, b.fault(ctx, "listing", path, err)
		}
		// Names that only begin like this one are listed too.
		rest := strings.TrimPrefix(object.Key, key)
		if name, in := strings.CutPrefix(rest, "/"); rest == "" || in && name != "" {
			names = append(names, name)
		}
	}
	return names, nil
}

// objects lists the objects whose names begin with a prefix.
func (b *Bucket) objects(ctx context.Context, prefix, delimiter string) func(func(*blob.ListObject, error) bool) {
	return func(yield func(*blob.ListObject, error) bool) {
		ctx := withPages(ctx)
		list := b.bucket.List(&blob.ListOptions{Prefix: prefix, Delimiter: delimiter})
		for {
			object, err := list.Next(ctx)
			if errors.Is(err, io.EOF) || !yield(object, err) || err != nil {
				return
			}
		}
	}
}

// Remove is as [Store] says.
func (b *Bucket) Remove(ctx context.Context, path string) error {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	return orNone(b.fault(ctx, "removing", path, b.bucket.Delete(ctx, b.key(path))))
}

// Put makes an object hold data, whole or not at all.
func (b *Bucket) Put(ctx context.Context, path string, data []byte) error {
	return b.put(ctx, path, data, false)
}

// Make makes an object hold data where there is none; where there is one, it
// stays, and that is no error. Of many processes that make the same object, one
// is first: but a store without conditional writes lets the last one win, so
// read back what came of it.
func (b *Bucket) Make(ctx context.Context, path string, data []byte) error {
	for range attempts {
		err := b.put(ctx, path, data, true)
		switch {
		case isTaken(err):
			return nil
		case isUnconditional(err):
			return b.put(ctx, path, data, false)
		case !isConflict(err):
			return err
		}
	}
	return b.put(ctx, path, data, true)
}

func (b *Bucket) put(ctx context.Context, path string, data []byte, make bool) error {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	options := &blob.WriterOptions{
		ContentType: contentType(path), IfNotExist: make, BufferSize: bufferFor(len(data)),
	}
	return b.fault(ctx, "writing", path, b.bucket.Upload(ctx, b.key(path), bytes.NewReader(data), options))
}

// PutFrom makes an object hold content, whole or not at all, and as long as it
// takes. Content is read where it lies, by many parts at once or more than once.
func (b *Bucket) PutFrom(ctx context.Context, path string, content *io.SectionReader) error {
	if sent, err := b.putS3(ctx, path, content); sent {
		return b.fault(ctx, "writing", path, err)
	}
	options := &blob.WriterOptions{ContentType: contentType(path), BufferSize: bufferFor(int(min(content.Size(), leastPart)))}
	return b.fault(ctx, "writing", path, b.bucket.Upload(ctx, b.key(path), content, options))
}

// Upload is an object that is being written. It appears when Close has returned
// without an error; where the context that it was created with is cancelled
// before, it never does.
type Upload struct {
	ctx    context.Context
	bucket *Bucket
	path   string
	writer *blob.Writer
}

// Create begins to write an object.
func (b *Bucket) Create(ctx context.Context, path string) (*Upload, error) {
	writer, err := b.bucket.NewWriter(ctx, b.key(path), &blob.WriterOptions{ContentType: contentType(path)})
	if err != nil {
		return nil, b.fault(ctx, "writing", path, err)
	}
	return &Upload{ctx, b, path, writer}, nil
}

// Write writes data to the store, or holds it until there is enough of it.
func (u *Upload) Write(data []byte) (int, error) {
	n, err := u.writer.Write(data)
	return n, u.bucket.fault(u.ctx, "writing", u.path, err)
}

// Close completes the object. It must be called, also where the context was
// cancelled.
func (u *Upload) Close() error {
	return u.bucket.fault(u.ctx, "writing", u.path, u.writer.Close())
}

// contentType is what browsers and tools make of an object.
func contentType(path string) string {
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "jpg":
		return "image/jpeg"
	case "png":
		return "image/png"
	case "json":
		return "application/json"
	case "tar":
		return "application/x-tar"
	case "parquet":
		return "application/vnd.apache.parquet"
	}
	return "application/octet-stream"
}

// bufferFor keeps drivers from allocating megabytes for a small object: they
// send what fits into their buffer in one request.
func bufferFor(size int) int {
	const step = 256 << 10 // Google's
	return min((size/step+1)*step, leastPart)
}

// leastPart is the least size that S3 takes of a part but the last.
const leastPart = 5 << 20
