// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math"
	"math/big"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// unaryOps and binaryOps map operators to rows of the kernels table.
var (
	unaryOps  = map[string]string{"-": "negative", "+": "positive", "~": "invert"}
	binaryOps = map[string]string{
		"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "//": "floor_divide", "%": "remainder", "**": "power",
		"<<": "left_shift", ">>": "right_shift", "&": "bitwise_and", "|": "bitwise_or", "^": "bitwise_xor",
		"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
	}
)

func unary(op string, x value) (value, error) {
	if isNumber(x) {
		return literalUnary(op, x)
	}
	return elementwise(unaryOps[op], x)
}

func binary(op string, x, y value) (value, error) {
	switch {
	case isNumber(x) && isNumber(y):
		return literalBinary(op, x, y)
	case op == "@":
		return matmul(x, y)
	}
	if v, ok, err := sequences(op, x, y); ok {
		return v, err
	}
	if p, ok := x.(perVariable); ok {
		return p.operate(op, y)
	}
	if g, ok := x.(ndarray.GroupBy); ok {
		c, err := operand(y)
		if err != nil {
			return nil, err
		}
		return g.Op(binaryOps[op], c), nil
	}
	return elementwise(binaryOps[op], x, y)
}

// sequences compares texts, tuples, dtypes and None, and a text coordinate with a text.
func sequences(op string, x, y value) (v value, ok bool, err error) {
	if op != "==" && op != "!=" {
		return nil, false, nil
	}
	if s, isText := y.(string); isText {
		if c, isVar := x.(ndarray.Variable); isVar {
			return c.EqualText(s, op == "!="), true, nil
		}
	}
	if s, isText := x.(string); isText {
		if c, isVar := y.(ndarray.Variable); isVar {
			return c.EqualText(s, op == "!="), true, nil
		}
	}
	same := false
	switch a := x.(type) {
	case string:
		b, isText := y.(string)
		same = isText && a == b
		if d, isType := y.(dtype.DType); isType {
			p, err := dtype.Parse(a)
			same = err == nil && p == d
		}
	case dtype.DType:
		switch b := y.(type) {
		case dtype.DType:
			same = a == b
		case string:
			p, err := dtype.Parse(b)
			same = err == nil && p == a
		}
	case none:
		_, same = y.(none)
	case tuple:
		b, isTuple := y.(tuple)
		if !isTuple {
			return nil, false, nil
		}
		same = len(a) == len(b)
		for i := 0; same && i < len(a); i++ {
			eq, err := binary("==", a[i], b[i])
			is, isBool := eq.(bool)
			same = err == nil && isBool && is
		}
	default:
		return nil, false, nil
	}
	return same == (op == "=="), true, nil
}

// elementwise applies a row of the kernels table to values: data sets variable by variable, variables by
// name, arrays by NumPy's rule, numbers weak.
func elementwise(name string, args ...value) (value, error) {
	ops := make([]any, len(args))
	var ds *ndarray.Dataset
	labelled := false
	for i, a := range args {
		x, err := operand(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		switch y := x.(type) {
		case *ndarray.Dataset:
			if ds == nil {
				ds = y
			}
		case ndarray.Variable:
			labelled = true
		}
		ops[i] = x
	}
	if ds != nil {
		return eachVariable(ds, ops, func(ops []any) ndarray.Variable { return ndarray.Elementwise(name, ops...) })
	}
	if err := fitLarge(name, ops); err != nil {
		return nil, err
	}
	if labelled {
		return ndarray.Elementwise(name, ops...), nil
	}
	return ndarray.Apply(name, ops...), nil
}

// operand returns a value as an operand of Apply and Elementwise; a list is an array.
func operand(v value) (any, error) {
	switch x := v.(type) {
	case ndarray.Array, ndarray.Variable, *ndarray.Dataset, bool, float64, complex128:
		return x, nil
	case *big.Int:
		if w, ok := weak(x); ok {
			return w, nil
		}
		return x, nil // fitLarge decides
	case list, tuple:
		return asArray(x, "array")
	case ndarray.GroupBy:
		return nil, fmt.Errorf("groups stand on the left of an operator: a.groupby(...) - c")
	case ndarray.Weighted:
		return nil, fmt.Errorf("a weighted variable has mean, sum, var, std and sum_of_weights only")
	}
	return nil, fmt.Errorf("%s is not a number or an array", describe(v))
}

// valued are the operations for which an integer of any size has a meaning beside integer arrays.
var valued = map[string]bool{"less": true, "less_equal": true, "greater": true, "greater_equal": true, "equal": true, "not_equal": true}

// fitLarge replaces integers beyond 64 bits: by their value for floats, comparisons and /, by
// the nearest for bounds of clip; elsewhere they are an error.
func fitLarge(name string, ops []any) error {
	for i, x := range ops {
		n, ok := x.(*big.Int)
		if !ok {
			continue
		}
		isFloat := false
		for _, y := range ops {
			if a, ok := y.(interface{ DType() dtype.DType }); ok {
				isFloat = isFloat || a.DType().IsFloat() || a.DType().IsComplex()
			}
		}
		canonical := name
		if o, ok := kernels.OpByName(name); ok {
			canonical = o.Name
		}
		switch {
		case isFloat || canonical == "divide":
			f, ok := toFloat(n)
			if !ok {
				return fmt.Errorf("%s: the integer of %d bits is too large to be a float", name, n.BitLen())
			}
			ops[i] = f
		case valued[canonical]:
			ops[i] = math.Inf(n.Sign())
		case canonical == "clip":
			ops[i] = any(uint64(math.MaxUint64))
			if n.Sign() < 0 {
				ops[i] = int64(math.MinInt64)
			}
		default:
			return fmt.Errorf("%s: the integer of %d bits does not fit int64 or uint64", name, n.BitLen())
		}
	}
	return nil
}

// eachVariable maps an operation over the data variables of ds; other data sets take part with the variable of
// the same name.
func eachVariable(ds *ndarray.Dataset, ops []any, f func(ops []any) ndarray.Variable) (value, error) {
	var bad error
	out := ds.Map(func(v ndarray.Variable) (ndarray.Variable, bool) {
		one := make([]any, len(ops))
		for i, x := range ops {
			one[i] = x
			d, ok := x.(*ndarray.Dataset)
			if !ok {
				continue
			}
			if !d.Has(v.Name()) {
				return v, false
			}
			one[i] = d.Var(v.Name())
		}
		w := f(one)
		if w.Err() != nil && bad == nil {
			bad = w.Err()
		}
		return w, true
	})
	return out, bad
}
