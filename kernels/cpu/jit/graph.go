// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"encoding/binary"
	"math"
)

// val names a value of a graph: one vector, v elements wide.
type val int32

const none val = -1

// node is one machine instruction on vectors, or a value that can be made anywhere: a constant, a
// load, an operand's one value in all lanes.
type node struct {
	kind    nodeKind
	op      vop
	l       uint8 // vector length: 1 for 256 bits, 2 for 512
	imm     int16 // immediate byte, or -1
	a, b, c val   // in the order v, x and the rest of the instruction's shape
	arg     int32 // nodeConst: place in the pool; nodeLoad, nodeSplat: operand; nodeStore: result
	size    uint8 // nodeLoad, nodeSplat, nodeStore: bytes of an element; pairSize: of a pair, which takes two vectors
	half    uint8 // of pairs, which vector, or of one pair, which number
	shift   int32 // nodeLoad, nodeStore: elements behind the loop's index
}

type nodeKind uint8

const (
	nodeConst nodeKind = iota
	nodeLoad
	nodeSplat
	nodeOp
	nodeStore // a is stored
	nodeCold  // leave when a lane of a is set
	nodeDead  // nothing needs it
)

// free reports whether the value can be made again instead of being kept.
func (n *node) free() bool { return n.kind <= nodeSplat }

// graph is a straight line of nodes for v elements; equal values are made once.
type graph struct {
	v      int
	bytes  int // of a vector of the widest elements: 32, or 64
	nodes  []node
	seen   map[node]val
	pool   [][poolBytes]byte
	poolAt map[[poolBytes]byte]int32
}

func newGraph(v, bytes int) *graph {
	return &graph{v: v, bytes: bytes, seen: map[node]val{}, poolAt: map[[poolBytes]byte]int32{}}
}

func (g *graph) add(n node) val {
	if n.kind < nodeStore {
		if r, ok := g.seen[n]; ok {
			return r
		}
	}
	r := val(len(g.nodes))
	g.nodes = append(g.nodes, n)
	if n.kind < nodeStore {
		g.seen[n] = r
	}
	return r
}

// vector is a constant.
func (g *graph) vector(b [poolBytes]byte) val {
	at, ok := g.poolAt[b]
	if !ok {
		at = int32(len(g.pool))
		g.pool = append(g.pool, b)
		g.poolAt[b] = at
	}
	return g.add(node{kind: nodeConst, imm: -1, a: none, b: none, c: none, arg: at})
}

// splat is a constant with one value in all lanes of size bytes.
func (g *graph) splat(size int, bits uint64) val {
	var b [poolBytes]byte
	for i := range b {
		b[i] = byte(bits >> (8 * (i % size)))
	}
	return g.vector(b)
}

// constant returns the bytes of a constant.
func (g *graph) constant(x val) ([poolBytes]byte, bool) {
	if n := &g.nodes[x]; n.kind == nodeConst {
		return g.pool[n.arg], true
	}
	return [poolBytes]byte{}, false
}

// load is operand i, elements of size bytes one after another; same is its one value in all lanes.
func (g *graph) load(i, size int) val {
	return g.add(node{kind: nodeLoad, imm: -1, a: none, b: none, c: none, arg: int32(i), size: uint8(size)})
}

func (g *graph) same(i, size int) val {
	return g.add(node{kind: nodeSplat, imm: -1, a: none, b: none, c: none, arg: int32(i), size: uint8(size)})
}

// store stores x as result i.
func (g *graph) store(i, size int, x val) {
	g.add(node{kind: nodeStore, imm: -1, a: x, b: none, c: none, arg: int32(i), size: uint8(size)})
}

// length is the vector length for lanes of size bytes.
func (g *graph) length(size int) uint8 {
	switch n := g.v * size; {
	case n > 32:
		return 2
	case n > 16:
		return 1
	}
	return 0
}

// bin, un and their forms with an immediate work on lanes whose v elements fill size bytes each.
func (g *graph) bin(op vop, size int, a, b val) val { return g.binImm(op, size, a, b, -1) }

func (g *graph) binImm(op vop, size int, a, b val, imm int) val {
	if r, ok := g.fold(op, a, b); ok {
		return r
	}
	return g.add(node{kind: nodeOp, op: op, l: g.length(size), imm: int16(imm), a: a, b: b, c: none})
}

func (g *graph) un(op vop, size int, x val) val { return g.unImm(op, size, x, -1) }

func (g *graph) unImm(op vop, size int, x val, imm int) val {
	return g.add(node{kind: nodeOp, op: op, l: g.length(size), imm: int16(imm), a: none, b: x, c: none})
}

// shift is a shift by an immediate; its operand must be in a register.
func (g *graph) shift(op vop, size int, x val, n int) val {
	if n == 0 {
		return x
	}
	return g.add(node{kind: nodeOp, op: op, l: g.length(size), imm: int16(min(n, 255)), a: none, b: x, c: none})
}

// fma is x*y + z, rounded once. A factor's or z's change of sign is part of the instruction.
func (g *graph) fma(size int, x, y, z val) val {
	ops := &fmaOps
	if n, ok := g.negated(size, x); ok {
		ops, x = &fnmaOps, n
	} else if n, ok := g.negated(size, y); ok {
		ops, y = &fnmaOps, n
	} else if n, ok := g.negated(size, z); ok {
		ops, z = &fmsOps, n
	}
	op := ops[size]
	return g.add(node{kind: nodeOp, op: op, l: g.length(size), imm: -1, a: x, b: y, c: z})
}

var (
	fmaOps  = byFloat{4: vfmadd213ps, 8: vfmadd213pd}
	fmsOps  = byFloat{4: vfmsub213ps, 8: vfmsub213pd}
	fnmaOps = byFloat{4: vfnmadd213ps, 8: vfnmadd213pd}
)

// negated returns y where x is -y.
func (g *graph) negated(size int, x val) (val, bool) {
	n := &g.nodes[x]
	if n.kind != nodeOp || n.op != xorFloat[size] {
		return none, false
	}
	c, ok := g.constant(n.b)
	var sign [poolBytes]byte
	for i := size - 1; i < len(sign); i += size {
		sign[i] = 0x80
	}
	return n.a, ok && c == sign
}

// blend is x in the lanes of mask, else y.
func (g *graph) blend(size int, mask, x, y val) val {
	if x == y {
		return x
	}
	return g.add(node{kind: nodeOp, op: blends[size], l: g.length(size), imm: -1, a: y, b: x, c: mask})
}

var blends = [9]vop{1: vpblendvb, 2: vpblendvb, 4: vblendvps, 8: vblendvpd}

// cold leaves the code when a lane of the mask is set. A mask that says of a number that it is at least some constant is
// of no use behind one that says so of a smaller constant.
func (g *graph) cold(size int, mask val) {
	for i := range g.nodes {
		if c := g.nodes[i].a; g.nodes[i].kind == nodeCold && (c == mask || g.implies(size, mask, c)) {
			return
		}
	}
	g.add(node{kind: nodeCold, op: vptest, l: g.length(size), imm: -1, a: mask, b: none, c: none})
}

// implies reports whether lanes of y are set wherever those of x are, as far as comparisons of one float with constants tell.
func (g *graph) implies(size int, x, y val) bool {
	n, m := &g.nodes[x], &g.nodes[y]
	p, ok1 := g.constant(max(n.a, 0))
	q, ok2 := g.constant(max(m.a, 0))
	return n.kind == nodeOp && n.op == cmpFloat[size] && n.imm == isLessEqual && n.b == m.b && m.op == n.op && m.imm == n.imm &&
		n.a >= 0 && m.a >= 0 && ok1 && ok2 && floatOf(size, p) >= floatOf(size, q)
}

// floatOf is the first lane of a constant.
func floatOf(size int, c [poolBytes]byte) float64 {
	if size == 4 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(c[:])))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(c[:]))
}

// fold computes bit operations on two constants.
func (g *graph) fold(op vop, a, b val) (val, bool) {
	f := folds[op]
	if f == nil {
		return none, false
	}
	x, ok1 := g.constant(a)
	y, ok2 := g.constant(b)
	if !ok1 || !ok2 {
		return none, false
	}
	for i := range x {
		x[i] = f(x[i], y[i])
	}
	return g.vector(x), true
}

var folds = map[vop]func(x, y byte) byte{
	vpand: func(x, y byte) byte { return x & y }, vpor: func(x, y byte) byte { return x | y },
	vpxor: func(x, y byte) byte { return x ^ y }, vpandn: func(x, y byte) byte { return ^x & y },
}

// times returns a graph that does the work of g for k vectors, one step of each after the other: a processor looks
// only so far ahead, and in one vector most steps wait for the one before. Cold lanes are looked for in all vectors at once.
func (g *graph) times(k int) *graph {
	t := &graph{v: g.v, bytes: g.bytes, pool: g.pool}
	to := make([][]val, k) // by copy, of each value of g
	for j := range to {
		to[j] = make([]val, len(g.nodes))
	}
	var mask val // of the cold node before
	for i, n := range g.nodes {
		for j := range to {
			if j > 0 && (n.kind == nodeConst || n.kind == nodeSplat) {
				to[j][i] = to[0][i]
				continue
			}
			c := n
			for _, x := range []*val{&c.a, &c.b, &c.c} {
				if *x != none {
					*x = to[j][*x]
				}
			}
			c.shift = int32(j * g.v)
			if c.kind == nodeCold && j > 0 {
				t.nodes[len(t.nodes)-1] = node{kind: nodeOp, op: vpor, l: c.l, imm: -1, a: mask, b: c.a, c: none}
				c.a = val(len(t.nodes) - 1)
			}
			mask = c.a
			to[j][i] = val(len(t.nodes))
			t.nodes = append(t.nodes, c)
		}
	}
	return t
}

// halves are the instructions whose memory operand is shorter than the result, and by how much.
var halves = map[vop]uint8{
	vpmovsxbw: 1, vpmovsxbd: 2, vpmovsxbq: 3, vpmovsxwd: 1, vpmovsxwq: 2, vpmovsxdq: 1,
	vpmovzxbw: 1, vpmovzxbd: 2, vpmovzxbq: 3, vpmovzxwd: 1, vpmovzxwq: 2, vpmovzxdq: 1,
	vcvtps2pd: 1, vcvtdq2pd: 1, vcvtph2ps: 1,
}

// pairSize is the size of a pair of 64-bit numbers.
const pairSize = 16

// stored is how many bytes of v elements the node reads or writes.
func (n *node) stored(v int) int {
	if n.size == pairSize {
		return v * pairSize / 2
	}
	return v * int(n.size)
}

// memory is the length of the node's memory operand.
func (n *node) memory() int { return 16 << n.l >> halves[n.op] }
