// Command kernels prints the assembly of a package's kernels, in AVX2:
//
//	kernels jpeg|pixels
//
// Each kernel does what a Go function of its package does, with the same values.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

func main() {
	log.SetFlags(0)
	flag.Parse()
	ConstraintExpr("!purego")
	switch flag.Arg(0) {
	case "jpeg":
		codes()
		inverse8()
		inverse4()
		inverse2()
		toRGB()
		double()
		down()
		both()
	case "pixels":
		across()
		weigh()
		unit()
	default:
		log.Fatalf("kernels %q: it must be jpeg or pixels", flag.Arg(0))
	}
	Generate()
}

// words returns a constant of two words in turn, as VPMADDWD multiplies pairs by them.
func words(name string, first, second int16) Mem {
	return dwords(name, uint32(uint16(first))|uint32(uint16(second))<<16)
}

// dwords returns a constant of 32 bytes: the values in turn.
func dwords(name string, values ...uint32) Mem {
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(values[i%len(values)]))
	}
	constants[name] = m
	return m
}

// bytes returns a constant of 32 bytes: 16, the same in both lanes.
func bytes(name string, values [16]byte) Mem {
	var four [4]uint32
	for i, v := range values {
		four[i/4] |= uint32(v) << (i % 4 * 8)
	}
	return dwords(name, four[:]...)
}

var constants = map[string]Mem{}
