package pixels

import "sync"

// Rect is a part of a picture, in pixels and fractions of them.
type Rect struct{ Left, Top, Right, Bottom float32 }

// Resize returns the part of a picture that lies in from, in another size.
func (p *Image) Resize(f *Filter, from Rect, width, height int) Image {
	out := New(width, height)
	key := resamplerKey{f, from, p.Width, p.Height, width, height, 3}
	if f == Nearest {
		nearest(out.Data[:0], p.Data, key)
	} else {
		resample(out.Data, p.Data, key)
	}
	return out
}

// resampler resizes pictures of one size again and again.
type resampler struct {
	resamplerKey
	across, down axis
	fast         fastAxis // of across
	horizontal   bool
	vertical     bool
	downFirst    bool
	rows         []byte // what has gone through the horizontal pass, if that is the first, or else the source's
	stride       int    // of rows
	row          []byte // one that has gone through the vertical pass, if that is the first
}

type resamplerKey struct {
	filter              *Filter
	from                Rect
	inWidth, inHeight   int
	outWidth, outHeight int
	channels            int // bytes of a pixel
}

var resamplers sync.Pool

// getResampler returns a resampler, preferably one that was used for the same before.
func getResampler(key resamplerKey) *resampler {
	r, _ := resamplers.Get().(*resampler)
	if r == nil {
		r = new(resampler)
	}
	if r.resamplerKey == key {
		return r
	}
	r.resamplerKey = key
	b := key.from
	r.horizontal = key.outWidth != key.inWidth || b.Left != 0 || b.Right != float32(key.outWidth)
	r.vertical = key.outHeight != key.inHeight || b.Top != 0 || b.Bottom != float32(key.outHeight)
	r.across, r.down = whole(key.inWidth), whole(key.inHeight)
	if r.horizontal {
		r.across = newAxis(key.filter, key.inWidth, b.Left, b.Right, key.outWidth)
		r.fast = newFastAxis(&r.across, key.channels)
	}
	if r.vertical {
		r.down = newAxis(key.filter, key.inHeight, b.Top, b.Bottom, key.outHeight)
	}
	saved := key.inHeight - key.outHeight
	r.downFirst = r.horizontal && r.vertical && saved > 0 && saved > 2*(key.inWidth-key.outWidth)
	return r
}

// sourceBytes returns how long the part of a source's row is that is used.
func (r *resampler) sourceBytes() int { return r.channels * (r.across.to - r.across.from) }

// resample resizes what lies in a box of src, a picture of bytes, to dst. It is the Image.resize of Pillow since 13.0,
// value for value: first across, then down, or first down where that saves work, and rounded to bytes between the two.
func resample(dst, src []byte, key resamplerKey) {
	r := getResampler(key)
	defer resamplers.Put(r)
	stride := key.channels * key.inWidth
	src = src[stride*r.down.from+key.channels*r.across.from:]
	if r.horizontal && !r.downFirst {
		r.begin()
		for y := range r.down.to - r.down.from {
			r.take(y, src[stride*y:])
		}
		r.finish(dst, r.rows, r.stride)
		return
	}
	r.finish(dst, src, stride)
}

// begin takes memory for the rows that take is given.
func (r *resampler) begin() {
	r.stride = r.sourceBytes()
	if r.horizontal && !r.downFirst {
		r.stride = r.channels * r.outWidth
	}
	r.rows = resized(r.rows, r.stride*(r.down.to-r.down.from)+slack)
}

// slack is how many bytes behind its last row memory has, so that the kernel can take that row, too.
const slack = 32

// resized returns memory of n bytes, the same if it is large enough.
func resized(memory []byte, n int) []byte {
	if cap(memory) < n {
		return make([]byte, n)
	}
	return memory[:n]
}

// take takes row y of those of the source that are used, the part that is used.
func (r *resampler) take(y int, row []byte) {
	into := r.rows[r.stride*y:]
	if r.horizontal && !r.downFirst {
		r.fast.row(&r.across, into, row, r.channels)
	} else {
		copy(into[:r.stride], row)
	}
}

// finish makes the result of rows, which are in src, stride after stride.
func (r *resampler) finish(dst, src []byte, stride int) {
	n := r.channels * r.outWidth
	for y := range r.outHeight {
		row := dst[n*y:][:n]
		switch {
		case r.downFirst:
			r.row = resized(r.row, r.sourceBytes()+slack)
			weigh(r.row[:r.sourceBytes()], src[stride*r.down.first[y]:], stride, r.down.weights[y])
			r.fast.row(&r.across, row, r.row, r.channels)
		case r.vertical:
			weigh(row, src[stride*r.down.first[y]:], stride, r.down.weights[y])
		default:
			copy(row, src[stride*y:])
		}
	}
}
