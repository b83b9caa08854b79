// SPDX-License-Identifier: BSD-3-Clause

package codec

import "encoding/binary"

// block decodes the symbols of one block with d's tables. It returns the new end
// of the output and the cause of an error.
func (d *Inflater) block(r *bitReader, dst, src []byte, op int) (int, string) {
	op, done, cause := d.fast(r, dst, src, op)
	if done || cause != "" {
		return op, cause
	}
	return d.careful(r, dst, src, op)
}

// What fast leaves: input for two refills, and room for a match with the words that go beyond it.
const (
	fastInput = 24
	fastRoom  = 300
)

// inflateRun is the state between symbols, in the order the assembly knows.
type inflateRun struct {
	dst       *byte
	op, most  int // bytes that are there; up to where a symbol may start
	src       *byte
	ip, end   int // the next byte to load; up to where a symbol may start
	bits      uint64
	count     uint64
	lit, dist *uint32
	why       int // one of the ends below
	patterns  *seqPattern
}

// Why inflateFast returns, and the cause of the error.
const (
	runLimit = iota
	runDone
)

var runCauses = [...]string{runLimit: "", runDone: "", 2: badCode, 3: badDist}

// maxRun is how many bytes the assembly makes at once: a goroutine in it cannot be stopped.
const maxRun = 64 << 10

// fast decodes while input and room are left, so that refills and copies of words need no checks. done says that the block has ended.
func (d *Inflater) fast(r *bitReader, dst, src []byte, op int) (end int, done bool, cause string) {
	if !haveSequences {
		return d.plain(r, dst, src, op)
	}
	for r.at+fastInput <= len(src) && op+fastRoom <= len(dst) {
		s := inflateRun{dst: &dst[0], op: op, most: min(len(dst)-fastRoom, op+maxRun), src: &src[0], ip: r.at, end: len(src) - fastInput,
			bits: r.b, count: uint64(r.n), lit: &d.lit[0], dist: &d.dist[0], patterns: &seqPatterns[0]}
		inflateFast(&s)
		op, r.at, r.b, r.n = s.op, s.ip, s.bits, uint(s.count)
		d.seen(dst, op)
		if s.why != runLimit {
			return op, s.why == runDone, runCauses[s.why]
		}
	}
	return op, false, ""
}

// plain is what fast does, without assembly.
func (d *Inflater) plain(r *bitReader, dst, src []byte, op int) (end int, done bool, cause string) {
	const lm, dm = 1<<litBits - 1, 1<<distBits - 1
	lit, dist := &d.lit, &d.dist
	bb, nb, ip := r.b, r.n, r.at
	for ip+fastInput <= len(src) && op+fastRoom <= len(dst) {
		bb |= binary.LittleEndian.Uint64(src[ip:]) << (nb & 63)
		ip += int((63 - nb) >> 3)
		nb |= 56
		e := lit[bb&lm]
		if e&fLit != 0 {
			bb >>= e & 63
			nb -= uint(e & 63)
			binary.LittleEndian.PutUint16(dst[op:], uint16(e>>8))
			op += int(e >> 24 & 3)
			e = lit[bb&lm]
			if e&fLit != 0 {
				bb >>= e & 63
				nb -= uint(e & 63)
				binary.LittleEndian.PutUint16(dst[op:], uint16(e>>8))
				op += int(e >> 24 & 3)
				e = lit[bb&lm]
				if e&fLit != 0 {
					bb >>= e & 63
					nb -= uint(e & 63)
					binary.LittleEndian.PutUint16(dst[op:], uint16(e>>8))
					op += int(e >> 24 & 3)
					continue
				}
			}
			bb |= binary.LittleEndian.Uint64(src[ip:]) << (nb & 63)
			ip += int((63 - nb) >> 3)
			nb |= 56
		}
		if e&fSub != 0 {
			i := e>>8&0x1fffff + uint32(bb>>litBits)&(1<<(e&31)-1)
			if i >= uint32(len(lit)) {
				cause = badCode
				break
			}
			e = lit[i]
			if e&fLit != 0 {
				bb >>= e & 63
				nb -= uint(e & 63)
				binary.LittleEndian.PutUint16(dst[op:], uint16(e>>8))
				op += int(e >> 24 & 3)
				continue
			}
		}
		cl := e & 0xff
		if cl == 0 {
			cause = badCode
			break
		}
		ln := int(e>>16&0x1fff) + int(bb&(1<<(cl&63)-1)>>(e>>8&63))
		bb >>= cl & 63
		nb -= uint(cl)
		if e&fEOB != 0 {
			done = true
			break
		}
		f := dist[bb&dm]
		if f&fSub != 0 {
			i := f>>8&0x1fffff + uint32(bb>>distBits)&(1<<(f&31)-1)
			if i >= uint32(len(dist)) {
				cause = badCode
				break
			}
			f = dist[i]
		}
		cl = f & 0x3f
		if cl == 0 {
			cause = badCode
			break
		}
		ds := int(f>>14) + int(bb&(1<<cl-1)>>(f>>8&63))
		bb >>= cl
		nb -= uint(cl)
		if ds > op {
			cause = badDist
			break
		}
		s, to := op-ds, op+ln
		switch {
		case ds < 8:
			// a word of repetitions, stored as often as whole ones fit: words are not read back that were just written
			w := uint(8 * ds)
			v := binary.LittleEndian.Uint64(dst[s:]) & (1<<w - 1)
			v |= v << w
			v |= v << (2 * w)
			v |= v << (4 * w)
			for step := wholeRuns[ds]; op < to; op += step {
				binary.LittleEndian.PutUint64(dst[op:], v)
			}
		default:
			for op < to {
				binary.LittleEndian.PutUint64(dst[op:], binary.LittleEndian.Uint64(dst[s:]))
				op += 8
				s += 8
			}
		}
		op = to
	}
	r.b, r.n, r.at = bb, nb, ip
	return op, done, cause
}

// wholeRuns[n] is how many bytes of a word are whole repetitions of n.
var wholeRuns = [8]int{0, 8, 8, 6, 8, 5, 6, 7}

// careful decodes the ends of input and output with every check.
func (d *Inflater) careful(r *bitReader, dst, src []byte, op int) (int, string) {
	const lm, dm = 1<<litBits - 1, 1<<distBits - 1
	for {
		r.refill(src)
		if r.past(src) {
			return op, badEnd
		}
		e := d.lit[r.b&lm]
		if e&fSub != 0 && e&fLit == 0 {
			e = second(d.lit[:], e, r.b>>litBits)
		}
		cl := uint(e & 0x3f)
		if cl == 0 {
			return op, badCode
		}
		v := r.take(cl)
		if e&fLit != 0 {
			for n := e >> 24 & 3; n > 0; n-- {
				if op >= len(dst) {
					return op, badLength
				}
				e >>= 8
				dst[op] = byte(e)
				op++
			}
			continue
		}
		if e&fEOB != 0 {
			return op, ""
		}
		ln := int(e>>16&0x1fff) + int(v>>(e>>8&0x3f))
		f := d.dist[r.b&dm]
		if f&fSub != 0 {
			f = second(d.dist[:], f, r.b>>distBits)
		}
		cl = uint(f & 0x3f)
		if cl == 0 {
			return op, badCode
		}
		v = r.take(cl)
		ds := int(f>>14) + int(v>>(f>>8&0x3f))
		if ds > op {
			return op, badDist
		}
		if op+ln > len(dst) {
			return op, badLength
		}
		for i := range ln {
			dst[op+i] = dst[op-ds+i]
		}
		op += ln
	}
}

// second follows the entry e into its second-level table.
func second(tab []uint32, e uint32, rest uint64) uint32 {
	i := e>>8&0x1fffff + uint32(rest)&(1<<(e&31)-1)
	if i >= uint32(len(tab)) {
		return 0
	}
	return tab[i]
}
