package transforms

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
)

// The types of a tensor's values.
const (
	Uint8   = "uint8"   // 0 to 255
	Float32 = "float32" // 0 to 1, little-endian: value/255, as numpy rounds it
)

// Dtypes lists what TensorParams takes.
var Dtypes = []string{Uint8, Float32}

// TensorParams are the parameters of [Tensor], and as a [Step] make tensors of
// pictures: .npy files of shape (1, height, width, 3). A tensor takes the place of
// the picture, in a frame of [frame.NPY], unless it is to stand beside it.
type TensorParams struct {
	Dtype  string // one of Dtypes; default Uint8
	Beside bool   // the picture stays, and the tensor of its pixels is the frame's Tensor
}

// Validate returns an error that names each field that is wrong.
func (p TensorParams) Validate() error {
	if p.Dtype != "" && p.Dtype != Uint8 && p.Dtype != Float32 {
		return fault.New("TensorParams.Dtype", strconv.Quote(p.Dtype), "one of "+strings.Join(Dtypes, ", "))
	}
	return nil
}

// beside is how a type says that the picture stays.
const beside = ":beside"

// String describes the step in one line: "tensor uint8", "tensor float32:beside".
func (p TensorParams) String() string {
	if p.Dtype == "" {
		p.Dtype = Uint8
	}
	if p.Beside {
		p.Dtype += beside
	}
	return "tensor " + p.Dtype
}

// ParseTensor reads the name of a type, with :beside behind it where the picture is
// to stay: "float32:beside". What it returns is valid.
func ParseTensor(s string) (TensorParams, error) {
	var p TensorParams
	p.Dtype, p.Beside = strings.CutSuffix(s, beside)
	if !slices.Contains(Dtypes, p.Dtype) {
		return p, fmt.Errorf("it must be one of %s, with %s behind it where the picture is to stay", strings.Join(Dtypes, ", "), beside)
	}
	return p, nil
}

func (p TensorParams) prepare(w *work) error {
	if err := w.decode(DecodeParams{}, 1); err != nil {
		return err
	}
	if p.Beside {
		w.frame.Tensor = p.npy(&w.pixels)
		return nil
	}
	w.frame.Data = p.npy(&w.pixels)
	w.frame.Format = frame.NPY
	w.stale = false
	w.pixels.release()
	return nil
}

// npy writes a .npy file of version 1.0, as numpy.save does.
func (p TensorParams) npy(in *pixels) []byte {
	descr, size := "|u1", 1
	if p.Dtype == Float32 {
		descr, size = "<f4", 4
	}
	const preamble = 10 // bytes
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (1, %d, %d, 3), }", descr, in.height, in.width)
	begin := (preamble + len(header) + 1 + 63) / 64 * 64
	out := make([]byte, 0, begin+size*len(in.data))
	out = append(out, "\x93NUMPY\x01\x00"...)
	out = binary.LittleEndian.AppendUint16(out, uint16(begin-preamble))
	out = append(out, header...)
	for len(out) < begin-1 {
		out = append(out, ' ')
	}
	out = append(out, '\n')
	if size == 1 {
		return append(out, in.data...)
	}
	out = out[:cap(out)]
	for i, v := range in.data {
		binary.LittleEndian.PutUint32(out[begin+4*i:], unit[v])
	}
	return out
}

// unit is the bits of each value's share of 255.
var unit = func() (bits [256]uint32) {
	for i := range bits {
		bits[i] = math.Float32bits(float32(i) / 255)
	}
	return bits
}()
