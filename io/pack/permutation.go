package pack

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
)

// permutation puts the numbers from 0 to n-1 into an order that a seed chooses,
// without a list of them: any process can ask for the place of any number.
//
// It is a Feistel network over pairs of numbers below side, so a bijection of
// [0, side²), whatever mix does. A place that is not below n is sent through it
// again: the cycle that a number below n is on must come back below n.
type permutation struct {
	n, side uint64
	keys    [8]uint64 // of the rounds
}

// newPermutation returns another permutation for each seed and name.
func newPermutation(n, seed int64, name string) permutation {
	p := permutation{n: uint64(n), side: uint64(math.Sqrt(float64(n)))}
	for p.side*p.side < p.n {
		p.side++
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, name))
	state := binary.BigEndian.Uint64(sum[:])
	for i := range p.keys {
		state += 0x9e3779b97f4a7c15
		p.keys[i] = mix(state)
	}
	return p
}

// at returns the place of i, which must be from 0 to n-1.
func (p *permutation) at(i int64) int64 {
	x := uint64(i)
	for {
		left, right := x/p.side, x%p.side
		for _, key := range p.keys {
			left, right = right, (left+mix(right^key)%p.side)%p.side
		}
		if x = left*p.side + right; x < p.n {
			return int64(x)
		}
	}
}

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
