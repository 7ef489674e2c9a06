package pixels

import (
	"math"
	"slices"
	"sync"
)

// weightBits is the fraction of a weight: a sum of bytes weighed fits 32 bits.
const weightBits = 32 - 8 - 2

// axis is how one direction of a picture is resampled: what is made of which
// pixels with which weights.
type axis struct {
	from, to int       // the pixels that are used
	first    []int     // by pixel made: the first that it is of, from from on
	weights  [][]int32 // by pixel made
}

// newAxis lays the pixels [from, to) of in, which may be fractions, over out
// pixels, as Pillow does. Products are rounded by themselves (float64), so that
// machines that fuse additions into them get the same.
func newAxis(f *Filter, in int, from, to float32, out int) axis {
	scale := float64(to-from) / float64(out)
	stretch := max(scale, 1)
	support := f.support * stretch
	a := axis{from: in, first: make([]int, out), weights: make([][]int32, out)}
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
		a.from, a.to = min(a.from, low), max(a.to, high)
		a.weights[i], memory = memory[:len(kernel):len(kernel)], memory[len(kernel):]
		for k, w := range kernel {
			if sum != 0 {
				w /= sum
			}
			a.weights[i][k] = int32(math.Copysign(0.5, w) + float64(w*(1<<weightBits)))
		}
	}
	for i := range a.first {
		a.first[i] -= a.from
	}
	return a
}

// whole is the axis of a direction that is not resampled.
func whole(in int) axis { return axis{to: in} }

// acrossGo makes a row of pixels of that many channels, from the column from on.
func (a *axis) acrossGo(dst, src []byte, channels, from int) {
	if channels == 3 {
		a.across3(dst, src, from)
		return
	}
	for x, weights := range a.weights[from:] {
		x += from
		s := src[a.first[x]:][:len(weights)]
		var sum int32 = 1 << (weightBits - 1)
		for k, w := range weights {
			sum += w * int32(s[k])
		}
		dst[x] = clamp(sum >> weightBits)
	}
}

func (a *axis) across3(dst, src []byte, from int) {
	for x, weights := range a.weights[from:] {
		x += from
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

// sums are of a row, in 32 bits.
var sums = sync.Pool{New: func() any { return new([]int32) }}

// weighGo makes a row of those that stand in src, stride after stride, as many as weights.
func weighGo(dst, src []byte, stride int, weights []int32) {
	memory := sums.Get().(*[]int32)
	defer sums.Put(memory)
	*memory = slices.Grow((*memory)[:0], len(dst))
	sums := (*memory)[:len(dst)]
	for i := range sums {
		sums[i] = 1 << (weightBits - 1)
	}
	for k, w := range weights {
		row := src[k*stride:][:len(sums)]
		for i, v := range row {
			sums[i] += w * int32(v)
		}
	}
	for i, sum := range sums {
		dst[i] = clamp(sum >> weightBits)
	}
}

func clamp(v int32) byte { return byte(min(max(v, 0), 255)) }
