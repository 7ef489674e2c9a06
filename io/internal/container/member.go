package container

import (
	"slices"

	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/io/frame/framepb"
	"github.com/kvsframes/kvsframes/io/ledger"
)

// Member is a frame, as far as the bytes around its blobs depend on it.
type Member struct {
	frame.Frame        // without Data and Tensor
	Size        int    // of the picture, in bytes
	TensorSize  int    // of the tensor beside it; 0 where there is none
	Prefix      string // of the key, in place of the stream's name; empty where the name will do
}

// membersIn lists the frames of a shard.
func membersIn(shard frame.Shard) []Member {
	members := make([]Member, len(shard.Frames))
	for i, f := range shard.Frames {
		members[i] = Member{Frame: f, Size: len(f.Data), TensorSize: len(f.Tensor)}
		members[i].StreamARN, members[i].Data, members[i].Tensor = shard.Span.Series.StreamARN, nil, nil
	}
	return members
}

// Item is a blob of a file that is to be written.
type Item struct {
	Frame  int  // among the members, from 0
	Tensor bool // it is the tensor
	Size   int  // bytes
}

// Items lists the blobs of members frame by frame, the picture first.
func Items(members []Member) []Item {
	blobs := make([]Item, 0, len(members))
	for i := range members {
		m := &members[i]
		blobs = append(blobs, Item{i, false, m.Size})
		if m.TensorSize > 0 {
			blobs = append(blobs, Item{i, true, m.TensorSize})
		}
	}
	return blobs
}

func (b *Item) at(p Position) Blob { return Blob{Frame: b.Frame, Tensor: b.Tensor, Position: p} }

// DataOf returns the tensor of a frame, or its picture.
func DataOf(f *frame.Frame, tensor bool) *[]byte {
	if tensor {
		return &f.Tensor
	}
	return &f.Data
}

// Key returns [frame.Frame.Key], with the prefix in place of the stream's name where there is
// one.
func (m *Member) Key() string {
	if m.Prefix != "" {
		return m.Prefix + "_" + frame.Instant(m.SampleMs)
	}
	return m.Frame.Key()
}

// Name returns the name of a file of the picture, or of the tensor beside it.
func (m *Member) Name(tensor bool) string {
	if tensor {
		return m.Key() + frame.Extension(frame.NPY)
	}
	return m.Key() + frame.Extension(m.Format)
}

// labelled reports whether a file has labels: then each frame has them, because readers
// take the first one's fields for those of all.
func labelled(members []Member) bool {
	return slices.ContainsFunc(members, func(m Member) bool { return len(m.Labels) > 0 })
}

// MembersOf lists the frames of a receipt.
func MembersOf(receipt *framepb.Receipt) []Member {
	series, format := receipt.GetSeries().Value(), ledger.Format(receipt)
	var members []Member
	for o := range ledger.Outcomes(receipt) {
		if o.Kind != ledger.Frame {
			continue
		}
		at := series.At(o.Index)
		members = append(members, Member{Size: int(o.Size), TensorSize: int(o.TensorSize), Frame: frame.Frame{
			Stream: series.StreamName, StreamARN: series.StreamARN, SampleMs: at, ImageMs: at + int64(o.OffsetMs),
			Format: format, Width: o.Width, Height: o.Height, Labels: o.Labels,
		}})
	}
	return members
}
