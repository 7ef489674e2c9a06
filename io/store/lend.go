package store

import (
	"bytes"
	"io"
	"sort"
)

// gathered is an object that is lent its pictures: they stay where they are until it is
// sent, so a shard is not in memory twice.
type gathered struct {
	send  func(content *io.SectionReader) error
	parts [][]byte
	ends  []int64 // of the parts
}

// Lend writes data that does not change any more. A file of [Uploads] keeps it where it
// is; any other writer gets it in one call.
func Lend(file io.Writer, data []byte) error {
	if g, ok := file.(*gathered); ok {
		g.lend(data)
		return nil
	}
	_, err := file.Write(data)
	return err
}

func (g *gathered) Write(p []byte) (int, error) {
	g.lend(bytes.Clone(p))
	return len(p), nil
}

func (g *gathered) lend(p []byte) {
	if len(p) > 0 {
		g.parts, g.ends = append(g.parts, p), append(g.ends, g.size()+int64(len(p)))
	}
}

func (g *gathered) size() int64 {
	if len(g.ends) == 0 {
		return 0
	}
	return g.ends[len(g.ends)-1]
}

// Close sends the object.
func (g *gathered) Close() error { return g.send(io.NewSectionReader(g, 0, g.size())) }

// ReadAt implements [io.ReaderAt].
func (g *gathered) ReadAt(p []byte, offset int64) (n int, err error) {
	i := sort.Search(len(g.ends), func(i int) bool { return g.ends[i] > offset })
	for ; n < len(p) && i < len(g.parts); i++ {
		rest := g.parts[i][int64(len(g.parts[i]))-(g.ends[i]-offset):]
		copied := copy(p[n:], rest)
		n, offset = n+copied, offset+int64(copied)
	}
	if n < len(p) {
		err = io.EOF
	}
	return n, err
}
