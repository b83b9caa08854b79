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

// Option changes how a creation function cuts its result.
type Option func(*created)

type created struct{ steps []int64 }

// Chunked cuts the result into chunks of the given lengths, one for each axis; a
// length below 1, and axes without one, stay whole.
func Chunked(steps ...int64) Option { return func(c *created) { c.steps = steps } }

// gridFor returns the grid of a created array: the default one, or Chunked's.
func gridFor(shape chunk.Shape, dt dtype.DType, opts []Option) chunk.Grid {
	var c created
	for _, o := range opts {
		o(&c)
	}
	if c.steps == nil {
		return chunk.DefaultGrid(shape, dt.Size())
	}
	return chunk.Regular(shape, c.steps...)
}

// CreatedGrid returns the grid that a function which creates arrays gives one of the shape, as the options say. A shape that cannot be an array's is an error.
func CreatedGrid(shape chunk.Shape, dt dtype.DType, opts ...Option) (chunk.Grid, error) {
	if err := shapeError(shape); err != nil {
		return chunk.Grid{}, err
	}
	return gridFor(shape, dt, opts), nil
}

// shapeError says why shape cannot be an array's, nil where it can.
func shapeError(shape chunk.Shape) error {
	if _, ok := checkedSize(shape); !ok {
		return fmt.Errorf("shape %v: want lengths of 0 or more whose product fits 63 bits: %w", shape, chunk.ErrShape)
	}
	return nil
}

// checkShape returns an error Array where shape cannot be an array's.
func checkShape(what string, shape chunk.Shape) (Array, bool) {
	if err := shapeError(shape); err != nil {
		return failf("ndarray: %s: %w", what, err), false
	}
	return Array{}, true
}

// Full returns an array of the shape that holds v, a Go number or a 0-d Array,
// everywhere. dtype.Invalid takes v's own dtype: int64, uint64, float64 or bool for plain Go numbers.
// No elements are stored.
func Full(shape chunk.Shape, v any, dt dtype.DType, opts ...Option) Array {
	if e, ok := checkShape("full", shape); !ok {
		return e
	}
	x, err := operandOf(v)
	if err != nil {
		return failf("ndarray: full: value: %w", err)
	}
	if x.node != nil {
		a := Array{x.node}
		if dt != dtype.Invalid {
			a = a.AsType(dt)
		}
		if a.Err() == nil && a.Rank() != 0 {
			return failf("ndarray: full: value of shape %v: want a single number; use BroadcastTo: %w", a.Shape(), chunk.ErrShape)
		}
		return a.BroadcastTo(shape...).onGrid(gridFor(shape, a.DType(), opts))
	}
	if dt == dtype.Invalid {
		dt = weakType(x.value, dtype.Invalid)
	}
	if side := beyond(x.value, dt); side != 0 {
		lo, hi, _ := intRange(dt)
		return failf("ndarray: full: integer %v does not fit %v: want %d to %d", x.value, dt, lo, hi)
	}
	if f, ok := x.value.(float64); ok && dt.IsInteger() {
		x.value = saturate(f, dt)
	}
	if dt == dtype.Bool {
		x.value = truth(x.value)
	}
	c, err := kernels.ConstOf(dt, x.value)
	if err != nil {
		return failf("ndarray: full: %w", err)
	}
	return Array{here().Fill(gridFor(shape, dt, opts), c, -1)}
}

// saturate truncates f to an integer of dt, as a cast does.
func saturate(f float64, dt dtype.DType) any {
	lo, hi, _ := intRange(dt)
	switch {
	case math.IsNaN(f):
		return int64(0)
	case f <= float64(lo):
		return lo
	case f >= float64(hi):
		return hi
	case f >= math.MaxInt64:
		return uint64(f)
	}
	return int64(f)
}

// onGrid is Rechunk by a Grid.
func (a Array) onGrid(g chunk.Grid) Array { return Array{here().Rechunk(a.Node(), g)} }

// Zeros returns an array of zeros.
func Zeros(shape chunk.Shape, dt dtype.DType, opts ...Option) Array {
	return Full(shape, 0, dt, opts...)
}

// Ones returns an array of ones.
func Ones(shape chunk.Shape, dt dtype.DType, opts ...Option) Array {
	return Full(shape, 1, dt, opts...)
}

// IndexOf returns the int64 array of the shape that holds each element's position along axis.
func IndexOf(shape chunk.Shape, axis int, opts ...Option) Array {
	if e, ok := checkShape("index", shape); !ok {
		return e
	}
	k, err := axisOf(axis, len(shape))
	if err != nil {
		return failf("ndarray: index: %w", err)
	}
	return Array{here().Fill(gridFor(shape, dtype.Int64, opts), kernels.Const{}, k)}
}

// number returns a Go number as float64 and, where it is a whole one, as int64.
func number(v any) (f float64, i int64, whole, ok bool) {
	x, err := operandOf(v)
	if err != nil {
		return 0, 0, false, false
	}
	if x.node != nil {
		switch s := v.(type) {
		case float32:
			return float64(s), 0, false, true
		case int32:
			return float64(s), int64(s), true, true
		case int16:
			return float64(s), int64(s), true, true
		case int8:
			return float64(s), int64(s), true, true
		}
		return 0, 0, false, false
	}
	switch s := x.value.(type) {
	case int64:
		return float64(s), s, true, true
	case uint64:
		return float64(s), 0, false, true
	case float64:
		return s, 0, false, true
	}
	return 0, 0, false, false
}

// Arange returns start, start+step ... up to, without, stop. dtype.Invalid gives
// int64 for whole Go numbers and float64 for floats. The length is the ceiling of (stop-start)/step; floats are
// computed as NumPy does, start + i*((start+step)-start) in the dtype.
func Arange(start, stop, step any, dt dtype.DType, opts ...Option) Array {
	f0, i0, w0, ok0 := number(start)
	f1, i1, w1, ok1 := number(stop)
	fs, is, ws, oks := number(step)
	if !ok0 || !ok1 || !oks {
		return failf("ndarray: arange: start, stop, step: got %v, %v, %v, want Go numbers", start, stop, step)
	}
	whole := w0 && w1 && ws
	if fs == 0 || math.IsNaN(f0+f1+fs) || math.IsInf(f0+f1+fs, 0) {
		return failf("ndarray: arange: start %v, stop %v, step %v: want finite numbers and a step that is not 0", start, stop, step)
	}
	if dt == dtype.Invalid {
		dt = dtype.Float64
		if whole {
			dt = dtype.Int64
		}
	}
	var n int64
	if whole {
		d, s := i1-i0, is
		if s < 0 {
			d, s = -d, -s
		}
		if d > 0 {
			n = (d-1)/s + 1
		}
	} else {
		c := math.Ceil((f1 - f0) / fs)
		if c > 1<<53 {
			return failf("ndarray: arange: %v elements from %v to %v by %v: want fewer than 2**53: %w", c, start, stop, step, chunk.ErrShape)
		}
		n = int64(max(c, 0))
	}
	i := IndexOf(chunk.Shape{n}, 0, append([]Option{chunkedAs(n, dt)}, opts...)...)
	switch {
	case whole && (dt.IsInteger() || dt == dtype.Bool || !dt.IsNumeric()):
		if is != 1 {
			i = i.Mul(is)
		}
		if i0 != 0 {
			i = i.Add(i0)
		}
		return i.AsType(dt)
	case dt.IsInteger():
		return i.Mul(int64(fs)).Add(int64(f0)).AsType(dt)
	}
	calc := dt
	if dt != dtype.Float32 && dt != dtype.Float64 {
		calc = dtype.Float64
	}
	delta := (f0 + fs) - f0
	if calc == dtype.Float32 {
		delta = float64(float32(f0+fs) - float32(f0))
	}
	return i.AsType(calc).Mul(delta).Add(f0).AsType(dt)
}

// chunkedAs is the default grid of n elements of dt, as an option.
func chunkedAs(n int64, dt dtype.DType) Option {
	return Chunked(chunk.DefaultGrid(chunk.Shape{n}, dt.Size()).Axes[0].Step)
}

// Linspace returns num numbers from start to stop at equal distances, stop
// included unless endpoint is false. dtype.Invalid gives float64; integers are rounded down.
func Linspace(start, stop float64, num int64, endpoint bool, dt dtype.DType, opts ...Option) Array {
	if num < 0 {
		return failf("ndarray: linspace: number of elements: got %d, want 0 or more: %w", num, chunk.ErrShape)
	}
	if dt == dtype.Invalid {
		dt = dtype.Float64
	}
	div := num
	if endpoint {
		div = num - 1
	}
	i := IndexOf(chunk.Shape{num}, 0, append([]Option{chunkedAs(num, dt)}, opts...)...)
	x := i.AsType(dtype.Float64)
	switch step := (stop - start) / float64(div); {
	case div > 0 && step != 0:
		x = x.Mul(step).Add(start)
	case div > 0: // the step underflows: divide first, as NumPy does
		x = x.Div(float64(div)).Mul(stop - start).Add(start)
	default:
		x = x.Mul(stop - start).Add(start)
	}
	if endpoint && num > 1 {
		x = Where(i.Equal(num-1), stop, x)
	}
	if dt.IsInteger() {
		x = x.Floor()
	}
	return x.AsType(dt)
}

// matrixGrid returns the grid and the dtype of a new n by m matrix: m < 0 means n, dtype.Invalid float64. Where
// ok is false, e has the error.
func matrixGrid(fn string, n, m int64, dt dtype.DType, opts []Option) (grid chunk.Grid, as dtype.DType, e Array, ok bool) {
	if m < 0 {
		m = n
	}
	if dt == dtype.Invalid {
		dt = dtype.Float64
	}
	shape := chunk.Shape{n, m}
	if e, ok := checkShape(fn, shape); !ok {
		return grid, dt, e, false
	}
	return gridFor(shape, dt, opts), dt, e, true
}

// Eye returns the n by m array with ones on diagonal k (above the main one for
// k > 0) and zeros elsewhere; m < 0 means n.
func Eye(n, m, k int64, dt dtype.DType, opts ...Option) Array {
	grid, dt, e, ok := matrixGrid("eye", n, m, dt, opts)
	if !ok {
		return e
	}
	at := here()
	row := Array{at.Fill(grid, kernels.Const{}, 0)}
	col := Array{at.Fill(grid, kernels.Const{}, 1)}
	return row.Add(k).Equal(col).AsType(dt)
}

// Meshgrid returns, for one-dimensional arrays, each of them spread over the grid
// they span together, axis i following arrays[i] ("ij" indexing).
func Meshgrid(arrays ...Array) []Array {
	shape := make([]int64, len(arrays))
	out := make([]Array, len(arrays))
	for i, a := range arrays {
		if a.Err() == nil && a.Rank() != 1 {
			a = failf("ndarray: meshgrid: array %d: got shape %v, want rank 1: %w", i, a.Shape(), chunk.ErrShape)
		}
		if a.Err() != nil {
			for k := range out {
				out[k] = a
			}
			return out
		}
		shape[i] = a.Shape()[0]
	}
	at := here()
	for i, a := range arrays {
		arg := graph.SelectArg{Fixed: []int64{0}}
		for k, n := range shape {
			if k == i {
				arg.Axes = append(arg.Axes, graph.All(0, n))
				continue
			}
			arg.Axes = append(arg.Axes, graph.New(n))
		}
		out[i] = Array{at.Select(a.Node(), arg)}
	}
	return out
}
