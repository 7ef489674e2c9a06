package pack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"

	"github.com/kvsframes/kvsframes/io/internal/container"
	"github.com/kvsframes/kvsframes/io/internal/disk"
	"github.com/kvsframes/kvsframes/io/store"
)

// tries is how often a file is written again because another process that has it whole
// took this one for a killed writer.
const tries = 10

// packer writes the files of a packed set.
type packer struct {
	source, target store.Store
	format         container.Format

	// step, where set, is told of each step of a write and may fail it. Tests
	// look at what a kill would leave there.
	step func(name string) error
}

func newPacker(dir, place, format string) (*packer, error) {
	source, err := store.At(dir)
	if err != nil {
		return nil, err
	}
	target, err := store.At(place)
	if err != nil {
		return nil, err
	}
	of, err := container.Of(format)
	return &packer{source: source, target: target, format: of}, err
}

// extensionOf is how the names of files of a packed set end; those of folders end
// in nothing.
func extensionOf(format container.Format) string {
	of, _ := format.(container.Archive)
	return of.Extension
}

// pack writes a file of a packed set by its number, and counts it.
func (p *packer) pack(ctx context.Context, number int64, name string, picks []pick) (writtenFile, error) {
	there, err := p.write(ctx, name+extensionOf(p.format), picks)
	if err != nil {
		return writtenFile{}, err
	}
	file := writtenFile{number: number, frames: int64(len(picks)), there: there}
	if there {
		counters.there.Add(1)
		return file, nil
	}
	for i := range picks {
		file.bytes += int64(picks[i].Size)
	}
	counters.files.Add(1)
	counters.frames.Add(file.frames)
	counters.bytes.Add(file.bytes)
	return file, nil
}

// write writes a file of a packed set, whole or not at all, unless it is there. It
// reports whether it was.
func (p *packer) write(ctx context.Context, name string, picks []pick) (there bool, err error) {
	members := make([]container.Member, len(picks))
	for i := range picks {
		members[i] = picks[i].Member
	}
	for range tries { // another process that has it whole removes what this one writes of it
		if of, ok := p.format.(container.Archive); ok {
			there, err = p.writeFile(ctx, name, of, members, picks)
		} else {
			there, err = p.writeFolder(ctx, name, members, picks)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return false, fmt.Errorf("packing %s: %w", name, err)
	}
	return there, nil
}

// writeFile writes a file of many pictures. One that has the size of a whole one is
// whole: it appeared in one step.
func (p *packer) writeFile(ctx context.Context, name string, of container.Archive, members []container.Member,
	picks []pick,
) (there bool, err error) {
	layout, err := of.Layout(members)
	if err != nil {
		return false, err
	}
	size, err := p.size(ctx, name)
	if err != nil {
		return false, err
	}
	if size > 0 && size == layout.Size() {
		return true, nil
	}
	if err := p.reach("begin"); err != nil {
		return false, err
	}
	return false, store.WriteFile(ctx, p.target, name, func(file io.Writer) error {
		if err := layout.Write(file, picked(ctx, p.source, picks, layout.Items())); err != nil {
			return err
		}
		return p.reach("written")
	})
}

// size is that of a file of the set; 0 where there is none.
func (p *packer) size(ctx context.Context, name string) (int64, error) {
	file, err := p.target.Open(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.Size(), nil
}

// writeFolder writes a folder of blobs. One that has them all is whole: each of them
// appeared in one step.
func (p *packer) writeFolder(ctx context.Context, name string, members []container.Member, picks []pick) (there bool,
	err error,
) {
	have, _, err := p.target.List(ctx, name) // in order
	if err != nil {
		return false, err
	}
	blobs := container.Items(members)
	names := make([]string, len(blobs))
	for i, b := range blobs {
		names[i] = members[b.Frame].Name(b.Tensor)
	}
	absent := slices.ContainsFunc(names, func(name string) bool {
		_, ok := slices.BinarySearch(have, name)
		return !ok
	})
	if !absent {
		return true, nil
	}
	if err := p.reach("begin"); err != nil {
		return false, err
	}
	data := picked(ctx, p.source, picks, blobs)
	if bucket, ok := p.target.(store.Bucket); ok {
		return false, p.uploadFolder(ctx, bucket, name, names, data)
	}
	return false, p.renameFolder(string(p.target.(store.Folder)), name, names, data)
}

func (p *packer) uploadFolder(ctx context.Context, bucket store.Bucket, name string, names []string,
	blobs iter.Seq2[[]byte, error],
) error {
	out := store.NewUploads(ctx, bucket, name)
	defer out.Cancel()
	return out.Finish(p.fill(names, blobs, out.Create))
}

func (p *packer) renameFolder(dir, name string, names []string, blobs iter.Seq2[[]byte, error]) error {
	target := filepath.Join(dir, name)
	temp, err := store.Folder(dir).Temp(name, func(path string) error { return os.Mkdir(path, 0o777) })
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	err = p.fill(names, blobs, func(name string) (io.WriteCloser,
		error,
	) {
		return store.CreateFile(filepath.Join(temp, name))
	})
	if err != nil {
		return err
	}
	if err := p.reach("written"); err != nil {
		return err
	}
	if err = os.Rename(temp, target); err == nil || !disk.Exists(target) || !disk.Exists(temp) {
		return err
	}
	if whole, err := checkPacked(target, name, names); whole || err != nil {
		return err // another process has just written it, or somebody keeps a file there
	}
	old := filepath.Join(filepath.Dir(temp), disk.TempName(name))
	defer os.RemoveAll(old)
	if err := os.Rename(target, old); err != nil {
		return err
	}
	return os.Rename(temp, target)
}

// checkPacked reports whether a folder of a packed set holds the files of names. It
// refuses one that holds others: it is to be replaced.
func checkPacked(target, name string, names []string) (whole bool, err error) {
	if info, err := os.Lstat(target); err != nil || !info.IsDir() {
		return false, err
	}
	sorted := slices.Sorted(slices.Values(names))
	files, err := disk.CheckMembers(target, name, func(name string) bool {
		_, ours := slices.BinarySearch(sorted, name)
		return ours
	})
	return err == nil && files == len(names), err
}

// fill writes blobs, a file each.
func (p *packer) fill(names []string, blobs iter.Seq2[[]byte, error],
	create func(name string) (io.WriteCloser, error),
) error {
	i := 0
	for data, err := range blobs {
		if err != nil {
			return err
		}
		if err := p.reach("create"); err != nil {
			return err
		}
		// Until the next one is read, it is as it is.
		if err := container.WriteOne(create, names[i], bytes.Clone(data)); err != nil {
			return err
		}
		i++
	}
	return nil
}

func (p *packer) reach(step string) error {
	if p.step == nil {
		return nil
	}
	return p.step(step)
}
