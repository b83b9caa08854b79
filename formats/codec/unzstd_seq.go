// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"math/bits"
)

// seqSlack is how far behind the end of a copy words may be read or written.
const seqSlack = 32

// seqBits reads the bits of the sequences, from the end of the stream to its start. used bits at the top of v, the
// word at b[at:], are taken.
type seqBits struct {
	b    []byte
	at   int
	v    uint64
	used uint
}

// init finds the mark behind the last bit.
func (r *seqBits) init(src []byte, room *[16]byte) bool {
	if len(src) == 0 || src[len(src)-1] == 0 {
		return false
	}
	r.used = uint(bits.LeadingZeros8(src[len(src)-1])) + 1
	if len(src) < 8 {
		// zeros before a short stream: taking them is found out at the end
		*room = [16]byte{}
		copy(room[8-len(src):], src)
		src = room[:8]
	}
	r.b, r.at = src, len(src)-8
	r.v = binary.LittleEndian.Uint64(src[r.at:])
	return true
}

// refill makes at least 57 bits ready where the stream still has them.
func (r *seqBits) refill() {
	n := min(int(r.used>>3), r.at)
	r.at -= n
	r.used -= uint(n) << 3
	r.v = binary.LittleEndian.Uint64(r.b[r.at:])
}

// take returns the next n bits, at most 56.
func (r *seqBits) take(n uint8) uint32 {
	x := r.v << (r.used & 63) >> 1 >> ((63 - n) & 63)
	r.used += uint(n)
	return uint32(x)
}

// seqRun is the state between sequences, in the order the assembly knows.
type seqRun struct {
	dst       *byte
	n, limit  int // bytes that are there; where an output may end to leave room for whole words
	start     int // of the frame
	lits      *byte
	lit, most int // the next literal; where literals may end
	stream    *byte
	at, used  int
	count     int // sequences left
	states    [3]int
	rep       [3]int
	length    int // of the literals, the match and its offset of a sequence that is given back
	match     int
	offset    int
	patterns  *seqPattern
	tables    [3]seqTable
}

// seqPattern makes 16 bytes of a shorter run: where each of them comes from, and how many make whole repetitions.
type seqPattern struct {
	mask [16]byte
	step int64
	_    int64
}

var seqPatterns = func() (p [16]seqPattern) {
	for offset := 1; offset < 16; offset++ {
		for i := range 16 {
			p[offset].mask[i] = byte(i % offset)
		}
		p[offset].step = int64(16 - 16%offset)
	}
	return p
}()

// sequences decodes count sequences and copies their literals and matches behind the n bytes dst has; matches reach back to
// start. What is left of the literals follows.
func (z *unzstd) sequences(dst []byte, start, n int, src []byte, count int) (int, error) {
	var r seqBits
	if !r.init(src, &z.short) {
		return n, corrupt("zstd", "sequences are cut off")
	}
	left := r.b
	pad := 8 * max(8-len(src), 0)
	states := [3]uint32{r.take(z.run.tables[0].log), r.take(z.run.tables[1].log), r.take(z.run.tables[2].log)}
	lits := z.literals
	var err error
	if haveSequences && len(dst) > 0 {
		s := &z.run
		if len(lits) == 0 {
			z.room = Grow(z.room, seqSlack)
			lits = z.room[:0]
		}
		s.dst, s.n, s.limit, s.start = &dst[0], n, len(dst)-seqSlack, start
		s.lits, s.lit, s.most = &lits[:1][0], 0, min(len(lits), cap(lits)-seqSlack)
		s.stream, s.at, s.used, s.count = &left[0], r.at, int(r.used), count
		s.rep, s.patterns = z.rep, &seqPatterns[0]
		for i, state := range states {
			s.states[i] = int(state & 511)
		}
		for {
			zstdSequences(s)
			at := s.lit
			if s.n, err = execute(dst, start, s.n, lits[at:], s.length, s.match, s.offset); err != nil {
				break
			}
			if s.lit += s.length; s.count == 0 {
				break
			}
		}
		n, lits, z.rep, r.at, r.used = s.n, lits[s.lit:], s.rep, s.at, uint(s.used)
		s.dst, s.lits, s.stream = nil, nil, nil
	} else {
		n, lits, err = z.plainSequences(dst, start, n, &r, states, count)
	}
	if err != nil {
		return n, err
	}
	if r.at != 0 || int(r.used)+pad != 64 {
		return n, corrupt("zstd", "%d bits behind the sequences", 8*r.at+64-pad-int(r.used))
	}
	if len(lits) > len(dst)-n {
		return n, full("zstd", "decoded to more than %d bytes", len(dst))
	}
	return n + copy(dst[n:], lits), nil
}

// plainSequences is what zstdSequences does, and all of it. It returns the bytes dst has and the literals left.
func (z *unzstd) plainSequences(dst []byte, start, n int, r *seqBits, states [3]uint32, count int) (int, []byte, error) {
	ll, of, ml := &z.run.tables[seqLiterals], &z.run.tables[seqOffset], &z.run.tables[seqMatch]
	ls, os, ms := states[seqLiterals], states[seqOffset], states[seqMatch]
	lits, rep := z.literals, z.rep
	var err error
	for i := count; i > 0; i-- {
		le, oe, me := ll.state[ls&511], of.state[os&511], ml.state[ms&511]
		r.refill()
		offset := int(oe.base) + int(r.take(oe.extra))
		if oe.extra > 24 {
			r.refill()
		}
		match := int(me.base) + int(r.take(me.extra))
		lit := int(le.base) + int(r.take(le.extra))
		if i > 1 {
			r.refill()
			ls = uint32(le.next) + r.take(le.bits)
			ms = uint32(me.next) + r.take(me.bits)
			os = uint32(oe.next) + r.take(oe.bits)
		}
		if offset > 3 {
			offset -= 3
			rep[2], rep[1], rep[0] = rep[1], rep[0], offset
		} else {
			k := offset - 1
			if lit == 0 {
				k++
			}
			switch k {
			case 0:
				offset = rep[0]
			case 1:
				offset = rep[1]
				rep[1], rep[0] = rep[0], offset
			case 2:
				offset = rep[2]
				rep[2], rep[1], rep[0] = rep[1], rep[0], offset
			default:
				offset = rep[0] - 1
				rep[2], rep[1], rep[0] = rep[1], rep[0], offset
			}
		}
		if n, err = execute(dst, start, n, lits, lit, match, offset); err != nil {
			return n, nil, err
		}
		lits = lits[lit:]
	}
	z.rep = rep
	return n, lits, nil
}

// execute copies the literals and the match of one sequence behind the n bytes dst has.
func execute(dst []byte, start, n int, lits []byte, lit, match, offset int) (int, error) {
	if lit > len(lits) || lit+match > len(dst)-n || offset < 1 || offset > n+lit-start {
		return n, corrupt("zstd", "%d of %d literals and a match of %d bytes, %d back, at byte %d of %d", lit, len(lits), match, offset, n, len(dst))
	}
	if lit <= 16 && len(lits) >= 16 && len(dst)-n >= 16 {
		*(*[16]byte)(dst[n:]) = *(*[16]byte)(lits)
	} else {
		copy(dst[n:], lits[:lit])
	}
	n += lit
	copyMatch(dst, n, offset, match)
	return n + match, nil
}

// copyMatch copies length bytes from offset bytes before n to n; where they overlap, what is copied repeats. The
// caller has checked that both lie in dst.
func copyMatch(dst []byte, n, offset, length int) {
	from := n - offset
	switch {
	case offset >= 16 && length <= 16 && len(dst)-n >= 16:
		*(*[16]byte)(dst[n:]) = *(*[16]byte)(dst[from:])
	case offset >= length:
		copy(dst[n:n+length], dst[from:])
	case offset >= 16 && length <= 256 && len(dst)-n >= length+16:
		for i := 0; i < length; i += 16 {
			*(*[16]byte)(dst[n+i:]) = *(*[16]byte)(dst[from+i:])
		}
	case length <= 24:
		d, s := dst[n:n+length], dst[from:from+length]
		for i := range d {
			d[i] = s[i]
		}
	default:
		// what is there doubles with each copy
		end := n + length
		for n < end {
			n += copy(dst[n:end], dst[from:n])
		}
	}
}
