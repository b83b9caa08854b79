// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"math"
	"math/bits"
	"sync"
)

// The alphabets of deflate (RFC 1951, 3.2.5), and the lengths of codes that are made.
const (
	litSymbolCount  = 286
	distSymbolCount = 30
	endOfBlock      = 256
	litCodeLimit    = 14 // not 15: four literals fit into a word beside the rest of a byte
	distCodeLimit   = 15
	preCodeLimit    = 7
	shortestMatch   = 3
	longestMatch    = 258
	deflateWindow   = 1 << 15
)

// deflateTables are what bits of numbers follow the codes, and logarithms.
type deflateTables struct {
	length      [longestMatch - shortestMatch + 1]uint8 // the symbol of a length, without 257
	lengthBase  [29]uint8                               // the first length of each, without 3
	lengthExtra [29]uint8
	distBase    [distSymbolCount]uint16 // the first distance of each symbol, without 1
	distExtra   [distSymbolCount]uint8
	log         [1 << logPrecise]uint16 // log[i] is the logarithm of 1+i/len(log) in parts of logOne
}

const (
	logPrecise = 12
	logOne     = 1 << 16
)

var deflateTable = sync.OnceValue(func() *deflateTables {
	t := &deflateTables{}
	at := 0
	for i := range 28 {
		t.lengthBase[i], t.lengthExtra[i] = uint8(at), uint8(max(0, i/4-1))
		for range 1 << t.lengthExtra[i] {
			t.length[at] = uint8(i)
			at++
		}
	}
	t.lengthBase[28], t.length[255] = 255, 28 // 258 has a symbol of its own
	at = 0
	for i := range t.distBase {
		t.distBase[i], t.distExtra[i] = uint16(at), uint8(max(0, i/2-1))
		at += 1 << t.distExtra[i]
	}
	for i := range t.log {
		t.log[i] = uint16(min(math.Round(logOne*math.Log2(1+float64(i)/float64(len(t.log)))), logOne-1))
	}
	return t
})

// distSymbol returns the symbol of a distance.
func distSymbol(dist uint32) uint32 {
	if dist < 3 {
		return dist - 1
	}
	d := dist - 1
	k := uint32(bits.Len32(d)) - 1
	return 2*k + d>>((k-1)&31)&1
}

// log2 returns the logarithm of n, which is not zero, in parts of logOne.
func (t *deflateTables) log2(n uint32) uint32 {
	zeros := bits.LeadingZeros32(n)
	return uint32(31-zeros)*logOne + uint32(t.log[n<<zeros>>(31-logPrecise)&(1<<logPrecise-1)])
}

// nlog returns n times its logarithm.
func (t *deflateTables) nlog(n uint32) int64 {
	if n < 2 {
		return 0
	}
	return int64(n) * int64(t.log2(n))
}

// symbolCounts are how often symbols occur.
type symbolCounts struct {
	lit  [litSymbolCount]uint32
	dist [distSymbolCount]uint32
}

// entropy returns the bits of the codes, at best, of c and of c together with o, in parts of logOne.
func (c *symbolCounts) entropy(t *deflateTables, o *symbolCounts) (alone, both int64) {
	alone, both = t.joinedBits(c.lit[:], o.lit[:])
	a, b := t.joinedBits(c.dist[:], o.dist[:])
	return alone + a, both + b
}

// joinedBits returns the bits, at best, of symbols that occur a times, and of a and b together.
func (t *deflateTables) joinedBits(a, b []uint32) (alone, both int64) {
	var n, m uint32
	for i, x := range a {
		y := x + b[i]
		n, m = n+x, m+y
		alone -= t.nlog(x)
		both -= t.nlog(y)
	}
	return alone + t.nlog(n), both + t.nlog(m)
}

// extra returns the bits that follow the codes.
func (c *symbolCounts) extra(t *deflateTables) int {
	n := 0
	for i, e := range t.lengthExtra {
		n += int(c.lit[endOfBlock+1+i]) * int(e)
	}
	for i, e := range t.distExtra {
		n += int(c.dist[i]) * int(e)
	}
	return n
}

// cost returns the bits of the symbols, with what follows them, in codes of these lengths.
func (c *symbolCounts) cost(t *deflateTables, lit, dist []uint8) int {
	n := c.extra(t)
	for i, x := range c.lit {
		n += int(x) * int(lit[i])
	}
	for i, x := range c.dist {
		n += int(x) * int(dist[i])
	}
	return n
}

// header is about how many bits the header of a block with these symbols has.
func (c *symbolCounts) header() int64 {
	used := 0
	for _, part := range [...][]uint32{c.lit[:], c.dist[:]} {
		for _, n := range part {
			if n > 0 {
				used++
			}
		}
	}
	return int64(60 + 7*used/2)
}

func (c *symbolCounts) add(o *symbolCounts) {
	for i, n := range o.lit {
		c.lit[i] += n
	}
	for i, n := range o.dist {
		c.dist[i] += n
	}
}
