// SPDX-License-Identifier: BSD-3-Clause

package jit

// rows is
//
//	for r := range rows { for i := range width { acc[i] += f(x[r*stride+i]) } }
//
// with count[i] raised for each number when those are counted. Eight rows (or what is below eight) share one load and store of
// the accumulators. With Part set each row has its own: memory that is read from one end to the other comes faster.
//
// The row at work and what is left stay in registers: an address behind the elements may never be in memory that the garbage
// collector sees.
func (w *writer) rows(panel func(rows int)) {
	w.load(rHere, memAt(rArgs, argX))
	w.load(rLeft, memAt(rArgs, argRows))
	w.load(rTemp, memAt(rArgs, argPart))
	w.test(rTemp, 1)
	apart := w.jump(ifZero)
	one := len(w.b)
	w.gapless = true
	panel(1)
	w.gapless = false
	w.lea(rHere, memIndexed(rHere, rStep, 0, 0))
	w.sub(rLeft, 1)
	w.to(w.jump(ifNotZero), one)
	w.ret()
	w.land(apart)
	next := len(w.b)
	w.b = append(w.b, 0x48, 0x83, 0xF9, 8) // cmp rcx, 8
	few := w.jump(ifBelow)
	panel(8)
	w.lea(rHere, memIndexed(rHere, rStep, 3, 0))
	w.sub(rLeft, 8)
	w.to(w.jump(always), next)
	w.land(few)
	// One to seven rows, by fours, twos and one.
	for k, scale := 4, uint8(2); k > 0; k, scale = k/2, scale-1 {
		w.b = append(w.b, 0xF6, 0xC1, byte(k)) // test cl, k
		skip := w.jump(ifZero)
		panel(k)
		if k > 1 {
			w.lea(rHere, memIndexed(rHere, rStep, scale, 0))
		}
		w.land(skip)
	}
	w.ret()
}

// rowAt is the memory of row k of a panel, and a distance behind it.
func rowAt(k, disp int) operand { return rowFrom(rX, rRow, k, disp) }

// rowFrom is the memory of row k of those that begin at a register; fourth holds where row 4 begins.
func rowFrom(first, fourth, k, disp int) operand {
	base := first
	if k >= 4 {
		base = fourth
	}
	return rowOf(base, rStep, rTrip, k%4, int32(disp))
}

// cursor is what loops over the columns of a panel step through: memory by a register, so many bytes for each column.
type cursor struct{ at, bytes int }

// columns emits a panel of n rows of elements of a size: do emits the loop's body for some columns, which lie behind the
// registers by a number of columns. steps are the memories beside the rows, of which reads come first. Columns come in groups of
// cache lines of a row, whose lines in the next rows are asked for, then in fours (of vectors: elements of 32 bytes).
func (w *writer) columns(size, n int, steps []cursor, each func() int, do func(first int)) {
	w.lea(rX, memAt(rHere, 0))
	w.load(rStep, memAt(rArgs, argStride))
	w.load(rCount, memAt(rArgs, argWidth))
	w.lea(rTrip, memIndexed(rStep, rStep, 1, 0))
	w.lea(rRow, memIndexed(rX, rStep, 2, 0))
	steps = append(steps, cursor{rX, size}, cursor{rRow, size})
	group := max(cacheLine/max(size, 4), each())
	ahead := n == 8 && 2*group*size >= cacheLine
	if ahead {
		w.lea(rAhead, memIndexed(rX, rStep, 3, 0))
		w.b = append(w.b, 0x48, 0x83, 0xF9, 8) // cmp rcx, 8
		more := w.jump(ifNotZero)
		w.load(rAhead, memAt(rArgs, argNext))
		w.lea(rAhead, memIndexed(rX, rAhead, 0, 0))
		w.land(more)
		steps = append(steps, cursor{rAhead, size})
	}
	w.cmpImm(rCount, group)
	narrow := w.jump(ifBelow)
	loop := func(columns int) (top int) {
		w.align(32)
		top = len(w.b)
		switch {
		case columns != group:
		case w.gapless:
			w.ahead(0, group, size, memAt(rX, 0))
		case ahead:
			w.lea(rTemp, memIndexed(rAhead, rStep, 2, 0))
			for k := range n {
				w.prefetch(2, rowFrom(rAhead, rTemp, k, 0))
			}
		}
		for first := 0; first < columns; first += each() {
			do(first)
		}
		for _, c := range steps {
			w.lea(c.at, memAt(c.at, int32(columns*c.bytes)))
		}
		w.sub(rCount, columns)
		return top
	}
	top := loop(group)
	w.cmpImm(rCount, group)
	w.to(w.jump(ifNotBelow), top)
	w.land(narrow)
	w.test(rCount, ^uint32(0))
	done := w.jump(ifZero)
	wide := w.width
	w.width = widthOf(vectorBytes)
	top = loop(each())
	w.to(w.jump(ifNotZero), top)
	w.width = wide
	w.land(done)
}

// panel adds n rows to all columns.
func (w *writer) panel(s step, q quad, size, n int) {
	w.load(rAcc, memAt(rArgs, argAcc))
	steps := []cursor{{rAcc, 8}}
	counted := s.count && !s.square
	if counted {
		w.load(rCnt, memAt(rArgs, argCount))
		steps = append(steps, cursor{rCnt, 8})
	}
	if s.square {
		w.load(rMean, memAt(rArgs, argMean))
		steps = append(steps, cursor{rMean, 8})
	}
	w.begin(s)
	w.columns(size, n, steps, w.lanes64, func(first int) {
		to := int32(8 * first)
		w.op(vmovupsLoad, 0, 0, memAt(rAcc, to))
		if s.square {
			w.op(vmovupsLoad, yMean, 0, memAt(rMean, to))
		}
		if counted {
			w.op(vpxor, yTake, yTake, reg(yTake))
		}
		for k := range n {
			t := 1 + k%4*2
			w.quadStep(s, q, 0, t, t+1, rowAt(k, first*size))
		}
		w.op(vmovupsStore, 0, 0, memAt(rAcc, to))
		if counted {
			w.op(vmovupsLoad, 1, 0, memAt(rCnt, to))
			w.op(vpsubq, 1, 1, reg(yTake))
			w.op(vmovupsStore, 1, 0, memAt(rCnt, to))
		}
	})
}
