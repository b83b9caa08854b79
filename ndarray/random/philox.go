// SPDX-License-Identifier: BSD-3-Clause

package random

import "math/bits"

// philox is a stream of Philox4x64-10 words. Word i is word i%4 of the block that is the cipher of the counter i/4+1: NumPy adds 1 before it takes a block.
//
// Source: Salmon, Moraes, Dror and Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC '11, doi:10.1145/2063384.2063405.
type philox struct {
	keys  [rounds][2]uint64 // of each round
	again [2]uint64         // high and low word of a product of the second round, the same for all counters below 2^64
}

const (
	rounds    = 10
	multiply0 = 0xD2E7470EE14C6C93
	multiply1 = 0xCA5A826395121157
	weyl0     = 0x9E3779B97F4A7C15 // the golden ratio
	weyl1     = 0xBB67AE8584CAA73B // sqrt(3) - 1
)

func newPhilox(key [2]uint64) *philox {
	p := new(philox)
	for i := range p.keys {
		p.keys[i] = key
		key[0] += weyl0
		key[1] += weyl1
	}
	p.again[0], p.again[1] = bits.Mul64(multiply0, p.keys[0][0])
	return p
}

// block returns words 4b to 4b+3. Counters are below 2^64, so three of their four words are 0: the first round multiplies once,
// and one product of the second is known.
func (p *philox) block(b uint64) (c0, c1, c2, c3 uint64) {
	h0, l0 := bits.Mul64(multiply0, b+1)
	h1, l1 := bits.Mul64(multiply1, h0^p.keys[0][1])
	c0, c1, c2, c3 = h1^p.keys[1][0], l1, p.again[0]^l0^p.keys[1][1], p.again[1]
	for i := 2; i < rounds; i++ {
		h0, l0 = bits.Mul64(multiply0, c0)
		h1, l1 = bits.Mul64(multiply1, c2)
		c0, c1, c2, c3 = h1^c1^p.keys[i][0], l1, h0^c3^p.keys[i][1], l0
	}
	return c0, c1, c2, c3
}

// words sets dst to words first, first+1 ...
func (p *philox) words(dst []uint64, first uint64) {
	b := first / 4
	if skip := first % 4; skip != 0 {
		c0, c1, c2, c3 := p.block(b)
		w := [4]uint64{c0, c1, c2, c3}
		dst = dst[copy(dst, w[skip:]):]
		b++
	}
	for ; len(dst) >= 4; b++ {
		dst[0], dst[1], dst[2], dst[3] = p.block(b)
		dst = dst[4:]
	}
	if len(dst) > 0 {
		c0, c1, c2, c3 := p.block(b)
		w := [4]uint64{c0, c1, c2, c3}
		copy(dst, w[:])
	}
}
