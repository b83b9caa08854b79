// SPDX-License-Identifier: BSD-3-Clause

package random

import (
	"math/bits"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// shuffle is a keyed one-to-one function of 0 to n-1: a cipher of as many bits as n-1 has, 8 at least, applied until its result is below n. That is the cycle of the
// cipher with what lies beyond n left out, so that no two positions meet; less than two steps on average where n has 8 bits or more.
//
// Source: Mitchell, Stokes, Frank and Holmes (2022), Bandwidth-optimal random shuffling for GPUs, ACM Trans. Parallel Comput. 9(1), doi:10.1145/3505287: VariablePhilox.
type shuffle struct {
	n           uint64
	keys        [shuffleRounds]uint64
	left, right uint // bits of the halves; right has one more where they are odd
}

const (
	shuffleRounds   = 24 // the authors' number, from tests of uniformity
	shuffleMultiply = 0xD2B74407B1CE6E93
)

func newShuffle(n uint64, keys [shuffleRounds]uint64) *shuffle {
	size := uint(max(bits.Len64(n-1), 8))
	return &shuffle{n: n, keys: keys, left: size / 2, right: size - size/2}
}

// at returns where position i goes.
func (s *shuffle) at(i uint64) uint64 {
	leftMask, rightMask := uint64(1)<<s.left-1, uint64(1)<<s.right-1
	for {
		a, b := i>>s.right, i&rightMask
		for _, k := range s.keys {
			// The lowest bits of a product with an odd number tell a, so that each round can be undone.
			x := a * shuffleMultiply
			a, b = (x>>32^k^b)&leftMask, (x<<(s.right-s.left)|b>>s.left)&rightMask
		}
		if i = a<<s.right | b; i < s.n {
			return i
		}
	}
}

// Permutation returns the positions 0 to n-1, each once, in random order: int64. It takes 24 words of the stream, and any part is made without the rest: its first k
// elements are k positions drawn without replacement. A position takes some 100 ns.
//
// One of 2**768 orders at most is drawn, of the n! there are, and not NumPy's: positions, pairs and short orders are spread evenly as far as tests can tell (two halves are
// mixed in 24 rounds), but it is no exact shuffle. n below 0 is an error.
func (g *Generator) Permutation(n int64, opts ...ndarray.Option) ndarray.Array {
	const fn = "permutation"
	if n < 2 {
		if n < 0 {
			return failf("%s: n: got %d, want 0 or more: %w", fn, n, chunk.ErrShape)
		}
		return ndarray.Zeros(chunk.Shape{n}, dtype.Int64, opts...)
	}
	grid, err := ndarray.CreatedGrid(chunk.Shape{n}, dtype.Int64, opts...)
	if err != nil {
		return failf("%s: %w", fn, err)
	}
	from, err := g.take(rule{width: 64}, shuffleRounds)
	if err != nil {
		return failf("%s: %w", fn, err)
	}
	var keys [shuffleRounds]uint64
	g.stream.words(keys[:], from.first)
	return array(fn, &source{order: newShuffle(uint64(n), keys)}, dtype.Int64, grid)
}
