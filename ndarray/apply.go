// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Apply returns the elementwise operation of the table with the name or alias op
// ("add", "arctan2", "where" ...). Operands are Arrays, values with a method Array() Array, or Go
// numbers; they broadcast by NumPy's rule.
//
// int, int64, uint64, float64, complex128 and bool are weak, as Python's numbers are: they take the dtype of the Arrays
// they meet where its kind can hold them. An integer that does not fit the integer dtype an operation computes in
// is an error, except that comparisons go by value and bounds of clip saturate.
// Other Go numbers are strong.
func Apply(op string, args ...any) Array {
	o, ok := kernels.OpByName(op)
	if !ok {
		return failf("ndarray: %s: no such elementwise operation", op)
	}
	return applyOp(o, args...)
}

// applyOp is Apply for a row of the table.
func applyOp(o *kernels.Op, args ...any) Array {
	at := here()
	if len(args) != o.Arity {
		return failf("ndarray: %s: got %d operands, want %d", o.Name, len(args), o.Arity)
	}
	ops := make([]operand, len(args))
	for i, a := range args {
		x, err := operandOf(a)
		if err != nil {
			return failf("ndarray: %s: operand %d: %w", o.Name, i+1, err)
		}
		if x.node != nil && x.node.Err != nil {
			return Array{x.node}
		}
		ops[i] = x
	}
	dts := operandTypes(o, ops)
	want, out, err := o.Signature(dts)
	if err != nil {
		return failf("ndarray: %w", err)
	}
	if o.ID == kernels.OpPower && out.IsInteger() && ops[1].node == nil && ops[1].negative() {
		return failf("ndarray: power: integer to the negative power %v: got %v, want a float base or a power of 0 or more; cast with astype", ops[1].value, out)
	}
	in := make([]*graph.Node, len(ops))
	for i, x := range ops {
		if x.node != nil {
			in[i] = x.node
			continue
		}
		c, err := weakConst(o, ops, i, want[i])
		if err == errDecided {
			return decided(at, o, ops, i, want[i])
		}
		if err != nil {
			return failf("ndarray: %s: %w", o.Name, err)
		}
		in[i] = at.Fill(chunk.Grid{Shape: chunk.Shape{}}, c, -1)
	}
	return Array{at.Map(o.ID, in...)}
}

// operand is an argument of an operation: a node, or a weak number.
type operand struct {
	node  *graph.Node
	value any // int64, uint64, float64, complex128 or bool where node is nil
}

func (x operand) negative() bool {
	v, ok := x.value.(int64)
	return ok && v < 0
}

// operandOf sorts an argument.
func operandOf(a any) (operand, error) {
	switch v := a.(type) {
	case Array:
		return operand{node: v.Node()}, nil
	case interface{ Array() Array }:
		return operand{node: v.Array().Node()}, nil
	case *graph.Node:
		return operand{node: v}, nil
	case int:
		return operand{value: int64(v)}, nil
	case int64, float64, complex128, bool:
		return operand{value: v}, nil
	case uint64:
		if v <= math.MaxInt64 {
			return operand{value: int64(v)}, nil
		}
		return operand{value: v}, nil
	case float32:
		return operand{node: Scalar(v).Node()}, nil
	case int32:
		return operand{node: Scalar(v).Node()}, nil
	case int16:
		return operand{node: Scalar(v).Node()}, nil
	case int8:
		return operand{node: Scalar(v).Node()}, nil
	case uint32:
		return operand{node: Scalar(v).Node()}, nil
	case uint16:
		return operand{node: Scalar(v).Node()}, nil
	case uint8:
		return operand{node: Scalar(v).Node()}, nil
	}
	return operand{}, fmt.Errorf("got %T, want an Array or a Go number", a)
}

// operandTypes returns the dtype of each operand, weak numbers resolved: NumPy's
// NEP 50. The first operand of where is a condition and takes no part.
func operandTypes(o *kernels.Op, ops []operand) []dtype.DType {
	strong := dtype.Invalid
	for i, x := range ops {
		if x.node == nil || o.ID == kernels.OpWhere && i == 0 {
			continue
		}
		p, err := dtype.Promote(strong, x.node.DType)
		if strong == dtype.Invalid {
			p, err = x.node.DType, nil
		}
		if err == nil {
			strong = p
		}
	}
	dts := make([]dtype.DType, len(ops))
	for i, x := range ops {
		switch {
		case x.node != nil:
			dts[i] = x.node.DType
		case o.ID == kernels.OpWhere && i == 0:
			dts[i] = dtype.Bool
		default:
			dts[i] = weakType(x.value, strong)
		}
	}
	return dts
}

// weakType returns the dtype a weak number has beside arrays of dtype strong.
func weakType(v any, strong dtype.DType) dtype.DType {
	kind := strong.Kind()
	switch v := v.(type) {
	case bool:
		return dtype.Bool
	case int64:
		if kind == dtype.KindInt || kind == dtype.KindUint || kind == dtype.KindFloat || kind == dtype.KindComplex {
			return strong
		}
		return dtype.Int64
	case uint64:
		if kind == dtype.KindInt || kind == dtype.KindUint || kind == dtype.KindFloat || kind == dtype.KindComplex {
			return strong
		}
		if kind == dtype.KindBool {
			return dtype.Int64 // which cannot hold it: an error, as in NumPy
		}
		return dtype.Uint64
	case complex128:
		switch strong {
		case dtype.Float16, dtype.BFloat16, dtype.Float32, dtype.Complex64:
			return dtype.Complex64
		}
		return dtype.Complex128
	default:
		_ = v
		if kind == dtype.KindFloat || kind == dtype.KindComplex {
			return strong
		}
		return dtype.Float64
	}
}

// constant returns v as a constant of dt, ok false where constants cannot hold it (complex numbers).
func constant(dt dtype.DType, v any) (kernels.Const, bool) {
	switch x := v.(type) {
	case dtype.F16:
		return kernels.Const{DType: dt, Bits: uint64(x.Bits)}, true
	case dtype.BF16:
		return kernels.Const{DType: dt, Bits: uint64(x.Bits)}, true
	}
	c, err := kernels.ConstOf(dt, v)
	return c, err == nil
}

// intRange returns the ends of an integer dtype; ok is false for other dtypes.
func intRange(dt dtype.DType) (lo int64, hi uint64, ok bool) {
	bits := uint(8 * dt.Size())
	switch dt.Kind() {
	case dtype.KindInt:
		return -1 << (bits - 1), 1<<(bits-1) - 1, true
	case dtype.KindUint:
		return 0, math.MaxUint64 >> (64 - bits), true
	}
	return 0, 0, false
}

// beyond returns -1 or 1 where an integer v lies below or above what dt holds, else 0.
func beyond(v any, dt dtype.DType) int {
	lo, hi, ok := intRange(dt)
	if !ok {
		return 0
	}
	switch x := v.(type) {
	case int64:
		if x < lo {
			return -1
		}
		if x > 0 && uint64(x) > hi {
			return 1
		}
	case uint64:
		if x > hi {
			return 1
		}
	}
	return 0
}

// errDecided says that a comparison is decided by the dtype alone.
var errDecided = fmt.Errorf("decided by the dtype")

// comparisons lists, for the comparison operations, the truth of "array op literal"
// where the literal is above, and where it is below, all values of the array's dtype.
var comparisons = map[kernels.OpID]struct{ above, below bool }{
	kernels.OpLess:         {true, false},
	kernels.OpLessEqual:    {true, false},
	kernels.OpGreater:      {false, true},
	kernels.OpGreaterEqual: {false, true},
	kernels.OpEqual:        {false, false},
	kernels.OpNotEqual:     {true, true},
}

// weakConst returns the constant for the weak operand i, which the operation takes as dtype dt.
func weakConst(o *kernels.Op, ops []operand, i int, dt dtype.DType) (kernels.Const, error) {
	v := ops[i].value
	if side := beyond(v, dt); side != 0 {
		if _, ok := comparisons[o.ID]; ok {
			return kernels.Const{}, errDecided
		}
		lo, hi, _ := intRange(dt)
		if o.ID != kernels.OpClip {
			return kernels.Const{}, fmt.Errorf("integer %v does not fit %v: want %d to %d; cast the array or write a float", v, dt, lo, hi)
		}
		v = any(hi)
		if side < 0 {
			v = lo
		}
	}
	if x, ok := v.(complex128); ok {
		return kernels.Const{}, fmt.Errorf("complex number %v as a literal: %w; use an array", x, kernels.ErrUnsupported)
	}
	if dt == dtype.Bool {
		v = truth(v)
	}
	return kernels.ConstOf(dt, v)
}

// truth returns whether a weak number is not zero.
func truth(v any) bool {
	switch x := v.(type) {
	case bool:
		return x
	case int64:
		return x != 0
	case uint64:
		return x != 0
	case float64:
		return x != 0
	}
	return true
}

// decided returns the result of comparing an array with an integer that dt, in which they would be
// compared, cannot hold.
func decided(at graph.At, o *kernels.Op, ops []operand, literal int, dt dtype.DType) Array {
	other := ops[1-literal].node
	side := beyond(ops[literal].value, dt)
	if literal == 0 { // "literal op array" is "array op' literal" with the sides exchanged, = and != alike
		side = -side
	}
	c := comparisons[o.ID]
	v := c.above
	if side < 0 {
		v = c.below
	}
	k, err := kernels.ConstOf(dtype.Bool, v)
	if err != nil {
		return failf("ndarray: %s: %w", o.Name, err)
	}
	return Array{at.Fill(other.Grid, k, -1)}
}

// Where returns x where c is true, else y; c, x and y are as in Apply and broadcast.
func Where(c, x, y any) Array { return Apply("where", c, x, y) }

// AsType returns a with its elements converted to dt; a itself when it has that dtype.
//
// Floats to integers truncate, NaN gives 0 and what is out of range the nearest
// end; to bool everything but 0 is true; a complex number loses its imaginary part.
func (a Array) AsType(dt dtype.DType) Array { return Array{here().Cast(a.Node(), dt)} }
