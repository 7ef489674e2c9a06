package kvstest

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"time"
)

// Timecode is what a drawn picture says about itself.
type Timecode struct {
	// Stream is the StreamCode of the stream's name.
	Stream uint32
	// Time is the frame's time, in whole milliseconds, UTC.
	Time time.Time
}

// StreamCode is the 32-bit code of a stream's name in timecodes.
func StreamCode(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	return h.Sum32()
}

// The timecode is a strip of black and white cells along the lower edge: 40
// columns across the picture and 3 rows, each a twentieth of its height. At
// 160×90 a cell is 4 pixels wide, the least that survives JPEG quality 1.
// All of it is in proportion, so a scaled picture can still be read.
//
// Four columns at each end are a fixed pattern; between them stand 96 bits:
// stream code, 48 bits of Unix milliseconds, CRC-16. They are mixed with a
// constant, so that no value gives a plain strip.
const (
	codeColumns = 40
	codeRows    = 3
	codeHeight  = 20 // rows in the whole picture
	syncColumns = 4
	dataColumns = codeColumns - 2*syncColumns
	minContrast = 64 // between the means of white and black cells, of 255
)

// codeSync is each row's pattern, the left end in the high bits.
var codeSync = [codeRows]uint8{0b1011_0010, 0b0100_1101, 0b1101_0010}

// codeMask is mixed with the rows' bits.
var codeMask = [codeRows]uint32{0x5a3c_96e1, 0xc92d_4b76, 0x36b1_d28d}

// encode returns the rows' bits.
func (t Timecode) encode() [codeRows]uint32 {
	b := binary.BigEndian.AppendUint32(nil, t.Stream)
	b = append(b, binary.BigEndian.AppendUint64(nil, uint64(t.Time.UnixMilli()))[2:]...)
	b = binary.BigEndian.AppendUint16(b, crc16(b))
	var rows [codeRows]uint32
	for i := range rows {
		rows[i] = binary.BigEndian.Uint32(b[4*i:]) ^ codeMask[i]
	}
	return rows
}

func decodeTimecode(rows [codeRows]uint32) (Timecode, bool) {
	var b []byte
	for i, row := range rows {
		b = binary.BigEndian.AppendUint32(b, row^codeMask[i])
	}
	millis := binary.BigEndian.Uint64(append([]byte{0, 0}, b[4:10]...))
	return Timecode{binary.BigEndian.Uint32(b), time.UnixMilli(int64(millis)).UTC()},
		crc16(b[:10]) == binary.BigEndian.Uint16(b[10:])
}

// codeCell is where the cell in that column and row stands in a picture.
func codeCell(bounds image.Rectangle, column, row int) image.Rectangle {
	w, h := bounds.Dx(), bounds.Dy()
	x := func(c int) int { return bounds.Min.X + (2*c*w+codeColumns)/(2*codeColumns) }
	y := func(r int) int {
		return bounds.Min.Y + (2*(codeHeight-codeRows+r)*h+codeHeight)/(2*codeHeight)
	}
	return image.Rect(x(column), y(row), x(column+1), y(row+1))
}

// drawTimecode draws the strip into a picture.
func drawTimecode(img *image.YCbCr, t Timecode) {
	for row, bits := range t.encode() {
		sync := codeSync[row]
		line := uint64(sync>>syncColumns)<<(dataColumns+syncColumns) | uint64(bits)<<syncColumns |
			uint64(sync&(1<<syncColumns-1))
		for column := range codeColumns {
			shade := color.YCbCr{Y: 0, Cb: 128, Cr: 128}
			if line>>(codeColumns-1-column)&1 == 1 {
				shade.Y = 255
			}
			fill(img, codeCell(img.Rect, column, row), shade)
		}
	}
}

// ReadTimecode reads the timecode of a picture that the stand-in has drawn. It
// works for pictures of 160×90 pixels or more, at any JPEG quality, and is an
// error for any other picture.
func ReadTimecode(img image.Image) (Timecode, error) {
	var light [codeRows][codeColumns]int
	luma := lumaOf(img)
	for row := range codeRows {
		for column := range codeColumns {
			cell := codeCell(img.Bounds(), column, row)
			if cell.Empty() {
				return Timecode{}, fmt.Errorf("kvstest: no timecode: the picture is only %v", img.Bounds().Size())
			}
			light[row][column] = meanLuma(luma, cell)
		}
	}
	threshold, ok := codeThreshold(&light)
	if !ok {
		return Timecode{}, fmt.Errorf("kvstest: no timecode in the picture")
	}
	var rows [codeRows]uint32
	for row := range codeRows {
		for column := range dataColumns {
			rows[row] <<= 1
			if light[row][syncColumns+column] > threshold {
				rows[row] |= 1
			}
		}
	}
	t, ok := decodeTimecode(rows)
	if !ok {
		return Timecode{}, fmt.Errorf("kvstest: the picture's timecode is damaged")
	}
	return t, nil
}

// codeThreshold finds the light between black and white and checks the
// pattern at both ends.
func codeThreshold(light *[codeRows][codeColumns]int) (threshold int, ok bool) {
	darkest, lightest := 255, 0 // the darkest white and the lightest black
	for row, pattern := range codeSync {
		for i := range 2 * syncColumns {
			column := i
			if i >= syncColumns {
				column += dataColumns
			}
			if pattern>>(2*syncColumns-1-i)&1 == 1 {
				darkest = min(darkest, light[row][column])
			} else {
				lightest = max(lightest, light[row][column])
			}
		}
	}
	return (darkest + lightest) / 2, darkest-lightest >= minContrast
}

// meanLuma is the mean light of up to 8×8 points spread over a cell.
func meanLuma(luma func(x, y int) uint8, cell image.Rectangle) int {
	w, h := cell.Dx(), cell.Dy()
	nx, ny := min(w, 8), min(h, 8)
	sum := 0
	for j := range ny {
		for i := range nx {
			sum += int(luma(cell.Min.X+(2*i+1)*w/(2*nx), cell.Min.Y+(2*j+1)*h/(2*ny)))
		}
	}
	return sum / (nx * ny)
}

func lumaOf(img image.Image) func(x, y int) uint8 {
	if ycc, ok := img.(*image.YCbCr); ok { // what a JPEG decodes to
		return func(x, y int) uint8 { return ycc.Y[ycc.YOffset(x, y)] }
	}
	return func(x, y int) uint8 { return color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y }
}

// crc16 is CRC-16/CCITT-FALSE.
func crc16(b []byte) uint16 {
	crc := uint16(0xffff)
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			carry := crc&0x8000 != 0
			crc <<= 1
			if carry {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
