// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// extremeOps are the loops of min or max. Go's min and max are what is asked
// for: NaN wins, -0 is below +0. So the order of the elements does not matter.
type extremeOps[T ordered] struct {
	two func(a, b T) T
	seg func(a T, x []T) T
	row func(acc, x []T)
	// skip is row with NaN standing for nothing, on either side.
	skip func(acc, x []T)
}

// extremeSweep folds min and max. With skip, NaN stands for nothing seen yet.
type extremeSweep[T ordered] struct {
	ops      *extremeOps[T]
	identity T
	skip     bool
	dt       dtype.DType
	out      []T
	half     halves
	slots    []T
	native   native
	short    shorts
	seed     T // what machine code begins with where nothing has been seen
	room     [groupBytes / 8]uint64
}

func newExtreme[T ordered](r *kernels.Reduction, in dtype.DType, skip bool, ops *extremeOps[T]) sweep {
	return &extremeSweep[T]{ops: ops, identity: identityOf[T](r, in, 0), skip: skip, dt: in}
}

func (s *extremeSweep[T]) bind(out []*chunk.Chunk, slots int) {
	s.out = bindValue[T](&s.half, s.dt, out[0])
	s.slots = resize(s.slots, slots)
	for i := range s.slots {
		s.slots[i] = s.identity
	}
}

func (s *extremeSweep[T]) resume() { s.half.resume() }

func (s *extremeSweep[T]) fill() { s.start(0, 0, len(s.out)) }

func (s *extremeSweep[T]) seg(slot, _ int, x args, n int, _ bool) {
	v := values[T](x[0], n)
	if v = v[s.nativeSeg(slot, v):]; len(v) == 0 {
		return
	}
	if !s.skip {
		s.slots[slot] = s.ops.seg(s.slots[slot], v)
		return
	}
	// Without a NaN the plain loop is the answer; with one, it gives NaN.
	if m := s.ops.seg(v[0], v); m == m {
		s.slots[slot] = s.join(s.slots[slot], m)
		return
	}
	a := s.slots[slot]
	for _, y := range v {
		if y == y {
			a = s.join(a, y)
		}
	}
	s.slots[slot] = a
}

// shortExtreme is the longest block whose extreme is found without a slot.
const shortExtreme = 32

func (s *extremeSweep[T]) shorts(at, n int, x args, stride, count int) bool {
	done := 0
	switch {
	case s.native.extremes(unsafe.Pointer(&s.out[at]), x[0], n, stride, count):
		return true
	case n <= groupBytes:
		done = s.short.run(unsafe.Pointer(&s.out[at]), nil, x[0], n, stride, count)
	}
	if n > shortExtreme && done == 0 {
		return false
	}
	at, count = at+done, count-done
	if count == 0 {
		return true
	}
	x[0] = element[T](x[0], done*stride)
	v := values[T](x[0], (count-1)*stride+n)
	out := s.out[at : at+count]
	for i := range out {
		run := v[i*stride : i*stride+n]
		m := s.ops.seg(run[0], run)
		if s.skip && m != m { // NaN stands for nothing
			m = s.identity
			for _, y := range run {
				m = s.join(m, y)
			}
		}
		out[i] = m
	}
	return true
}

// join is the skipping form of two values.
func (s *extremeSweep[T]) join(a, b T) T {
	switch {
	case a != a:
		return b
	case b != b:
		return a
	}
	return s.ops.two(a, b)
}

func (s *extremeSweep[T]) flush(slot, at, _ int) {
	s.out[at] = s.slots[slot]
	s.slots[slot] = s.identity
}

func (s *extremeSweep[T]) start(_, at, w int) {
	o := s.out[at : at+w]
	for i := range o {
		o[i] = s.identity
	}
}

func (s *extremeSweep[T]) rows(_, at, w int, x args, stride [2]int, count int, _ bool) {
	done := s.nativeRows(at, w, x[0], stride[0], count)
	if done == w {
		return
	}
	at, w = at+done, w-done
	x[0] = element[T](x[0], done)
	v := values[T](x[0], (count-1)*stride[0]+w)
	acc := s.out[at : at+w]
	for r := range count {
		row := v[r*stride[0] : r*stride[0]+w]
		if s.skip {
			s.ops.skip(acc, row)
		} else {
			s.ops.row(acc, row)
		}
	}
}

func (s *extremeSweep[T]) end(_, _, _, _ int) {}
func (s *extremeSweep[T]) passes() int        { return 1 }
func (s *extremeSweep[T]) between()           {}

func (s *extremeSweep[T]) grow(_, at, w int, x args) { s.rows(0, at, w, x, zeroStride, 1, false) }

func (s *extremeSweep[T]) scatter(_ int, dst []int, x args) {
	v := values[T](x[0], len(dst))
	for i, d := range dst {
		switch {
		case d < 0:
		case s.skip:
			s.out[d] = s.join(s.out[d], v[i])
		default:
			s.out[d] = s.ops.two(s.out[d], v[i])
		}
	}
}

func (s *extremeSweep[T]) done() { s.half.done(); s.out = nil }

var zeroStride [2]int

// number2 returns the one of a and b that is a number, NaN where neither is.
func number2[T ordered](a, b T) T {
	if a == a {
		return a
	}
	return b
}

func minOps[T ordered]() *extremeOps[T] {
	return &extremeOps[T]{
		two: func(a, b T) T { return min(a, b) },
		seg: func(a T, x []T) T {
			b, c, d := a, a, a
			for ; len(x) >= 4; x = x[4:] {
				a, b, c, d = min(a, x[0]), min(b, x[1]), min(c, x[2]), min(d, x[3])
			}
			for _, v := range x {
				a = min(a, v)
			}
			return min(a, b, c, d)
		},
		row: func(acc, x []T) {
			acc = acc[:len(x)]
			for j, v := range x {
				acc[j] = min(acc[j], v)
			}
		},
		skip: func(acc, x []T) {
			acc = acc[:len(x)]
			for j, v := range x {
				m := min(acc[j], v)
				if m != m {
					m = number2(acc[j], v)
				}
				acc[j] = m
			}
		},
	}
}

func maxOps[T ordered]() *extremeOps[T] {
	return &extremeOps[T]{
		two: func(a, b T) T { return max(a, b) },
		seg: func(a T, x []T) T {
			b, c, d := a, a, a
			for ; len(x) >= 4; x = x[4:] {
				a, b, c, d = max(a, x[0]), max(b, x[1]), max(c, x[2]), max(d, x[3])
			}
			for _, v := range x {
				a = max(a, v)
			}
			return max(a, b, c, d)
		},
		row: func(acc, x []T) {
			acc = acc[:len(x)]
			for j, v := range x {
				acc[j] = max(acc[j], v)
			}
		},
		skip: func(acc, x []T) {
			acc = acc[:len(x)]
			for j, v := range x {
				m := max(acc[j], v)
				if m != m {
					m = number2(acc[j], v)
				}
				acc[j] = m
			}
		},
	}
}
