// SPDX-License-Identifier: BSD-3-Clause

package codec

import "math/bits"

// Bits looked up directly; longer codes go through a second-level table.
const litBits, distBits, preBits = 11, 8, 7

// Table entries: literal = fLit | count<<24 | second<<16 | first<<8 | codeLen, where two literals whose codes are found at once share an entry; length = base<<16 | codeLen<<8 | bits;
// distance = base<<14 | codeLen<<8 | bits, where bits are those of the code and what follows it; fSub = place<<8 | bits of a second-level
// table; fEOB = end of block; 0 = no such code.
const (
	fLit = 1 << 31
	fSub = 1 << 30
	fEOB = 1 << 29
	fOne = 1 << 24 // of the count of literals
)

// The meaning of each symbol, with the number of bits that follow it in the place of its code's length (RFC 1951, 3.2.5).
var (
	litSymbols  = makeLitSymbols()
	distSymbols = makeDistSymbols()
	preSymbols  = makePreSymbols()
)

// preOrder is the order in which code lengths of the code length code are stored.
var preOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

func makeLitSymbols() (t [288]uint32) {
	for i := range 256 {
		t[i] = fLit | fOne | uint32(i)<<8
	}
	t[256] = fEOB
	base := []uint32{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	for i, b := range base {
		extra := uint32(0)
		if i >= 8 && i < 28 {
			extra = uint32(i/4 - 1)
		}
		t[257+i] = b<<16 | extra<<8
	}
	return t
}

func makeDistSymbols() (t [32]uint32) {
	base := uint32(1)
	for i := range 30 {
		extra := uint32(0)
		if i >= 4 {
			extra = uint32(i/2 - 1)
		}
		t[i] = base<<14 | extra<<8
		base += 1 << extra
	}
	return t
}

func makePreSymbols() (t [19]uint32) {
	for i := range t {
		t[i] = uint32(i) << 16
	}
	return t
}

// buildTable fills a two-level decoding table for the code lengths. It reports
// false for codes that claim more than the whole code space or symbols without
// meaning; incomplete codes leave entries of 0.
func buildTable(tab []uint32, tb uint, lens []byte, symbols []uint32) bool {
	var count [16]int
	for _, l := range lens {
		count[l]++
	}
	count[0] = 0
	var next [16]uint32
	code, left := uint32(0), 1
	for b := 1; b < 16; b++ {
		code = (code + uint32(count[b-1])) << 1
		next[b] = code
		left = left<<1 - count[b]
		if left < 0 {
			return false
		}
	}
	clear(tab[:1<<tb])
	long := false
	for b := int(tb) + 1; b < 16; b++ {
		long = long || count[b] > 0
	}
	// Each second-level table is as large as the longest code with its prefix needs.
	var deepest [1 << litBits]uint8
	if long {
		nx := next
		for _, l := range lens {
			if l == 0 {
				continue
			}
			c := nx[l]
			nx[l]++
			if uint(l) > tb {
				p := uint32(bits.Reverse16(uint16(c))>>(16-l)) & (1<<tb - 1)
				deepest[p] = max(deepest[p], l)
			}
		}
	}
	free := 1 << tb
	for s, l := range lens {
		if l == 0 {
			continue
		}
		c := next[l]
		next[l]++
		r := uint32(bits.Reverse16(uint16(c)) >> (16 - l))
		if s >= len(symbols) || symbols[s] == 0 && s != 0 {
			return false
		}
		e := symbols[s] | uint32(l)
		if e&fLit == 0 {
			extra := e >> 8 & 63
			e = e&^(63<<8) | uint32(l)<<8 + extra
		}
		if uint(l) <= tb {
			for i := r; i < 1<<tb; i += 1 << l {
				tab[i] = e
			}
			continue
		}
		p := r & (1<<tb - 1)
		sub := uint(deepest[p]) - tb
		if tab[p]&fSub == 0 {
			if free+1<<sub > len(tab) {
				return false
			}
			tab[p] = fSub | uint32(free)<<8 | uint32(sub)
			clear(tab[free : free+1<<sub])
			free += 1 << sub
		}
		base := tab[p] >> 8 & 0x1fffff
		for i := r >> tb; i < 1<<sub; i += 1 << (uint(l) - tb) {
			tab[base+i] = e
		}
	}
	return true
}

// pair joins two literals whose codes fit into one look at the table, where short codes say that this happens often.
func pair(tab []uint32, lens []byte) {
	short := 0 // the share of literals with up to half of the bits, in 32nds
	for _, l := range lens {
		if l-1 < litBits/2 {
			short += 32 >> l
		}
	}
	if short < 8 {
		return
	}
	// downwards: what follows a code is at a lower place, and not joined yet
	for i := len(tab) - 1; i >= 0; i-- {
		e := tab[i]
		next := tab[i>>(e&31)]
		if n := e&31 + next&31; e&next&fLit != 0 && n <= litBits {
			tab[i] = fLit | 2*fOne | next&0xff00<<8 | e&0xff00 | n
		}
	}
}
