// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// sumOps are the loops of a sum or product of T in A.
type sumOps[T, A any] struct {
	lanes     func(acc *[lanes]A, lane int, x []T)
	short     func(x []T) A // a whole block of few values; nil: there is no shorter way
	lanesSkip func(acc *[lanes]A, lane int, x []T) int
	join      func(acc *[lanes]A) A
	rows      func(acc []A, x []T, stride, count int)
	rowSkip   func(acc []A, cnt []int64, x []T)
	scatter   func(acc []A, cnt []int64, dst []int, x []T, skip bool)
}

type sumSlot[A any] struct {
	acc     [lanes]A
	skipped int
}

// sumSweep folds sum, prod and mean. NaN leaves an accumulator as it is when skip is set;
// as accumulators start at +0 that equals adding 0.
type sumSweep[T, A any] struct {
	ops      *sumOps[T, A]
	identity A
	counted  bool // mean
	skip     bool
	out      []A
	cnt      []int64
	slots    []sumSlot[A]
	native   native
	pairs    pairs // of complex numbers
}

func newSum[T, A any](r *kernels.Reduction, in dtype.DType, skip bool, ops *sumOps[T, A]) sweep {
	return &sumSweep[T, A]{ops: ops, identity: identityOf[A](r, in, 0), counted: r.Algebra == kernels.FoldMean, skip: skip}
}

func (s *sumSweep[T, A]) bind(out []*chunk.Chunk, slots int) {
	s.out = output[A](out[0])
	if s.counted {
		s.cnt = output[int64](out[1])
	}
	s.slots = resize(s.slots, slots)
	for i := range s.slots {
		s.reset(&s.slots[i])
	}
}

func (s *sumSweep[T, A]) reset(p *sumSlot[A]) {
	for i := range p.acc {
		p.acc[i] = s.identity
	}
	p.skipped = 0
}

func (s *sumSweep[T, A]) fill() {
	repeat(s.out, s.identity)
	clear(s.cnt)
}

func (s *sumSweep[T, A]) seg(slot, lane int, x args, n int, _ bool) {
	p, v := &s.slots[slot], values[T](x[0], n)
	done := s.nativeLanes(p, lane, v)
	s.plainLanes(p, (lane+done)%lanes, v[done:])
}

func (s *sumSweep[T, A]) plainLanes(p *sumSlot[A], lane int, x []T) {
	if s.skip {
		p.skipped += s.ops.lanesSkip(&p.acc, lane, x)
		return
	}
	s.ops.lanes(&p.acc, lane, x)
}

func (s *sumSweep[T, A]) shorts(at, n int, x args, stride, count int) bool {
	if s.nativeShorts(at, n, x[0], stride, count) {
		return true
	}
	if s.ops.short == nil || s.skip || n > shortBlock {
		return false
	}
	v := values[T](x[0], (count-1)*stride+n)
	out := s.out[at : at+count]
	for i := range out {
		out[i] = s.ops.short(v[i*stride : i*stride+n])
	}
	if s.counted {
		c := s.cnt[at : at+count]
		for i := range c {
			c[i] = int64(n)
		}
	}
	return true
}

func (s *sumSweep[T, A]) flush(slot, at, n int) {
	p := &s.slots[slot]
	s.out[at] = s.ops.join(&p.acc)
	if s.counted {
		s.cnt[at] = int64(n - p.skipped)
	}
	s.reset(p)
}

func (s *sumSweep[T, A]) start(_, at, w int) {
	repeat(s.out[at:at+w], s.identity)
	if s.counted {
		clear(s.cnt[at : at+w])
	}
}

func (s *sumSweep[T, A]) rows(_, at, w int, x args, stride [2]int, count int, _ bool) {
	done := s.nativeRows(at, w, x[0], stride[0], count)
	if done == w {
		return
	}
	at, w = at+done, w-done
	x[0] = element[T](x[0], done)
	v := values[T](x[0], (count-1)*stride[0]+w)
	if !s.skip {
		s.ops.rows(s.out[at:at+w], v, stride[0], count)
		return
	}
	var c []int64
	if s.counted {
		c = s.cnt[at : at+w]
	}
	for r := range count {
		s.ops.rowSkip(s.out[at:at+w], c, v[r*stride[0]:r*stride[0]+w])
	}
}

func (s *sumSweep[T, A]) end(_, at, w, n int) {
	if s.counted && !s.skip {
		c := s.cnt[at : at+w]
		for i := range c {
			c[i] += int64(n)
		}
	}
}

func (s *sumSweep[T, A]) passes() int { return 1 }
func (s *sumSweep[T, A]) between()    {}

func (s *sumSweep[T, A]) grow(_, at, w int, x args) {
	s.rows(0, at, w, x, [2]int{}, 1, false)
	if s.counted && !s.skip {
		c := s.cnt[at : at+w]
		for i := range c {
			c[i]++
		}
	}
}

func (s *sumSweep[T, A]) scatter(_ int, dst []int, x args) {
	s.ops.scatter(s.out, s.cnt, dst, values[T](x[0], len(dst)), s.skip)
}

func (s *sumSweep[T, A]) done() { s.out, s.cnt = nil, nil }

func scatterAdd[T ordered, A total](acc []A, cnt []int64, dst []int, x []T, skip bool) {
	for i, d := range dst {
		if d < 0 || skip && x[i] != x[i] {
			continue
		}
		acc[d] += A(x[i])
		if cnt != nil {
			cnt[d]++
		}
	}
}

func scatterMul[T ordered, A total](acc []A, _ []int64, dst []int, x []T, skip bool) {
	for i, d := range dst {
		if d >= 0 && !(skip && x[i] != x[i]) {
			acc[d] *= A(x[i])
		}
	}
}

func mulRows[T ordered, A total](acc []A, x []T, stride, count int) {
	for r := range count {
		for j, v := range x[r*stride : r*stride+len(acc)] {
			acc[j] *= A(v)
		}
	}
}

func mulRowSkip[T ordered, A total](acc []A, _ []int64, x []T) {
	for j, v := range x {
		if v == v {
			acc[j] *= A(v)
		}
	}
}

func addOps[T ordered, A total]() *sumOps[T, A] {
	return &sumOps[T, A]{addLanes[T, A], addShort[T, A], addLanesTry[T, A], joinLanes[A], addRows[T, A], addRowSkip[T, A], scatterAdd[T, A]}
}

func mulOps[T ordered, A total]() *sumOps[T, A] {
	return &sumOps[T, A]{mulLanes[T, A], mulShort[T, A], mulLanesSkip[T, A], mulJoin[A], mulRows[T, A], mulRowSkip[T, A], scatterMul[T, A]}
}
