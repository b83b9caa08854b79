// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math"
	"math/big"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// asArray returns a value as a strong array: numbers are 0-d int64, float64, bool or complex128; nested lists of
// numbers are arrays of their common dtype; a variable loses its names.
func asArray(v value, fn string) (ndarray.Array, error) {
	switch x := v.(type) {
	case ndarray.Array:
		return x, nil
	case ndarray.Variable:
		return x.Array(), nil
	case bool:
		return ndarray.Scalar(x), nil
	case float64:
		return ndarray.Scalar(x), nil
	case complex128:
		return ndarray.Scalar(x), nil
	case *big.Int:
		switch {
		case x.IsInt64():
			return ndarray.Scalar(x.Int64()), nil
		case x.IsUint64():
			return ndarray.Scalar(x.Uint64()), nil
		}
		return ndarray.Array{}, fmt.Errorf("%s: the integer of %d bits does not fit int64 or uint64", fn, x.BitLen())
	case list:
		return nested(x, fn)
	case tuple:
		return nested(list(x), fn)
	}
	return ndarray.Array{}, fmt.Errorf("%s: %s is not an array", fn, describe(v))
}

// asPlain is asArray for functions that do not know names: a variable is refused.
func asPlain(v value, fn string) (ndarray.Array, error) {
	if x, ok := v.(ndarray.Variable); ok {
		if x.Rank() == 0 {
			return x.Array(), nil
		}
		return ndarray.Array{}, fmt.Errorf("%s: takes arrays without dimension names: got %s; use .data for its values", fn, describe(v))
	}
	return asArray(v, fn)
}

// nested returns a list of numbers, arrays or lists as an array.
func nested(l list, fn string) (ndarray.Array, error) {
	if flat, shape, ok := numbers(l); ok {
		return literalArray(flat, shape, fn)
	}
	parts := make([]ndarray.Array, len(l))
	for i, x := range l {
		a, err := asArray(x, fn)
		if err != nil {
			return a, err
		}
		parts[i] = a
	}
	return ndarray.Stack(0, parts...), nil
}

// numbers flattens nested lists of literal numbers; ok is false for anything else or ragged lists.
func numbers(l list) (flat []value, shape []int64, ok bool) {
	shape = []int64{int64(len(l))}
	var inner []int64
	for i, x := range l {
		var s []int64
		switch y := x.(type) {
		case list:
			f, sh, ok := numbers(y)
			if !ok {
				return nil, nil, false
			}
			flat, s = append(flat, f...), sh
		case tuple:
			f, sh, ok := numbers(list(y))
			if !ok {
				return nil, nil, false
			}
			flat, s = append(flat, f...), sh
		default:
			if !isNumber(x) {
				return nil, nil, false
			}
			flat = append(flat, x)
		}
		if i == 0 {
			inner = s
		} else if !chunk.Shape(inner).Equal(s) {
			return nil, nil, false
		}
	}
	return flat, append(shape, inner...), true
}

// literalArray returns numbers as an array of their common dtype; no numbers are float64.
func literalArray(flat []value, shape []int64, fn string) (ndarray.Array, error) {
	top, all := -1, true
	for _, v := range flat {
		top = max(top, rank(v))
	}
	switch top {
	case 0:
		out := make([]bool, len(flat))
		for i, v := range flat {
			out[i] = v.(bool)
		}
		return ndarray.FromSlice(out, shape...), nil
	case 1:
		ints := make([]int64, len(flat))
		uints := make([]uint64, len(flat))
		positive := true
		for i, v := range flat {
			n := toInt(v)
			all = all && n.IsInt64()
			positive = positive && n.IsUint64()
			ints[i], uints[i] = n.Int64(), n.Uint64()
		}
		switch {
		case all:
			return ndarray.FromSlice(ints, shape...), nil
		case positive:
			return ndarray.FromSlice(uints, shape...), nil
		}
		return ndarray.Array{}, fmt.Errorf("%s: an integer of the list does not fit int64 or uint64", fn)
	case 3:
		out := make([]complex128, len(flat))
		for i, v := range flat {
			out[i] = toComplex(v)
		}
		return ndarray.FromSlice(out, shape...), nil
	}
	out := make([]float64, len(flat))
	for i, v := range flat {
		f, ok := toFloat(v)
		if !ok {
			return ndarray.Array{}, fmt.Errorf("%s: an integer of the list is too large to be a float", fn)
		}
		out[i] = f
	}
	return ndarray.FromSlice(out, shape...), nil
}

// intOf returns a literal integer.
func intOf(v value, what string) (int64, error) {
	switch x := v.(type) {
	case *big.Int:
		if x.IsInt64() {
			return x.Int64(), nil
		}
		return 0, fmt.Errorf("%s: the integer of %d bits is too large", what, x.BitLen())
	case bool:
		return toInt(x).Int64(), nil
	}
	return 0, fmt.Errorf("%s: got %s, want an integer", what, describe(v))
}

// intsOf returns an integer, or a list or tuple of them.
func intsOf(v value, what string) (ids []int64, isList bool, err error) {
	var items []value
	switch x := v.(type) {
	case list:
		items = x
	case tuple:
		items = x
	default:
		n, err := intOf(v, what)
		return []int64{n}, false, err
	}
	ids = make([]int64, len(items))
	for i, it := range items {
		if ids[i], err = intOf(it, what); err != nil {
			return nil, true, err
		}
	}
	return ids, true, nil
}

// axesOf returns axis numbers; None is nil.
func axesOf(v value, what string) ([]int, error) {
	if _, ok := v.(none); ok || v == nil {
		return nil, nil
	}
	ids, _, err := intsOf(v, what)
	if err != nil {
		return nil, err
	}
	out := make([]int, len(ids))
	for i, n := range ids {
		if n > math.MaxInt32 || n < math.MinInt32 {
			return nil, fmt.Errorf("%s: axis %d is out of range", what, n)
		}
		out[i] = int(n)
	}
	return out, nil
}

// floatOf returns a literal number as a float.
func floatOf(v value, what string) (float64, error) {
	if f, ok := toFloat(v); ok {
		return f, nil
	}
	return 0, fmt.Errorf("%s: got %s, want a number", what, describe(v))
}

// floatsOf returns a number, or a list or tuple of them.
func floatsOf(v value, what string) (out []float64, isList bool, err error) {
	var items []value
	switch x := v.(type) {
	case list:
		items = x
	case tuple:
		items = x
	default:
		f, err := floatOf(v, what)
		return []float64{f}, false, err
	}
	out = make([]float64, len(items))
	for i, it := range items {
		if out[i], err = floatOf(it, what); err != nil {
			return nil, true, err
		}
	}
	return out, true, nil
}

// boolOf returns True or False (or an integer's truth).
func boolOf(v value, what string) (bool, error) {
	switch x := v.(type) {
	case bool:
		return x, nil
	case *big.Int:
		return x.Sign() != 0, nil
	}
	return false, fmt.Errorf("%s: got %s, want True or False", what, describe(v))
}

// textsOf returns a text, or a list or tuple of texts; ok is false for anything else.
func textsOf(v value) (out []string, ok bool) {
	var items []value
	switch x := v.(type) {
	case string:
		return []string{x}, true
	case list:
		items = x
	case tuple:
		items = x
	default:
		return nil, false
	}
	for _, it := range items {
		s, ok := it.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, len(out) > 0
}

// dtypeOf returns a dtype given by name, by itself, or by Python's bool, int and float.
func dtypeOf(v value, what string) (dtype.DType, error) {
	switch x := v.(type) {
	case dtype.DType:
		return x, nil
	case string:
		d, err := dtype.Parse(x)
		if err != nil {
			return d, fmt.Errorf("%s: %w", what, err)
		}
		return d, nil
	}
	return dtype.Invalid, fmt.Errorf("%s: got %s, want a dtype such as 'float32'", what, describe(v))
}

// shapeOf returns a shape given as an integer or a tuple.
func shapeOf(v value, what string) (chunk.Shape, error) {
	ids, _, err := intsOf(v, what)
	if err != nil {
		return nil, err
	}
	return chunk.Shape(ids), nil
}

// stepsOf returns the option of a chunks= argument: an integer or a tuple; None is none.
func stepsOf(v value, rank int, what string) ([]ndarray.Option, error) {
	if _, ok := v.(none); ok || v == nil {
		return nil, nil
	}
	ids, isList, err := intsOf(v, what)
	if err != nil {
		return nil, err
	}
	if !isList {
		for len(ids) < rank {
			ids = append(ids, ids[0])
		}
	}
	return []ndarray.Option{ndarray.Chunked(ids...)}, nil
}
