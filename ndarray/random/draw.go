// SPDX-License-Identifier: BSD-3-Clause

package random

import "math/bits"

// stretch is the part of a stream that one call draws: words from first on. Draws of 32 bits are halves of words, the lower one first; where spare is
// set the first of them is the upper half of the word left, which an earlier call had begun.
type stretch struct {
	stream *philox
	first  uint64
	spare  bool
	left   uint64
}

// scratch holds what is drawn for a batch of integers, two words for each.
type scratch struct {
	words [2 * batch]uint64
	drawn [batch/2 + 1]uint64
}

// draw sets c.words[:n] to the integers first, first+1 ... of s.
func draw(s *source, c *scratch, first uint64, n int64) {
	at, r := s.from, s.rule
	out := c.words[:n]
	switch {
	case r.pair():
		w := c.words[:2*n]
		at.stream.words(w, at.first+2*first)
		for i := range out {
			out[i] = r.boundedPair(w[2*i], w[2*i+1])
		}
	case r.n > 0:
		at.stream.words(out, at.first+first)
		for i, x := range out {
			out[i] = r.bounded(x)
		}
	case r.width == 64:
		at.stream.words(out, at.first+first)
		if r.shift == 0 && r.lo == 0 {
			return
		}
		for i, x := range out {
			out[i] = x>>r.shift + r.lo
		}
	default:
		at.parts(c, r, first, out)
	}
}

// parts draws fewer than 64 bits for each integer: the lowest bits of a half come first, and a call does not use what an earlier one has left of a half.
func (at stretch) parts(c *scratch, r rule, first uint64, out []uint64) {
	each := uint64(bits.TrailingZeros(32 / r.width)) // 2^each integers from a half
	mask := uint64(1)<<r.width - 1
	emit := func(i int, half uint64) {
		k := (first + uint64(i)) & (1<<each - 1)
		out[i] = (half>>(uint64(r.width)*k)&mask)>>r.shift + r.lo
	}
	i, skip := 0, uint64(0)
	if at.spare {
		skip = 1
		if first>>each == 0 {
			at.stream.words(c.drawn[:1], at.left)
			for ; i < len(out) && (first+uint64(i))>>each == 0; i++ {
				emit(i, c.drawn[0]>>32)
			}
		}
	}
	if i == len(out) {
		return
	}
	base := ((first+uint64(i))>>each - skip) / 2
	last := ((first+uint64(len(out))-1)>>each - skip) / 2
	at.stream.words(c.drawn[:last-base+1], at.first+base)
	for ; i < len(out); i++ {
		half := (first+uint64(i))>>each - skip
		emit(i, c.drawn[half/2-base]>>(32*(half%2))&(1<<32-1))
	}
}

// put converts integers to those of dst, of which they have the lowest bits.
func put[T integer](dst []T, from []uint64) {
	for i, x := range from {
		dst[i] = T(x)
	}
}
