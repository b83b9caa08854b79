// SPDX-License-Identifier: BSD-3-Clause

package random

import "math"

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
	case s.order != nil:
		for i := range out {
			out[i] = s.order.at(first + uint64(i))
		}
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
			out[i] = x>>(r.shift&63) + r.lo // without a test of the shift
		}
	default:
		at.parts(c, r, first, out)
	}
}

// parts draws fewer than 64 bits for each integer: the lowest bits of a word come first, and a call does not use what an earlier one has left of a half.
func (at stretch) parts(c *scratch, r rule, first uint64, out []uint64) {
	if at.spare {
		half := 32 / uint64(r.width) // integers in the upper half of the word left
		if first < half {
			at.stream.words(c.drawn[:1], at.left)
			n := min(uint64(len(out)), half-first)
			r.cut(out[:n], c.drawn[0]>>(32+uint64(r.width)*first))
			out, first = out[n:], first+n
		}
		first -= half
	}
	if len(out) == 0 {
		return
	}
	each := 64 / uint64(r.width)
	word, skip := first/each, first%each
	words := c.drawn[:(skip+uint64(len(out))-1)/each+1]
	at.stream.words(words, at.first+word)
	for _, x := range words {
		if r.width == 32 && skip == 0 && len(out) > 1 { // most draws; a loop for each word of two takes longer
			out[0], out[1] = (x&math.MaxUint32)>>(r.shift&63)+r.lo, (x>>32)>>(r.shift&63)+r.lo
			out = out[2:]
			continue
		}
		n := min(uint64(len(out)), each-skip)
		r.cut(out[:n], x>>(uint64(r.width)*skip))
		out, skip = out[n:], 0
	}
}

// cut makes integers of the lowest bits of x.
func (r rule) cut(out []uint64, x uint64) {
	mask := uint64(1)<<r.width - 1
	for i := range out {
		out[i] = (x&mask)>>(r.shift&63) + r.lo
		x >>= r.width & 63
	}
}

// put converts integers to those of dst, of which they have the lowest bits.
func put[T integer](dst []T, from []uint64) {
	for i, x := range from {
		dst[i] = T(x)
	}
}
