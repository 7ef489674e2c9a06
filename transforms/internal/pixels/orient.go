package pixels

// orient returns the picture as an EXIF orientation from 2 to 8 says that it is to
// be seen.
func (p *Image) orient(orientation int) Image {
	out := New(p.Width, p.Height)
	if orientation >= 5 {
		out.Width, out.Height = p.Height, p.Width
	}
	for y := range out.Height {
		for x := range out.Width {
			fromX, fromY := x, y
			if orientation >= 5 { // rows are columns
				fromX, fromY = y, x
			}
			switch orientation {
			case 2, 3, 7, 8:
				fromX = p.Width - 1 - fromX
			}
			switch orientation {
			case 3, 4, 6, 7:
				fromY = p.Height - 1 - fromY
			}
			copy(out.Data[3*(y*out.Width+x):][:3], p.Data[3*(fromY*p.Width+fromX):])
		}
	}
	return out
}
