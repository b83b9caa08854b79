// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// spot is a value and its position; a position below 0 is nothing.
type spot[T any] struct {
	v T
	p int64
}

// argSweep folds argmin, argmax, first and last. Which of two spots wins depends
// on values and positions alone, so the order of the elements does not matter.
type argSweep[T ordered] struct {
	long
	least bool // argmin
	most  bool // argmax
	scan  func(s spot[T], x []T, pos []int64, skip bool) spot[T]
	skip  bool
	dt    dtype.DType
	none  spot[T]
	val   []T
	pos   []int64
	half  halves
	slots []spot[T]

	native native
	values native // of the extreme alone
	found  [argPieces]T
	places native // of the lowest position
	lowest int64
}

func (s *argSweep[T]) accelerate(asm Assembler, _ *kernels.Reduction, in dtype.DType) {
	if !s.least && !s.most {
		return
	}
	name := "max"
	if s.least {
		name = "min"
	}
	s.places.find(asm, "min", dtype.Int64)
	if s.skip {
		s.values.find(asm, "nan"+name, in)
		s.native.find(asm, "nanarg"+name, in)
		return
	}
	s.values.find(asm, name, in)
	s.native.find(asm, "arg"+name, in)
}

// nativeRows folds whole groups of 8 columns and returns how many columns that were. Steps are in elements.
func (s *argSweep[T]) nativeRows(val []T, pos []int64, x args, step [2]int, count int) int {
	n := &s.native
	w := len(val) &^ 7
	if n.rows == nil || w == 0 {
		return 0
	}
	most := max(1, callMost/w)
	for r := 0; r < count; r += most {
		n.args = loopArgs{acc: unsafe.Pointer(&val[0]), count: unsafe.Pointer(&pos[0]), x: element[T](x[0], r*step[0]), mean: element[int64](x[1], r*step[1]),
			width: w, stride: step[0] * n.size, quads: step[1] * 8, rows: min(most, count-r)}
		n.rows.Run(unsafe.Pointer(&n.args))
	}
	n.args = loopArgs{}
	return w
}

// argPiece is how many elements' extreme is found before the element is looked for, and argPieces how many times that is done at once.
const (
	argPiece  = 256
	argPieces = kernels.InnerBlock / argPiece
)

// nativeSeg takes whole pieces of a run into a slot and returns how many elements that were: machine code finds the extreme of each, and
// only where that may win is it looked for.
func (s *argSweep[T]) nativeSeg(slot int, x []T, pos []int64) (done int) {
	k := min(len(x)/argPiece, argPieces)
	if k == 0 || s.places.runs == nil || !s.values.extremes(unsafe.Pointer(&s.found), unsafe.Pointer(unsafe.SliceData(x)), argPiece, argPiece, k) {
		return 0
	}
	a := &s.slots[slot]
	for i, m := range s.found[:k] {
		at := i * argPiece
		s.findIn(a, m, x[at:at+argPiece], pos[at:at+argPiece])
	}
	return k * argPiece
}

// findIn joins the element of a piece x with the extreme m, of equal ones the one with the lowest position, into a spot.
func (s *argSweep[T]) findIn(a *spot[T], m T, x []T, pos []int64) {
	switch {
	case m != m && s.skip: // nothing but NaN
		return
	case m != m:
		for i, y := range x {
			if y != y && (a.p < 0 || a.v == a.v || pos[i] < a.p) {
				*a = spot[T]{y, pos[i]}
			}
		}
		return
	case a.p >= 0 && (a.v != a.v || s.loses(m, a.v)):
		return
	case a.p < 0 || a.v != m:
		a.p = math.MaxInt64
	default:
		s.places.extremes(unsafe.Pointer(&s.lowest), unsafe.Pointer(unsafe.SliceData(pos)), argPiece, 0, 1)
		if s.lowest > a.p {
			return
		}
	}
	for i, y := range x {
		if y == m && pos[i] < a.p { // zeros of both signs are equal
			*a = spot[T]{y, pos[i]}
		}
	}
}

// argScans are the loops by algebra.
func argScan[T ordered](a kernels.Algebra) func(spot[T], []T, []int64, bool) spot[T] {
	switch a {
	case kernels.FoldArgMin:
		return scanMin[T]
	case kernels.FoldArgMax:
		return scanMax[T]
	case kernels.FoldFirst:
		return scanFirst[T]
	}
	return scanLast[T]
}

func newArg[T ordered](r *kernels.Reduction, in dtype.DType, skip bool) sweep {
	return &argSweep[T]{least: r.Algebra == kernels.FoldArgMin, most: r.Algebra == kernels.FoldArgMax, scan: argScan[T](r.Algebra), skip: skip, dt: in, none: spot[T]{identityOf[T](r, in, 0), -1}}
}

// nanWins is what the extremes share: whether y at q beats s, given that neither NaN nor tie is decided by order.
func nanWins[T ordered](s spot[T], y T, q int64, skip bool) (beats, decided bool) {
	switch {
	case y != y && skip:
		return false, true
	case s.p < 0:
		return true, true
	case y != y:
		return s.v == s.v || q < s.p, true
	case s.v != s.v:
		return false, true
	case y == s.v:
		return q < s.p, true
	}
	return false, false
}

func scanMin[T ordered](s spot[T], x []T, pos []int64, skip bool) spot[T] {
	for i, y := range x {
		if y > s.v && s.p >= 0 {
			continue
		}
		if beats, decided := nanWins(s, y, pos[i], skip); beats || !decided {
			s = spot[T]{y, pos[i]}
		}
	}
	return s
}

func scanMax[T ordered](s spot[T], x []T, pos []int64, skip bool) spot[T] {
	for i, y := range x {
		if y < s.v && s.p >= 0 {
			continue
		}
		if beats, decided := nanWins(s, y, pos[i], skip); beats || !decided {
			s = spot[T]{y, pos[i]}
		}
	}
	return s
}

func scanFirst[T ordered](s spot[T], x []T, pos []int64, skip bool) spot[T] {
	for i, y := range x {
		if (s.p < 0 || pos[i] < s.p) && !(skip && y != y) {
			s = spot[T]{y, pos[i]}
		}
	}
	return s
}

func scanLast[T ordered](s spot[T], x []T, pos []int64, skip bool) spot[T] {
	for i, y := range x {
		if pos[i] > s.p && !(skip && y != y) {
			s = spot[T]{y, pos[i]}
		}
	}
	return s
}

func (s *argSweep[T]) bind(out []*chunk.Chunk, slots int) {
	s.val, s.pos = bindValue[T](&s.half, s.dt, out[0]), output[int64](out[1])
	s.slots = resize(s.slots, slots)
	for i := range s.slots {
		s.slots[i] = s.none
	}
}

func (s *argSweep[T]) resume() { s.half.resume() }

func (s *argSweep[T]) fill() { s.start(0, 0, len(s.val)) }

func (s *argSweep[T]) seg(slot, _ int, x args, n int, _ bool) {
	v, pos := values[T](x[0], n), values[int64](x[1], n)
	done := s.nativeSeg(slot, v, pos)
	s.slots[slot] = s.scan(s.slots[slot], v[done:], pos[done:], s.skip)
}

func (s *argSweep[T]) flush(slot, at, _ int) {
	s.val[at], s.pos[at] = s.slots[slot].v, s.slots[slot].p
	s.slots[slot] = s.none
}

func (s *argSweep[T]) start(_, at, w int) {
	for i := at; i < at+w; i++ {
		s.val[i], s.pos[i] = s.none.v, -1
	}
}

// one takes the value y at position q into the spot at element d of the outputs.
func (s *argSweep[T]) one(d int, x []T, q []int64) {
	t := s.scan(spot[T]{s.val[d], s.pos[d]}, x, q, s.skip)
	s.val[d], s.pos[d] = t.v, t.p
}

func (s *argSweep[T]) rows(_, at, w int, x args, stride [2]int, count int, _ bool) {
	if done := s.nativeRows(s.val[at:at+w], s.pos[at:at+w], x, stride, count); done == w {
		return
	} else if done > 0 {
		at, w = at+done, w-done
		x = args{element[T](x[0], done), element[int64](x[1], done)}
	}
	v := values[T](x[0], (count-1)*stride[0]+w)
	q := values[int64](x[1], (count-1)*stride[1]+w)
	val, pos := s.val[at:at+w], s.pos[at:at+w]
	for r := range count {
		a, b := v[r*stride[0]:][:w], q[r*stride[1]:][:w]
		for j, y := range a {
			if s.loses(y, val[j]) && pos[j] >= 0 { // no element loses to NaN
				continue
			}
			s.one(at+j, a[j:j+1], b[j:j+1])
		}
	}
}

// loses reports whether y surely does not beat v; most elements of argmin and argmax do not.
func (s *argSweep[T]) loses(y, v T) bool {
	return s.most && y < v || s.least && y > v
}

func (s *argSweep[T]) end(_, _, _, _ int) {}
func (s *argSweep[T]) passes() int        { return 1 }
func (s *argSweep[T]) between()           {}
func (s *argSweep[T]) done()              { s.half.done(); s.val, s.pos = nil, nil }

func (s *argSweep[T]) grow(_, at, w int, x args) { s.rows(0, at, w, x, zeroStride, 1, false) }

func (s *argSweep[T]) scatter(_ int, dst []int, x args) {
	v, q := values[T](x[0], len(dst)), values[int64](x[1], len(dst))
	for i, d := range dst {
		if d >= 0 {
			s.one(d, v[i:i+1], q[i:i+1])
		}
	}
}
