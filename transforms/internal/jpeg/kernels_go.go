//go:build !amd64 || purego

package jpeg

func (d *Decoder) codes(c *component) (k int, e entry) { return d.codesGo(c) }

func inverse(dst []byte, stride, size int, b *block) { inverseGo(dst, stride, size, b) }

func toRGB(dst, luma, cb, cr []byte) { toRGBGo(dst, luma, cb, cr) }

func double(out, in []byte) { doubleGo(out, in) }

func down(out, in, beside []byte, bias int) { downGo(out, in, beside, bias) }

func both(out, in, beside []byte) { bothGo(out, in, beside) }
