package transforms

// turn returns the pixels as an EXIF orientation from 2 to 8 says that they are
// to be seen.
func (p *pixels) turn(orientation int) pixels {
	out := pixels{width: p.width, height: p.height, data: buffer(len(p.data))}
	if orientation >= 5 {
		out.width, out.height = p.height, p.width
	}
	for y := range out.height {
		for x := range out.width {
			fromX, fromY := x, y
			if orientation >= 5 { // rows are columns
				fromX, fromY = y, x
			}
			switch orientation {
			case 2, 3, 7, 8:
				fromX = p.width - 1 - fromX
			}
			switch orientation {
			case 3, 4, 6, 7:
				fromY = p.height - 1 - fromY
			}
			copy(out.data[3*(y*out.width+x):][:3], p.data[3*(fromY*p.width+fromX):])
		}
	}
	return out
}
