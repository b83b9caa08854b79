// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"math/bits"
)

// readLiterals decodes the literals at the start of a block and returns what is behind them.
func (z *unzstd) readLiterals(src []byte) ([]byte, error) {
	if len(src) == 0 {
		return nil, corrupt("zstd", "an empty block")
	}
	bad := func() ([]byte, error) { return nil, corrupt("zstd", "literals are cut off") }
	kind, form := int(src[0]&3), src[0]>>2&3
	var head [8]byte
	copy(head[:], src)
	h := binary.LittleEndian.Uint64(head[:])
	if kind < zstdCompressed {
		size, p := int(h>>3&31), 1
		switch form {
		case 1:
			size, p = int(h>>4&0xfff), 2
		case 3:
			size, p = int(h>>4&0xfffff), 3
		}
		stored := size
		if kind == zstdRLE {
			stored = 1
		}
		if size > zstdMaxBlock || p+stored > len(src) {
			return bad()
		}
		if kind == zstdRaw {
			z.literals = src[p : p+size]
			return src[p+size:], nil
		}
		z.room = Grow(z.room, zstdMaxBlock+seqSlack)
		z.literals = z.room[:size]
		repeatByte(z.literals, src[p])
		return src[p+1:], nil
	}
	size, stored, p := int(h>>4&0x3ff), int(h>>14&0x3ff), 3
	switch form {
	case 2:
		size, stored, p = int(h>>4&0x3fff), int(h>>18&0x3fff), 4
	case 3:
		size, stored, p = int(h>>4&0x3ffff), int(h>>22&0x3ffff), 5
	}
	if size > zstdMaxBlock || p+stored > len(src) {
		return bad()
	}
	body, rest := src[p:p+stored], src[p+stored:]
	if kind == zstdCompressed {
		used, err := z.readTree(body)
		if z.tree = err == nil; err != nil {
			return nil, err
		}
		body = body[used:]
	}
	if !z.tree {
		return nil, corrupt("zstd", "literals use the tree of an earlier block, there is none")
	}
	z.room = Grow(z.room, zstdMaxBlock+seqSlack)
	z.literals = z.room[:size]
	ok := false
	if form == 0 {
		ok = z.huff.one(z.literals, body)
	} else {
		ok = z.huff.four(z.literals, body)
	}
	if !ok {
		return nil, corrupt("zstd", "%d literals in %d bytes do not end where they should", size, len(body))
	}
	return rest, nil
}

// weightCode is the code of the weights of a tree.
var weightCode = func() *seqCode {
	c := &seqCode{name: "weights", maxLog: huffWeightLog, most: huffLimit + 1}
	for s := range c.most + 1 {
		c.entries[s].base = uint32(s)
	}
	return c
}()

// readTree reads the tree at the start of src and returns how many bytes it has.
func (z *unzstd) readTree(src []byte) (used int, err error) {
	if len(src) == 0 {
		return 0, corrupt("zstd", "tree of the literals is cut off")
	}
	var weights [256]uint8
	n := int(src[0])
	if n < 128 {
		used = 1 + n
		if used > len(src) {
			return 0, corrupt("zstd", "tree of the literals is cut off")
		}
		if n, err = z.readWeights(weights[:255], src[1:used]); err != nil {
			return 0, err
		}
	} else {
		n -= 127
		if used = 1 + (n+1)/2; used > len(src) {
			return 0, corrupt("zstd", "tree of the literals is cut off")
		}
		for i := range n {
			weights[i] = src[1+i/2] >> (4 - 4*(i&1)) & 15
		}
	}
	// the last weight makes the sum a power of two
	sum := 0
	for _, w := range weights[:n] {
		if w > huffLimit {
			return 0, corrupt("zstd", "a weight of %d in the tree of the literals, want at most %d", w, huffLimit)
		}
		sum += 1 << w >> 1
	}
	log := bits.Len(uint(sum))
	left := 1<<log - sum
	if sum == 0 || log > huffLimit || left&(left-1) != 0 {
		return 0, corrupt("zstd", "weights of the tree of the literals add up to %d", sum)
	}
	weights[n] = uint8(bits.Len(uint(left)))
	z.huff.fill(weights[:n+1], log)
	return used, nil
}

// readWeights decodes weights in finite state entropy, two states in turn, and returns how many there are.
func (z *unzstd) readWeights(out []uint8, src []byte) (int, error) {
	var norm [64]int16
	used, log, err := readCounts(norm[:weightCode.most+1], weightCode, src)
	if err != nil {
		return 0, err
	}
	t := &z.weights
	t.fill(weightCode, norm[:weightCode.most+1], log)
	src = src[used:]
	var r seqBits
	if !r.init(src, &z.short) {
		return 0, corrupt("zstd", "weights of the tree of the literals are cut off")
	}
	pad := 8 * max(8-len(src), 0)
	states := [2]uint32{r.take(log), r.take(log)}
	for n := range out {
		r.refill()
		e := t.state[states[n&1]&511]
		out[n] = uint8(e.base)
		if 8*r.at+64-pad < int(r.used)+int(e.bits) {
			// the bits are at their end: the other state gives the last
			if n+1 < len(out) && 8*r.at+64-pad >= int(r.used) {
				out[n+1] = uint8(t.state[states[n&1^1]&511].base)
				return n + 2, nil
			}
			break
		}
		states[n&1] = uint32(e.next) + r.take(e.bits)
	}
	return 0, corrupt("zstd", "weights of the tree of the literals do not end where they should")
}

// huffRun is a code of literals, and what the assembly knows of four streams.
type huffRun struct {
	out    *byte
	src    *byte
	rounds int    // how often five times one or two literals of each are decoded
	to     [4]int // where the next literals go
	at     [4]int
	window [4]uint64              // the next bits at the top; below them a one, below which all are taken
	pairs  [1 << huffLimit]uint32 // the bits of one or two codes in six bits, how many codes that are in two, and their literals above
	table  [1 << huffLimit]uint16 // the bits of a code, and the literal above them, for each beginning of a stream
	each   int                    // how many literals 1<<huffLimit pairs have, 0: they are not made
}

// fill sets the table of a tree with these weights whose longest code has log bits.
func (h *huffRun) fill(weights []uint8, log int) {
	// where the codes of each weight start: the longest come first
	var next [huffLimit + 2]int
	for _, w := range weights {
		next[w+1] += 1 << w >> 1
	}
	for w := 2; w < len(next); w++ {
		next[w] += next[w-1]
	}
	h.each = 0
	scale := huffLimit - log
	for s, w := range weights {
		if w == 0 {
			continue
		}
		n := 1 << (w - 1)
		part := h.table[next[w]<<scale:][:n<<scale]
		next[w] += n
		e := uint16(s)<<8 | uint16(log+1-int(w))
		part[0] = e
		for k := 1; k < len(part); k *= 2 {
			copy(part[k:], part[:k])
		}
	}
}

// pair makes pairs.
func (h *huffRun) pair() {
	h.each = len(h.pairs)
	for i, e := range h.table {
		n := uint32(e & 15)
		next := h.table[i<<(n&15)&(len(h.table)-1)]
		if both := n + uint32(next&15); both <= huffLimit {
			h.each++
			h.pairs[i] = both | 2<<6 | uint32(e&0xff00) | uint32(next&0xff00)<<8
		} else {
			h.pairs[i] = n | 1<<6 | uint32(e&0xff00)
		}
	}
}

const (
	// huffRound is how many codes are decoded between two looks at the stream: their bits are at most 55.
	huffRound = 5
	// pairs take longer than single ones, and pay where there are so many literals in them
	huffPaired = 1 << huffLimit * 7 / 5
	// fewer literals are decoded without the assembly, and without pairs: those would take as long to make.
	huffSome, huffMany = 256, 16 << 10
)

// rest decodes dst from r until it is full, and reports whether the stream ends there; pad bits are before it.
func (h *huffRun) rest(dst []byte, r *seqBits, pad int) bool {
	for ; len(dst) >= huffRound; dst = dst[huffRound:] {
		r.refill()
		for i := range huffRound {
			e := h.table[r.v<<(r.used&63)>>(64-huffLimit)]
			r.used += uint(e & 15)
			dst[i] = byte(e >> 8)
		}
		if r.used > 64 {
			return false
		}
	}
	r.refill()
	for i := range dst {
		e := h.table[r.v<<(r.used&63)>>(64-huffLimit)]
		r.used += uint(e & 15)
		dst[i] = byte(e >> 8)
	}
	return 8*r.at+64-pad == int(r.used)
}

// one decodes one stream that must fill dst.
func (h *huffRun) one(dst, src []byte) bool {
	var r seqBits
	var short [16]byte
	return r.init(src, &short) && h.rest(dst, &r, 8*max(8-len(src), 0))
}

// four decodes four streams that must fill dst, a quarter each.
func (h *huffRun) four(dst, src []byte) bool {
	part := (len(dst) + 3) / 4
	if len(src) < 10 || len(dst) < 3*part {
		return false
	}
	var r [4]seqBits
	var short [4][16]byte
	var pad, start [4]int
	end := 6
	for i := range r {
		size := len(src) - end
		start[i] = end
		if i < 3 {
			if end += int(binary.LittleEndian.Uint16(src[2*i:])); end > len(src) {
				return false
			}
			size = end - start[i]
		}
		pad[i] = 8 * max(8-size, 0)
		if !r[i].init(src[start[i]:][:size], &short[i]) {
			return false
		}
	}
	var to [4]int
	for i := range to {
		to[i] = i * part
	}
	if haveSequences && len(dst) >= huffSome && pad == [4]int{} {
		h.fast(dst, src, part, &r, &to, &start)
	}
	for i := range r {
		if !h.rest(dst[to[i]:min((i+1)*part, len(dst))], &r[i], pad[i]) {
			return false
		}
	}
	return true
}

// fast decodes the beginnings of four streams, which have eight bytes or more, with the assembly, and moves to behind the literals.
func (h *huffRun) fast(dst, src []byte, part int, r *[4]seqBits, to, start *[4]int) {
	if h.each == 0 && len(dst) >= huffMany {
		h.pair()
	}
	h.out, h.src, h.to = &dst[0], &src[0], *to
	for i := range r {
		r[i].refill()
	}
	decode, most := huffSingles, 1
	if h.each > huffPaired {
		decode, most = huffPairs, 2
	}
	for {
		// as many rounds as do not leave a stream or a part, whatever they decode to; a word is written for one literal, too
		h.rounds = len(dst)
		for i := range r {
			h.rounds = min(h.rounds, r[i].at/7, (min((i+1)*part, len(dst))-h.to[i]-1)/(most*huffRound))
		}
		if h.rounds < 2 {
			break
		}
		for i := range r {
			h.at[i], h.window[i] = start[i]+r[i].at, (r[i].v|1)<<(r[i].used&63)
		}
		decode(h)
		for i := range r {
			r[i].at, r[i].used = h.at[i]-start[i], uint(bits.TrailingZeros64(h.window[i]))
			r[i].v = binary.LittleEndian.Uint64(r[i].b[r[i].at:])
		}
	}
	h.out, h.src, *to = nil, nil, h.to
}
