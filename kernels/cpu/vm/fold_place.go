// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/kernels"
)

// line is a register that need not be computed: first + the sum of step[a] times the position along axis a.
type line struct {
	step  [kernels.MaxAxes]int64
	first int64
}

// lineOf returns the line that a register of int64 is, if it is one.
func lineOf(p *kernels.Program, r kernels.Reg) (line, bool) {
	n := len(p.In) + len(p.Consts)
	switch i := int(r); {
	case i < len(p.In):
		return line{}, false
	case i < n:
		return line{first: int64(p.Consts[i-len(p.In)].Bits)}, true
	}
	in := p.Body[int(r)-n]
	if in.Op == kernels.OpIndex {
		var l line
		l.step[in.Aux] = 1
		return l, true
	}
	if in.Op != kernels.OpAdd && in.Op != kernels.OpMultiply {
		return line{}, false
	}
	x, ok := lineOf(p, in.Args[0])
	y, too := lineOf(p, in.Args[1])
	if !ok || !too {
		return line{}, false
	}
	if in.Op == kernels.OpAdd {
		x.add(1, &y)
		return x, true
	}
	if x.step != (line{}).step {
		x, y = y, x
	}
	if x.step != (line{}).step {
		return line{}, false
	}
	var z line
	z.add(x.first, &y)
	return z, true
}

// add adds a multiple of y.
func (l *line) add(times int64, y *line) {
	for a, s := range y.step {
		l.step[a] += times * s
	}
	l.first += times * y.first
}

// from returns the value at an origin.
func (l *line) from(origin []int64) int64 {
	v := l.first
	for a, o := range origin {
		v += o * l.step[a]
	}
	return v
}

// placed is a sweep that is told positions instead of reading them: that of the next call's first element, what lies between those
// of neighbours in a run, and between those of runs or rows.
type placed interface {
	place(first, step, row int64)
}

// place tells the sweep where elements are, if positions are a line: at offset off, with strides of axes, -1 for none.
func (d *folding) place(off, axis, rowAxis int) {
	if d.spots == nil {
		return
	}
	row := 0
	if rowAxis >= 0 {
		row = d.src[1].stride[rowAxis]
	}
	d.spots.place(d.here+int64(off), int64(d.src[1].stride[axis]), int64(row))
}

// spell writes the n positions from number at on, of rows of some length, to the second source's scratch.
func (d *folding) spell(off, at, n, length, last, rowAxis int) []int64 {
	s := &d.src[1]
	if len(s.scratch) < scratchBytes {
		s.scratch = make([]byte, scratchBytes)
	}
	q := values[int64](unsafe.Pointer(unsafe.SliceData(s.scratch)), n)
	for i := range q {
		row, col := (at+i)/length, (at+i)%length
		q[i] = d.here + int64(off+row*s.stride[rowAxis]+col*s.stride[last])
	}
	return q
}

// spotted is where an argSweep's elements are; see placed.
type spotted struct{ first, step, row int64 }

func (p *spotted) place(first, step, row int64) { *p = spotted{first, step, row} }

// at is the position of element i of row r.
func (p *spotted) at(r, i int) int64 { return p.first + int64(r)*p.row + int64(i)*p.step }

// firstLeast returns the number of the first of the least elements of x: the first NaN, or with skip the first of the numbers and -1 where
// there are none.
func firstLeast[T ordered](x []T, skip bool) int {
	k, b := 0, x[0]
	for i, y := range x {
		switch {
		case y >= b:
		case y < b, skip && b != b && y == y:
			k, b = i, y
		case b != b && !skip:
			return k
		case !skip:
			return i
		}
	}
	if skip && b != b {
		return -1
	}
	return k
}

// firstMost is firstLeast of the greatest.
func firstMost[T ordered](x []T, skip bool) int {
	k, b := 0, x[0]
	for i, y := range x {
		switch {
		case y <= b:
		case y > b, skip && b != b && y == y:
			k, b = i, y
		case b != b && !skip:
			return k
		case !skip:
			return i
		}
	}
	if skip && b != b {
		return -1
	}
	return k
}

// firstOf and lastOf return the number of the first and the last element of x, with skip of those that are numbers, or -1.
func firstOf[T ordered](x []T, skip bool) int {
	for i, y := range x {
		if y == y || !skip {
			return i
		}
	}
	return -1
}

func lastOf[T ordered](x []T, skip bool) int {
	for i := len(x) - 1; i >= 0; i-- {
		if x[i] == x[i] || !skip {
			return i
		}
	}
	return -1
}
