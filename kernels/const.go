// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"
	"math"
	"strconv"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// ConstOf returns v as a constant of dtype dt. v is a bool, a Go integer or a
// Go float; floats are rounded once, a float for an integer dtype must be whole.
// Complex constants have no imaginary part.
// A value that dt cannot hold gives an error wrapping dtype.ErrPromote.
func ConstOf(dt dtype.DType, v any) (Const, error) {
	c := Const{DType: dt}
	bad := func() (Const, error) {
		return c, fmt.Errorf("kernels: constant: %v does not fit %v: %w", v, dt, dtype.ErrPromote)
	}
	if dt.IsComplex() { // its bits are the real part's
		c, err := ConstOf(dt.Part(), v)
		c.DType = dt
		return c, err
	}
	if !dt.IsNumeric() {
		return bad()
	}
	var from Const
	switch x := v.(type) {
	case bool:
		from = Const{dtype.Bool, bit(x)}
	case int:
		from = Const{dtype.Int64, uint64(x)}
	case int8:
		from = Const{dtype.Int64, uint64(int64(x))}
	case int16:
		from = Const{dtype.Int64, uint64(int64(x))}
	case int32:
		from = Const{dtype.Int64, uint64(int64(x))}
	case int64:
		from = Const{dtype.Int64, uint64(x)}
	case uint8:
		from = Const{dtype.Uint64, uint64(x)}
	case uint16:
		from = Const{dtype.Uint64, uint64(x)}
	case uint32:
		from = Const{dtype.Uint64, uint64(x)}
	case uint64:
		from = Const{dtype.Uint64, x}
	case float32:
		from = Const{dtype.Float64, math.Float64bits(float64(x))}
	case float64:
		from = Const{dtype.Float64, math.Float64bits(x)}
	case dtype.F16:
		from = Const{dtype.Float16, uint64(x.Bits)}
	case dtype.BF16:
		from = Const{dtype.BFloat16, uint64(x.Bits)}
	default:
		return bad()
	}
	bits, err := evalCast(dt, [3]dtype.DType{from.DType}, [3]uint64{from.Bits})
	if err != nil {
		return c, err
	}
	c.Bits = bits
	if dt.IsInteger() { // the value must survive
		back, err := evalCast(from.DType, [3]dtype.DType{dt}, [3]uint64{bits})
		if err != nil {
			return c, err
		}
		top := math.Ldexp(1, 8*dt.Size()) // hi + 1, exactly
		if dt.Kind() == dtype.KindInt {
			top /= 2
		}
		x := floatOfBits(from.DType, from.Bits)
		if from.DType.IsFloat() && (x != floatOfBits(from.DType, back) || x >= top) || !from.DType.IsFloat() && back != from.Bits {
			return bad()
		}
	}
	return c, nil
}

// Float64 returns the value of c as a float64; integers round once.
func (c Const) Float64() float64 {
	b, err := evalCast(dtype.Float64, [3]dtype.DType{c.DType}, [3]uint64{c.Bits})
	if err != nil {
		return math.NaN()
	}
	return math.Float64frombits(b)
}

// Int64 returns the value of a bool or integer constant that fits int64; others saturate.
func (c Const) Int64() int64 {
	b, err := evalCast(dtype.Int64, [3]dtype.DType{c.DType}, [3]uint64{c.Bits})
	if err != nil {
		return 0
	}
	return int64(b)
}

// IsNaN reports whether c is a float that is NaN.
func (c Const) IsNaN() bool {
	return c.DType.IsFloat() && math.IsNaN(floatOfBits(c.DType, c.Bits))
}

// String prints the value as programs do: integers in decimal, floats as the
// shortest decimal that reads back, NaN with its bits.
func (c Const) String() string {
	switch c.DType.Kind() {
	case dtype.KindBool:
		return strconv.FormatBool(c.Bits != 0)
	case dtype.KindInt:
		return strconv.FormatInt(signedOf(c.DType, c.Bits), 10)
	case dtype.KindUint:
		return strconv.FormatUint(c.Bits, 10)
	case dtype.KindFloat:
		x := floatOfBits(c.DType, c.Bits)
		if math.IsNaN(x) {
			return fmt.Sprintf("nan:%#x", c.Bits)
		}
		size := 64
		if c.DType != dtype.Float64 {
			size = 32
		}
		return strconv.FormatFloat(x, 'g', -1, size)
	}
	return fmt.Sprintf("%#x", c.Bits)
}

// EvalConst returns op of constants as the devices would compute it. dt is the
// dtype of the result where the operation leaves it open (cast, bitcast), else ignored.
func EvalConst(op OpID, dt dtype.DType, args ...Const) (Const, error) {
	b := NewBuilder(0)
	regs := make([]Reg, len(args))
	for i, c := range args {
		regs[i] = b.Const(c)
	}
	var r Reg
	switch {
	case op == OpCast && len(args) == 1:
		r = b.Cast(regs[0], dt)
	case op == OpBitcast && len(args) == 1:
		r = b.Bitcast(regs[0], dt)
	default:
		r = b.Apply(op, regs...)
	}
	if b.err != nil {
		return Const{}, b.err
	}
	if c, ok := b.ConstValue(r); ok {
		return c, nil
	}
	b.Ret(r) // an error of execution, which EvalLane reports
	p, err := b.Build()
	if err != nil {
		return Const{}, err
	}
	out, err := p.EvalLane(nil)
	if err != nil {
		return Const{}, err
	}
	return out[0], nil
}

// EvalPrimitive returns a primitive instruction's result for operands of the
// right dtypes: the definition every device must agree with.
func EvalPrimitive(op OpID, out dtype.DType, args []Const) (Const, error) {
	o := OpOf(op)
	if o == nil || o.eval == nil || len(args) > 3 {
		return Const{}, fmt.Errorf("kernels: %v is not a primitive of constants: %w", op, ErrUnsupported)
	}
	var in [3]dtype.DType
	var x [3]uint64
	for i, c := range args {
		in[i], x[i] = c.DType, c.Bits
	}
	bits, err := o.eval(out, in, x)
	return Const{DType: out, Bits: bits}, err
}

// EvalLane runs an elementwise program that uses no index on one element: in
// holds the value of each input; the results come in the order of Ret.
func (p *Program) EvalLane(in []Const) ([]Const, error) {
	regs := make([]Const, 0, len(p.In)+len(p.Consts)+len(p.Body))
	regs = append(regs, in...)
	regs = append(regs, p.Consts...)
	for _, i := range p.Body {
		c, err := p.EvalInst(i, regs)
		if err != nil {
			return nil, err
		}
		regs = append(regs, c)
	}
	out := make([]Const, len(p.Ret))
	for k, r := range p.Ret {
		out[k] = regs[r]
	}
	return out, nil
}

// EvalInst returns the result of an instruction other than index, given the registers before it.
func (p *Program) EvalInst(i Inst, regs []Const) (Const, error) {
	if i.Op == OpCold {
		if regs[i.Args[0]].Bits == 0 {
			return regs[i.Args[1]], nil
		}
		out, err := p.Slow[i.Aux].EvalLane([]Const{regs[i.Args[2]]})
		if err != nil {
			return Const{}, err
		}
		return out[0], nil
	}
	if i.Op == OpLookup {
		return Const{DType: i.DType, Bits: tables[i.Aux][regs[i.Args[0]].Bits%tableSize]}, nil
	}
	var a [3]Const
	n := 0
	for ; n < 3 && i.Args[n] >= 0; n++ {
		a[n] = regs[i.Args[n]]
	}
	return EvalPrimitive(i.Op, i.DType, a[:n])
}
