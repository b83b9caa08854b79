// SPDX-License-Identifier: BSD-3-Clause

package codec

// Bitunshuffle undoes the bit shuffle of Blosc and the bitshuffle filter for n elements of es
// bytes, n a multiple of 8: row 8*j+b of src, n/8 bytes long, holds bit b of byte j of every
// element, the first element in the lowest bit. dst and src must not overlap.
func Bitunshuffle(dst, src []byte, n, es int) {
	row := n / 8
	for j := range es {
		rows := src[8*j*row:]
		for i := range row {
			var x uint64
			for b := range 8 {
				x |= uint64(rows[b*row+i]) << (8 * b)
			}
			x = bitTranspose8(x)
			o := 8*i*es + j
			for range 8 {
				dst[o] = byte(x)
				x >>= 8
				o += es
			}
		}
	}
}

// bitTranspose8 transposes the 8x8 matrix of bits whose rows are the bytes of x.
// Source: Warren, Hacker's Delight, 7-3.
func bitTranspose8(x uint64) uint64 {
	t := (x ^ x>>7) & 0x00aa00aa00aa00aa
	x ^= t ^ t<<7
	t = (x ^ x>>14) & 0x0000cccc0000cccc
	x ^= t ^ t<<14
	t = (x ^ x>>28) & 0x00000000f0f0f0f0
	return x ^ t ^ t<<28
}
