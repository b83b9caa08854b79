// SPDX-License-Identifier: BSD-3-Clause

package codec

import "math/bits"

// The three codes of a sequence.
const (
	seqLiterals = iota
	seqOffset
	seqMatch
)

// seqEntry is a state of a table: value bits and base of the symbol, state bits and base of the next state.
type seqEntry struct {
	base  uint32
	next  uint16
	extra uint8 // bits of the value
	bits  uint8 // bits of the next state
}

// seqTable is a decoding table of finite state entropy with up to 512 states.
type seqTable struct {
	state [512]seqEntry
	sum   [512]uint8 // the bits of both
	set   bool       // it belongs to the frame
	log   uint8
	_     [6]byte // whole words
}

// seqCode says how the symbols of a code become values, and the distribution that needs no description.
type seqCode struct {
	name    string
	maxLog  uint8
	most    int // the last symbol
	base    func(symbol int) (base uint32, extra uint8)
	usual   []int16
	entries [64]seqEntry // of the symbols, without states
	atStart seqTable     // of the usual distribution
}

var seqCodes = [3]*seqCode{
	{name: "literal lengths", maxLog: 9, most: 35, base: literalBase,
		usual: []int16{4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1}},
	{name: "offsets", maxLog: 8, most: 31, base: func(s int) (uint32, uint8) { return 1 << s, uint8(s) },
		usual: []int16{1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1}},
	{name: "match lengths", maxLog: 9, most: 52, base: matchBase,
		usual: []int16{1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
			1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1}},
}

func init() {
	for i, c := range seqCodes {
		for s := range c.most + 1 {
			c.entries[s].base, c.entries[s].extra = c.base(s)
		}
		c.atStart.fill(c, c.usual, [3]uint8{6, 5, 6}[i])
	}
}

// steps returns the base and bits of a symbol of codes whose first plain symbols stand for one value each.
func steps(symbol, plain int, first uint32, extra []uint8) (uint32, uint8) {
	if symbol < plain {
		return first + uint32(symbol), 0
	}
	base := first + uint32(plain)
	for _, x := range extra[:symbol-plain] {
		base += 1 << x
	}
	return base, extra[symbol-plain]
}

func literalBase(s int) (uint32, uint8) {
	return steps(s, 16, 0, []uint8{1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
}

func matchBase(s int) (uint32, uint8) {
	return steps(s, 32, 3, []uint8{1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
}

// read sets the table of code i as its mode in the block says, and returns what is behind its description.
func (t *seqTable) read(i int, mode byte, src []byte) ([]byte, error) {
	c := seqCodes[i]
	switch mode {
	case 0:
		*t = c.atStart
	case 1:
		if len(src) == 0 || int(src[0]) > c.most {
			return nil, corrupt("zstd", "the one symbol of the %s is cut off or unknown", c.name)
		}
		base, extra := c.base(int(src[0]))
		t.log, t.state[0], t.sum[0] = 0, seqEntry{base: base, extra: extra}, extra
		src = src[1:]
	case 2:
		var norm [64]int16
		used, log, err := readCounts(norm[:c.most+1], c, src)
		if err != nil {
			return nil, err
		}
		t.fill(c, norm[:c.most+1], log)
		src = src[used:]
	default:
		if !t.set {
			return nil, corrupt("zstd", "the %s use the table of an earlier block, there is none", c.name)
		}
	}
	t.set = true
	return src, nil
}

// readCounts reads the normalized counts of the symbols and returns the bytes they take.
func readCounts(norm []int16, c *seqCode, src []byte) (used int, log uint8, err error) {
	at := 0 // in bits
	peek := func() uint32 {
		v := uint32(0)
		for i := range 4 {
			if p := at>>3 + i; p < len(src) {
				v |= uint32(src[p]) << (8 * i)
			}
		}
		return v >> (at & 7)
	}
	log = uint8(peek()&15) + 5
	at = 4
	if log > c.maxLog {
		return 0, 0, corrupt("zstd", "table of the %s of %d bits, want at most %d", c.name, log, c.maxLog)
	}
	left, threshold, width := int32(1)<<log+1, int32(1)<<log, int(log)+1
	zero, symbol := false, 0
	for left > 1 {
		if zero {
			for {
				r := int(peek() & 3)
				at += 2
				symbol += r
				if r < 3 || at > 8*len(src) {
					break
				}
			}
		}
		if symbol >= len(norm) || at > 8*len(src) {
			return 0, 0, corrupt("zstd", "table of the %s has too many symbols or is cut off", c.name)
		}
		v, short := int32(peek()), 2*threshold-1-left
		n := v & (threshold - 1)
		if n < short {
			at += width - 1
		} else {
			if n = v & (2*threshold - 1); n >= threshold {
				n -= short
			}
			at += width
		}
		n--
		norm[symbol] = int16(n)
		symbol++
		zero = n == 0
		if left -= max(n, -n); left < 1 {
			return 0, 0, corrupt("zstd", "counts of the %s do not add up", c.name)
		}
		for left < threshold {
			threshold >>= 1
			width--
		}
	}
	if used = (at + 7) / 8; used > len(src) {
		return 0, 0, corrupt("zstd", "table of the %s is cut off", c.name)
	}
	return used, log, nil
}

// fill makes the states of a distribution whose counts add up to 1<<log, -1 counting as 1.
func (t *seqTable) fill(c *seqCode, norm []int16, log uint8) {
	size := 1 << log
	var symbols [512]uint8
	spread(&symbols, norm, log)
	var next [64]uint16
	for s, n := range norm {
		next[s] = uint16(max(n, -n))
	}
	for i := range size {
		s := symbols[i]
		x := next[s]
		next[s]++
		e := c.entries[s]
		e.bits = log - uint8(bits.Len16(x)-1)
		e.next = x<<e.bits - uint16(size)
		t.state[i], t.sum[i] = e, e.extra+e.bits
	}
	t.log = log
}

// spread sets which symbol each state of a distribution stands for.
func spread(symbols *[512]uint8, norm []int16, log uint8) {
	size := 1 << log
	high := size - 1
	for s, n := range norm {
		if n == -1 {
			symbols[high] = uint8(s)
			high--
		}
	}
	p, step := 0, size>>1+size>>3+3
	for s, n := range norm {
		for range max(n, 0) {
			symbols[p&511] = uint8(s)
			for p = (p + step) & (size - 1); p > high; p = (p + step) & (size - 1) {
			}
		}
	}
}
