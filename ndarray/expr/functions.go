// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// functions is the table of what is not a row of the kernels tables: creation, shapes, and functions
// with parameters of their own. It is filled below, because rows name functions that look rows up.
var functions map[string]function

func init() {
	functions = map[string]function{}
	for _, t := range []map[string]function{creation, shaping, rearranging, mathematics, numerics, products, sorting, counting, dtypes, images, fourier, decompositions, measuring, drawing} {
		for n, f := range t {
			functions[n] = f
		}
	}
}

// creation are the functions that make arrays.
var creation = map[string]function{
	"zeros":      {"shape dtype= chunks=", func(b params) (value, error) { return filled(b, b.vals["shape"], 0.0) }},
	"ones":       {"shape dtype= chunks=", func(b params) (value, error) { return filled(b, b.vals["shape"], 1.0) }},
	"empty":      {"shape dtype= chunks=", func(b params) (value, error) { return filled(b, b.vals["shape"], 0.0) }},
	"full":       {"shape fill_value dtype= chunks=", full},
	"zeros_like": {"a dtype= shape=", func(b params) (value, error) { return like(b, big.NewInt(0)) }},
	"ones_like":  {"a dtype= shape=", func(b params) (value, error) { return like(b, big.NewInt(1)) }},
	"empty_like": {"a dtype= shape=", func(b params) (value, error) { return like(b, big.NewInt(0)) }},
	"full_like":  {"a fill_value dtype= shape=", func(b params) (value, error) { return like(b, b.vals["fill_value"]) }},
	"arange":     {"start stop= step= dtype= chunks=", arange},
	"linspace":   {"start stop num= endpoint= dtype= chunks=", linspace},
	"eye":        {"n_rows n_cols= k= dtype= chunks=", eye},
	"identity":   {"n_rows dtype=", eye},
	"asarray":    {"a dtype=", asarray},
	"array":      {"a dtype=", asarray},
	"asanyarray": {"a dtype=", asarray},
	"slice":      {"start stop= step=", makeSlice},
	"len":        {"a", length},
}

// chunksOf reads the option chunks=.
func chunksOf(b params, rank int) ([]ndarray.Option, error) {
	return stepsOf(b.vals["chunks"], rank, b.fn+": chunks")
}

// filled is zeros and ones: float64 unless a dtype is given.
func filled(b params, shape value, v float64) (value, error) {
	s, err := shapeOf(shape, b.fn+": shape")
	if err != nil {
		return nil, err
	}
	d, err := b.dtype("dtype", dtype.Float64)
	if err != nil {
		return nil, err
	}
	opts, err := chunksOf(b, len(s))
	if err != nil {
		return nil, err
	}
	return ndarray.Full(s, v, d, opts...), nil
}

func full(b params) (value, error) {
	s, err := shapeOf(b.vals["shape"], b.fn+": shape")
	if err != nil {
		return nil, err
	}
	opts, err := chunksOf(b, len(s))
	if err != nil {
		return nil, err
	}
	return fill(b, s, b.vals["fill_value"], dtype.Invalid, opts)
}

// fill returns an array of one literal number, of dtype= or def or, without either, the number's own.
func fill(b params, s chunk.Shape, v value, def dtype.DType, opts []ndarray.Option) (value, error) {
	if !isNumber(v) {
		a, err := asPlain(v, b.fn)
		if err != nil {
			return nil, err
		}
		if d, err := b.dtype("dtype", def); err != nil {
			return nil, err
		} else if d != dtype.Invalid {
			a = a.AsType(d)
		}
		return a.BroadcastTo(s...), nil
	}
	w, ok := weak(v)
	if !ok {
		return nil, fmt.Errorf("%s: the integer does not fit int64 or uint64", b.fn)
	}
	d, err := b.dtype("dtype", def)
	if err != nil {
		return nil, err
	}
	if d == dtype.Invalid {
		switch w.(type) {
		case bool:
			d = dtype.Bool
		case int64:
			d = dtype.Int64
		case uint64:
			d = dtype.Uint64
		case complex128:
			d = dtype.Complex128
		default:
			d = dtype.Float64
		}
	}
	return ndarray.Full(s, w, d, opts...), nil
}

// like is zeros_like and its siblings; a variable keeps its names.
func like(b params, v value) (value, error) {
	x, isVar := b.vals["a"].(ndarray.Variable)
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	s := a.Shape()
	if b.has("shape") {
		if s, err = shapeOf(b.vals["shape"], b.fn+": shape"); err != nil {
			return nil, err
		}
		isVar = false
	}
	if !isNumber(v) {
		isVar = false
	}
	r, err := fill(b, s, v, a.DType(), nil)
	if err != nil {
		return nil, err
	}
	res := r.(ndarray.Array)
	if !b.has("shape") && res.Err() == nil && a.Err() == nil {
		res = res.RechunkTo(a.Grid())
	}
	if isVar {
		return x.WithArray(res), nil
	}
	return res, nil
}

func arange(b params) (value, error) {
	start, stop := b.vals["start"], b.vals["stop"]
	if !b.has("stop") {
		start, stop = big.NewInt(0), start
	}
	step := value(big.NewInt(1))
	if b.has("step") {
		step = b.vals["step"]
	}
	top := -1
	var nums [3]any
	for i, v := range []value{start, stop, step} {
		if !isNumber(v) || rank(v) > 2 {
			return nil, fmt.Errorf("arange: got %s, want a real number", describe(v))
		}
		top = max(top, rank(v))
		w, ok := weak(v)
		if !ok {
			return nil, fmt.Errorf("arange: the integer does not fit int64")
		}
		if x, isBool := w.(bool); isBool {
			w = int64(0)
			if x {
				w = int64(1)
			}
		}
		nums[i] = w
	}
	d := dtype.Int64
	if top == 2 {
		d = dtype.Float64
	}
	d, err := b.dtype("dtype", d)
	if err != nil {
		return nil, err
	}
	opts, err := chunksOf(b, 1)
	if err != nil {
		return nil, err
	}
	return ndarray.Arange(nums[0], nums[1], nums[2], d, opts...), nil
}

func linspace(b params) (value, error) {
	start, err := b.float("start", 0)
	if err != nil {
		return nil, err
	}
	stop, err := b.float("stop", 0)
	if err != nil {
		return nil, err
	}
	n, err := b.int("num", 50)
	if err != nil {
		return nil, err
	}
	end, err := b.bool("endpoint", true)
	if err != nil {
		return nil, err
	}
	d, err := b.dtype("dtype", dtype.Float64)
	if err != nil {
		return nil, err
	}
	opts, err := chunksOf(b, 1)
	if err != nil {
		return nil, err
	}
	return ndarray.Linspace(start, stop, n, end, d, opts...), nil
}

// matrixOf reads the lengths of a matrix, the number of a diagonal and a dtype.
func matrixOf(b params) (n, m, k int64, d dtype.DType, err error) {
	if n, err = b.int("n_rows", 0); err != nil {
		return
	}
	if m, err = b.int("n_cols", n); err != nil {
		return
	}
	if k, err = b.int("k", 0); err != nil {
		return
	}
	d, err = b.dtype("dtype", dtype.Float64)
	return
}

func eye(b params) (value, error) {
	n, m, k, d, err := matrixOf(b)
	if err != nil {
		return nil, err
	}
	opts, err := chunksOf(b, 2)
	if err != nil {
		return nil, err
	}
	return ndarray.Eye(n, m, k, d, opts...), nil
}

func asarray(b params) (value, error) {
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil || !b.has("dtype") {
		return a, err
	}
	d, err := b.dtype("dtype", dtype.Invalid)
	if err != nil {
		return nil, err
	}
	return a.AsType(d), nil
}

// makeSlice is Python's slice(): one argument is the stop.
func makeSlice(b params) (value, error) {
	s := slice{b.vals["start"], none{}, none{}}
	if v, ok := b.vals["stop"]; ok {
		s.hi = v
	} else {
		s.lo, s.hi = none{}, s.lo
	}
	if v, ok := b.vals["step"]; ok {
		s.step = v
	}
	return s, nil
}

func length(b params) (value, error) {
	switch x := b.vals["a"].(type) {
	case list:
		return big.NewInt(int64(len(x))), nil
	case record:
		return big.NewInt(int64(len(x.tuple))), nil
	case tuple:
		return big.NewInt(int64(len(x))), nil
	case string:
		return big.NewInt(int64(len(x))), nil
	}
	a, err := asArray(b.vals["a"], "len")
	if err != nil {
		return nil, err
	}
	if a.Rank() == 0 {
		return nil, fmt.Errorf("len: a 0-d array has no length")
	}
	return big.NewInt(a.Shape()[0]), nil
}
