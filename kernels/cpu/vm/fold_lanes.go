// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/kernels"
)

const lanes = kernels.Lanes

// ordered is what folds read directly; float16 and bfloat16 are widened to float32 first.
type ordered interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// total is what sums and products accumulate in.
type total interface{ int64 | uint64 | float64 }

// addLanes is
//
//	for i := range x { acc[(lane+i)%32] += A(x[i]) }
//
// It goes piece by piece, so that a piece is in the first-level cache for all passes but the first.
func addLanes[T ordered, A total](acc *[lanes]A, lane int, x []T) {
	for lane != 0 && len(x) > 0 {
		acc[lane] += A(x[0])
		x = x[1:]
		lane = (lane + 1) % lanes
	}
	for len(x) >= lanes {
		n := min(len(x)/lanes*lanes, addPiece)
		if n == addPiece {
			touch(x[:n])
		}
		addFull(acc, x[:n])
		x = x[n:]
	}
	for i, v := range x {
		acc[i] += A(v)
	}
}

// addPiece is the length of a piece of addLanes.
const addPiece = 32 * lanes

// addFull adds groups of 32 elements. Eight accumulators at a time stay in registers.
func addFull[T ordered, A total](acc *[lanes]A, x []T) {
	for p := 0; p < lanes; p += 8 {
		s := acc[p : p+8 : p+8]
		a0, a1, a2, a3, a4, a5, a6, a7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		for y := x; len(y) >= lanes; y = y[lanes:] {
			z := y[p : p+8 : p+8]
			a0 += A(z[0])
			a1 += A(z[1])
			a2 += A(z[2])
			a3 += A(z[3])
			a4 += A(z[4])
			a5 += A(z[5])
			a6 += A(z[6])
			a7 += A(z[7])
		}
		s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7] = a0, a1, a2, a3, a4, a5, a6, a7
	}
}

// touch reads one element of every cache line of x. Loads that nothing waits for come from memory side by side, so that
// sums of elements that are not in a cache yet take about two thirds of the time. It returns what keeps the loads alive.
//
//go:noinline
func touch[T ordered](x []T) (t T) {
	line := 64 / int(unsafe.Sizeof(t))
	for len(x) >= 4*line {
		t += x[0] + x[line] + x[2*line] + x[3*line]
		x = x[4*line:]
	}
	return t
}

// tryRun is the length from which on addLanesTry tries.
const tryRun = 4 * lanes

// addLanesTry is addLanesSkip for values that are likely all numbers: the plain loop is three times as fast, and
// its accumulators tell whether it met NaN (or infinities of both signs).
func addLanesTry[T ordered, A total](acc *[lanes]A, lane int, x []T) (skipped int) {
	if len(x) >= tryRun {
		t := *acc
		addLanes(&t, lane, x)
		clean := true
		for _, v := range t {
			clean = clean && v == v
		}
		if clean {
			*acc = t
			return 0
		}
	}
	return addLanesSkip(acc, lane, x)
}

// addLanesSkip is addLanes with 0 added for NaN. It returns how many were NaN.
func addLanesSkip[T ordered, A total](acc *[lanes]A, lane int, x []T) (skipped int) {
	for i, v := range x {
		if v != v {
			v = 0
			skipped++
		}
		acc[(lane+i)%lanes] += A(v)
	}
	return skipped
}

// addShort returns what addLanes from lane 0 on and joinLanes give for a whole block of few values: the
// accumulators that nothing reaches are left out of the joins.
func addShort[T ordered, A total](x []T) A {
	switch len(x) {
	case 1:
		return A(x[0]) + 0 // the accumulator's +0: -0 becomes +0
	case 2:
		return (A(x[0]) + 0) + A(x[1])
	case 3:
		return (A(x[0]) + 0 + A(x[2])) + (A(x[1]) + 0)
	case 4:
		return (A(x[0]) + 0 + A(x[2])) + (A(x[1]) + 0 + A(x[3]))
	}
	var acc [lanes]A
	n := min(len(x), lanes)
	for i, v := range x[:n] {
		acc[i] = A(v) + 0
	}
	for i, v := range x[n:] {
		acc[i%lanes] += A(v)
	}
	return joinFirst(&acc, n)
}

// addRows is
//
//	for r := range count { for j := range acc { acc[j] += A(x[r*stride+j]) } }
//
// with each acc[j] adding its rows in order. Four rows at a time share one load and store of acc.
func addRows[T ordered, A total](acc []A, x []T, stride, count int) {
	w := len(acc)
	for count >= 4 {
		r0, r1, r2, r3 := x[:w], x[stride:stride+w], x[2*stride:2*stride+w], x[3*stride:3*stride+w]
		for j := range acc {
			acc[j] = acc[j] + A(r0[j]) + A(r1[j]) + A(r2[j]) + A(r3[j])
		}
		count -= 4
		if count == 0 {
			return
		}
		x = x[4*stride:]
	}
	for r := range count {
		row := x[r*stride : r*stride+w]
		for j, v := range row {
			acc[j] += A(v)
		}
	}
}

// addRowSkip adds one row, 0 for NaN, and counts the others in cnt when it is not nil.
func addRowSkip[T ordered, A total](acc []A, cnt []int64, x []T) {
	acc = acc[:len(x)]
	if cnt == nil {
		for j, v := range x {
			if v == v {
				acc[j] += A(v)
			}
		}
		return
	}
	cnt = cnt[:len(x)]
	for j, v := range x {
		if v == v {
			acc[j] += A(v)
			cnt[j]++
		}
	}
}

// mulLanes is addLanes for products.
func mulLanes[T ordered, A total](acc *[lanes]A, lane int, x []T) {
	for i, v := range x {
		acc[(lane+i)%lanes] *= A(v)
	}
}

// mulLanesSkip is mulLanes with 1 for NaN.
func mulLanesSkip[T ordered, A total](acc *[lanes]A, lane int, x []T) (skipped int) {
	for i, v := range x {
		if v == v {
			acc[(lane+i)%lanes] *= A(v)
		} else {
			skipped++
		}
	}
	return skipped
}

// joinFirst is joinLanes where only the first n accumulators have anything in them: the others' zeros are not added.
func joinFirst[A total | complex128](acc *[lanes]A, n int) A {
	for h := lanes / 2; h > 0; h /= 2 {
		for i := 0; i+h < n; i++ {
			acc[i] += acc[i+h]
		}
		n = min(n, h)
	}
	return acc[0]
}

// joinLanes adds the accumulators by halving: i with i+16, then i+8, ... i+1.
func joinLanes[A total | complex128](acc *[lanes]A) A {
	for h := lanes / 2; h > 0; h /= 2 {
		for i := range h {
			acc[i] += acc[i+h]
		}
	}
	return acc[0]
}

func mulJoin[A total](acc *[lanes]A) A {
	for h := lanes / 2; h > 0; h /= 2 {
		for i := range h {
			acc[i] *= acc[i+h]
		}
	}
	return acc[0]
}

// mulShort returns what mulLanes from lane 0 on and mulJoin give for a whole block of few values; 1 changes nothing.
func mulShort[T ordered, A total](x []T) A {
	var acc [lanes]A
	n := min(len(x), lanes)
	for i, v := range x[:n] {
		acc[i] = A(v)
	}
	for i, v := range x[n:] {
		acc[i%lanes] *= A(v)
	}
	for h := lanes / 2; h > 0; h /= 2 {
		for i := 0; i+h < n; i++ {
			acc[i] *= acc[i+h]
		}
		n = min(n, h)
	}
	return acc[0]
}
