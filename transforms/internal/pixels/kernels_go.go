//go:build !amd64 || purego

package pixels

type fastAxis struct{}

func newFastAxis(*axis, int) fastAxis { return fastAxis{} }

func (fastAxis) row(a *axis, dst, src []byte, channels int) { a.acrossGo(dst, src, channels, 0) }

func weigh(dst, src []byte, stride int, weights []int32) { weighGo(dst, src, stride, weights) }

func unit(dst, src []byte) { unitGo(dst, src) }
