// SPDX-License-Identifier: BSD-3-Clause

package bytesimd

import "encoding/binary"

// piece is how many elements are shuffled at a time: their planes stay in the first-level cache.
const piece = 1024

// maxSize is the longest element whose planes are taken together; longer ones go by the portable loops.
const maxSize = 16

// Bitunshuffle undoes the bit shuffle of n elements of size bytes, n a multiple of 8:
//
//	for i := range n { for j := range size { for b := range 8 {
//		bit b of dst[i*size+j] = bit i%8 of src[(8*j+b)*(n/8)+i/8] } } }
//
// dst and src have n*size bytes and do not overlap.
func Bitunshuffle(dst, src []byte, n, size int) {
	dst, src = dst[:n*size], src[:n*size]
	row := n / 8
	if size > maxSize {
		bitunshuffleFrom(dst, src, n, size)
		return
	}
	var planes [maxSize * piece]byte
	for from := 0; from < n; from += piece {
		m := min(piece, n-from)
		for j := range size {
			// the eight rows of byte j, side by side: each eight bytes are a square of bits
			p := planes[j*m : (j+1)*m]
			interleave(p, src[8*j*row+from/8:], m/8, row)
			transpose(p)
		}
		Unshuffle(dst[from*size:(from+m)*size], planes[:m*size], size)
	}
}

// Bitshuffle is the inverse of Bitunshuffle, with the same rules.
func Bitshuffle(dst, src []byte, n, size int) {
	dst, src = dst[:n*size], src[:n*size]
	row := n / 8
	if size > maxSize {
		bitshuffleFrom(dst, src, n, size)
		return
	}
	var planes [maxSize * piece]byte
	for from := 0; from < n; from += piece {
		m := min(piece, n-from)
		Shuffle(planes[:m*size], src[from*size:(from+m)*size], size)
		for j := range size {
			p := planes[j*m : (j+1)*m]
			transpose(p)
			separate(dst[8*j*row+from/8:], p, m/8, row)
		}
	}
}

// interleave makes n elements of 8 bytes of 8 runs that lie plane bytes apart.
func interleave(dst, src []byte, n, plane int) {
	src = src[:7*plane+n]
	for i := interleaveSIMD(dst, src, n, plane); i < n; i++ {
		for b := range 8 {
			dst[8*i+b] = src[b*plane+i]
		}
	}
}

// separate is the inverse of interleave.
func separate(dst, src []byte, n, plane int) {
	dst = dst[:7*plane+n]
	for i := separateSIMD(dst, src, n, plane); i < n; i++ {
		for b := range 8 {
			dst[b*plane+i] = src[8*i+b]
		}
	}
}

var transposeMasks = [3]uint64{0x00aa00aa00aa00aa, 0x0000cccc0000cccc, 0x00000000f0f0f0f0}

// transpose transposes the square of bits of each 8 bytes.
func transpose(b []byte) {
	for i := transposeSIMD(b); i+8 <= len(b); i += 8 {
		binary.LittleEndian.PutUint64(b[i:], transpose8(binary.LittleEndian.Uint64(b[i:])))
	}
}

// transpose8 transposes the 8x8 matrix of bits whose rows are the bytes of x.
// Source: Warren, Hacker's Delight, 7-3.
func transpose8(x uint64) uint64 {
	t := (x ^ x>>7) & transposeMasks[0]
	x ^= t ^ t<<7
	t = (x ^ x>>14) & transposeMasks[1]
	x ^= t ^ t<<14
	t = (x ^ x>>28) & transposeMasks[2]
	return x ^ t ^ t<<28
}

// bitunshuffleFrom is the portable loop.
func bitunshuffleFrom(dst, src []byte, n, size int) {
	row := n / 8
	for j := range size {
		rows := src[8*j*row:]
		for i := range row {
			var x uint64
			for b := range 8 {
				x |= uint64(rows[b*row+i]) << (8 * b)
			}
			x = transpose8(x)
			o := 8*i*size + j
			for range 8 {
				dst[o] = byte(x)
				x >>= 8
				o += size
			}
		}
	}
}

// bitshuffleFrom is the portable loop.
func bitshuffleFrom(dst, src []byte, n, size int) {
	row := n / 8
	for j := range size {
		rows := dst[8*j*row:]
		for i := range row {
			var x uint64
			o := 8*i*size + j
			for b := range 8 {
				x |= uint64(src[o]) << (8 * b)
				o += size
			}
			x = transpose8(x)
			for b := range 8 {
				rows[b*row+i] = byte(x)
				x >>= 8
			}
		}
	}
}
