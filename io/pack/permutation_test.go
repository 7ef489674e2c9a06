package pack

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func order(p permutation) []int64 {
	places := make([]int64, p.n)
	for i := range places {
		places[i] = p.at(int64(i))
	}
	return places
}

func TestPermutationIsABijection(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 3000).Draw(t, "n")
		p := newPermutation(n, rapid.Int64().Draw(t, "seed"), rapid.String().Draw(t, "name"))
		places := order(p)
		slices.Sort(places)
		for i, place := range places {
			if place != int64(i) {
				t.Fatalf("the places in order are %v", places)
			}
		}
	})
}

// At any size its numbers stay in range, and two do not meet.
func TestPermutationOfManyNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(2, 1<<40).Draw(t, "n")
		p := newPermutation(n, rapid.Int64().Draw(t, "seed"), "train")
		i, j := rapid.Int64Range(0, n-1).Draw(t, "i"), rapid.Int64Range(0, n-1).Draw(t, "j")
		a, b := p.at(i), p.at(j)
		if a < 0 || a >= n || (a == b) != (i == j) {
			t.Fatalf("%d is at %d, %d at %d", i, a, j, b)
		}
	})
}

// Neighbours do not stay together, and every part of the order comes from every
// part of what is mixed.
func TestPermutationMixes(t *testing.T) {
	const n, parts = 100_000, 10
	for seed := range int64(5) {
		p := newPermutation(n, seed, "train")
		near := 0
		var from [parts][parts]int
		for i := range int64(n) {
			at := p.at(i)
			from[i*parts/n][at*parts/n]++
			if i > 0 && max(at-p.at(i-1), p.at(i-1)-at) < n/1000 {
				near++
			}
		}
		if near > n/250 { // by chance n/500
			t.Errorf("seed %d: %d neighbours stay near each other", seed, near)
		}
		for i := range from {
			for j, got := range from[i] {
				if want := n / parts / parts; got < want*8/10 || got > want*12/10 {
					t.Errorf("seed %d: %d of part %d are in part %d, want about %d", seed, got, i, j, want)
				}
			}
		}
	}
}

// Sets that were packed with a seed must come out the same for ever.
func TestPermutationStaysAsItIs(t *testing.T) {
	for _, test := range []struct {
		seed int64
		name string
		want []int64
	}{
		{1, "train", []int64{8, 0, 1, 9, 4, 3, 7, 5, 2, 6}},
		{2, "train", []int64{6, 3, 2, 1, 5, 0, 8, 7, 4, 9}},
		{1, "val", []int64{3, 7, 9, 2, 1, 8, 4, 5, 6, 0}},
	} {
		if got := order(newPermutation(10, test.seed, test.name)); !slices.Equal(got, test.want) {
			t.Errorf("seed %d of %s: %v, want %v", test.seed, test.name, got, test.want)
		}
	}
}
