package jpeg

// upsampling returns what gives a chroma component's row y at luma's width; it
// may use the memory given. Chroma lies in the middle between the pixels it is
// of, and is weighted by distance ("fancy" in libjpeg), except where pixels are
// too few for it.
func (d *decoder) upsampling() func(c *component, y int, memory []byte) []byte {
	luma, chroma := &d.components[0], &d.components[1]
	across, along := luma.h*luma.size/chroma.size, luma.v*luma.size/chroma.size
	wide, tall := across == 2, along == 2
	fancy := d.size > 1
	switch {
	case wide && tall && fancy && chroma.width > 2:
		return both
	case wide && along == 1 && fancy && chroma.width > 2:
		return func(c *component, y int, out []byte) []byte { return double(c.row(y), out) }
	case tall && across == 1 && fancy:
		return down
	}
	return func(c *component, y int, out []byte) []byte {
		row := c.row(y / along)
		if across == 1 {
			return row
		}
		for x := range min(len(out), across*len(row)) {
			out[x] = row[x/across]
		}
		return out
	}
}

func (c *component) row(y int) []byte { return c.plane[y*c.stride:][:c.width] }

// near returns the row that y lies in and the one that it lies next to.
func (c *component) near(y int) (in, beside []byte) {
	i := y / 2
	j := i - 1 + 2*(y&1)
	return c.row(i), c.row(min(max(j, 0), c.height-1))
}

// double doubles a row of three or more.
func double(in, out []byte) []byte {
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
	return out
}

// down doubles rows.
func down(c *component, y int, out []byte) []byte {
	in, beside := c.near(y)
	bias := 1 + y&1
	for x, v := range in {
		out[x] = uint8((3*int(v) + int(beside[x]) + bias) >> 2)
	}
	return out
}

// both doubles rows and columns, of three columns or more.
func both(c *component, y int, out []byte) []byte {
	in, beside := c.near(y)
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
	return out
}
