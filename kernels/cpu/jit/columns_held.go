// SPDX-License-Identifier: BSD-3-Clause

package jit

// Sums of 32 bits, and counts of holes in lanes as short as the packed values, stay in memory of their own for as many rows as they have
// room for, which is in the cache next to the processor. Widening them for each panel would take as long as a fourth of its rows.

// held returns for how many rows, 0 if no sink is fixed.
func (w *columnWriter) held() (rows int) {
	for i := range w.sinks {
		if s := &w.sinks[i]; s.fixed && (rows == 0 || s.held < rows) {
			rows = s.held
		}
	}
	return rows
}

// findFlush sets rFlush for the panel that begins: at the end of the rows, and of each group of them that is held together.
func (w *columnWriter) findFlush() {
	rows := w.held()
	if rows == 0 {
		return
	}
	w.b = append(w.b, 0x45, 0x31, 0xED) // xor r13d, r13d
	w.lea(rTemp, memIndexed(rTurn, rPanel, 0, 0))
	w.gpr(0x3B, rTemp, memAt(rRows, 0)) // cmp
	end := w.jump(ifZero)
	w.test(rTemp, uint32(rows-1))
	within := w.jump(ifNotZero)
	w.land(end)
	w.lea(rFlush, memAt(rTemp, -1))
	w.b = append(w.b, 0x49, 0x83, 0xE5, byte(rows-1)) // and r13, rows-1
	w.lea(rFlush, memAt(rFlush, 1))
	w.land(within)
}

// holesLength is the length of a vector of holes of the columns at work.
func (w *columnWriter) holesLength(s *sink) (l uint8) {
	for 16<<l < w.n*w.g.v*int(s.input.size) {
		l++
	}
	return l
}

// holesAt is the memory of the holes of columns from first on, of those at work; rTemp points to the sink's.
func (w *columnWriter) holesAt(s *sink, first int) operand {
	size := int(s.input.size)
	return memIndexed(rTemp, rIndex, uint8(log2[size]), int32(size*first))
}

// sumsAt is the memory of the sums of copy k; rTemp points to the sink's.
func (w *columnWriter) sumsAt(k int) operand { return memIndexed(rTemp, rIndex, 2, int32(4*w.g.v*k)) }

// takeHeld loads what is held of the columns at work.
func (w *columnWriter) takeHeld() {
	for i := range w.sinks {
		s := &w.sinks[i]
		if !s.fixed {
			continue
		}
		w.point(i, ptrSums)
		for k := range w.n {
			w.ins(vmovupsLoad, w.g.length(4), s.accs[k][0], 0, w.sumsAt(k))
		}
		if s.input != nil {
			w.point(i, ptrHoles)
			w.ins(vmovupsLoad, w.holesLength(s), s.holed[0], 0, w.holesAt(s, 0))
			w.ins(vmovupsLoad, w.full, s.holed[1], 0, operand{kind: inPool, disp: s.fill * poolBytes})
		}
	}
}

// countFill counts the holes of a row in all columns at work.
func (w *columnWriter) countFill(s *sink) {
	x := *s.input
	at := memIndexed(pointerRegs[x.arg], rIndex, uint8(log2[x.size]), 0)
	l, n := w.holesLength(s), s.holed[0]
	if w.bytes > vectorBytes {
		w.evex(equalInt[x.size], l, yes, s.holed[1], at, all)
		w.evex(subInt[x.size], l, n, n, reg(w.ones), predicate{k: yes})
		return
	}
	w.ins(equalInt[x.size], l, w.u, s.holed[1], at)
	w.ins(subInt[x.size], l, n, n, reg(w.u))
}

// hold stores what is held, or adds it to the accumulators and counts.
func (w *columnWriter) hold() {
	if w.held() == 0 {
		return
	}
	w.test(rFlush, ^uint32(0))
	flush := w.jump(ifNotZero)
	for i := range w.sinks {
		if w.sinks[i].fixed {
			w.storeHeld(i, func(k int) int { return w.sinks[i].accs[k][0] }, w.sinks[i].holed[0])
		}
	}
	done := w.jump(always)
	w.land(flush)
	for i := range w.sinks {
		if w.sinks[i].fixed {
			w.flush(i)
		}
	}
	w.land(done)
}

// storeHeld stores registers of sums, and one of holes.
func (w *columnWriter) storeHeld(sink int, sums func(k int) int, holes int) {
	s := &w.sinks[sink]
	w.point(sink, ptrSums)
	for k := range w.n {
		w.ins(vmovupsStore, w.g.length(4), sums(k), 0, w.sumsAt(k))
	}
	if s.input != nil {
		w.point(sink, ptrHoles)
		w.ins(vmovupsStore, w.holesLength(s), holes, 0, w.holesAt(s, 0))
	}
}

// flush adds a sink's sums and counts to those of 64 bits, and holds nothing.
func (w *columnWriter) flush(sink int) {
	s, l := &w.sinks[sink], w.g.length(4)
	if s.input != nil {
		w.point(sink, ptrHoles)
		w.ins(vmovupsStore, w.holesLength(s), s.holed[0], 0, w.holesAt(s, 0))
		from := log2[s.input.size]
		for k := range w.n {
			w.ins(zeroExtend[from][2], l, w.t, 0, w.holesAt(s, k*w.g.v))
			w.ins(vpmulld, l, w.t, w.t, operand{kind: inPool, disp: s.extra * poolBytes})
			w.ins(vpsubd, l, s.accs[k][0], s.accs[k][0], reg(w.t))
		}
	}
	w.point(sink, ptrAcc)
	for k := range w.n {
		for h := range s.halfs {
			from := s.accs[k][0]
			if h == 1 {
				w.upperHalf(w.t, from)
				from = w.t
			}
			acc := memIndexed(rTemp, rIndex, 3, int32(w.bytes*h+8*w.g.v*k))
			w.ins(vcvtdq2pd, w.full, w.t, 0, reg(from))
			w.ins(vmulpd, w.full, w.t, w.t, operand{kind: inPool, disp: s.unit * poolBytes})
			w.ins(vaddpd, w.full, w.t, w.t, acc)
			w.ins(vmovupsStore, w.full, w.t, 0, acc)
		}
	}
	if s.Count && s.known {
		w.flushCounts(sink)
	}
	w.ins(vpxor, w.full, w.t, w.t, reg(w.t))
	w.storeHeld(sink, func(int) int { return w.t }, w.t)
}

// flushCounts adds the rows that are not holes to a sink's counts.
func (w *columnWriter) flushCounts(sink int) {
	s := &w.sinks[sink]
	w.ins(vmovdLoad, 0, w.u, 0, reg(rFlush))
	w.ins(vpbroadcastq, w.full, w.u, 0, reg(w.u))
	for k := range w.n {
		for h := range s.halfs {
			first := k*w.g.v + h*w.bytes/8
			n := w.u
			if s.input != nil {
				n = w.t
				w.point(sink, ptrHoles)
				w.ins(zeroExtend[log2[s.input.size]][3], w.full, n, 0, w.holesAt(s, first))
				w.ins(vpsubq, w.full, n, w.u, reg(n))
			}
			w.point(sink, ptrCount)
			at := memIndexed(rTemp, rIndex, 3, int32(8*first))
			w.ins(vpaddq, w.full, w.t, n, at)
			w.ins(vmovupsStore, w.full, w.t, 0, at)
		}
	}
}
