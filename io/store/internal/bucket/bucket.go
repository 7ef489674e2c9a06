// Package bucket makes stores of the buckets that gocloud.dev has clients for.
package bucket

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
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// requestTimeout bounds what is asked of a bucket in one go, all attempts
// included, but for the pictures of a shard: those take as long as they take.
const requestTimeout = 2 * time.Minute

// makeTries bounds how often an object is made again after a conflict.
const makeTries = 20

// Bucket is a [store.Bucket] of a client of gocloud.dev.
type Bucket struct {
	place  store.Place
	client *Client
}

// Client is a client for a bucket, and what a driver knows beyond gocloud.dev.
type Client struct {
	*blob.Bucket

	// Answer reads the service's answer out of an error.
	Answer func(err error) Answer

	// Put, where set, sends an object in one request, from where it lies. It reports
	// false where it leaves that to gocloud.dev.
	Put func(ctx context.Context, key, contentType string, content *io.SectionReader) (sent bool, err error)

	// ListContext, where set, returns the context of all pages of one list.
	ListContext func(ctx context.Context) context.Context

	// Between, where set, returns the [blob.ListOptions.BeforeList] of a list that may
	// leave out keys before first and keys after last.
	Between func(first, last string) func(as func(any) bool) error

	// RemoveAll, where set, removes at most 1,000 objects in one request. It returns the
	// keys of those that the service did not remove. They are then removed one by one,
	// which tells why.
	RemoveAll func(ctx context.Context, keys []string) (left []string, err error)
}

// Answer is what a service answered, as far as an error knows.
type Answer struct {
	Status int    // of HTTP; 0 where there is no answer
	Code   string // the service's; may be empty
	Reason string // why the service refuses, in few words of its own; may be empty

	// Elsewhere is the error of a bucket that is in another region; nil where it is not.
	Elsewhere error
}

// clients are those that this process has, by URL without the prefix: a client keeps
// connections and credentials, so there is one for all that read and write a place.
// They are never closed.
var clients struct {
	sync.Mutex
	open map[string]*Client
}

// Open returns the bucket of a place, with the client that the process has for it or
// that open makes.
func Open(p store.Place, open func(store.Place) (*Client, error)) (*Bucket, error) {
	key := p.Scheme + "://" + p.Bucket + "?" + p.Query.Encode()
	clients.Lock()
	defer clients.Unlock()
	if client := clients.open[key]; client != nil {
		return &Bucket{p, client}, nil
	}
	client, err := open(p)
	if err != nil {
		return nil, &store.Error{Op: "opening", URL: p.String(), Err: outside.Error(err)}
	}
	if clients.open == nil {
		clients.open = make(map[string]*Client)
	}
	clients.open[key] = client
	return &Bucket{p, client}, nil
}

// Client returns the bucket's client.
func (b *Bucket) Client() *Client { return b.client }

func (b *Bucket) key(path string) string { return b.place.Prefix + path }

// prefix is what the keys of the objects in a folder begin with.
func (b *Bucket) prefix(folder string) string {
	if folder == "" {
		return b.place.Prefix
	}
	return b.key(folder) + "/"
}

// url names an object to people.
func (b *Bucket) url(path string) string {
	return (&url.URL{Scheme: b.place.Scheme, Host: b.place.Bucket, Path: "/" + b.key(path)}).String()
}

// Read is as [store.Store] says.
func (b *Bucket) Read(ctx context.Context, path string, limit int64) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	file, err := b.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Size() > limit {
		return nil, store.TooLarge(path, file.Size(), limit)
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1)) // whatever size it was said to have
	if int64(len(data)) > limit {
		return nil, store.TooLarge(path, int64(len(data)), limit)
	}
	return data, err
}

// Open is as [store.Store] says.
func (b *Bucket) Open(ctx context.Context, path string) (store.File, error) {
	stream, err := b.client.NewReader(ctx, b.key(path), nil)
	if err != nil {
		return nil, b.fault(ctx, "reading", path, err)
	}
	return &object{ctx: ctx, bucket: b, path: path, size: stream.Size(), stream: stream}, nil
}

// List is as [store.Store] says.
func (b *Bucket) List(ctx context.Context, folder string) (files, folders []string, err error) {
	prefix := b.prefix(folder)
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

// Empty is as [store.Bucket] says.
func (b *Bucket) Empty(ctx context.Context) (bool, error) {
	for _, err := range b.objects(ctx, b.place.Prefix, "") {
		return false, b.fault(ctx, "listing", "", err)
	}
	return true, nil
}

// Under is as [store.Store] says.
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

// Sizes is as [store.Store] says.
func (b *Bucket) Sizes(ctx context.Context, folder string) (map[string]int64, error) {
	sizes, prefix := make(map[string]int64), b.prefix(folder)
	for object, err := range b.objects(ctx, prefix, "") {
		if err != nil {
			return nil, b.fault(ctx, "listing", folder, err)
		}
		// Some tools make an object for a folder itself.
		if name := strings.TrimPrefix(object.Key, prefix); name != "" && !strings.HasSuffix(name, "/") {
			sizes[name] = object.Size
		}
	}
	return sizes, nil
}

// objects lists the objects whose names begin with a prefix.
func (b *Bucket) objects(ctx context.Context, prefix, delimiter string) func(func(*blob.ListObject, error) bool) {
	return func(yield func(*blob.ListObject, error) bool) {
		ctx = b.listContext(ctx)
		list := b.client.List(&blob.ListOptions{Prefix: prefix, Delimiter: delimiter})
		for {
			object, err := list.Next(ctx)
			if errors.Is(err, io.EOF) || !yield(object, err) || err != nil {
				return
			}
		}
	}
}

func (b *Bucket) listContext(ctx context.Context) context.Context {
	if b.client.ListContext == nil {
		return ctx
	}
	return b.client.ListContext(ctx)
}

// Remove is as [store.Store] says.
func (b *Bucket) Remove(ctx context.Context, path string) error {
	ctx, stop := context.WithTimeout(ctx, requestTimeout)
	defer stop()
	return disk.OrNone(b.fault(ctx, "removing", path, b.client.Delete(ctx, b.key(path))))
}

// Put is as [store.Bucket] says.
func (b *Bucket) Put(ctx context.Context, path string, data []byte) error {
	return b.put(ctx, path, data, false)
}

// Make is as [store.Bucket] says.
func (b *Bucket) Make(ctx context.Context, path string, data []byte) error {
	for range makeTries {
		err := b.put(ctx, path, data, true)
		switch {
		case b.isTaken(err):
			return nil
		case b.isUnconditional(err):
			return b.put(ctx, path, data, false)
		case !b.isConflict(err):
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
	return b.fault(ctx, "writing", path, b.client.Upload(ctx, b.key(path), bytes.NewReader(data), options))
}

// PutFrom is as [store.Bucket] says.
func (b *Bucket) PutFrom(ctx context.Context, path string, content *io.SectionReader) error {
	if b.client.Put != nil {
		if sent, err := b.client.Put(ctx, b.key(path), contentType(path), content); sent {
			return b.fault(ctx, "writing", path, err)
		}
	}
	options := &blob.WriterOptions{
		ContentType: contentType(path),
		BufferSize:  bufferFor(int(min(content.Size(), leastPart))),
	}
	return b.fault(ctx, "writing", path, b.client.Upload(ctx, b.key(path), content, options))
}

// upload is an object that is being written.
type upload struct {
	ctx    context.Context
	bucket *Bucket
	path   string
	writer *blob.Writer
}

// Create is as [store.Bucket] says.
func (b *Bucket) Create(ctx context.Context, path string) (io.WriteCloser, error) {
	writer, err := b.client.NewWriter(ctx, b.key(path), &blob.WriterOptions{ContentType: contentType(path)})
	if err != nil {
		return nil, b.fault(ctx, "writing", path, err)
	}
	return &upload{ctx, b, path, writer}, nil
}

// Write writes data to the store, or holds it until there is enough of it.
func (u *upload) Write(data []byte) (int, error) {
	n, err := u.writer.Write(data)
	return n, u.bucket.fault(u.ctx, "writing", u.path, err)
}

// Close completes the object. It must be called, also where the context was
// cancelled.
func (u *upload) Close() error {
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
