// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"slices"
)

// sequence is a number of literals and the match behind them, of length 0 where there is none.
type sequence struct {
	literals     uint32
	length, dist uint16
}

// bitWriter writes bits, the lowest of a byte first.
type bitWriter struct {
	out  []byte
	bits uint64
	n    uint // bits that are not yet in out, fewer than 8 between two calls
}

// put writes the low n bits of v, at most 48.
func (w *bitWriter) put(v uint64, n uint) {
	w.bits |= v << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.out = append(w.out, byte(w.bits))
		w.bits >>= 8
	}
}

// align fills a byte that has been begun.
func (w *bitWriter) align() {
	if w.n > 0 {
		w.out = append(w.out, byte(w.bits))
		w.bits, w.n = 0, 0
	}
}

// Lengths of the code of the lengths of codes: how many bits follow its symbols.
var preExtra = [19]uint8{16: 2, 17: 3, 18: 7}

// repeats appends lengths of codes as symbols of the header's code, with the bits that follow them above the low five.
func repeats(out []uint16, lens []uint8) []uint16 {
	for len(lens) > 0 {
		l, run := lens[0], 1
		for run < len(lens) && lens[run] == l {
			run++
		}
		lens = lens[run:]
		if l == 0 {
			for ; run >= 11; run -= min(run, 138) {
				out = append(out, 18|uint16(min(run, 138)-11)<<5)
			}
			if run >= 3 {
				out = append(out, 17|uint16(run-3)<<5)
				run = 0
			}
		} else {
			out = append(out, uint16(l))
			for run--; run >= 3; {
				n := min(run, 6)
				if run == 7 { // 4 and 3, not 6 and one alone
					n = 4
				}
				out = append(out, 16|uint16(n-3)<<5)
				run -= n
			}
		}
		for range run {
			out = append(out, uint16(l))
		}
	}
	return out
}

// The lengths of the codes that need no header; the last two symbols of both have no meaning.
var fixedLit, fixedDist = func() (l [288]uint8, d [32]uint8) {
	for i := range l {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		default:
			l[i] = 8
		}
	}
	for i := range d {
		d[i] = 5
	}
	return l, d
}()

// blockWriter holds the codes of a block.
type blockWriter struct {
	t       *deflateTables
	lit     [288]uint32
	dist    [distSymbolCount]uint32
	match   [longestMatch - shortestMatch + 1]uint32 // the code of a length and the bits behind it, as in lit
	lens    [litSymbolCount + distSymbolCount]uint8
	pre     []uint16
	preLens [19]uint8
	preCode [19]uint32
}

// write writes the block src, which is seqs with symbols c: in codes of its own, in the fixed ones or as it is, whatever is shortest.
func (k *blockWriter) write(w *bitWriter, src []byte, seqs []sequence, c *symbolCounts, final bool) {
	c.lit[endOfBlock] = 1
	last := uint64(0)
	if final {
		last = 1
	}
	var lit [litSymbolCount]uint8
	var dist [distSymbolCount]uint8
	codeLengths(lit[:], c.lit[:], litCodeLimit)
	codeLengths(dist[:], c.dist[:], distCodeLimit)
	nlit, ndist, npre, head := k.header(lit[:], dist[:])
	dynamic := head + c.cost(k.t, lit[:], dist[:])
	fixed := c.cost(k.t, fixedLit[:litSymbolCount], fixedDist[:distSymbolCount])
	stored := 8*len(src) + 40*(len(src)/65535+1)
	w.out = slices.Grow(w.out, min(dynamic, fixed, stored)/8+64)
	switch {
	case stored <= min(dynamic, fixed):
		w.stored(src, last)
		return
	case fixed <= dynamic:
		w.put(last|1<<1, 3)
		prefixCodes(k.lit[:], fixedLit[:])
		prefixCodes(k.dist[:], fixedDist[:distSymbolCount])
	default:
		w.put(last|2<<1, 3)
		w.put(uint64(nlit-257|(ndist-1)<<5|(npre-4)<<10), 14)
		for _, s := range preOrder[:npre] {
			w.put(uint64(k.preLens[s]), 3)
		}
		prefixCodes(k.preCode[:], k.preLens[:])
		for _, p := range k.pre {
			e := k.preCode[p&31]
			w.put(uint64(e>>5)|uint64(p>>5)<<(e&31), uint(e&31)+uint(preExtra[p&31]))
		}
		prefixCodes(k.lit[:], lit[:])
		prefixCodes(k.dist[:], dist[:])
	}
	for i := range k.match {
		s := k.t.length[i]
		e := k.lit[endOfBlock+1+int(s)]
		n := e & 31
		k.match[i] = (e>>5|uint32(i-int(k.t.lengthBase[s]))<<n)<<5 | (n + uint32(k.t.lengthExtra[s]))
	}
	k.symbols(w, src, seqs)
	e := k.lit[endOfBlock]
	w.put(uint64(e>>5), uint(e&31))
}

// header makes the header of a block: how many lengths of each code it has, and its bits.
func (k *blockWriter) header(lit, dist []uint8) (nlit, ndist, npre, size int) {
	nlit, ndist, npre = len(lit), len(dist), len(preOrder)
	for nlit > endOfBlock+1 && lit[nlit-1] == 0 {
		nlit--
	}
	for ndist > 1 && dist[ndist-1] == 0 {
		ndist--
	}
	n := copy(k.lens[:], lit[:nlit])
	n += copy(k.lens[n:], dist[:ndist])
	k.pre = repeats(k.pre[:0], k.lens[:n])
	var counts [19]uint32
	for _, p := range k.pre {
		counts[p&31]++
	}
	codeLengths(k.preLens[:], counts[:], preCodeLimit)
	for npre > 4 && k.preLens[preOrder[npre-1]] == 0 {
		npre--
	}
	size = 17 + 3*npre
	for i, n := range counts {
		size += int(n) * int(k.preLens[i]+preExtra[i])
	}
	return nlit, ndist, npre, size
}

// stored writes src as it is.
func (w *bitWriter) stored(src []byte, last uint64) {
	for {
		n := min(len(src), 65535)
		if n == len(src) {
			w.put(last, 3)
		} else {
			w.put(0, 3)
		}
		w.align()
		w.out = append(w.out, byte(n), byte(n>>8), ^byte(n), ^byte(n>>8))
		w.out = append(w.out, src[:n]...)
		if src = src[n:]; len(src) == 0 {
			return
		}
	}
}

// symbols writes seqs, whose bytes are src, in the codes. w has room for them and a word more.
func (k *blockWriter) symbols(w *bitWriter, src []byte, seqs []sequence) {
	out, at, b, n := w.out[:cap(w.out)], len(w.out), w.bits, w.n
	for _, s := range seqs {
		run := src[:s.literals]
		src = src[s.literals:]
		for ; len(run) >= 4; run = run[4:] {
			v := binary.LittleEndian.Uint32(run)
			e0, e1, e2, e3 := k.lit[v&255], k.lit[v>>8&255], k.lit[v>>16&255], k.lit[v>>24]
			n1 := uint(e0 & 31)
			n2 := n1 + uint(e1&31)
			n3 := n2 + uint(e2&31)
			b |= (uint64(e0>>5) | uint64(e1>>5)<<(n1&63) | uint64(e2>>5)<<(n2&63) | uint64(e3>>5)<<(n3&63)) << (n & 63)
			n += n3 + uint(e3&31)
			binary.LittleEndian.PutUint64(out[at:], b)
			at += int(n >> 3)
			b >>= n &^ 7 & 63
			n &= 7
		}
		for _, c := range run {
			e := k.lit[c]
			b |= uint64(e>>5) << (n & 63)
			n += uint(e & 31)
		}
		binary.LittleEndian.PutUint64(out[at:], b)
		at += int(n >> 3)
		b >>= n &^ 7 & 63
		n &= 7
		if s.length == 0 {
			continue
		}
		// at most 19 and 28 bits
		e := k.match[s.length-shortestMatch]
		b |= uint64(e>>5) << (n & 63)
		n += uint(e & 31)
		d := distSymbol(uint32(s.dist))
		e = k.dist[d]
		b |= (uint64(e>>5) | uint64(s.dist-1-k.t.distBase[d])<<(e&31)) << (n & 63)
		n += uint(e&31) + uint(k.t.distExtra[d])
		binary.LittleEndian.PutUint64(out[at:], b)
		at += int(n >> 3)
		b >>= n &^ 7 & 63
		n &= 7
		src = src[s.length:]
	}
	w.out, w.bits, w.n = out[:at], b, n
}
