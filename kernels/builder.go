// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"errors"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Builder makes a Program. Equal values are made once, operations on constants
// are done while building, operations that are not primitive are lowered, and
// Build drops what no result needs. The first error stays and is returned by Build.
//
// The Regs a Builder returns are its own; Build numbers them anew.
type Builder struct {
	rank   int
	vals   []value
	in     []Port
	ret    []Reg
	folds  []Fold
	slow   []*Program
	seen   map[valueKey]Reg
	slowID map[*Program]int32
	short  bool // a macro's operands came from shorter floats: no overflow in float64
	err    error
}

// value is a register while a program is built.
type value struct {
	kind valueKind
	c    Const // constants; c.DType is every value's dtype
	op   OpID
	args [3]Reg
	aux  int32 // inputs: number of the port
}

type valueKind uint8

const (
	valueInput valueKind = iota
	valueConst
	valueInst
)

// valueKey is the identity of a value for common subexpressions.
type valueKey struct {
	kind valueKind
	c    Const
	op   OpID
	args [3]Reg
	aux  int32
}

// NewBuilder returns a builder of programs over a loop of rank axes.
func NewBuilder(rank int) *Builder {
	b := &Builder{rank: rank, seen: map[valueKey]Reg{}, slowID: map[*Program]int32{}}
	if rank < 0 || rank > MaxAxes {
		b.fail(fmt.Errorf("kernels: program: rank: got %d, want 0 to %d: %w", rank, MaxAxes, ErrUnsupported))
	}
	return b
}

// fail keeps the first error.
func (b *Builder) fail(err error) Reg {
	if b.err == nil {
		b.err = err
	}
	return NoReg
}

// Err returns the first error so far.
func (b *Builder) Err() error { return b.err }

// add appends v, or returns the register that already holds it.
func (b *Builder) add(v value) Reg {
	k := valueKey(v)
	if r, ok := b.seen[k]; ok && v.kind != valueInput {
		return r
	}
	r := Reg(len(b.vals))
	b.vals = append(b.vals, v)
	b.seen[k] = r
	return r
}

// Input adds the next input. Inputs stay in order, used or not.
func (b *Builder) Input(p Port) Reg {
	b.in = append(b.in, p)
	return b.add(value{kind: valueInput, c: Const{DType: p.DType}, args: noArgs, aux: int32(len(b.in) - 1)})
}

var noArgs = [3]Reg{NoReg, NoReg, NoReg}

// Const returns the register of a constant. A complex one has no imaginary part:
// other complex constants are made by the operation complex.
func (b *Builder) Const(c Const) Reg {
	if c.DType.IsComplex() { // its bits are the real part's; there is no imaginary one
		f := c.DType.Part()
		return b.join(c.DType, parts{b.Const(Const{f, trim(f, c.Bits)}), b.Const(Const{DType: f})})
	}
	return b.add(value{kind: valueConst, c: c, args: noArgs})
}

// Index returns the global position of each element along a loop axis, int64.
func (b *Builder) Index(axis int) Reg {
	if axis < 0 || axis >= b.rank {
		return b.fail(fmt.Errorf("kernels: index: axis: got %d, want 0 to %d", axis, b.rank-1))
	}
	return b.add(value{kind: valueInst, op: OpIndex, c: Const{DType: dtype.Int64}, args: noArgs, aux: int32(axis)})
}

// Position returns the row-major number of each element of a loop of the shape among those along some of its axes, int64. Numbers along
// all axes are distinct, as those of an indexed fold have to be: which of two elements of one number wins is not defined.
func (b *Builder) Position(shape []int64, axes AxisSet) Reg {
	r := NoReg
	for a, n := range shape {
		switch {
		case !axes.Has(a):
		case r == NoReg:
			r = b.Index(a)
		default:
			r = b.Apply(OpMultiply, r, b.Const(Const{DType: dtype.Int64, Bits: uint64(n)}))
			r = b.Apply(OpAdd, r, b.Index(a))
		}
	}
	if r == NoReg {
		r = b.Const(Const{DType: dtype.Int64})
	}
	return r
}

// Type returns the dtype of r.
func (b *Builder) Type(r Reg) dtype.DType {
	if r < 0 || int(r) >= len(b.vals) {
		return dtype.Invalid
	}
	return b.vals[r].c.DType
}

// ConstValue returns the constant that r is, if it is one.
func (b *Builder) ConstValue(r Reg) (Const, bool) {
	if r < 0 || int(r) >= len(b.vals) || b.vals[r].kind != valueConst {
		return Const{}, false
	}
	return b.vals[r].c, true
}

// Ret adds r to the results.
func (b *Builder) Ret(r Reg) { b.ret = append(b.ret, r) }

// Fold adds a fold; its Args are registers of b.
func (b *Builder) Fold(f Fold) {
	f.Args = append([]Reg(nil), f.Args...)
	b.folds = append(b.folds, f)
}

// Apply returns op of args. Operands that do not have the dtypes of the
// operation's signature are cast to them. Errors are kept for Build.
func (b *Builder) Apply(op OpID, args ...Reg) Reg {
	if b.err != nil {
		return NoReg
	}
	o := OpOf(op)
	if o == nil || o.Internal || op == OpCast || op == OpBitcast {
		return b.fail(fmt.Errorf("kernels: apply: %v is not an operation to apply; use Cast, Bitcast or Index", op))
	}
	in := make([]dtype.DType, len(args))
	for i, r := range args {
		in[i] = b.Type(r)
	}
	want, out, err := o.Signature(in)
	if err != nil {
		return b.fail(err)
	}
	cast := make([]Reg, len(args))
	for i, r := range args {
		cast[i] = b.Cast(r, want[i])
	}
	return b.apply(o, out, cast)
}

// apply lowers o on operands of its signature's dtypes.
func (b *Builder) apply(o *Op, out dtype.DType, a []Reg) Reg {
	d := b.Type(a[0])
	if o.ID == OpWhere {
		d = b.Type(a[1])
	}
	short := d == dtype.Float16 || d == dtype.BFloat16
	if o.simplify != nil && b.err == nil {
		if r, ok := o.simplify(b, a); ok {
			return b.Cast(r, out)
		}
	}
	switch {
	case d.IsComplex() && !o.Prim.Has(d):
		return b.Cast(o.cplx(b, a), out) // the signature has let only such operations pass
	case d.IsComplex() && o.Arity == 1:
		return b.part(o.ID, a[0])
	case len(a) == 2 && b.Type(a[1]) != d && o.Prim.Has(d):
		return lowerMixed(b, o.ID, a)
	case o.Prim.Has(d):
		return b.emit(o.ID, out, a...)
	case o.lower32 != nil && (short || d == dtype.Float32):
		return b.Cast(o.lower32(b, b.widen(dtype.Float32, a)), out)
	case o.via64 && (short || d == dtype.Float32):
		defer b.shorten(true)()
		return b.Cast(o.lower(b, b.widen(dtype.Float64, a)), out)
	case short && !o.half:
		w := b.widen(dtype.Float32, a)
		if o.Prim.Has(dtype.Float32) {
			r := dtype.Float32
			if out == dtype.Bool {
				r = out
			}
			return b.Cast(b.emit(o.ID, r, w...), out)
		}
		return b.Cast(o.lower(b, w), out)
	}
	if o.lower == nil {
		return b.fail(fmt.Errorf("kernels: %s: no form for dtype %v: %w", o.Name, d, ErrUnsupported))
	}
	return b.Cast(o.lower(b, a), out)
}

// widen casts the operands that are not bool to d.
func (b *Builder) widen(d dtype.DType, a []Reg) []Reg {
	w := make([]Reg, len(a))
	for i, r := range a {
		if w[i] = r; b.Type(r) != dtype.Bool {
			w[i] = b.Cast(r, d)
		}
	}
	return w
}

// emit adds a primitive instruction, folded when its operands are constants.
func (b *Builder) emit(op OpID, out dtype.DType, a ...Reg) Reg {
	if b.err != nil {
		return NoReg
	}
	v := value{kind: valueInst, op: op, c: Const{DType: out}, args: noArgs}
	fixed := true
	for i, r := range a {
		if r < 0 || int(r) >= len(b.vals) {
			return b.fail(fmt.Errorf("kernels: %v: operand %d is not a register of this builder", op, i))
		}
		v.args[i] = r
		fixed = fixed && b.vals[r].kind == valueConst
	}
	o := &table[op]
	if o.Commutes && b.order(v.args[0]) > b.order(v.args[1]) {
		v.args[0], v.args[1] = v.args[1], v.args[0]
	}
	if fixed && o.eval != nil {
		var in [3]dtype.DType
		var x [3]uint64
		for i, r := range a {
			in[i], x[i] = b.Type(v.args[i]), b.vals[v.args[i]].c.Bits
			_ = r
		}
		if bits, err := o.eval(out, in, x); err == nil {
			return b.Const(Const{DType: out, Bits: bits})
		} // an error that only an execution may report
	}
	if op == OpDivide {
		if inv, ok := b.inverse(a[1]); ok {
			return b.emit(OpMultiply, out, a[0], inv)
		}
	}
	if r, ok := b.trivialBits(op, a); ok {
		return r
	}
	if op == OpWhere {
		if c, ok := b.ConstValue(a[0]); ok {
			return a[2-c.Bits&1]
		}
		if a[1] == a[2] {
			return a[1]
		}
	}
	return b.add(v)
}

// trivialBits returns what an operation on bits with a constant of none of them, or as truth value of all, is without an instruction: powers with a
// constant exponent need half of the selections of others.
func (b *Builder) trivialBits(op OpID, a []Reg) (Reg, bool) {
	if op != OpBitwiseAnd && op != OpBitwiseOr && op != OpBitwiseXor {
		return NoReg, false
	}
	for i, r := range a {
		c, ok := b.ConstValue(r)
		other := a[1-i]
		switch {
		case !ok || b.Type(other) != c.DType:
		case c.Bits == 0 && op == OpBitwiseAnd, c.DType == dtype.Bool && c.Bits != 0 && op == OpBitwiseOr:
			return r, true
		case c.Bits == 0, c.DType == dtype.Bool && c.Bits != 0 && op == OpBitwiseAnd:
			return other, true
		}
	}
	return NoReg, false
}

// inverse returns 1/r where r is a constant power of two of which that is exact: a product with it rounds as the quotient does.
func (b *Builder) inverse(r Reg) (Reg, bool) {
	c, ok := b.ConstValue(r)
	if d := c.DType; !ok || d != dtype.Float32 && d != dtype.Float64 {
		return NoReg, false
	}
	v := c.Float64()
	if f, _ := math.Frexp(v); math.Abs(f) != 0.5 {
		return NoReg, false
	}
	inv, err := ConstOf(c.DType, 1/v)
	if err != nil || inv.Float64()*v != 1 {
		return NoReg, false
	}
	return b.Const(inv), true
}

// order puts constants behind everything else and the rest in order of creation,
// so that a+b and b+a are one value.
func (b *Builder) order(r Reg) int64 {
	if b.vals[r].kind == valueConst {
		return int64(r) + math.MaxInt32
	}
	return int64(r)
}

// Cast returns r converted to a dtype: floats round once; to integers values are cut
// towards zero, NaN gives 0 and what is out of range the nearest end; to bool is "not zero".
func (b *Builder) Cast(r Reg, to dtype.DType) Reg {
	from := b.Type(r)
	if b.err != nil || from == to {
		return r
	}
	if !from.IsNumeric() || !to.IsNumeric() {
		return b.fail(fmt.Errorf("kernels: cast: got %v to %v, want numbers: %w", from, to, dtype.ErrPromote))
	}
	if from.IsComplex() || to.IsComplex() {
		return b.castComplex(r, to)
	}
	return b.emit(OpCast, to, r)
}

// Bitcast returns the bits of r as a dtype of the same size.
func (b *Builder) Bitcast(r Reg, to dtype.DType) Reg {
	from := b.Type(r)
	if b.err != nil || from == to {
		return r
	}
	if from.Size() != to.Size() || !from.IsNumeric() || !to.IsNumeric() || from == dtype.Bool || to == dtype.Bool || from.IsComplex() || to.IsComplex() {
		return b.fail(fmt.Errorf("kernels: bitcast: got %v to %v, want real dtypes of one size: %w", from, to, dtype.ErrPromote))
	}
	return b.emit(OpBitcast, to, r)
}

// cold returns slow of x where mask is true, else fast.
func (b *Builder) cold(mask, fast, x Reg, slow *Program) Reg {
	if b.err != nil {
		return NoReg
	}
	if c, ok := b.ConstValue(mask); ok && c.Bits == 0 {
		return fast
	}
	id, ok := b.slowID[slow]
	if !ok {
		id = int32(len(b.slow))
		b.slow = append(b.slow, slow)
		b.slowID[slow] = id
	}
	if cm, ok := b.ConstValue(mask); ok && cm.Bits == 1 {
		if cx, ok := b.ConstValue(x); ok {
			if out, err := slow.EvalLane([]Const{cx}); err == nil {
				return b.Const(out[0])
			}
		}
	}
	return b.add(value{kind: valueInst, op: OpCold, c: Const{DType: b.Type(fast)}, args: [3]Reg{mask, fast, x}, aux: id})
}

// Build returns the program: registers renumbered, what no result needs
// dropped, verified. It fails with the first error of any call before.
func (b *Builder) Build() (*Program, error) {
	if b.err != nil {
		return nil, b.err
	}
	live := make([]bool, len(b.vals))
	use := func(r Reg) bool {
		if r < 0 || int(r) >= len(b.vals) {
			return false
		}
		live[r] = true
		return true
	}
	for _, r := range b.ret {
		if !use(r) {
			return nil, errors.New("kernels: program: a result is not a register of its builder")
		}
	}
	for _, f := range b.folds {
		for _, r := range f.Args {
			if !use(r) {
				return nil, errors.New("kernels: program: a fold's argument is not a register of its builder")
			}
		}
	}
	for i := len(b.vals) - 1; i >= 0; i-- {
		if live[i] {
			for _, r := range b.vals[i].args {
				use(r)
			}
		}
	}
	return b.number(live)
}

// number writes the live values in the order inputs, constants, instructions.
func (b *Builder) number(live []bool) (*Program, error) {
	p := &Program{Rank: b.rank, In: append([]Port(nil), b.in...)}
	to := make([]Reg, len(b.vals))
	next := Reg(len(b.in))
	for i, v := range b.vals {
		switch {
		case v.kind == valueInput:
			to[i] = Reg(v.aux)
		case v.kind == valueConst && live[i]:
			to[i] = next
			next++
			p.Consts = append(p.Consts, v.c)
		}
	}
	slow := make(map[int32]int32)
	for i, v := range b.vals {
		if v.kind != valueInst || !live[i] {
			continue
		}
		in := Inst{Op: v.op, DType: v.c.DType, Args: noArgs, Aux: v.aux}
		for k, r := range v.args {
			if r >= 0 {
				in.Args[k] = to[r]
			}
		}
		if v.op == OpCold {
			id, ok := slow[v.aux]
			if !ok {
				id = int32(len(p.Slow))
				slow[v.aux] = id
				p.Slow = append(p.Slow, b.slow[v.aux])
			}
			in.Aux = id
		}
		to[i] = next
		next++
		p.Body = append(p.Body, in)
	}
	for _, r := range b.ret {
		p.Ret = append(p.Ret, to[r])
	}
	for _, f := range b.folds {
		args := make([]Reg, len(f.Args))
		for i, r := range f.Args {
			args[i] = to[r]
		}
		f.Args = args
		p.Folds = append(p.Folds, f)
	}
	return p, p.Verify()
}
