// SPDX-License-Identifier: BSD-3-Clause

package jit

import "math"

// findHoles finds the sinks that leave NaN out of where(missing, NaN, y) with a y that is never NaN, as decoded packed values are:
// they take y and the mask, and nothing looks for NaN.
func (w *columnWriter) findHoles() {
	for i := range w.g.nodes {
		n := &w.g.nodes[i]
		if n.kind != nodeStore || !w.sinks[n.arg].Skip {
			continue
		}
		s, b := &w.sinks[n.arg], &w.g.nodes[n.a]
		if b.kind == nodeOp && b.op == blends[s.size] && w.g.onlyNaN(s.size, b.b) && w.g.bound(b.a) < math.MaxFloat32 {
			n.a, n.c, s.holes = b.a, b.c, true
		}
	}
}

// unequal are the comparisons that say the opposite of others, with the immediate isNotEqual.
var unequal = map[vop]vop{vpcmpeqb: vpcmpb, vpcmpeqw: vpcmpw, vpcmpeqd: vpcmpd, vpcmpeqq: vpcmpq}

// invertHoles makes the masks of holes that are comparisons of integers for equality, and of use for nothing else, into masks of what is
// taken: one instruction less for each vector.
func (w *columnWriter) invertHoles() {
	g := w.g
	w.findUses(g)
	for i := range g.nodes {
		n := &g.nodes[i]
		op, ok := unequal[n.op]
		if n.kind != nodeOp || !ok || len(w.uses[i]) == 0 {
			continue
		}
		for _, u := range w.uses[i] {
			s := &g.nodes[u]
			ok = ok && s.kind == nodeStore && s.c == val(i) && s.a != val(i) && w.sinks[s.arg].holes
		}
		if !ok {
			continue
		}
		n.op, n.imm = op, isNotEqual
		for _, u := range w.uses[i] {
			w.sinks[g.nodes[u].arg].takes = true
		}
	}
}

// taking is the predicate of what node n's sink takes; it counts that for copy k.
func (w *columnWriter) taking(s *sink, n *node, k int, l uint8) predicate {
	p := predicate{k: yes}
	if m, ok := w.inMask(n.c); ok {
		p.k = m.k
	} else {
		m := w.inRegister(n.c)
		w.evex([9]vop{4: vptestmd, 8: vptestmq}[s.size], l, yes, m, reg(m), all)
	}
	if s.Count {
		w.evex(subInt[s.size], l, s.count[k], s.count[k], reg(w.ones), p)
	}
	return p
}

// onlyNaN reports whether x is a constant of NaN in lanes of size bytes.
func (g *graph) onlyNaN(size int, x val) bool {
	c, ok := g.constant(x)
	if !ok {
		return false
	}
	for i := 0; i < len(c); i += size {
		var lane [poolBytes]byte
		copy(lane[:], c[i:i+size])
		if v := floatOf(size, lane); v == v {
			return false
		}
	}
	return true
}

// bound is what the magnitude of x's lanes, floats, stays below or at, infinite where that is not known. It allows for roundings.
func (g *graph) bound(x val) float64 {
	n := &g.nodes[x]
	if n.kind != nodeOp {
		return math.Inf(1)
	}
	size := 4
	switch n.op {
	case vcvtdq2ps, vcvtdq2pd:
		return 0x1p31
	case vaddpd, vsubpd, vmulpd:
		size = 8
	case vaddps, vsubps, vmulps:
	default:
		return math.Inf(1)
	}
	side := func(x val) float64 {
		if c, ok := g.constant(x); ok { // the same in all lanes: programs have no others in float arithmetic
			if v := math.Abs(floatOf(size, c)); v == v {
				return v
			}
			return math.Inf(1)
		}
		return g.bound(x)
	}
	a, b := side(n.a), side(n.b)
	if n.op == vmulps || n.op == vmulpd {
		a *= b
	} else {
		a += b
	}
	if a *= 1 + 0x1p-20; a < math.MaxFloat32 {
		return a
	}
	return math.Inf(1) // NaN, 0 times infinity, too
}

// askBelow asks for the lines that the next panel of rows has at the columns at work.
func (w *columnWriter) askBelow(g *graph) {
	for i := range g.nodes {
		n := &g.nodes[i]
		if n.kind != nodeLoad || int(n.arg) >= w.ptrs || n.shift*int32(n.size)%cacheLine != 0 {
			continue
		}
		w.load(rTemp, memAt(rRows, 8+8*n.arg))
		w.lea(rTemp, memIndexed(pointerRegs[n.arg], rTemp, uint8(log2[w.panelRows()]), 0))
		w.prefetch(2, memIndexed(rTemp, rIndex, uint8(log2[n.size]), n.shift*int32(n.size)))
	}
}
