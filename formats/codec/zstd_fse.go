// SPDX-License-Identifier: BSD-3-Clause

package codec

import "math/bits"

// fseTable is an encoding table of finite state entropy. A state lies between the table's size and twice of it.
type fseTable struct {
	log    uint8
	norm   [64]int16
	symbol [64]struct {
		bits uint32 // added to a state, it gives how many bits are written, in the upper half
		find int32  // from what is left of the state to the place of the next
	}
	state [512]uint16
}

// make sets the table of a distribution whose counts add up to 1<<log, -1 counting as 1.
func (t *fseTable) make(norm []int16, log uint8) {
	size := 1 << log
	t.log = log
	clear(t.norm[:])
	copy(t.norm[:], norm)
	var symbols [512]uint8
	spread(&symbols, norm, log)
	var place [64]uint16
	total := int32(0)
	for s, n := range norm {
		place[s] = uint16(total)
		c := int32(max(n, -n))
		switch c {
		case 0:
			t.symbol[s].bits = uint32(log+1)<<16 - uint32(size)
		case 1:
			t.symbol[s].bits = uint32(log)<<16 - uint32(size)
			t.symbol[s].find = total - 1
		default:
			most := uint32(log) - uint32(bits.Len32(uint32(c-1))-1)
			t.symbol[s].bits = most<<16 - uint32(c)<<most
			t.symbol[s].find = total - c
		}
		total += c
	}
	for i, s := range symbols[:size] {
		t.state[place[s]] = uint16(size + i)
		place[s]++
	}
}

// one sets the table of a single symbol, which takes no bits.
func (t *fseTable) one(s uint8) {
	t.log, t.state[0] = 0, 0
	t.symbol[s].bits, t.symbol[s].find = 0, 0
}

// first returns a state from which s is read first of all.
func (t *fseTable) first(s uint8) uint32 {
	e := t.symbol[s]
	n := (e.bits + 1<<15) >> 16
	return uint32(t.state[int32((n<<16-e.bits)>>n)+e.find])
}

// cost returns about how many bits symbols that occur counts times take, in parts of logOne; ok is false where the table lacks one.
func (t *fseTable) cost(counts []uint32) (bits int64, ok bool) {
	l := deflateTable()
	for s, n := range counts {
		if n == 0 {
			continue
		}
		c := t.norm[s]
		if c == 0 {
			return 0, false
		}
		bits += int64(n) * (int64(t.log)*logOne - int64(l.log2(uint32(max(c, -c)))))
	}
	return bits, true
}

// normalize sets counts, total together, to such as add up to 1<<log. There are at least two.
func normalize(norm []int16, counts []uint32, total uint32, log uint8) {
	size, most := 1<<log, 0
	left := size
	for s, n := range counts {
		norm[s] = 0
		if n == 0 {
			continue
		}
		norm[s] = int16(max((uint64(n)<<log+uint64(total)/2)/uint64(total), 1))
		left -= int(norm[s])
		if norm[s] > norm[most] {
			most = s
		}
	}
	if left >= 0 || int(norm[most]) > -4*left {
		norm[most] += int16(left)
		return
	}
	// many rare ones were rounded up: those that lose least pay
	for ; left < 0; left++ {
		best, worst := -1, uint64(0)
		for s, c := range norm[:len(counts)] {
			if c > 1 {
				// counts lose about their number divided by what they have
				if loss := uint64(counts[s]) << 16 / uint64(c); best < 0 || loss < worst {
					best, worst = s, loss
				}
			}
		}
		norm[best]--
	}
}

// writeCounts describes a distribution (RFC 8878, 4.1.1).
func writeCounts(w *bitWriter, norm []int16, log uint8) {
	w.put(uint64(log-5), 4)
	left, threshold, width := 1<<log+1, 1<<log, uint(log)+1
	for s := 0; left > 1; {
		c := int(norm[s])
		s++
		short := 2*threshold - 1 - left
		left -= max(c, -c)
		v, n := c+1, width
		if v < short {
			n--
		} else if v >= threshold {
			v += short
		}
		w.put(uint64(v), n)
		for left < threshold {
			threshold >>= 1
			width--
		}
		if c == 0 {
			run := 0
			for norm[s] == 0 {
				run++
				s++
			}
			for ; run >= 3; run -= 3 {
				w.put(3, 2)
			}
			w.put(uint64(run), 2)
		}
	}
}
