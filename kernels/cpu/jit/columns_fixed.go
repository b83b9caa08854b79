// SPDX-License-Identifier: BSD-3-Clause

package jit

import "math"

// intBound is the largest magnitude of what instructions that widen integers to 32 bits give.
var intBound = map[vop]float64{vpmovsxbd: 1 << 7, vpmovzxbd: 1 << 8, vpmovsxwd: 1 << 15, vpmovzxwd: 1 << 16}

// findFixed finds the sinks of decoded packed values x*scale + offset in float32 that are whole numbers of a unit, so few of them that
// a panel's sum fits in 32 bits. Sums of such numbers in float64 are exact in every order: those of a panel are made with integers.
func (w *columnWriter) findFixed() {
	g := w.g
	first := len(g.nodes) // stores are the last nodes
	for first > 0 && g.nodes[first-1].kind == nodeStore {
		first--
	}
	stores := append([]node{}, g.nodes[first:]...)
	g.nodes = g.nodes[:first]
	for i := range stores {
		n := &stores[i]
		s := &w.sinks[n.arg]
		scaled, unit, ok := g.units(n.a)
		if !ok || s.size != 4 {
			continue
		}
		s.holes = s.Skip // without a mask there are none: the values are numbers
		n.a, s.fixed, s.unit = scaled, true, g.nodes[g.splat(8, math.Float64bits(unit))].arg
	}
	g.nodes = append(g.nodes, stores...)
}

// units returns y as numbers of a unit, a power of 2, if y is x*scale + offset of short integers x and a panel's sum fits in 32 bits.
//
// The product p and the sum y are rounded. Where |y| is half of |offset| or more, y's last place is that of |offset|/2 or a higher
// one; elsewhere |p| is more than |offset|/2, so that p + offset ends at that place before it is rounded. Multiplying scale and
// offset by a power of 2 changes no rounding.
func (g *graph) units(y val) (scaled val, unit float64, ok bool) {
	product, offset, ok := g.withConstant(y, vaddps)
	if !ok {
		return none, 0, false
	}
	x, scale, ok := g.withConstant(product, vmulps)
	if !ok {
		return none, 0, false
	}
	n := &g.nodes[x]
	if n.kind != nodeOp || n.op != vcvtdq2ps || g.nodes[n.b].kind != nodeOp {
		return none, 0, false
	}
	most, o, s := intBound[g.nodes[n.b].op], math.Abs(offset), math.Abs(scale)
	const far = 0x1p60 // from the ends of the range
	if !(most > 0 && o >= 1/far && o <= far && s >= 1/far && s <= far) {
		return none, 0, false
	}
	_, e := math.Frexp(o / 2)
	unit = math.Ldexp(1, e-24)
	if (most*s+o)*(1+0x1p-20)/unit*panelRows >= 1<<31 {
		return none, 0, false
	}
	c := func(v float64) val { return g.splat(4, uint64(math.Float32bits(float32(v/unit)))) }
	return g.bin(vaddps, 4, g.bin(vmulps, 4, x, c(scale)), c(offset)), unit, true
}

// withConstant returns the operands of y if it is op of a value and a constant.
func (g *graph) withConstant(y val, op vop) (x val, c float64, ok bool) {
	n := &g.nodes[y]
	if n.kind != nodeOp || n.op != op {
		return none, 0, false
	}
	x, k := n.a, n.b
	b, ok := g.constant(k)
	if !ok {
		x, k = n.b, n.a
		b, ok = g.constant(k)
	}
	return x, floatOf(4, b), ok
}

// addUnits adds the numbers in register r to a sink's of copy k.
func (w *columnWriter) addUnits(s *sink, n *node, r, k int, l uint8) {
	acc := s.accs[k][0]
	w.ins(vcvttps2dq, l, w.t, 0, reg(r))
	if s.takes {
		w.evex(vpaddd, l, acc, acc, reg(w.t), w.taking(s, n, k, l))
		return
	}
	w.leaveOut(s, n, k, l)
	w.ins(vpaddd, l, acc, acc, reg(w.t))
}

// fromUnits adds a panel's sums to the accumulators in memory: all are loaded before one is stored.
func (w *columnWriter) fromUnits(s *sink, k int, acc func(half int) operand) {
	to := [2]int{w.t, w.u}
	for h := range s.halfs {
		from := s.accs[k][0]
		if h == 1 {
			w.upperHalf(w.u, from)
			from = w.u
		}
		w.ins(vcvtdq2pd, w.full, to[h], 0, reg(from))
		w.ins(vmulpd, w.full, to[h], to[h], operand{kind: inPool, disp: s.unit * poolBytes})
		w.ins(vaddpd, w.full, to[h], to[h], acc(h))
	}
	for h := range s.halfs {
		w.ins(vmovupsStore, w.full, to[h], 0, acc(h))
	}
}
