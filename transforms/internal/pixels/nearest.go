package pixels

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
