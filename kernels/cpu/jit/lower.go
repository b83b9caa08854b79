// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// lowerer turns a program into a graph. A number is a vector of its dtype; a truth value is a
// mask: lanes of all ones or zeros, as wide as the lanes of whatever made it, converted to
// other widths when it is used beside them.
type lowerer struct {
	*graph
	p    *kernels.Program
	num  []val
	pair [][2]val // of complex128: the parts
	mask [][4]val // by log2 of the lane size; none where that form has not been made
	made []int    // the lane size a truth value was made in, 0: constants
}

// lowering is how an operation becomes a graph: need is the widest lanes it works in (0:
// it has no form for these dtypes), do returns the value and, for truth values, the size of its lanes.
type lowering struct {
	need func(in, out dtype.DType) int
	do   func(l *lowerer, in kernels.Inst) (x val, size int)
}

// Supports reports whether the instruction of p has a form in machine code.
func Supports(p *kernels.Program, in kernels.Inst) bool { return need(p, in) > 0 }

// need returns the widest lanes an instruction needs, 0 when it has no form.
func need(p *kernels.Program, in kernels.Inst) int {
	low := lowerings[in.Op]
	if low == nil {
		return 0
	}
	size := lane
	if in.Op == kernels.OpReal || in.Op == kernels.OpImag || in.Op == kernels.OpComplex {
		size = laneOf
	}
	widest := size(in.DType)
	if widest == 0 {
		return 0
	}
	for _, r := range in.Args {
		if r >= 0 {
			s := size(p.RegType(r))
			if s == 0 {
				return 0
			}
			widest = max(widest, s)
		}
	}
	t := in.DType
	if in.Args[0] >= 0 {
		t = p.RegType(in.Args[0])
	}
	if in.Op == kernels.OpWhere {
		t = in.DType
	}
	n := low.need(t, in.DType)
	if n == 0 {
		return 0
	}
	return max(n, widest)
}

// lane is the size of a real number's lanes, 0 for other dtypes.
func lane(d dtype.DType) int {
	if !d.IsNumeric() || d.IsComplex() {
		return 0
	}
	return d.Size()
}

// lower makes the graph of p for vectors of so many bytes. same says which inputs have one value.
func lower(p *kernels.Program, same []bool, bytes int) (*graph, error) {
	widest := 1
	for _, in := range p.In {
		widest = max(widest, laneOf(in.DType))
	}
	for _, r := range p.Ret {
		widest = max(widest, laneOf(p.RegType(r)))
	}
	for _, in := range p.Body {
		n := need(p, in)
		if n == 0 {
			return nil, fmt.Errorf("kernels/cpu/jit: %v of %v to %v: no form in machine code: %w", in.Op, p.RegType(in.Args[0]), in.DType, kernels.ErrUnsupported)
		}
		widest = max(widest, n)
	}
	n := len(p.In) + len(p.Consts) + len(p.Body)
	l := &lowerer{graph: newGraph(bytes/widest, bytes), p: p, num: make([]val, n), pair: make([][2]val, n), mask: make([][4]val, n), made: make([]int, n)}
	for i := range l.mask {
		l.mask[i] = [4]val{none, none, none, none}
	}
	for i, in := range p.In {
		if in.DType == dtype.Complex128 {
			l.pair[i] = l.loadPair(i, same[i])
			continue
		}
		get := l.load
		if same[i] {
			get = l.same
		}
		x := get(i, in.DType.Size())
		if in.DType == dtype.Bool {
			l.setMask(kernels.Reg(i), 1, l.bin(vpcmpgtb, 1, x, l.splat(1, 0)))
			continue
		}
		l.num[i] = x
	}
	for i, c := range p.Consts {
		r := kernels.Reg(len(p.In) + i)
		if c.DType == dtype.Bool {
			for k := range 4 {
				l.mask[r][k] = l.splat(1, -c.Bits&0xff)
			}
			continue
		}
		if c.DType == dtype.Complex128 { // no imaginary part
			l.pair[r] = [2]val{l.splat(8, c.Bits), l.splat(8, 0)}
			continue
		}
		l.num[r] = l.splat(c.DType.Size(), c.Bits)
	}
	for i, in := range p.Body {
		r := kernels.Reg(len(p.In) + len(p.Consts) + i)
		if in.DType == dtype.Complex128 {
			l.pair[r] = [2]val{l.arg(in, 0), l.arg(in, 1)}
			continue
		}
		x, size := lowerings[in.Op].do(l, in)
		if in.DType == dtype.Bool {
			l.setMask(r, size, x)
		} else {
			l.num[r] = x
		}
	}
	for i, r := range p.Ret {
		if p.RegType(r) == dtype.Complex128 {
			l.storePair(i, l.pair[r])
			continue
		}
		if p.RegType(r) == dtype.Bool {
			l.graph.store(i, 1, l.un(vpabsb, 1, l.truth(r, 1)))
			continue
		}
		l.graph.store(i, p.RegType(r).Size(), l.num[r])
	}
	return l.graph, nil
}

// log2 of the lane sizes.
var log2 = [9]int{1: 0, 2: 1, 4: 2, 8: 3}

func (l *lowerer) setMask(r kernels.Reg, size int, x val) {
	l.mask[r][log2[size]], l.made[r] = x, size
}

// natural is the lane size in which the first of some truth values that is no constant was made.
func (l *lowerer) natural(list ...kernels.Reg) int {
	for _, r := range list {
		if l.made[r] != 0 {
			return l.made[r]
		}
	}
	return l.bytes / l.v
}

// truth returns truth value r as a mask of lanes of size bytes.
func (l *lowerer) truth(r kernels.Reg, size int) val {
	forms := &l.mask[r]
	want := log2[size]
	if forms[want] != none {
		return forms[want]
	}
	// One instruction widens; narrowing goes by halves.
	from := want - 1
	for from >= 0 && forms[from] == none {
		from--
	}
	if x, ok := l.equalWider(forms, from, want); ok {
		forms[want] = x
		return x
	}
	if from >= 0 {
		forms[want] = l.un(signExtend[from][want], size, forms[from])
		return forms[want]
	}
	from = want + 1
	for forms[from] == none {
		from++
	}
	x := forms[from]
	for k := from; k > want; k-- {
		x = l.narrowMask(x, 1<<k)
		forms[k-1] = x
	}
	return x
}

// equalWider is a comparison of integers with a constant in wider lanes, where the integers have been widened anyway, as packed data
// are that are compared with their fill value and decoded.
func (l *lowerer) equalWider(forms *[4]val, from, want int) (val, bool) {
	if from < 0 {
		return none, false
	}
	n := l.nodes[forms[from]]
	if n.kind != nodeOp || n.op != equalInt[1<<from] {
		return none, false
	}
	c, ok := l.constant(n.b)
	if !ok {
		return none, false
	}
	size := 1 << want
	v := littleEndian(c[:1<<from])
	for _, ext := range []*[4][4]vop{&signExtend, &zeroExtend} {
		w, ok := l.seen[node{kind: nodeOp, op: ext[from][want], l: l.length(size), imm: -1, a: none, b: n.a, c: none}]
		if !ok {
			continue
		}
		if unused := 64 - 8<<from; ext == &signExtend {
			v = uint64(int64(v<<unused) >> unused)
		}
		return l.bin(equalInt[size], size, w, l.splat(size, v)), true
	}
	return none, false
}

// The widening instructions by log2 of the sizes from and to.
var (
	signExtend = [4][4]vop{{1: vpmovsxbw, 2: vpmovsxbd, 3: vpmovsxbq}, {2: vpmovsxwd, 3: vpmovsxwq}, {3: vpmovsxdq}}
	zeroExtend = [4][4]vop{{1: vpmovzxbw, 2: vpmovzxbd, 3: vpmovzxbq}, {2: vpmovzxwd, 3: vpmovzxwq}, {3: vpmovzxdq}}
)

// truncates halve lanes where vectors are of 64 bytes.
var truncates = bySize{2: vpmovwb, 4: vpmovdw, 8: vpmovqd}

// upper is the upper half of x when x fills 32 bytes, else x.
func (l *lowerer) upper(x val, size int) val {
	if l.v*size < vectorBytes {
		return x
	}
	return l.add(node{kind: nodeOp, op: vextracti128, l: 1, imm: 1, a: none, b: x, c: none})
}

// narrowMask halves the lanes of a mask of size bytes.
func (l *lowerer) narrowMask(x val, size int) val {
	if l.bytes > vectorBytes {
		return l.un(truncates[size], size, x)
	}
	switch size {
	case 8:
		return l.binImm(vshufps, 4, x, l.upper(x, 8), 0x88)
	case 4:
		return l.bin(vpackssdw, 2, x, l.upper(x, 4))
	}
	return l.bin(vpacksswb, 1, x, l.upper(x, 2))
}

// narrow cuts the lanes of x from size to half of it, keeping their low parts.
func (l *lowerer) narrow(x val, size int) val {
	if l.bytes > vectorBytes {
		return l.un(truncates[size], size, x)
	}
	if size == 8 {
		return l.binImm(vshufps, 4, x, l.upper(x, 8), 0x88)
	}
	var pick [poolBytes]byte
	for i := range pick {
		k := i % 16
		pick[i] = 0x80
		if k < 8 {
			pick[i] = byte(k/(size/2)*size + k%(size/2))
		}
	}
	y := l.bin(vpshufb, size, x, l.vector(pick))
	if l.v*size < vectorBytes {
		return y
	}
	return l.add(node{kind: nodeOp, op: vpermq, l: 1, imm: 0x08, a: none, b: y, c: none})
}

// resize changes the lanes of an integer from one size to another: wrapping, or extending by sign or zeros.
func (l *lowerer) resize(x val, from, to int, signed bool) val {
	for ; from > to; from /= 2 {
		x = l.narrow(x, from)
	}
	if from == to {
		return x
	}
	ext := &zeroExtend
	if signed {
		ext = &signExtend
	}
	return l.un(ext[log2[from]][log2[to]], to, x)
}

// arg returns operand k's number, and its dtype.
func (l *lowerer) arg(in kernels.Inst, k int) val { return l.num[in.Args[k]] }

func (l *lowerer) argType(in kernels.Inst, k int) dtype.DType { return l.p.RegType(in.Args[k]) }

// ones has all bits set, zero none.
func (l *lowerer) ones() val { return l.splat(1, 0xff) }
func (l *lowerer) zero() val { return l.splat(1, 0) }

// not flips all bits.
func (l *lowerer) not(size int, x val) val { return l.bin(vpxor, size, x, l.ones()) }

// Shorthands of what the tables of instructions are indexed by.
func isSigned(d dtype.DType) bool { return d.Kind() == dtype.KindInt }
