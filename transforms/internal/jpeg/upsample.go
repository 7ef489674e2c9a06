package jpeg

// upsampler gives columns [from, to) of a chroma component's row y at luma's width; it may use the memory given.
type upsampler func(c *component, y, from, to int, memory []byte) []byte

// upsampling returns what upsamples chroma. It lies in the middle between the pixels it is of, and is weighted by
// distance ("fancy" in libjpeg), except where pixels are too few for it.
func (d *Decoder) upsampling() upsampler {
	chroma := &d.components[1]
	across, along := d.subsampled()
	wide, tall := across == 2, along == 2
	fancy := d.size > 1
	switch {
	case wide && tall && fancy && chroma.width > 2:
		return func(c *component, y, from, to int, out []byte) []byte {
			in, beside := c.near(y)
			out = out[:2*(to-from)]
			both(out, in[from:to], beside[from:to])
			return out
		}
	case wide && along == 1 && fancy && chroma.width > 2:
		return func(c *component, y, from, to int, out []byte) []byte {
			out = out[:2*(to-from)]
			double(out, c.row(y)[from:to])
			return out
		}
	case tall && across == 1 && fancy:
		return func(c *component, y, from, to int, out []byte) []byte {
			in, beside := c.near(y)
			out = out[:to-from]
			down(out, in[from:to], beside[from:to], 1+y&1)
			return out
		}
	}
	return func(c *component, y, from, to int, out []byte) []byte {
		row := c.row(y / along)[from:to]
		if across == 1 {
			return row
		}
		out = out[:across*len(row)]
		for x := range out {
			out[x] = row[x/across]
		}
		return out
	}
}

// subsampled returns how many pixels a chroma sample is of, in both directions.
func (d *Decoder) subsampled() (across, along int) {
	if d.n == 1 {
		return 1, 1
	}
	luma, chroma := &d.components[0], &d.components[1]
	return luma.h * luma.size / chroma.size, luma.v * luma.size / chroma.size
}

func (c *component) row(y int) []byte { return c.plane[y%c.ring*c.stride:][:c.width] }

// near returns the row that y lies in and the one that it lies next to.
func (c *component) near(y int) (in, beside []byte) {
	i := y / 2
	j := i - 1 + 2*(y&1)
	return c.row(i), c.row(min(max(j, 0), c.height-1))
}

// doubleGo doubles a row of two or more.
func doubleGo(out, in []byte) {
	n := len(in)
	out = out[:2*n]
	out[0] = in[0]
	out[1] = uint8((3*int(in[0]) + int(in[1]) + 2) >> 2)
	for i := 1; i < n-1; i++ {
		three := 3 * int(in[i])
		out[2*i] = uint8((three + int(in[i-1]) + 1) >> 2)
		out[2*i+1] = uint8((three + int(in[i+1]) + 2) >> 2)
	}
	out[2*n-2] = uint8((3*int(in[n-1]) + int(in[n-2]) + 1) >> 2)
	out[2*n-1] = in[n-1]
}

// downGo makes the row between two that is nearer to in.
func downGo(out, in, beside []byte, bias int) {
	out, beside = out[:len(in)], beside[:len(in)]
	for x, v := range in {
		out[x] = uint8((3*int(v) + int(beside[x]) + bias) >> 2)
	}
}

// bothGo makes the row between two that is nearer to in, and doubles it; they are of two or more.
func bothGo(out, in, beside []byte) {
	n := len(in)
	beside, out = beside[:n], out[:2*n]
	last, this := int32(0), 3*int32(in[0])+int32(beside[0])
	for i := range n - 1 {
		next := 3*int32(in[i+1]) + int32(beside[i+1])
		if i == 0 {
			last = this
		}
		o := out[2*i : 2*i+2 : 2*i+2]
		o[0] = uint8((3*this + last + 8) >> 4)
		o[1] = uint8((3*this + next + 7) >> 4)
		last, this = this, next
	}
	out[2*n-2] = uint8((3*this + last + 8) >> 4)
	out[2*n-1] = uint8((4*this + 7) >> 4)
}
