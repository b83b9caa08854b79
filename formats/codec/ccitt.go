// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"strings"
	"sync"
)

// CCITT is a way of coding bilevel rows for facsimile.
type CCITT uint8

// The codes: TIFF's compressions 2, 3 (without and with two-dimensional rows) and 4.
const (
	CCITTRows CCITT = iota // one-dimensional rows that start at whole bytes, without marks between them
	CCITTG3                // rows behind end-of-line codes
	CCITTG32D              // each mark says whether its row is one-dimensional
	CCITTG4                // all rows are two-dimensional
)

// CCITT decodes rows of width pixels into dst, eight in a byte, the first in the highest bit, a row starting at a
// whole byte; white is 0. It returns the rows decoded, at most rows.
//
// Specification: ITU-T T.4 and T.6; TIFF 6.0, sections 10 and 11.
func (c CCITT) Decode(dst, src []byte, width, rows int) (int, error) {
	r := &faxReader{in: src, width: width}
	line := (width + 7) / 8
	ref, cur := make([]int, 0, 64), make([]int, 0, 64)
	for y := range rows {
		two := c == CCITTG4
		var err error
		switch c {
		case CCITTRows:
			r.at = (r.at + 7) &^ 7
		case CCITTG3, CCITTG32D:
			r.mark()
			if c == CCITTG32D {
				two = r.peek(1) == 0
				r.at++
			}
		}
		if r.at >= 8*len(src) {
			return y, nil
		}
		if two {
			cur, err = r.row2(cur[:0], ref)
		} else {
			cur, err = r.row1(cur[:0])
		}
		if err == errFaxEnd {
			return y, nil
		}
		if err != nil {
			return y, err
		}
		fillRuns(dst[y*line:][:line], cur, width)
		ref, cur = cur, ref
	}
	return rows, nil
}

// fillRuns blackens the pixels between changes 0 and 1, 2 and 3 and so on.
func fillRuns(row []byte, changes []int, width int) {
	clear(row)
	for i := 0; i < len(changes); i += 2 {
		to := width
		if i+1 < len(changes) {
			to = changes[i+1]
		}
		for x := changes[i]; x < to; x++ {
			if x&7 == 0 && to-x >= 8 {
				row[x>>3] = 0xff
				x += 7
				continue
			}
			row[x>>3] |= 0x80 >> (x & 7)
		}
	}
}

// faxReader takes codes from a stream.
type faxReader struct {
	in    []byte
	at    int // bits read
	width int
}

// faxError is an end of the data that a caller may accept.
type faxError string

func (e faxError) Error() string { return string(e) }

const errFaxEnd = faxError("end of data")

// peek returns the next n bits, zeros behind the end; n is at most 24.
func (r *faxReader) peek(n int) int {
	v, i := 0, r.at>>3
	for k := range 4 {
		v <<= 8
		if i+k < len(r.in) {
			v |= int(r.in[i+k])
		}
	}
	return v >> (32 - r.at&7 - n) & (1<<n - 1)
}

// mark skips an end-of-line code, with the zeros before it, where there is one.
func (r *faxReader) mark() {
	at := r.at
	for zeros := 0; at < 8*len(r.in); at++ {
		if r.in[at>>3]>>(7-at&7)&1 == 1 {
			if zeros >= 11 {
				r.at = at + 1
			}
			return
		}
		zeros++
	}
	r.at = at
}

// run takes the codes of a run of one colour.
func (r *faxReader) run(black int) (int, error) {
	table := &faxTables()[black]
	for n := 0; ; {
		e := table[r.peek(faxBits)]
		if e.bits == 0 {
			if r.at >= 8*len(r.in) {
				return 0, errFaxEnd
			}
			return 0, corrupt("ccitt", "no run at bit %d of %d", r.at, 8*len(r.in))
		}
		r.at += int(e.bits)
		if n += int(e.run); n > r.width {
			return 0, corrupt("ccitt", "a run of %d pixels in a row of %d", n, r.width)
		}
		if e.run < 64 {
			return n, nil
		}
	}
}

// row1 appends the changes of a one-dimensional row.
func (r *faxReader) row1(cur []int) ([]int, error) {
	for x, black := 0, 0; x < r.width; black ^= 1 {
		n, err := r.run(black)
		if err != nil {
			return cur, err
		}
		if x += n; x > r.width {
			return cur, corrupt("ccitt", "runs of %d pixels in a row of %d", x, r.width)
		}
		if x < r.width {
			cur = append(cur, x)
		}
	}
	return cur, nil
}

// The modes of two-dimensional rows.
const (
	faxPass = iota
	faxHorizontal
	faxVertical
)

// faxModes are the modes by their codes: how many bits, and how far a vertical change is from the one above.
var faxModes = []struct{ bits, code, mode, shift int }{
	{1, 1, faxVertical, 0}, {3, 3, faxVertical, 1}, {3, 2, faxVertical, -1}, {3, 1, faxHorizontal, 0}, {4, 1, faxPass, 0},
	{6, 3, faxVertical, 2}, {6, 2, faxVertical, -2}, {7, 3, faxVertical, 3}, {7, 2, faxVertical, -3},
}

// row2 appends the changes of a row coded by those of the row above.
func (r *faxReader) row2(cur, ref []int) ([]int, error) {
	w := r.width
	above := func(i int) int {
		if i < len(ref) {
			return ref[i]
		}
		return w
	}
	x, black, b := -1, 0, 0
next:
	for x < w {
		// b1 is the first change above behind x to the other colour
		for b > 0 && above(b-1) > x {
			b--
		}
		for above(b) <= x && above(b) < w || b&1 != black {
			b++
		}
		for _, m := range faxModes {
			if r.peek(m.bits) != m.code {
				continue
			}
			r.at += m.bits
			if r.at > 8*len(r.in) {
				return cur, errFaxEnd
			}
			switch m.mode {
			case faxPass:
				x = above(b + 1)
			case faxVertical:
				to := above(b) + m.shift
				if to < max(x, 0) || to > w || to == x && x > 0 {
					return cur, corrupt("ccitt", "a change at %d behind one at %d in a row of %d", to, x, w)
				}
				if x = to; x < w {
					cur = append(cur, x)
				}
				black ^= 1
			case faxHorizontal:
				for range 2 {
					n, err := r.run(black)
					if err != nil {
						return cur, err
					}
					if x = max(x, 0) + n; x > w {
						return cur, corrupt("ccitt", "runs of %d pixels in a row of %d", x, w)
					}
					if x < w {
						cur = append(cur, x)
					}
					black ^= 1
				}
			}
			continue next
		}
		if r.peek(12) <= 1 { // the end of the block, or of the data
			return cur, errFaxEnd
		}
		return cur, corrupt("ccitt", "no mode at bit %d of %d", r.at, 8*len(r.in))
	}
	return cur, nil
}

// faxBits is the length of the longest code of a run.
const faxBits = 13

type faxCode struct {
	run  int16
	bits uint8
}

// faxTables are the codes of white and black runs by the next bits.
var faxTables = sync.OnceValue(func() *[2][1 << faxBits]faxCode {
	var t [2][1 << faxBits]faxCode
	add := func(colour, run int, code string) {
		v := 0
		for _, c := range code {
			v = v<<1 | int(c-'0')
		}
		free := faxBits - len(code)
		for i := range 1 << free {
			t[colour][v<<free|i] = faxCode{int16(run), uint8(len(code))}
		}
	}
	for colour, text := range []string{faxWhite, faxBlack} {
		for i, code := range strings.Fields(text) {
			run := i
			if i >= 64 {
				run = 64 * (i - 63)
			}
			add(colour, run, code)
		}
		for i, code := range strings.Fields(faxLong) {
			add(colour, 1792+64*i, code)
		}
	}
	return &t
})

// The codes of runs of 0 to 63 pixels, then of 64, 128 to 1728; those from 1792 on are common.
const (
	faxWhite = `00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101
		101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010
		00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010
		00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100
		11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011 011010100 011010101
		011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011`
	faxBlack = `0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000
		0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001
		000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111
		000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111
		0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100
		0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011 0000001100100 0000001100101`
	faxLong = `00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 000000010111 000000011100 000000011101 000000011110 000000011111`
)
