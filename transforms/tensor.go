package transforms

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/kvsframes/kvsframes/internal/fault"
	"github.com/kvsframes/kvsframes/io/frame"
	"github.com/kvsframes/kvsframes/transforms/internal/pixels"
)

// Dtype is a type of a tensor's values, as numpy calls it.
type Dtype string

// The types of a tensor's values.
const (
	Uint8   Dtype = "uint8"   // 0 to 255
	Float32 Dtype = "float32" // 0 to 1, little-endian: value/255, as numpy rounds it
)

// Dtypes lists what TensorParams takes.
var Dtypes = []Dtype{Uint8, Float32}

// TensorParams are the parameters of [Tensor], and as a [Step] make tensors of
// pictures: .npy files of shape (1, height, width, 3). A tensor takes the place of
// the picture, in a frame of [frame.NPY], unless it is to stand beside it.
type TensorParams struct {
	Dtype  Dtype // one of Dtypes; default Uint8
	Beside bool  // the picture stays, and the tensor of its pixels is the frame's Tensor
}

// Validate returns an error that names each field that is wrong.
func (p TensorParams) Validate() error {
	return oneOf("TensorParams.Dtype", p.Dtype, Dtypes)
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
	return "tensor " + string(p.Dtype)
}

// ParseTensor reads the name of a type, with :beside behind it where the picture is
// to stay: "float32:beside". What it returns is valid.
func ParseTensor(s string) (TensorParams, error) {
	dtype, besides := strings.CutSuffix(s, beside)
	p := TensorParams{Dtype: Dtype(dtype), Beside: besides}
	if !slices.Contains(Dtypes, p.Dtype) {
		return p, fmt.Errorf("it must be one of %s, with %s behind it where the picture is to stay", fault.List(Dtypes), beside)
	}
	return p, nil
}

var tensors = kind{meter: newMeter("tensor"), parse: func(spec string) (Step, error) { return ParseTensor(spec) }}

func (p TensorParams) after(f form) (form, error) {
	return form{tensor: p, pixels: f.pixels && p.Beside}, f.picture(p)
}

func (p TensorParams) prepare(s *sample) error {
	if err := s.decode(DecodeParams{}, 1); err != nil {
		return err
	}
	if p.Beside {
		s.frame.Tensor = p.npy(&s.pixels)
		return nil
	}
	s.frame.Data = p.npy(&s.pixels)
	s.frame.Format = frame.NPY
	s.stale = false
	s.pixels.Release()
	return nil
}

// npy writes a .npy file of version 1.0, as numpy.save does.
func (p TensorParams) npy(in *pixels.Image) []byte {
	descr, size := "|u1", 1
	if p.Dtype == Float32 {
		descr, size = "<f4", 4
	}
	const preamble = 10 // bytes
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (1, %d, %d, 3), }", descr, in.Height, in.Width)
	begin := (preamble + len(header) + 1 + 63) / 64 * 64
	out := make([]byte, 0, begin+size*len(in.Data))
	out = append(out, "\x93NUMPY\x01\x00"...)
	out = binary.LittleEndian.AppendUint16(out, uint16(begin-preamble))
	out = append(out, header...)
	for len(out) < begin-1 {
		out = append(out, ' ')
	}
	out = append(out, '\n')
	if size == 1 {
		return append(out, in.Data...)
	}
	out = out[:cap(out)]
	pixels.Unit(out[begin:], in.Data)
	return out
}
