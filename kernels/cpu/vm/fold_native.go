// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Loop is machine code for a step of a fold. args points at loopArgs.
type Loop interface{ Run(args unsafe.Pointer) int }

// loopArgs is what a Loop works on; its layout is part of the interface to the makers of loops.
type loopArgs struct {
	acc    unsafe.Pointer // accumulators, 8 bytes each
	x      unsafe.Pointer
	count  unsafe.Pointer // int64 for each column of rows that leave NaN out
	mean   unsafe.Pointer // float64: one, or one for each column
	width  int            // lanes: groups of 32 elements; rows: columns, a multiple of 4
	stride int            // bytes between rows
	rows   int
	mask   unsafe.Pointer // runs: *runMask
	quads  int            // runs: whole groups of 4 elements behind those of 32
	part   int            // runs: how many elements follow those; rows: 1 where they follow each other without gaps and are long
	sum    unsafe.Pointer // runs of squares: the sums
	next   int            // rows: bytes from the last eight whole rows to what is folded next
}

// runMask describes the last elements of runs.
type runMask struct {
	load   [4]int64 // mask of the partial group's elements, packed
	lanes  [4]int64 // mask of its lanes
	number float64  // elements of a run
	bits   uint64   // a bit for each of the elements behind the groups of 32
}

// nativeRun is the shortest run worth a call of machine code.
const nativeRun = 2 * lanes

// native is the machine code of a sum: of values, or of squared differences from a mean.
type native struct {
	lanes, rows Loop
	runs        Loop // folds runs that are whole blocks
	size        int  // bytes of an element
	args        loopArgs
	mask        runMask
}

// find sets the loops for values of a dtype, as folds read it.
func (n *native) find(asm Assembler, name string, d dtype.DType) {
	if narrow(d) {
		d = dtype.Float32
	}
	n.size = d.Size()
	n.lanes, n.rows, n.runs = asm.Loop(name+" lanes", d), asm.Loop(name+" rows", d), asm.Loop(name+" runs", d)
}

// run adds groups of 32 elements to 32 accumulators and returns how many were numbers, for loops that leave NaN out.
func (n *native) run(acc, x unsafe.Pointer, groups int, mean *float64) int {
	n.args = loopArgs{acc: acc, x: x, width: groups, mean: unsafe.Pointer(mean)}
	k := n.lanes.Run(unsafe.Pointer(&n.args))
	n.args = loopArgs{}
	return k
}

// gaplessRow is from which length on rows without gaps are folded one by one: the accumulators of shorter ones are needed again
// before they are stored. Counts and means are too much to read again for each row.
const gaplessRow = 256

// panel adds rows of w elements (a multiple of 4), stride elements apart, to w accumulators.
func (n *native) panel(acc, x, count, mean unsafe.Pointer, w, stride, rows int) {
	step := stride * n.size
	next := 8 * step   // the rows that follow
	if stride >= 2*w { // the columns beside these
		next = w*n.size - (rows&^7-8)*step
	}
	n.args = loopArgs{acc: acc, x: x, count: count, mean: mean, width: w, stride: step, rows: rows, next: next}
	if w >= gaplessRow && stride < w+4 && count == nil && mean == nil {
		n.args.part = 1
	}
	n.rows.Run(unsafe.Pointer(&n.args))
	n.args = loopArgs{}
}

// callMost is about how many elements a call of machine code takes that cannot be interrupted.
const callMost = 1 << 16

// blocks folds count runs of n elements, each a block, stride elements apart: results and counts are 8 bytes each. It reports
// false where there is no machine code for such runs.
func (n *native) blocks(acc, x, count, mean, sum unsafe.Pointer, length, stride, runs int) bool {
	if n.runs == nil || length > kernels.InnerBlock || n.size < 4 && length%4 != 0 {
		return false
	}
	n.mask = runMask{number: float64(length), bits: 1<<(length%lanes) - 1}
	part := length % 4
	for i := range part {
		n.mask.lanes[i] = -1
		if n.size == 8 {
			n.mask.load[i] = -1
		} else {
			n.mask.load[i/2] |= 0xffffffff << (i % 2 * 32)
		}
	}
	most := max(1, callMost/length)
	for at := 0; at < runs; at += most {
		k := min(most, runs-at)
		n.args = loopArgs{acc: unsafe.Add(acc, 8*at), x: unsafe.Add(x, at*stride*n.size), width: length / lanes, stride: stride * n.size, rows: k,
			mask: unsafe.Pointer(&n.mask), quads: length % lanes / 4, part: part}
		if count != nil {
			n.args.count = unsafe.Add(count, 8*at)
		}
		if mean != nil {
			n.args.mean, n.args.sum = unsafe.Add(mean, 8*at), unsafe.Add(sum, 8*at)
		}
		n.runs.Run(unsafe.Pointer(&n.args))
	}
	n.args = loopArgs{}
	return true
}

// accelerated is a sweep that can use machine code.
type accelerated interface {
	accelerate(asm Assembler, r *kernels.Reduction, in dtype.DType)
}

func (s *sumSweep[T, A]) accelerate(asm Assembler, r *kernels.Reduction, in dtype.DType) {
	name := map[kernels.Algebra]string{kernels.FoldSum: "sum", kernels.FoldMean: "mean", kernels.FoldProd: "prod"}[r.Algebra]
	if in.IsComplex() {
		if !s.skip {
			s.pairs.find(asm, name == "prod", in)
		}
		return
	}
	if s.skip {
		name = "nan" + name
	}
	s.native.find(asm, name, in)
}

// nativeLanes is the part of seg that machine code does: it returns where it stopped.
func (s *sumSweep[T, A]) nativeLanes(p *sumSlot[A], lane int, x []T) (done int) {
	if s.native.lanes == nil && s.pairs.rows == nil || len(x) < nativeRun {
		return 0
	}
	if lane != 0 {
		done = lanes - lane
		s.plainLanes(p, lane, x[:done])
	}
	groups := (len(x) - done) / lanes
	if s.pairs.rows != nil {
		s.pairs.panel(unsafe.Pointer(&p.acc), unsafe.Pointer(&x[done]), nil, nil, s.pairs.columns*lanes, s.pairs.columns*lanes, groups)
		return done + groups*lanes
	}
	k := s.native.run(unsafe.Pointer(&p.acc), unsafe.Pointer(&x[done]), groups, nil)
	if s.skip && s.counted {
		p.skipped += groups*lanes - k
	}
	return done + groups*lanes
}

// nativeShorts folds whole blocks by machine code.
func (s *sumSweep[T, A]) nativeShorts(at, n int, x unsafe.Pointer, stride, count int) bool {
	if s.native.runs == nil {
		return false
	}
	var cnt unsafe.Pointer
	if s.skip && s.counted {
		cnt = unsafe.Pointer(&s.cnt[at])
	}
	if !s.native.blocks(unsafe.Pointer(&s.out[at]), x, cnt, nil, nil, n, stride, count) {
		return false
	}
	if s.counted && !s.skip {
		c := s.cnt[at : at+count]
		for i := range c {
			c[i] = int64(n)
		}
	}
	return true
}

// nativeRows is the part of rows that machine code does: it returns how many columns.
func (s *sumSweep[T, A]) nativeRows(at, w int, x unsafe.Pointer, stride, count int) int {
	if s.pairs.rows != nil && w > 1 {
		w &^= 1
		s.pairs.panel(unsafe.Pointer(&s.out[at]), x, nil, nil, s.pairs.columns*w, s.pairs.columns*stride, count)
		return w
	}
	if s.native.rows == nil || w < 4 {
		return 0
	}
	w &^= 3
	var cnt unsafe.Pointer
	if s.skip && s.counted {
		cnt = unsafe.Pointer(&s.cnt[at])
	}
	s.native.panel(unsafe.Pointer(&s.out[at]), x, cnt, nil, w, stride, count)
	return w
}

func (s *momentSweep[T]) accelerate(asm Assembler, _ *kernels.Reduction, in dtype.DType) {
	nan := ""
	if s.skip {
		nan = "nan"
	}
	s.sum.find(asm, nan+"mean", in)
	s.dev.find(asm, nan+"square", in)
}

// shorts folds whole blocks by machine code, which does both passes.
func (s *momentSweep[T]) shorts(at, n int, x args, stride, count int) bool {
	if s.dev.runs == nil {
		return false
	}
	m2, mean, c := s.m2[at:at+count], s.mean[at:at+count], s.cnt[at:at+count]
	sums := m2 // written before the squares are
	if len(s.sums) > 0 {
		sums = s.sums[0][at : at+count]
	}
	if !s.dev.blocks(unsafe.Pointer(&m2[0]), x[0], unsafe.Pointer(&c[0]), unsafe.Pointer(&mean[0]), unsafe.Pointer(&sums[0]), n, stride, count) {
		return false
	}
	s.tellSums(at, sums)
	for i := range c {
		switch {
		case !s.skip:
			c[i] = int64(n)
		case c[i] == 0:
			mean[i], m2[i] = 0, 0
		}
	}
	s.tellCounts(at, count)
	return true
}

// block is blockMoments with machine code for whole groups of 32.
func (s *momentSweep[T]) block(x []T) (n int64, sum, mean, m2 float64) {
	if s.sum.lanes == nil || s.dev.lanes == nil || len(x) < nativeRun {
		return blockMoments(x, s.skip)
	}
	groups := len(x) / lanes
	rest := x[groups*lanes:]
	var acc [lanes]float64
	n = int64(len(x))
	at := unsafe.Pointer(unsafe.SliceData(x))
	k := s.sum.run(unsafe.Pointer(&acc), at, groups, nil)
	if s.skip {
		n = int64(k + len(rest) - addLanesSkip(&acc, 0, rest))
		if n == 0 {
			return 0, 0, 0, 0
		}
	} else {
		addLanes(&acc, 0, rest)
	}
	sum = joinLanes(&acc)
	mean = sum / float64(n)
	acc = [lanes]float64{}
	s.dev.run(unsafe.Pointer(&acc), at, groups, &mean)
	for i, v := range rest {
		if s.skip && v != v {
			continue
		}
		d := float64(v) - mean
		acc[i] += float64(d * d)
	}
	return n, sum, mean, joinLanes(&acc)
}

// step returns how far apart rows follow each other, in elements; false when that varies or is backwards.
func (p *momentSlot[T]) step() (int, bool) {
	if len(p.rows) < 2 {
		return 0, len(p.rows) == 1
	}
	var z T
	size := int64(unsafe.Sizeof(z))
	gap := func(i int) int64 { return int64(uintptr(p.rows[i]) - uintptr(p.rows[i-1])) }
	d := gap(1)
	for i := 2; i < len(p.rows); i++ {
		if gap(i) != d {
			return 0, false
		}
	}
	return int(d / size), d >= 0 && d%size == 0
}

// nativeEnd folds the rows of a block into w accumulators by machine code; it returns for how many columns it did so.
func (s *momentSweep[T]) nativeEnd(p *momentSlot[T], at, w int) int {
	if s.sum.rows == nil || s.dev.rows == nil || w < 4 {
		return 0
	}
	step, even := p.step()
	if !even {
		return 0
	}
	w &^= 3
	var cnt unsafe.Pointer
	if s.skip {
		cnt = unsafe.Pointer(&s.cnt[at])
	} else {
		c := s.cnt[at : at+w]
		for i := range c {
			c[i] = int64(len(p.rows))
		}
	}
	mean := unsafe.Pointer(&s.mean[at])
	s.sum.panel(mean, p.rows[0], cnt, nil, w, step, len(p.rows))
	s.tellSums(at, s.mean[at:at+w])
	s.meansOf(at, w)
	s.dev.panel(unsafe.Pointer(&s.m2[at]), p.rows[0], nil, mean, w, step, len(p.rows))
	return w
}
