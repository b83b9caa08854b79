// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec/internal/bytesimd"
	"github.com/arrayrun/arrayrun/formats/codec/internal/clib"
)

// Inflater decodes whole deflate streams from one slice into another. It is
// about twice as fast as a streaming decoder: input and output are slices, so the
// inner loop has no refill or window callbacks; a 64-bit bit buffer is refilled
// with one unaligned load; several literals are decoded for a refill, two of short codes with one look; matches
// copy whole words. The fast loop, in assembly where there is one, needs 300 bytes of room in dst, so a
// destination a little longer than the output is decoded faster at its end.
//
// The zero value is ready. It holds 21 KiB of tables and is not safe for
// concurrent use; InflateZlib takes one from a pool.
type Inflater struct {
	lit  [1<<litBits + 1600]uint32
	dist [1<<distBits + 1200]uint32
	lens [320]byte
	pre  [1 << preBits]uint32
	lib  *clib.Inflater

	check  func(sum uint32, b []byte) uint32 // goes on with a checksum of the output; nil: there is none
	sum    uint32
	summed int // bytes of the output that are in sum
}

// sumLeast is how much new output is summed at once: it is still in the first- or second-level cache.
const sumLeast = 32 << 10

// seen goes on with the checksum when op bytes of output are there.
func (d *Inflater) seen(dst []byte, op int) {
	if d.check != nil && op-d.summed >= sumLeast {
		d.sum = d.check(d.sum, dst[d.summed:op])
		d.summed = op
	}
}

// inflateSum is Inflate, and goes on with the checksum sum.
func (d *Inflater) inflateSum(dst, src []byte, sum uint32, check func(sum uint32, b []byte) uint32) (n, used int, all uint32, err error) {
	d.check, d.sum, d.summed = check, sum, 0
	n, used, err = d.Inflate(dst, src)
	d.check = nil
	if err == nil {
		all = check(d.sum, dst[d.summed:n])
	}
	return n, used, all, err
}

// libLeast is the length of input from which a call of a library costs little beside its work.
const libLeast = 512

var inflaters = sync.Pool{New: func() any { return new(Inflater) }}

// InflateZlib decodes the zlib stream src (RFC 1950) into dst and returns the
// length of the output. A damaged stream, a wrong Adler-32 or an output longer
// than dst gives an error wrapping formats.ErrCorrupt.
func InflateZlib(dst, src []byte) (int, error) {
	d := inflaters.Get().(*Inflater)
	defer inflaters.Put(d)
	return d.Zlib(dst, src)
}

// Zlib is InflateZlib with d's tables.
func (d *Inflater) Zlib(dst, src []byte) (int, error) {
	if len(src) < 6 || src[0]&15 != 8 || (uint(src[0])<<8|uint(src[1]))%31 != 0 || src[1]&0x20 != 0 {
		return 0, fmt.Errorf("codec: zlib: no zlib header in a stream of %d bytes: %w", len(src), formats.ErrCorrupt)
	}
	n, used, got, err := d.inflateSum(dst, src[2:], 1, bytesimd.AdlerUpdate)
	if err != nil {
		return n, err
	}
	if used+6 > len(src) {
		return n, fmt.Errorf("codec: zlib: checksum cut off at byte %d: %w", len(src), formats.ErrCorrupt)
	}
	want := binary.BigEndian.Uint32(src[2+used:])
	if got != want {
		return n, fmt.Errorf("codec: zlib: Adler-32 of %d bytes: got %#x, want %#x: %w", n, got, want, formats.ErrCorrupt)
	}
	return n, nil
}

// corruptDeflate is the error of a stream that breaks the rules near byte at.
func corruptDeflate(what string, at, size int) error {
	err := formats.ErrCorrupt
	if what == badLength {
		err = errFull
	}
	return fmt.Errorf("codec: deflate: %s near byte %d of %d: %w", what, max(0, min(at, size)), size, err)
}

// The causes of errors, for corruptDeflate.
const (
	badBlock  = "bad block header"
	badCodes  = "bad code lengths"
	badCode   = "code without meaning"
	badLength = "output longer than its place"
	badDist   = "match before the start"
	badEnd    = "stream cut off"
)

// bitReader is the state of the input: the low n bits of b are valid; at is the
// next byte to load and may run past the end of the input by the zeros loaded there.
type bitReader struct {
	b  uint64
	n  uint
	at int
}

// refill loads until at least 56 bits are there; behind the end zeros are.
func (r *bitReader) refill(src []byte) {
	if r.at+8 <= len(src) {
		r.b |= binary.LittleEndian.Uint64(src[r.at:]) << (r.n & 63)
		r.at += int((63 - r.n) >> 3)
		r.n |= 56
		return
	}
	// A full word keeps what the fast path loaded beyond n; drop it before adding bytes.
	r.b &= 1<<r.n - 1
	for r.n <= 56 {
		if r.at < len(src) {
			r.b |= uint64(src[r.at]) << r.n
		}
		r.at++
		r.n += 8
	}
}

// take returns the next k bits, which must be loaded.
func (r *bitReader) take(k uint) uint64 {
	v := r.b & (1<<k - 1)
	r.b >>= k
	r.n -= k
	return v
}

// past reports whether more bits were taken than the input has.
func (r *bitReader) past(src []byte) bool { return r.at-int(r.n>>3) > len(src) }

// Inflate decodes the deflate stream at the start of src (RFC 1951) into dst and
// returns the length of the output and of the stream. Errors wrap formats.ErrCorrupt.
func (d *Inflater) Inflate(dst, src []byte) (n, used int, err error) {
	// the assembly is as fast as the library
	if !haveSequences && len(src) >= libLeast && clib.LibDeflate.Err() == nil {
		if d.lib == nil {
			d.lib = clib.NewInflater()
		}
		if d.lib != nil {
			if n, used, ok := d.lib.Inflate(dst, src); ok {
				return n, used, nil
			}
		}
	}
	return d.inflate(dst, src)
}

// inflate is Inflate in Go.
func (d *Inflater) inflate(dst, src []byte) (n, used int, err error) {
	var r bitReader
	op := 0
	for {
		r.refill(src)
		if r.past(src) {
			return op, 0, corruptDeflate(badEnd, r.at, len(src))
		}
		final := r.take(1)
		cause := ""
		switch r.take(2) {
		case 0:
			op, cause = r.stored(dst, src, op)
		case 1:
			d.fixed()
			op, cause = d.block(&r, dst, src, op)
		case 2:
			if cause = d.dynamic(&r, src); cause == "" {
				op, cause = d.block(&r, dst, src, op)
			}
		default:
			cause = badBlock
		}
		if cause == "" && r.past(src) {
			cause = badEnd
		}
		if cause != "" {
			return op, 0, corruptDeflate(cause, r.at-int(r.n>>3), len(src))
		}
		if final == 1 {
			return op, r.at - int(r.n>>3), nil
		}
	}
}

// stored copies an uncompressed block.
func (r *bitReader) stored(dst, src []byte, op int) (int, string) {
	ip := r.at - int(r.n>>3) // the rest of a begun byte is dropped
	if ip+4 > len(src) {
		return op, badEnd
	}
	n := int(binary.LittleEndian.Uint16(src[ip:]))
	if n^0xffff != int(binary.LittleEndian.Uint16(src[ip+2:])) {
		return op, badBlock
	}
	ip += 4
	if ip+n > len(src) {
		return op, badEnd
	}
	if op+n > len(dst) {
		return op, badLength
	}
	copy(dst[op:], src[ip:ip+n])
	*r = bitReader{at: ip + n}
	return op + n, ""
}

// fixed builds the tables of a block with fixed codes.
func (d *Inflater) fixed() {
	// The symbols without meaning have codes: leave them out.
	buildFixed(d.lit[:], litBits, fixedLit[:], litSymbols[:], litSymbolCount)
	buildFixed(d.dist[:], distBits, fixedDist[:], distSymbols[:], distSymbolCount)
}

// buildFixed builds a fixed code and takes the meaning from symbols at and above known.
func buildFixed(tab []uint32, tb uint, lens []byte, symbols []uint32, known int) {
	s := append([]uint32(nil), symbols...)
	for i := known; i < len(s); i++ {
		s[i] = fSub // a mark, replaced by 0 below
	}
	buildTable(tab, tb, lens, s)
	for i, e := range tab[:1<<tb] {
		if e&fSub != 0 {
			tab[i] = 0
		}
	}
}

// dynamic reads the code lengths of a block and builds its tables.
func (d *Inflater) dynamic(r *bitReader, src []byte) string {
	hlit, hdist, hclen := int(r.take(5))+257, int(r.take(5))+1, int(r.take(4))+4
	var pre [19]byte
	for i := range hclen {
		if r.n < 3 {
			r.refill(src)
		}
		pre[preOrder[i]] = byte(r.take(3))
	}
	if !buildTable(d.pre[:], preBits, pre[:], preSymbols[:]) {
		return badCodes
	}
	for n := 0; n < hlit+hdist; {
		if r.n < 16 {
			r.refill(src)
			if r.past(src) {
				return badEnd
			}
		}
		e := d.pre[r.b&(1<<preBits-1)]
		l := uint(e & 0xff)
		if l == 0 {
			return badCode
		}
		r.take(l)
		s, rep, v := e>>16, 1, byte(0)
		switch {
		case s < 16:
			v = byte(s)
		case s == 16:
			if n == 0 {
				return badCodes
			}
			v, rep = d.lens[n-1], 3+int(r.take(2))
		case s == 17:
			rep = 3 + int(r.take(3))
		default:
			rep = 11 + int(r.take(7))
		}
		if n+rep > hlit+hdist {
			return badCodes
		}
		for ; rep > 0; rep-- {
			d.lens[n] = v
			n++
		}
	}
	if hlit > 286 ||
		!buildTable(d.lit[:], litBits, d.lens[:hlit], litSymbols[:]) ||
		!buildTable(d.dist[:], distBits, d.lens[hlit:hlit+hdist], distSymbols[:]) {
		return badCodes
	}
	pair(d.lit[:1<<litBits], d.lens[:256])
	return ""
}
