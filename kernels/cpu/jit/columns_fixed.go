// SPDX-License-Identifier: BSD-3-Clause

package jit

import "math"

// intBound is the largest magnitude of what instructions that widen integers to 32 bits give.
var intBound = map[vop]float64{vpmovsxbd: 1 << 7, vpmovzxbd: 1 << 8, vpmovsxwd: 1 << 15, vpmovzxwd: 1 << 16}

// How many rows' sums of 32 bits are held at least and at most: their holes are counted in 8 bits.
const (
	leastHeld = 8
	mostHeld  = 64
)

// fixed are numbers of a unit that decoded packed values are.
type fixed struct {
	scaled        val     // the numbers, as float32
	unit          float64 // a power of 2
	rows          int     // whose sum fits in 32 bits, a power of 2
	wide          val     // the packed values in 32 bits
	scale, offset float32 // of the numbers
}

// findFixed finds the sinks of decoded packed values x*scale + offset in float32 that are whole numbers of a unit, so small that
// the sum of 8 rows fits in 32 bits. Sums of such numbers in float64 are exact in every order: those of some rows are made with integers.
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
		f, ok := g.units(n.a)
		if !ok || s.size != 4 {
			continue
		}
		s.holes = s.Skip // without a mask there are none: the values are numbers
		n.a, s.fixed, s.unit, s.held = f.scaled, true, g.nodes[g.splat(8, math.Float64bits(f.unit))].arg, f.rows
		w.findFill(s, n, f)
	}
	g.nodes = append(g.nodes, stores...)
}

// findFill finds whether a sink's holes are one of the packed values: what is added for one is a number of the unit as for any other.
func (w *columnWriter) findFill(s *sink, n *node, f fixed) {
	g := w.g
	if n.c == none {
		s.known = true
		return
	}
	m, wide := g.nodes[n.c], &g.nodes[f.wide]
	x := &g.nodes[wide.b]
	if m.kind != nodeOp || m.op != vpcmpeqd || m.a != f.wide || x.kind != nodeLoad || g.v*int(x.size) < 16 {
		return
	}
	fill, ok := g.constant(m.b)
	if !ok {
		return
	}
	bits := littleEndian(fill[:4])
	extra := float32(float32(int32(bits))*f.scale) + f.offset
	load := *x
	s.known, s.input, n.c = true, &load, none
	s.fill = g.nodes[g.splat(int(x.size), bits)].arg
	s.extra = g.nodes[g.splat(4, uint64(uint32(int32(extra))))].arg
}

// units returns y as numbers of a unit if y is x*scale + offset of short integers x and the sum of 8 rows fits in 32 bits.
//
// The product p and the sum y are rounded. Where |y| is half of |offset| or more, y's last place is that of |offset|/2 or a higher
// one; elsewhere |p| is more than |offset|/2, so that p + offset ends at that place before it is rounded. Multiplying scale and
// offset by a power of 2 changes no rounding.
func (g *graph) units(y val) (f fixed, ok bool) {
	product, offset, ok := g.withConstant(y, vaddps)
	if !ok {
		return f, false
	}
	x, scale, ok := g.withConstant(product, vmulps)
	if !ok {
		return f, false
	}
	n := &g.nodes[x]
	if n.kind != nodeOp || n.op != vcvtdq2ps || g.nodes[n.b].kind != nodeOp {
		return f, false
	}
	most, o, s := intBound[g.nodes[n.b].op], math.Abs(offset), math.Abs(scale)
	const far = 0x1p60 // from the ends of the range
	if !(most > 0 && o >= 1/far && o <= far && s >= 1/far && s <= far) {
		return f, false
	}
	_, e := math.Frexp(o / 2)
	f.unit = math.Ldexp(1, e-24)
	number := (most*s + o) * (1 + 0x1p-20) / f.unit
	if number*leastHeld >= 1<<31 {
		return f, false
	}
	for f.rows = leastHeld; f.rows < mostHeld && number*float64(2*f.rows) < 1<<31; {
		f.rows *= 2
	}
	f.wide, f.scale, f.offset = n.b, float32(scale/f.unit), float32(offset/f.unit)
	c := func(v float32) val { return g.splat(4, uint64(math.Float32bits(v))) }
	f.scaled = g.bin(vaddps, 4, g.bin(vmulps, 4, x, c(f.scale)), c(f.offset))
	return f, true
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
	switch {
	case s.takes:
		w.evex(vpaddd, l, acc, acc, reg(w.t), w.taking(s, n, k, l))
		return
	case !s.known:
		w.leaveOut(s, n, k, l)
	case s.input != nil && k == 0:
		w.countFill(s)
	}
	w.ins(vpaddd, l, acc, acc, reg(w.t))
}
