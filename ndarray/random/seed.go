// SPDX-License-Identifier: BSD-3-Clause

package random

// seedSequence is NumPy's SeedSequence: it hashes a seed and a path of spawned children to a pool of 128 bits, of which keys are made. Its constants are
// those of numpy/random/bit_generator.pyx, after M. E. O'Neill's randutils.
type seedSequence struct {
	entropy uint64
	path    []uint32 // the number of each child on the way here
}

const (
	poolWords = 4
	initA     = 0x43b0d7e5
	multA     = 0x931e8875
	initB     = 0x8b51f9dd
	multB     = 0x58f38ded
	mixLeft   = 0xca01f9dd
	mixRight  = 0x4973f715
)

// words returns what is hashed: the seed, the lowest 32 bits first, and the path. A path begins behind a full pool, so that no seed alone equals it.
func (s seedSequence) words() []uint32 {
	w := []uint32{uint32(s.entropy)}
	if hi := uint32(s.entropy >> 32); hi != 0 {
		w = append(w, hi)
	}
	if len(s.path) > 0 {
		w = append(w, make([]uint32, poolWords-len(w))...)
	}
	return append(w, s.path...)
}

// pool mixes all bits of the words into each other.
func (s seedSequence) pool() (p [poolWords]uint32) {
	c := uint32(initA)
	hash := func(v uint32) uint32 {
		v ^= c
		c *= multA
		v *= c
		return v ^ v>>16
	}
	mix := func(x, y uint32) uint32 {
		r := mixLeft*x - mixRight*y
		return r ^ r>>16
	}
	w := s.words()
	for i := range p {
		if i < len(w) {
			p[i] = hash(w[i])
		} else {
			p[i] = hash(0)
		}
	}
	for from := range p {
		for to := range p {
			if from != to {
				p[to] = mix(p[to], hash(p[from]))
			}
		}
	}
	for _, v := range w[min(len(w), poolWords):] {
		for to := range p {
			p[to] = mix(p[to], hash(v))
		}
	}
	return p
}

// key returns the key of a Philox4x64: generate_state(2, uint64).
func (s seedSequence) key() (k [2]uint64) {
	p, c := s.pool(), uint32(initB)
	for i := range 4 {
		v := p[i] ^ c
		c *= multB
		v *= c
		k[i/2] |= uint64(v^v>>16) << (32 * (i % 2))
	}
	return k
}
