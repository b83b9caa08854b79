// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
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
	spotted
	least bool // argmin
	most  bool // argmax
	scan  func(s spot[T], x []T, pos []int64, skip bool) spot[T]
	pick  func(x []T, skip bool) int // the number of the winner of x whose positions ascend, or -1
	skip  bool
	dt    dtype.DType
	none  spot[T]
	seed  T // what nothing of argmin or argmax is below
	val   []T
	pos   []int64
	half  halves
	slots []spot[T]
	here  []int64 // positions, spelled out

	native argNative[T]
}

// argLoops returns the loops of an algebra.
func argLoops[T ordered](a kernels.Algebra) (scan func(spot[T], []T, []int64, bool) spot[T], pick func([]T, bool) int) {
	switch a {
	case kernels.FoldArgMin:
		return scanMin[T], firstLeast[T]
	case kernels.FoldArgMax:
		return scanMax[T], firstMost[T]
	case kernels.FoldFirst:
		return scanFirst[T], firstOf[T]
	}
	return scanLast[T], lastOf[T]
}

func newArg[T ordered](r *kernels.Reduction, in dtype.DType, skip bool) sweep {
	s := &argSweep[T]{least: r.Algebra == kernels.FoldArgMin, most: r.Algebra == kernels.FoldArgMax, skip: skip, dt: in, none: spot[T]{identityOf[T](r, in, 0), -1}}
	s.scan, s.pick = argLoops[T](r.Algebra)
	name := "min"
	if s.most {
		name = "max"
	}
	if skip {
		name = "nan" + name
	}
	e, _ := kernels.ReductionByName(name)
	s.seed = identityOf[T](e, in, 0)
	return s
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

// ascends reports whether the positions of a run of n elements do.
func (p *spotted) ascends(n int) bool { return p.step > 0 || n == 1 }

func (s *argSweep[T]) seg(slot, _ int, x args, n int, _ bool) {
	v := values[T](x[0], n)
	switch {
	case x[1] != nil:
		s.slots[slot] = s.scan(s.slots[slot], v, values[int64](x[1], n), s.skip)
	case s.ascends(n):
		if k := s.winner(v); k >= 0 {
			s.slots[slot] = s.scan(s.slots[slot], v[k:k+1], s.spell(0, k, 1), s.skip)
		}
	default:
		s.slots[slot] = s.scan(s.slots[slot], v, s.spell(0, 0, n), s.skip)
	}
}

// spell returns the positions of n elements of row r from number i on.
func (s *argSweep[T]) spell(r, i, n int) []int64 {
	s.here = resize(s.here, n)
	for k := range s.here {
		s.here[k] = s.spotted.at(r, i+k)
	}
	return s.here
}

// winner returns the number of the element of x that wins, or -1.
func (s *argSweep[T]) winner(x []T) int {
	var k [1]int64
	if s.nativeWinners(k[:], unsafe.Pointer(unsafe.SliceData(x)), len(x), 0) {
		return int(k[0])
	}
	return s.pick(x, s.skip)
}

func (s *argSweep[T]) shorts(at, n int, x args, stride, count int) bool {
	if !s.ascends(n) {
		return false
	}
	s.here = resize(s.here, min(count, argRuns))
	for i := 0; i < count; i += argRuns {
		k := s.here[:min(argRuns, count-i)]
		v := values[T](element[T](x[0], i*stride), (len(k)-1)*stride+n)
		if !s.nativeWinners(k, unsafe.Pointer(unsafe.SliceData(v)), n, stride) {
			for r := range k {
				k[r] = int64(s.pick(v[r*stride:][:n], s.skip))
			}
		}
		val, pos := s.val[at+i:][:len(k)], s.pos[at+i:][:len(k)]
		for r, w := range k {
			if val[r], pos[r] = s.none.v, -1; w >= 0 {
				val[r], pos[r] = v[r*stride+int(w)], s.spotted.at(i+r, int(w))
			}
		}
	}
	return true
}

// argRuns is how many winners of runs are found at a time.
const argRuns = 256

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

// take takes the value y at position q into the spot at element d of the outputs.
func (s *argSweep[T]) take(d int, y []T, q int64) {
	if s.loses(y[0], s.val[d]) && s.pos[d] >= 0 { // no element loses to NaN
		return
	}
	s.here = append(s.here[:0], q)
	s.one(d, y, s.here)
}

func (s *argSweep[T]) rows(_, at, w int, x args, stride [2]int, count int, _ bool) {
	if x[1] == nil {
		done := 0
		if s.row > 0 || count == 1 {
			done = s.nativePanel(at, w, x[0], stride[0], count)
		}
		s.placedRows(at, done, w, values[T](x[0], (count-1)*stride[0]+w), stride[0], 0, count)
		return
	}
	if done := s.nativeRows(s.val[at:at+w], s.pos[at:at+w], x, stride, count); done == w {
		return
	} else if done > 0 {
		at, w = at+done, w-done
		x = args{element[T](x[0], done), element[int64](x[1], done)}
	}
	v := values[T](x[0], (count-1)*stride[0]+w)
	q := values[int64](x[1], (count-1)*stride[1]+w)
	for r := range count {
		a, b := v[r*stride[0]:][:w], q[r*stride[1]:][:w]
		for j := range a {
			s.take(at+j, a[j:j+1], b[j])
		}
	}
}

// placedRows takes columns from number from on of rows whose positions are a line; the first one has a number of its own.
func (s *argSweep[T]) placedRows(at, from, w int, v []T, stride, first, count int) {
	if from == w {
		return
	}
	for r := range count {
		row := v[r*stride:][:w]
		for j := from; j < w; j++ {
			s.take(at+j, row[j:j+1], s.spotted.at(first+r, j))
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
