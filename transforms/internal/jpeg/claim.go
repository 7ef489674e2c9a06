package jpeg

import "fmt"

// Check returns an error if a file of n bytes cannot hold what its header claims.
// Each block takes a bit at least, that of its DC coefficient, and a sequential
// one a second bit, that of its end.
func (h *Header) Check(n int) error {
	if n < h.blocks()*h.blockBits/8 {
		return fmt.Errorf("the JPEG has %d bytes, which cannot be %d×%d pixels", n, h.Width, h.Height)
	}
	return nil
}

// blocks returns how many blocks all components have together.
func (h *Header) blocks() (total int) {
	if h.components() == 1 {
		return ceil(h.Width, 8) * ceil(h.Height, 8)
	}
	if h.scans == h.components() { // interleaved: whole MCUs
		return h.paddedBlocks()
	}
	hMax, vMax, _ := h.sampling()
	for i := range h.components() {
		factors := h.frame[7+3*i]
		width, height := ceil(h.Width*int(factors>>4), hMax), ceil(h.Height*int(factors&15), vMax)
		total += ceil(width, 8) * ceil(height, 8)
	}
	return total
}

// paddedBlocks returns how many blocks all components have in whole MCUs.
func (h *Header) paddedBlocks() int {
	hMax, vMax, each := h.sampling()
	return ceil(h.Width, 8*hMax) * ceil(h.Height, 8*vMax) * each
}

func (h *Header) components() int { return int(h.frame[5]) }

// sampling returns the largest sampling factors, and how many blocks an MCU has.
func (h *Header) sampling() (hMax, vMax, blocks int) {
	hMax, vMax = 1, 1
	if h.components() == 1 {
		return 1, 1, 1 // whatever its factors are
	}
	for i := range h.components() {
		factors := h.frame[7+3*i]
		hMax, vMax = max(hMax, int(factors>>4)), max(vMax, int(factors&15))
		blocks += int(factors>>4) * int(factors&15)
	}
	return hMax, vMax, blocks
}

// Memory returns how many bytes image/jpeg takes to decode the JPEG: its planes,
// of a progressive one all coefficients, of CMYK and RGB pixels beside the planes.
func (h *Header) Memory() int {
	samples := 64 * h.paddedBlocks()
	memory := samples
	if h.progressive {
		memory += 4 * samples
	}
	if n := h.components(); n == 4 || n == 3 && h.rgb() {
		memory += 4 * h.Width * h.Height
	}
	return memory
}
