// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// number is every Go type whose elements folds read.
type number interface{ ordered | cplx }

// countSweep folds count and count_nonzero: the values for which test is 1.
type countSweep[T number] struct {
	nonzero bool // else: not NaN
	out     []int64
	slots   []int64
	native  native
	short   shorts
	zeros   bool // machine code counts zeros
}

func (s *countSweep[T]) bind(out []*chunk.Chunk, slots int) {
	s.out = output[int64](out[0])
	s.slots = resize(s.slots, slots)
	clear(s.slots)
}

func (s *countSweep[T]) fill() { clear(s.out) }

// countIn has no branch on the data: mispredictions would cost more than the loop.
func (s *countSweep[T]) countIn(x []T) (n int64) {
	if s.nonzero {
		return nonzeros(x)
	}
	for _, v := range x {
		n += int64(oneIf(v == v))
	}
	return n
}

func oneIf(c bool) (m uint8) {
	if c {
		m = 1
	}
	return m
}

func (s *countSweep[T]) seg(slot, _ int, x args, n int, _ bool) {
	v := values[T](x[0], n)
	k, done := nativeCount(&s.native, s.zeros, v)
	s.slots[slot] += k + s.countIn(v[done:])
}

func (s *countSweep[T]) flush(slot, at, _ int) {
	s.out[at] = s.slots[slot]
	s.slots[slot] = 0
}

func (s *countSweep[T]) start(_, at, w int) { clear(s.out[at : at+w]) }

func (s *countSweep[T]) rows(_, at, w int, x args, stride [2]int, count int, _ bool) {
	var zero T
	if done := w &^ 3; s.native.rows != nil && done > 0 {
		s.native.panel(unsafe.Pointer(&s.out[at]), x[0], nil, nil, done, stride[0], count)
		if done == w {
			return
		}
		at, w = at+done, w-done
		x[0] = element[T](x[0], done)
	}
	acc := s.out[at : at+w]
	v := values[T](x[0], (count-1)*stride[0]+w)
	for r := range count {
		row := v[r*stride[0]:][:len(acc)]
		if s.nonzero {
			for j, y := range row {
				acc[j] += int64(oneIf(y != zero))
			}
			continue
		}
		for j, y := range row {
			acc[j] += int64(oneIf(y == y))
		}
	}
}

func (s *countSweep[T]) end(_, _, _, _ int) {}
func (s *countSweep[T]) passes() int        { return 1 }
func (s *countSweep[T]) between()           {}
func (s *countSweep[T]) done()              { s.out = nil }

func (s *countSweep[T]) grow(_, at, w int, x args) { s.rows(0, at, w, x, zeroStride, 1, false) }

func (s *countSweep[T]) scatter(_ int, dst []int, x args) {
	v := values[T](x[0], len(dst))
	for i, d := range dst {
		if d >= 0 {
			s.out[d] += s.countIn(v[i : i+1])
		}
	}
}

// truthSweep folds any (all false) and all: whether a value is, or every value is, not 0.
type truthSweep[T number] struct {
	all    bool
	out    []uint8
	slots  []uint8
	native native
	short  shorts
	zeros  bool    // machine code counts zeros
	counts []int64 // of short runs
	lump   []uint8 // of columns of several rows
}

func newTruth[T number](r *kernels.Reduction) sweep {
	return &truthSweep[T]{all: r.Algebra == kernels.FoldAll}
}

func (s *truthSweep[T]) bind(out []*chunk.Chunk, slots int) {
	s.out = output[uint8](out[0])
	s.slots = resize(s.slots, slots)
	for i := range s.slots {
		s.slots[i] = oneIf(s.all)
	}
}

func (s *truthSweep[T]) fill() { s.start(0, 0, len(s.out)) }

func (s *truthSweep[T]) seg(slot, _ int, x args, n int, _ bool) {
	if (s.slots[slot] == 1) != s.all {
		return
	}
	var zero T
	y := values[T](x[0], n)
	k, done := nativeCount(&s.native, s.zeros, y)
	if s.all && k < int64(done) || !s.all && k > 0 {
		s.slots[slot] ^= 1
		return
	}
	for _, v := range y[done:] {
		if (v != zero) != s.all {
			s.slots[slot] ^= 1
			return
		}
	}
}

func (s *truthSweep[T]) flush(slot, at, _ int) {
	s.out[at] = s.slots[slot]
	s.slots[slot] = oneIf(s.all)
}

func (s *truthSweep[T]) start(_, at, w int) {
	o := s.out[at : at+w]
	for i := range o {
		o[i] = oneIf(s.all)
	}
}

func (s *truthSweep[T]) rows(_, at, w int, x args, stride [2]int, count int, _ bool) {
	done := s.nativeRows(at, w, x[0], stride[0], count)
	if done == w {
		return
	}
	at, w = at+done, w-done
	x[0] = element[T](x[0], done)
	s.plainRows(s.out[at:at+w], values[T](x[0], (count-1)*stride[0]+w), stride[0], count)
}

// plainRows takes rows into acc.
func (s *truthSweep[T]) plainRows(acc []uint8, v []T, stride, count int) {
	var zero T
	for r := range count {
		row := v[r*stride:][:len(acc)]
		if s.all {
			for j, y := range row {
				acc[j] &= oneIf(y != zero)
			}
			continue
		}
		for j, y := range row {
			acc[j] |= oneIf(y != zero)
		}
	}
}

func (s *truthSweep[T]) end(_, _, _, _ int) {}
func (s *truthSweep[T]) passes() int        { return 1 }
func (s *truthSweep[T]) between()           {}
func (s *truthSweep[T]) done()              { s.out = nil }

func (s *truthSweep[T]) grow(_, at, w int, x args) { s.rows(0, at, w, x, zeroStride, 1, false) }

func (s *truthSweep[T]) scatter(_ int, dst []int, x args) {
	var zero T
	v := values[T](x[0], len(dst))
	for i, d := range dst {
		if d >= 0 && (v[i] != zero) != s.all {
			s.out[d] = oneIf(!s.all)
		}
	}
}
