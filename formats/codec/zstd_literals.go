// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"math/bits"
)

const (
	huffLimit = 11 // bits of the longest code (RFC 8878, 4.2.1)
	// fewer literals are stored as they are, or packed as one stream.
	huffLeast, huffOneStream = 24, 256
	huffWeightLog            = 6
)

// huffCode is a prefix code of literals: the code of each at the top of a word and its length at the bottom, and its description.
type huffCode struct {
	code [256]uint64
	lens [256]uint8
	tree [132]byte
	size int // of the description, 0: there is none
}

// huffWriter writes the literals of the blocks of a frame.
type huffWriter struct {
	codes [2]huffCode
	now   *huffCode // that of the last block that had one, nil in the beginning
	next  *huffCode // what now becomes once the block is stored
	fse   fseTable
	keep  uint // a code that may save less than this power of two of the literals is not made
}

// begin makes h ready for a frame whose matches are looked for so hard.
func (h *huffWriter) begin(e *zstdEffort) {
	h.now, h.next, h.keep = nil, nil, 31
	if e.tagged() { // making codes is a fifth of the time of numbers without matches
		h.keep = 7
	}
}

// stored says that the block that was written last is part of the frame.
func (h *huffWriter) stored() { h.now = h.next }

// write appends the literals section of a block. counts are how often each of lits occurs.
func (h *huffWriter) write(dst, lits []byte, counts *[256]uint32) []byte {
	h.next = h.now
	n := len(lits)
	if n < huffLeast {
		return rawLiterals(dst, zstdRaw, n, lits)
	}
	used := 0
	for _, c := range counts {
		if c > 0 {
			used++
		}
	}
	if used == 1 {
		return rawLiterals(dst, zstdRLE, n, lits[:1])
	}
	fresh := &h.codes[0]
	if h.now == fresh {
		fresh = &h.codes[1]
	}
	kept := literalHeaderBytes(n) + n // as they are
	kept -= kept >> 7
	kind, total := zstdRaw, kept
	if h.now != nil {
		if b, ok := h.now.bytes(counts); ok && b < total {
			kind, total = zstdTreeless, b
		}
	}
	// the entropy is the least that another code could do
	if least := int(entropy(counts[:]) / (8 * logOne)); least+used/4+total>>h.keep < total {
		fresh.make(counts, &h.fse)
		if b, _ := fresh.bytes(counts); fresh.size > 0 && b+fresh.size < total {
			kind = zstdCompressed
		}
	}
	c := h.now
	switch kind {
	case zstdRaw:
		return rawLiterals(dst, zstdRaw, n, lits)
	case zstdCompressed:
		c, h.next = fresh, fresh
	}
	at := len(dst)
	head := packedHeaderBytes(n)
	dst = dst[:at+head]
	if kind == zstdCompressed {
		dst = append(dst, c.tree[:c.size]...)
	}
	form := uint64(0)
	out := dst[:cap(dst)]
	end := len(dst)
	if n < huffOneStream {
		end += huffStream(out[end:], lits, &c.code)
	} else {
		part, jump := (n+3)/4, end
		end += 6
		for i := range 4 {
			from := i * part
			size := huffStream(out[end:], lits[from:min(from+part, n)], &c.code)
			if i < 3 {
				binary.LittleEndian.PutUint16(out[jump+2*i:], uint16(size))
			}
			end += size
		}
		form = uint64(head - 2)
	}
	stored := uint64(end - at - head)
	h64 := uint64(kind) | form<<2 | uint64(n)<<4 | stored<<[]int{14, 14, 18, 22}[form]
	for i := range head {
		out[at+i] = byte(h64 >> (8 * i))
	}
	return out[:end]
}

// literalHeaderBytes is the length of the header of n literals that are not packed, packedHeaderBytes of those that are.
func literalHeaderBytes(n int) int {
	switch {
	case n < 1<<5:
		return 1
	case n < 1<<12:
		return 2
	}
	return 3
}

func packedHeaderBytes(n int) int {
	switch {
	case n < 1<<10:
		return 3
	case n < 1<<14:
		return 4
	}
	return 5
}

// rawLiterals appends n literals as they are, or one that stands for all.
func rawLiterals(dst []byte, kind, n int, body []byte) []byte {
	switch literalHeaderBytes(n) {
	case 1:
		dst = append(dst, byte(kind|n<<3))
	case 2:
		dst = binary.LittleEndian.AppendUint16(dst, uint16(kind|1<<2|n<<4))
	default:
		h := kind | 3<<2 | n<<4
		dst = append(dst, byte(h), byte(h>>8), byte(h>>16))
	}
	return append(dst, body...)
}

// bytes returns how many bytes the literals take in the code; ok is false where it lacks one of them.
func (c *huffCode) bytes(counts *[256]uint32) (n int, ok bool) {
	total, ok := uint32(0), true
	for i, x := range counts {
		l := c.lens[i]
		total += x * uint32(l)
		ok = ok && (x == 0 || l > 0)
	}
	return int(total/8) + 9, ok
}

// make sets an optimal code and its description.
func (c *huffCode) make(counts *[256]uint32, t *fseTable) {
	codeLengths(c.lens[:], counts[:], huffLimit)
	longest, last := 0, 0
	var of [huffLimit + 2]uint16
	for i, l := range c.lens {
		if l > 0 {
			last = i
			longest = max(longest, int(l))
			of[l]++
		}
	}
	// the longest codes are the lowest
	var next [huffLimit + 2]uint16
	for l := longest; l > 0; l-- {
		next[l-1] = (next[l] + of[l]) >> 1
	}
	for i, l := range c.lens {
		c.code[i] = uint64(next[l])<<(64-l) | uint64(l)
		next[l]++
	}
	var weights [256]uint8
	for i, l := range c.lens[:last] {
		if l > 0 {
			weights[i] = uint8(longest + 1 - int(l))
		}
	}
	c.describe(weights[:last], t)
}

// describe sets the description of the tree with these weights; that of the last symbol follows from the others.
func (c *huffCode) describe(weights []uint8, t *fseTable) {
	c.size = 0
	direct := 1 + (len(weights)+1)/2
	if n := packWeights(c.tree[1:], weights, t); n > 1 && n < 128 && (n+1 < direct || len(weights) > 128) {
		c.tree[0], c.size = byte(n), n+1
		return
	}
	if len(weights) > 128 {
		return
	}
	c.tree[0] = byte(127 + len(weights))
	for i := 0; i < len(weights); i += 2 {
		b := weights[i] << 4
		if i+1 < len(weights) {
			b |= weights[i+1]
		}
		c.tree[1+i/2] = b
	}
	c.size = direct
}

// packWeights writes weights in finite state entropy, by two states in turn, and returns the bytes, 0 where that is not possible.
func packWeights(dst []byte, weights []uint8, t *fseTable) int {
	var counts [huffLimit + 2]uint32
	for _, w := range weights {
		counts[w]++
	}
	n := len(weights)
	for _, x := range counts {
		if int(x) == n {
			return 0
		}
	}
	if n < 3 {
		return 0
	}
	var norm [huffLimit + 2]int16
	log := fseLog(n, len(counts), huffWeightLog)
	normalize(norm[:], counts[:], uint32(n), log)
	w := bitWriter{out: dst[:0:len(dst)]}
	writeCounts(&w, norm[:], log)
	t.make(norm[:], log)
	w.align()
	// from the last to the first: the states of the last two take no bits
	var states [2]uint32
	states[(n-1)&1] = t.first(weights[n-1])
	states[(n-2)&1] = t.first(weights[n-2])
	for i := n - 3; i >= 0; i-- {
		s := t.symbol[weights[i]]
		x := states[i&1]
		bits := (x + s.bits) >> 16
		w.put(uint64(x&(1<<bits-1)), uint(bits))
		states[i&1] = uint32(t.state[int32(x>>bits)+s.find])
	}
	w.put(uint64(states[1]&(1<<log-1)), uint(log))
	w.put(uint64(states[0]&(1<<log-1)), uint(log))
	w.put(1, 1)
	w.align()
	if len(w.out) > len(dst) {
		return 0
	}
	return len(w.out)
}

// huffStream writes one stream: from the last literal to the first, so that it is read from its end. dst has room for a word behind it.
func huffStream(dst, src []byte, code *[256]uint64) int {
	// The last n bits are at the top of b. A code pushes them down by its length; its lowest byte, the length, comes with it, and never
	// reaches the 62 bits that may be wanted.
	b, n, at, i := uint64(0), uint64(0), 0, len(src)
	for ; i >= 4; i -= 4 {
		v := binary.LittleEndian.Uint32(src[i-4:])
		e0, e1, e2, e3 := code[v>>24], code[v>>16&255], code[v>>8&255], code[v&255]
		b = b>>(e0&63) | e0
		b = b>>(e1&63) | e1
		b = b>>(e2&63) | e2
		b = b>>(e3&63) | e3
		n += (e0 + e1 + e2 + e3) & 255
		binary.LittleEndian.PutUint64(dst[at:], b>>(-n&63))
		at += int(n >> 3)
		n &= 7
	}
	for ; i > 0; i-- {
		e := code[src[i-1]]
		b = b>>(e&63) | e
		n += e & 255
	}
	// a one behind the last
	b, n = b>>1|1<<63, n+1
	binary.LittleEndian.PutUint64(dst[at:], b>>(-n&63))
	return at + int(n+7)>>3
}

// entropy returns the bits of symbols that occur counts times, at best, in parts of logOne.
func entropy(counts []uint32) int64 {
	t := deflateTable()
	n, bits := uint32(0), int64(0)
	for _, x := range counts {
		n += x
		bits -= t.nlog(x)
	}
	return bits + t.nlog(n)
}

// fseLog returns the size of a table for n symbols out of a number of them, at most most bits.
func fseLog(n, symbols int, most uint8) uint8 {
	log := uint8(max(bits.Len(uint(n-1))-3, bits.Len(uint(symbols-1)), 5))
	return min(log, most)
}
