package pixels

import (
	"math"
	"sync"
)

// A Filter weighs the pixels around the one that is made, by their distance in
// pixels of the smaller picture.
type Filter struct {
	support float64 // how far it reaches
	weight  func(distance float64) float64
}

// The filters, by Pillow's names but for Catmull and Rom's, which is its BICUBIC.
var (
	Nearest = &Filter{} // it takes one pixel and weighs none
	Box     = &Filter{0.5, func(x float64) float64 {
		if -0.5 < x && x <= 0.5 {
			return 1
		}
		return 0
	}}
	Bilinear   = &Filter{1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }}
	CatmullRom = &Filter{2, func(x float64) float64 {
		const a = -0.5
		switch x = math.Abs(x); {
		case x < 1:
			return float64(float64(float64((a+2)*x)-(a+3))*x)*x + 1
		case x < 2:
			return float64(float64(float64(float64(x-5)*x)+8)*x-4) * a
		}
		return 0
	}}
	Lanczos = &Filter{3, func(x float64) float64 {
		if -3 <= x && x < 3 {
			return sinc(x) * sinc(x/3)
		}
		return 0
	}}
)

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// weightBits is the fraction of a weight: a sum of bytes weighed fits 32 bits.
const weightBits = 32 - 8 - 2

// axis is how one direction of a picture is resampled: what is made of which
// pixels with which weights.
type axis struct {
	first   []int // by pixel made: the first that it is of
	weights [][]int32
}

// newAxis lays the pixels [from, to) of in, which may be fractions, over out
// pixels, as Pillow does. Products are rounded by themselves (float64), so that
// machines that fuse additions into them get the same.
func newAxis(f *Filter, in int, from, to float32, out int) axis {
	scale := float64(to-from) / float64(out)
	stretch := max(scale, 1)
	support := f.support * stretch
	a := axis{make([]int, out), make([][]int32, out)}
	kernel := make([]float64, 0, 2*int(math.Ceil(support))+1)
	memory := make([]int32, out*cap(kernel))
	for i := range out {
		center := float64(from) + float64((float64(i)+0.5)*scale)
		low := max(int(center-support+0.5), 0)
		high := min(int(center+support+0.5), in)
		kernel = kernel[:0]
		sum := 0.0
		for x := low; x < high; x++ {
			w := f.weight((float64(x) - center + 0.5) * (1 / stretch))
			kernel = append(kernel, w)
			sum += w
		}
		a.first[i] = low
		a.weights[i], memory = memory[:len(kernel):len(kernel)], memory[len(kernel):]
		for k, w := range kernel {
			if sum != 0 {
				w /= sum
			}
			a.weights[i][k] = int32(math.Copysign(0.5, w) + float64(w*(1<<weightBits)))
		}
	}
	return a
}

// Rect is a part of a picture, in pixels and fractions of them.
type Rect struct{ Left, Top, Right, Bottom float32 }

// Resize returns the part of a picture that lies in from, in another size.
func (p *Image) Resize(f *Filter, from Rect, width, height int) Image {
	out := New(width, height)
	key := resamplerKey{f, from, p.Width, p.Height, width, height}
	if f == Nearest {
		nearest(out.Data[:0], p.Data, key)
	} else {
		resample(out.Data[:0], p.Data, 3, key)
	}
	return out
}

// resampler resizes pictures of one size again and again.
type resampler struct {
	key            resamplerKey
	across, down   axis
	between        []byte
	accumulate     []int32
	horizontal     bool
	vertical       bool
	firstRow, rows int // of the source that are used
}

type resamplerKey struct {
	filter              *Filter
	from                Rect
	inWidth, inHeight   int
	outWidth, outHeight int
}

var resamplers sync.Pool

// getResampler returns a resampler, preferably one that was used for the same before.
func getResampler(key resamplerKey) *resampler {
	r, _ := resamplers.Get().(*resampler)
	if r == nil {
		r = new(resampler)
	}
	if r.key == key {
		return r
	}
	r.key = key
	b := key.from
	r.across = newAxis(key.filter, key.inWidth, b.Left, b.Right, key.outWidth)
	r.down = newAxis(key.filter, key.inHeight, b.Top, b.Bottom, key.outHeight)
	r.horizontal = key.outWidth != key.inWidth || b.Left != 0 || b.Right != float32(key.outWidth)
	r.vertical = key.outHeight != key.inHeight || b.Top != 0 || b.Bottom != float32(key.outHeight)
	last := key.outHeight - 1
	r.firstRow = r.down.first[0]
	r.rows = r.down.first[last] + len(r.down.weights[last]) - r.firstRow
	return r
}

// resample resizes what lies in a box of src, a picture with that many channels of
// a byte each, and appends it to dst. It is Pillow's Image.resize, value for
// value: first across, then down, each rounded to bytes.
func resample(dst, src []byte, channels int, key resamplerKey) []byte {
	r := getResampler(key)
	defer resamplers.Put(r)
	stride := channels * key.inWidth
	first := 0
	if r.horizontal {
		out := channels * key.outWidth
		if cap(r.between) < r.rows*out {
			r.between = make([]byte, r.rows*out)
		}
		between := r.between[:r.rows*out]
		for y := range r.rows {
			row := src[(r.firstRow+y)*stride:][:stride]
			if channels == 3 {
				r.across.row3(between[y*out:][:out], row)
			} else {
				r.across.row1(between[y*out:][:out], row)
			}
		}
		src, stride, first = between, out, r.firstRow
	}
	if !r.vertical {
		return append(dst, src[:key.outHeight*stride]...)
	}
	if cap(r.accumulate) < stride {
		r.accumulate = make([]int32, stride)
	}
	sums := r.accumulate[:stride]
	for y, weights := range r.down.weights {
		for i := range sums {
			sums[i] = 1 << (weightBits - 1)
		}
		for k, w := range weights {
			weigh(sums, src[(r.down.first[y]-first+k)*stride:], w)
		}
		for _, sum := range sums {
			dst = append(dst, clamp(sum>>weightBits))
		}
	}
	return dst
}

func weigh(sums []int32, row []byte, w int32) {
	row = row[:len(sums)]
	for i, v := range row {
		sums[i] += w * int32(v)
	}
}

func (a *axis) row3(dst, src []byte) {
	for x, weights := range a.weights {
		s := src[3*a.first[x]:][:3*len(weights)]
		var r, g, b int32 = 1 << (weightBits - 1), 1 << (weightBits - 1), 1 << (weightBits - 1)
		for ; len(weights) >= 2 && len(s) >= 6; weights, s = weights[2:], s[6:] {
			v, w := weights[0], weights[1]
			r += v*int32(s[0]) + w*int32(s[3])
			g += v*int32(s[1]) + w*int32(s[4])
			b += v*int32(s[2]) + w*int32(s[5])
		}
		if len(weights) == 1 && len(s) >= 3 { // the second is always so, and spares three checks
			w := weights[0]
			r += w * int32(s[0])
			g += w * int32(s[1])
			b += w * int32(s[2])
		}
		d := dst[3*x : 3*x+3 : 3*x+3]
		d[0], d[1], d[2] = clamp(r>>weightBits), clamp(g>>weightBits), clamp(b>>weightBits)
	}
}

func (a *axis) row1(dst, src []byte) {
	for x, weights := range a.weights {
		s := src[a.first[x]:][:len(weights)]
		var sum int32 = 1 << (weightBits - 1)
		for k, w := range weights {
			sum += w * int32(s[k])
		}
		dst[x] = clamp(sum >> weightBits)
	}
}

// nearest takes the pixel that lies under the middle of each one made.
func nearest(dst, src []byte, key resamplerKey) []byte {
	b := key.from
	columns := steps(float64(b.Left), float64(b.Right-b.Left)/float64(key.outWidth), key.outWidth)
	rows := steps(float64(b.Top), float64(b.Bottom-b.Top)/float64(key.outHeight), key.outHeight)
	for _, y := range rows {
		row := src[3*key.inWidth*min(y, key.inHeight-1):][:3*key.inWidth]
		for _, x := range columns {
			dst = append(dst, row[3*min(x, key.inWidth-1):][:3]...)
		}
	}
	return dst
}

// steps adds up steps as Pillow does, rounding and all.
func steps(from, step float64, n int) []int {
	at := from + float64(step*0.5)
	out := make([]int, n)
	for i := range out {
		out[i] = int(at)
		at += step
	}
	return out
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
