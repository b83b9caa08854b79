// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// zstdSymbols are the symbols of lengths that are short, and what their symbols mean.
type zstdSymbols struct {
	literals [64]uint8
	match    [128]uint8 // of a length without 3
	extra    [3][64]uint8
	base     [3][64]uint32
	usual    [3]fseTable // those that need no description
}

var zstdSymbolTable = sync.OnceValue(func() *zstdSymbols {
	t := &zstdSymbols{}
	for i, c := range seqCodes {
		for s := range c.most + 1 {
			t.base[i][s], t.extra[i][s] = c.base(s)
		}
		t.usual[i].make(c.usual, c.atStart.log)
	}
	fill := func(out []uint8, code int, less uint32) {
		s := 0
		for v := range out {
			for s < seqCodes[code].most && t.base[code][s+1]-less <= uint32(v) {
				s++
			}
			out[v] = uint8(s)
		}
	}
	fill(t.literals[:], seqLiterals, 0)
	fill(t.match[:], seqMatch, 3)
	return t
})

// literalSymbol returns the symbol of a number of literals, matchSymbol that of a match's length without 3.
func (t *zstdSymbols) literalSymbol(n uint32) uint8 {
	if n < uint32(len(t.literals)) {
		return t.literals[n]
	}
	return uint8(bits.Len32(n) + 18)
}

func (t *zstdSymbols) matchSymbol(n uint32) uint8 {
	if n < uint32(len(t.match)) {
		return t.match[n]
	}
	return uint8(bits.Len32(n) + 35)
}

// seqSymbols are the symbols of a sequence, and the bits behind them.
type seqSymbols struct {
	rest          uint64 // of the literals, then the match, then the offset
	literals      uint8
	offset        uint8
	match         uint8
	width, before uint8 // of rest, and without the offset
}

// seqWriter writes the sequences of the blocks of a frame.
type seqWriter struct {
	t       *zstdSymbols
	tables  [3][2]fseTable
	one     [3]fseTable
	now     [3]*fseTable // described by the last block that had sequences; nil where it did not
	next    [3]*fseTable // what now becomes once the block is stored
	rep     [3]uint32    // the last offsets
	nextRep [3]uint32
	symbols []seqSymbols
	counts  [3][64]uint32
	text    [64]byte
}

func (w *seqWriter) begin() {
	w.t = zstdSymbolTable()
	w.now, w.rep = [3]*fseTable{}, [3]uint32{1, 4, 8}
}

// stored says that the block that was written last is part of the frame.
func (w *seqWriter) stored() { w.now, w.rep = w.next, w.nextRep }

// symbolise turns sequences into symbols and counts those.
func (w *seqWriter) symbolise(seqs []zstdSequence) {
	if cap(w.symbols) < len(seqs) {
		w.symbols = make([]seqSymbols, len(seqs), len(seqs)+len(seqs)/4+256)
	}
	w.symbols = w.symbols[:len(seqs)]
	w.counts = [3][64]uint32{}
	t := w.t
	r0, r1, r2 := w.rep[0], w.rep[1], w.rep[2]
	for i, s := range seqs {
		v := s.offset + 3
		if s.literals > 0 {
			switch s.offset {
			case r0:
				v = 1
			case r1:
				v, r1, r0 = 2, r0, r1
			case r2:
				v, r2, r1, r0 = 3, r1, r0, r2
			default:
				r2, r1, r0 = r1, r0, s.offset
			}
		} else {
			// without literals the values mean the second, the third and one less than the first
			switch s.offset {
			case r1:
				v, r1, r0 = 1, r0, r1
			case r2:
				v, r2, r1, r0 = 2, r1, r0, r2
			case r0 - 1:
				v, r2, r1, r0 = 3, r1, r0, r0-1
			default:
				r2, r1, r0 = r1, r0, s.offset
			}
		}
		length := s.length - 3
		ll, ml, of := t.literalSymbol(s.literals), t.matchSymbol(length), uint8(bits.Len32(v)-1)
		w.counts[seqLiterals][ll&63]++
		w.counts[seqMatch][ml&63]++
		w.counts[seqOffset][of&63]++
		nl, nm := t.extra[seqLiterals][ll&63], t.extra[seqMatch][ml&63]
		rest := uint64(s.literals-t.base[seqLiterals][ll&63]) | uint64(s.length-t.base[seqMatch][ml&63])<<(nl&63)
		rest |= uint64(v-1<<(of&31)) << ((nl + nm) & 63)
		w.symbols[i] = seqSymbols{rest, ll, of, ml, nl + nm + of, nl + nm}
	}
	w.nextRep = [3]uint32{r0, r1, r2}
}

// entropy returns the bits of sequences, at best, in parts of logOne.
func (w *seqWriter) entropy(seqs []zstdSequence) int64 {
	w.symbolise(seqs)
	bits := int64(0)
	for i := range w.counts {
		bits += entropy(w.counts[i][:])
	}
	for _, s := range w.symbols {
		bits += int64(s.width) * logOne
	}
	return bits
}

// write appends the sequences section of a block.
func (w *seqWriter) write(dst []byte, seqs []zstdSequence) []byte {
	n := len(seqs)
	w.next, w.nextRep = w.now, w.rep
	switch {
	case n < 128:
		dst = append(dst, byte(n))
	case n < 0x7f00:
		dst = append(dst, byte(n>>8)+128, byte(n))
	default:
		dst = append(dst, 255, byte(n-0x7f00), byte((n-0x7f00)>>8))
	}
	if n == 0 {
		return dst
	}
	w.symbolise(seqs)
	at := len(dst)
	dst = append(dst, 0)
	for i := range seqCodes {
		var mode byte
		mode, dst = w.choose(i, n, dst)
		dst[at] |= mode << (6 - 2*i)
	}
	return w.stream(dst, w.next[seqLiterals], w.next[seqOffset], w.next[seqMatch])
}

// choose sets the table of code i to what takes the least bits for n sequences, and describes it.
func (w *seqWriter) choose(i, n int, dst []byte) (mode byte, out []byte) {
	c := seqCodes[i]
	counts := w.counts[i][:c.most+1]
	used, last := 0, 0
	for s, x := range counts {
		if x > 0 {
			used++
			last = s
		}
	}
	usual, _ := w.t.usual[i].cost(counts) // it has all symbols up to offsets of 29 bits
	if used == 1 && usual > 8*logOne {
		w.next[i] = &w.one[i]
		w.next[i].one(uint8(last))
		return 1, append(dst, byte(last))
	}
	// another table
	fresh := &w.tables[i][0]
	if w.now[i] == fresh {
		fresh = &w.tables[i][1]
	}
	var norm [64]int16
	text := bitWriter{out: w.text[:0]}
	own := int64(1) << 62
	if used > 1 && n > 4 {
		log := fseLog(n, used, c.maxLog)
		normalize(norm[:], counts, uint32(n), log)
		writeCounts(&text, norm[:], log)
		text.align()
		fresh.norm, fresh.log = norm, log
		own, _ = fresh.cost(counts)
		own += int64(8*len(text.out)) * logOne
	}
	again, known := int64(0), false
	if w.now[i] != nil {
		again, known = w.now[i].cost(counts)
	}
	switch {
	case known && again <= min(own, usual):
		w.next[i] = w.now[i]
		return 3, dst
	case usual <= own:
		w.next[i] = &w.t.usual[i]
		return 0, dst
	}
	fresh.make(norm[:], fresh.log)
	w.next[i] = fresh
	return 2, append(dst, text.out...)
}

// stream writes the bits of the sequences, from the last to the first, so that they are read from their end.
func (w *seqWriter) stream(dst []byte, ll, of, ml *fseTable) []byte {
	seqs := w.symbols
	at := len(dst)
	out := dst[:cap(dst)]
	s := seqs[len(seqs)-1]
	l, o, m := ll.first(s.literals), of.first(s.offset), ml.first(s.match)
	b, n := s.rest, uint(s.width)
	for i := len(seqs) - 2; i >= 0; i-- {
		binary.LittleEndian.PutUint64(out[at:], b)
		at += int(n >> 3)
		b >>= n &^ 7 & 63
		n &= 7
		s := &seqs[i]
		t := &of.symbol[s.offset&63]
		k := (o + t.bits) >> 16
		x := uint64(o & (1<<(k&31) - 1))
		used := uint(k)
		o = uint32(of.state[uint32(int32(o>>(k&31))+t.find)&511])
		t = &ml.symbol[s.match&63]
		k = (m + t.bits) >> 16
		x |= uint64(m&(1<<(k&31)-1)) << (used & 63)
		used += uint(k)
		m = uint32(ml.state[uint32(int32(m>>(k&31))+t.find)&511])
		t = &ll.symbol[s.literals&63]
		k = (l + t.bits) >> 16
		x |= uint64(l&(1<<(k&31)-1)) << (used & 63)
		used += uint(k)
		l = uint32(ll.state[uint32(int32(l>>(k&31))+t.find)&511])
		b |= x << (n & 63)
		n += used
		if n+uint(s.width) >= 64 {
			// the states are 26 bits at most, literals and match 31: a block is not longer
			before := uint(s.before)
			b |= s.rest & (1<<(before&63) - 1) << (n & 63)
			n += before
			binary.LittleEndian.PutUint64(out[at:], b)
			at += int(n >> 3)
			if n == 64 {
				b = 0
			} else {
				b >>= n &^ 7 & 63
			}
			n &= 7
			b |= s.rest >> (before & 63) << (n & 63)
			n += uint(s.width) - before
			continue
		}
		b |= s.rest << (n & 63)
		n += uint(s.width)
	}
	for _, t := range [...]struct {
		t     *fseTable
		state uint32
	}{{ml, m}, {of, o}, {ll, l}} {
		binary.LittleEndian.PutUint64(out[at:], b)
		at += int(n >> 3)
		b >>= n &^ 7 & 63
		n &= 7
		b |= uint64(t.state&(1<<t.t.log-1)) << n
		n += uint(t.t.log)
	}
	b |= 1 << n
	n++
	binary.LittleEndian.PutUint64(out[at:], b)
	return out[:at+int(n+7)>>3]
}
