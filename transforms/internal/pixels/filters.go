package pixels

import "math"

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
