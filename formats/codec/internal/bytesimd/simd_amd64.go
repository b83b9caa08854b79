// SPDX-License-Identifier: BSD-3-Clause

//go:build !noasm

package bytesimd

import "unsafe"

// haveAVX2 is false in tests of the portable loops.
var haveAVX2 = detectAVX2()

// detectAVX2 asks the processor and, by XGETBV, whether the system saves the YMM registers.
func detectAVX2() bool {
	maxLeaf, _, _, _ := cpuid(0, 0)
	if maxLeaf < 7 {
		return false
	}
	const osxsave, avx = 1 << 27, 1 << 28
	if _, _, c, _ := cpuid(1, 0); c&osxsave == 0 || c&avx == 0 {
		return false
	}
	if xgetbv()&6 != 6 {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&(1<<5) != 0
}

func cpuid(leaf, sub uint32) (a, b, c, d uint32)

func xgetbv() uint32

// The loops in assembly: n is a multiple of 32 elements; plane is the distance
// between planes, the number of elements of the whole run. They read and write
// exactly n elements of each plane and n elements of the other side.
//
//go:noescape
func unshuffle2(dst, src *byte, n, plane int)

//go:noescape
func unshuffle4(dst, src *byte, n, plane int)

//go:noescape
func unshuffle8(dst, src *byte, n, plane int)

// Those whose stores go past the caches; dst is a multiple of 32.
//
//go:noescape
func unshuffleStream2(dst, src *byte, n, plane int)

//go:noescape
func unshuffleStream4(dst, src *byte, n, plane int)

//go:noescape
func unshuffleStream8(dst, src *byte, n, plane int)

//go:noescape
func shuffle2(dst, src *byte, n, plane int)

//go:noescape
func shuffle4(dst, src *byte, n, plane int)

//go:noescape
func shuffle8(dst, src *byte, n, plane int)

// streamRows copies rows with stores that go past the caches; dst, pitch and row are multiples of 32.
//
//go:noescape
func streamRows(dst, src *byte, pitch, step, row, n int)

// swapBytes permutes the bytes of each 16-byte lane by mask; n is a multiple of 32 bytes.
//
//go:noescape
func swapBytes(dst, src *byte, n int, mask *[32]byte)

// adler adds n bytes, a multiple of 32 and at most adlerRun, to the two sums, unreduced.
//
//go:noescape
func adler(p *byte, n int, s1, s2 *uint32)

// transposeBits transposes the 8x8 bits of each 8 bytes; n is a multiple of 32 bytes.
//
//go:noescape
func transposeBits(p *byte, n int, masks *[3]uint64)

func transposeSIMD(b []byte) int {
	n := len(b) &^ 31
	if n == 0 || !haveAVX2 {
		return 0
	}
	transposeBits(&b[0], n, &transposeMasks)
	return n
}

func interleaveSIMD(dst, src []byte, n, plane int) int {
	m := n &^ 31
	if m == 0 || !haveAVX2 {
		return 0
	}
	unshuffle8(&dst[0], &src[0], m, plane)
	return m
}

func separateSIMD(dst, src []byte, n, plane int) int {
	m := n &^ 31
	if m == 0 || !haveAVX2 {
		return 0
	}
	shuffle8(&dst[0], &src[0], m, plane)
	return m
}

// unshuffleSIMD does the first elements of n, with stream past the caches if dst is a multiple of 32, and says how many.
func unshuffleSIMD(dst, src []byte, size, n int, stream bool) int {
	m := n &^ 31
	if !stream || m == 0 || !haveAVX2 || uintptr(unsafe.Pointer(&dst[0]))&31 != 0 {
		return unshufflePartSIMD(dst, src, size, n, n)
	}
	switch size {
	case 2:
		unshuffleStream2(&dst[0], &src[0], m, n)
	case 4:
		unshuffleStream4(&dst[0], &src[0], m, n)
	case 8:
		unshuffleStream8(&dst[0], &src[0], m, n)
	default:
		return 0
	}
	return m
}

// unshufflePartSIMD does the first elements of n whose planes are plane bytes apart, and says how many.
func unshufflePartSIMD(dst, src []byte, size, n, plane int) int {
	m := n &^ 31
	if m == 0 || !haveAVX2 {
		return 0
	}
	switch size {
	case 2:
		unshuffle2(&dst[0], &src[0], m, plane)
	case 4:
		unshuffle4(&dst[0], &src[0], m, plane)
	case 8:
		unshuffle8(&dst[0], &src[0], m, plane)
	default:
		return 0
	}
	return m
}

// streamSIMD does CopyRows where every row starts and ends between words of 32 bytes of the destination.
func streamSIMD(dst, src []byte, pitch, step, row, n int) bool {
	if !haveAVX2 || (uintptr(unsafe.Pointer(&dst[0]))|uintptr(pitch)|uintptr(row))&31 != 0 {
		return false
	}
	streamRows(&dst[0], &src[0], pitch, step, row, n)
	return true
}

func shuffleSIMD(dst, src []byte, size, n int) int {
	m := n &^ 31
	if m == 0 || !haveAVX2 {
		return 0
	}
	switch size {
	case 2:
		shuffle2(&dst[0], &src[0], m, n)
	case 4:
		shuffle4(&dst[0], &src[0], m, n)
	case 8:
		shuffle8(&dst[0], &src[0], m, n)
	default:
		return 0
	}
	return m
}

// swapMasks holds the byte orders for VPSHUFB by element size.
var swapMasks = map[int]*[32]byte{2: swapMask(2), 4: swapMask(4), 8: swapMask(8), 16: swapMask(16)}

func swapMask(size int) *[32]byte {
	var m [32]byte
	for i := range m {
		j := i % 16
		m[i] = byte(j/size*size + size - 1 - j%size)
	}
	return &m
}

func swapSIMD(dst, src []byte, size int) int {
	n := len(src) &^ 31
	m := swapMasks[size]
	if n == 0 || m == nil || !haveAVX2 {
		return 0
	}
	swapBytes(&dst[0], &src[0], n, m)
	return n
}

func adlerSIMD(s1, s2 *uint32, b []byte) int {
	n := len(b) &^ 31
	if n == 0 || !haveAVX2 {
		return 0
	}
	adler(&b[0], n, s1, s2)
	return n
}

// HaveBMI2 reports whether the processor has the shifts of BMI2 beside AVX2.
func HaveBMI2() bool {
	if !haveAVX2 {
		return false
	}
	_, b, _, _ := cpuid(7, 0)
	return b&(1<<8) != 0
}
