//go:build !purego

package pixels

import "golang.org/x/sys/cpu"

var avx2 = cpu.X86.HasAVX2

//go:noescape
func acrossAVX2(dst, src *byte, first *int32, weights *[8]int16, groups, n int)

//go:noescape
func weighAVX2(dst, src *byte, stride int, weights *int32, rows, n int)

//go:noescape
func unitAVX2(dst, src *byte, n int)

// fastAxis is what the kernel needs of an axis of pixels of three bytes.
type fastAxis struct {
	offsets []int32    // by pixel made: the first that it is of, in bytes
	groups  int        // of four weights, of each pixel made; 0 where the kernel is not used
	weights [][8]int16 // by group: the lower 12 bits of each, then the rest
	reach   int        // how many bytes of a row are read
}

func newFastAxis(a *axis, channels int) (f fastAxis) {
	if !avx2 || channels != 3 {
		return f
	}
	for _, weights := range a.weights {
		f.groups = max(f.groups, (len(weights)+3)/4)
	}
	f.offsets = make([]int32, len(a.first))
	f.weights = make([][8]int16, len(a.first)*f.groups)
	for x, weights := range a.weights {
		f.offsets[x] = int32(3 * a.first[x])
		f.reach = max(f.reach, 3*a.first[x]+12*f.groups+4)
		for k, w := range weights {
			group := &f.weights[x*f.groups+k/4]
			group[k%4], group[4+k%4] = int16(w&(1<<12-1)), int16(w>>12)
		}
	}
	return f
}

// row makes a row along an axis.
func (f *fastAxis) row(a *axis, dst, src []byte, channels int) {
	n := len(a.first) - 1 // the kernel writes a byte more than a pixel has
	if f.groups == 0 || n == 0 || len(src) < f.reach {
		a.acrossGo(dst, src, channels, 0)
		return
	}
	_ = dst[3*n]
	acrossAVX2(&dst[0], &src[0], &f.offsets[0], &f.weights[0], f.groups, n)
	a.acrossGo(dst, src, channels, n)
}

// weigh makes a row of those that stand in src, stride after stride, as many as weights.
func weigh(dst, src []byte, stride int, weights []int32) {
	const step = 32
	n := len(dst)
	if !avx2 || n < step || len(weights) == 0 {
		weighGo(dst, src, stride, weights)
		return
	}
	_ = src[stride*(len(weights)-1)+n-1]
	weighAVX2(&dst[0], &src[0], stride, &weights[0], len(weights), n&^(step-1))
	if rest := n - step; n%step > 0 { // the last step is shifted back, so that it ends with the row
		weighAVX2(&dst[rest], &src[rest], stride, &weights[0], len(weights), step)
	}
}

func unit(dst, src []byte) {
	const step = 8
	n := len(src) &^ (step - 1)
	if !avx2 || n == 0 {
		unitGo(dst, src)
		return
	}
	_ = dst[4*n-1]
	unitAVX2(&dst[0], &src[0], n)
	unitGo(dst[4*n:], src[n:])
}
