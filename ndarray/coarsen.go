// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Windows are lengths by dimension name, those of Rolling and Coarsen.
type Windows map[string]int64

// in returns the windows along each of v's dimensions, 0 for none. A dimension that v lacks, none at all and a length below 1 are errors.
func (w Windows) in(v Variable, what string) ([]int64, *Variable) {
	out := make([]int64, len(v.dims))
	names := make([]string, 0, len(w))
	for d := range w {
		names = append(names, d)
	}
	slices.Sort(names)
	if len(names) == 0 {
		bad := v.fail("ndarray: %s: no dimension is named; want for instance %s(time=3)", what, what)
		return nil, &bad
	}
	for _, d := range names {
		k := v.axis(d)
		if k < 0 {
			bad := v.noDim(what, d)
			return nil, &bad
		}
		if w[d] < 1 {
			bad := v.fail("ndarray: %s: window of %q: got %d, want 1 or more", what, d, w[d])
			return nil, &bad
		}
		out[k] = w[d]
	}
	return out, nil
}

// CoarsenOptions say what becomes of an end that is shorter than a window, and of coordinates.
type CoarsenOptions struct {
	Boundary string // "exact" (the default): an error; "trim": left out; "pad": a window with missing values
	Right    bool   // windows are counted from the end, so that the short one is the first
	Coord    string // how coordinates are folded: "mean" (the default), "min", "max", "sum" or "median"
}

// Coarsen is a variable of which each window of consecutive positions becomes one.
type Coarsen struct {
	v      Variable
	length []int64 // of windows along each dimension, 0 for none
	opt    CoarsenOptions
	failed *Variable // carries the error
}

// Coarsen joins windows of consecutive positions; reductions give one value for each. Coordinates are averaged, bounds dropped.
// A length that is not a multiple of the window is an error unless o.Boundary says otherwise.
func (v Variable) Coarsen(w Windows, o CoarsenOptions) Coarsen {
	if v.Err() != nil {
		return Coarsen{failed: &v}
	}
	length, bad := w.in(v, "coarsen")
	if bad != nil {
		return Coarsen{failed: bad}
	}
	if o.Boundary == "" {
		o.Boundary = "exact"
	}
	if o.Coord == "" {
		o.Coord = "mean"
	}
	switch {
	case !slices.Contains([]string{"exact", "trim", "pad"}, o.Boundary):
		b := v.fail("ndarray: coarsen: boundary: got %q, want \"exact\", \"trim\" or \"pad\"", o.Boundary)
		bad = &b
	case coordFolds[o.Coord] == nil:
		b := v.fail("ndarray: coarsen: coord_func: got %q, want \"mean\", \"min\", \"max\", \"sum\" or \"median\"", o.Coord)
		bad = &b
	}
	for i, n := range length {
		size := v.Shape()[i]
		if bad != nil || n == 0 {
			continue
		}
		switch {
		case o.Boundary == "exact" && size%n != 0:
			b := v.fail("ndarray: coarsen: dimension %q of length %d is not a multiple of the window %d; give boundary='trim' or 'pad'", v.dims[i], size, n)
			bad = &b
		case o.Boundary == "trim" && size < n:
			b := v.fail("ndarray: coarsen: dimension %q of length %d is shorter than the window %d: nothing is left of it", v.dims[i], size, n)
			bad = &b
		}
	}
	if bad != nil {
		return Coarsen{failed: bad}
	}
	return Coarsen{v: v, length: length, opt: o}
}

// Err returns why the windows do not fit, nil when they do.
func (c Coarsen) Err() error {
	if c.failed != nil {
		return c.failed.Err()
	}
	return nil
}

// windowed returns a, whose dimensions are dims, with each that has a window cut in two: windows and the places in them, whose axes are returned.
func (c Coarsen) windowed(a Array, dims []string) (Array, []int) {
	var shape []int64
	var axes []int
	for i, d := range dims {
		size, n := a.Shape()[i], int64(0)
		if k := c.v.axis(d); k >= 0 {
			n = c.length[k]
		}
		if n == 0 {
			shape = append(shape, size)
			continue
		}
		over := size % n
		switch {
		case over == 0:
		case c.opt.Boundary == "trim":
			idx := slices.Repeat([]Index{All()}, i+1)
			idx[i] = Span(0, size-over)
			if c.opt.Right {
				idx[i] = Span(over, size)
			}
			a = a.Index(idx...)
			size -= over
		default:
			a = a.withMissing()
			gap := a.Shape().Clone()
			gap[i] = n - over
			parts := []Array{a, Full(gap, nan, a.DType())}
			if c.opt.Right {
				slices.Reverse(parts)
			}
			a = Concat(i, parts...)
			size += n - over
		}
		shape = append(shape, size/n, n)
		axes = append(axes, len(shape)-1)
	}
	a = a.Reshape(shape...)
	last := len(shape) - 1
	if len(axes) == 0 || axes[len(axes)-1] != last {
		return a, axes
	}
	// The last window goes before its dimension, whose neighbours are then folded side by side.
	axes[len(axes)-1] = last - 1
	return a.SwapAxes(last-1, last), axes
}

// withMissing returns a in a dtype that has NaN: integers of up to 16 bits become float32, others and bool float64.
func (a Array) withMissing() Array {
	switch dt := a.DType(); {
	case dt.IsFloat() || dt.IsComplex() || !dt.IsNumeric():
		return a
	case dt.IsInteger() && dt.Size() <= 2:
		return a.AsType(dtype.Float32)
	}
	return a.AsType(dtype.Float64)
}

// windowReductions are the folds of windows that keep no position in them.
var windowReductions = map[string]bool{"sum": true, "mean": true, "min": true, "max": true, "std": true, "var": true, "prod": true,
	"count": true, "any": true, "all": true, "count_nonzero": true}

// Reduce returns the reduction of the kernels table of each window. NaN is left out unless o.KeepNaN.
// Reductions are those of Variable.Reduce, first and last, argmin and argmax left out.
func (c Coarsen) Reduce(op string, o Reduction) Variable {
	if c.failed != nil {
		return *c.failed
	}
	r, ok := kernels.ReductionByName(op)
	if !ok || !windowReductions[strings.TrimPrefix(r.Name, "nan")] {
		return c.v.fail("ndarray: coarsen: windows have no %s; they have mean, sum, min, max, std, var, median, prod, count, any and all", op)
	}
	a, axes := c.windowed(c.v.array, c.v.dims)
	if !o.KeepNaN && !r.SkipNaN && a.DType().IsFloat() {
		r = r.TwinOf()
	}
	out := c.result(a.Reduce(r.Name, ReduceOptions{Axes: axes, DDof: o.DDof}))
	if out.Err() == nil {
		out.attrs = reducedAttrs(c.v.attrs, r, c.dims())
	}
	return out
}

// MedianOf returns the median of each window, NaN left out unless o.KeepNaN.
func (c Coarsen) MedianOf(o Reduction) Variable {
	if c.failed != nil {
		return *c.failed
	}
	a, axes := c.windowed(c.v.array, c.v.dims)
	out := c.result(a.Median(QuantileOptions{Axes: axes, SkipNaN: !o.KeepNaN}))
	if out.Err() == nil {
		out.attrs = appendCellMethod(c.v.attrs, c.dims(), "median")
	}
	return out
}

// dims returns the dimensions with windows.
func (c Coarsen) dims() []string {
	var out []string
	for i, d := range c.v.dims {
		if c.length[i] > 0 {
			out = append(out, d)
		}
	}
	return out
}

// result returns v with folded values and coordinates.
func (c Coarsen) result(a Array) Variable {
	if a.Err() != nil {
		return c.v.failed(a)
	}
	out := c.v
	out.array, out.host, out.values = a, nil, nil
	out.coords = make([]*Coord, len(c.v.coords))
	for i, k := range c.v.coords {
		if out.coords[i] = c.coord(k); out.coords[i].host == nil && out.coords[i].array.Err() != nil {
			return c.v.failed(out.coords[i].array)
		}
	}
	return out
}

// coord returns a coordinate folded by windows; one without their dimensions is returned as it is.
func (c Coarsen) coord(k *Coord) *Coord {
	if !slices.ContainsFunc(k.dims, func(d string) bool { i := c.v.axis(d); return i >= 0 && c.length[i] > 0 }) {
		return k
	}
	out := &Coord{name: k.name, dims: k.dims, attrs: k.attrs.Without("bounds", "climatology")}
	if k.host != nil {
		out.host = c.labels(k.host, k.dims)
		if out.host == nil {
			out.array = failf("ndarray: coarsen: coordinate %q is text, which has no %s", k.name, c.opt.Coord)
		}
		return out
	}
	a, axes := c.windowed(k.array, k.dims)
	if c.opt.Coord == "median" {
		out.array = a.Median(QuantileOptions{Axes: axes, SkipNaN: true})
	} else {
		op := c.opt.Coord
		if a.DType().IsFloat() {
			op = "nan" + op
		}
		out.array = a.Reduce(op, ReduceOptions{Axes: axes})
	}
	out.load = k.loadThen(func(l *Labels) *Labels { return c.labels(l, k.dims) })
	return out
}

// coordFolds fold the labels of a window, of which there is at least one.
var coordFolds = map[string]func(v []float64) float64{
	"sum":  sumOf,
	"mean": func(v []float64) float64 { return sumOf(v) / float64(len(v)) },
	"min":  slices.Min[[]float64],
	"max":  slices.Max[[]float64],
	"median": func(v []float64) float64 {
		slices.Sort(v)
		n := len(v)
		if n%2 == 1 {
			return v[n/2]
		}
		return v[n/2-1] + (v[n/2]-v[n/2-1])/2
	},
}

func sumOf(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

// labels folds host labels by windows, missing ones left out; nil where they are text. Means and medians of integers are float64.
func (c Coarsen) labels(l *Labels, dims []string) *Labels {
	if l.Str != nil {
		return nil
	}
	shape, start, length := l.Shape.Clone(), make([]int64, len(dims)), make([]int64, len(dims))
	for i, d := range dims {
		k := c.v.axis(d)
		if k < 0 || c.length[k] == 0 {
			length[i] = 1
			continue
		}
		n := c.length[k]
		length[i], shape[i] = n, l.Shape[i]/n
		over := l.Shape[i] % n
		if over > 0 && c.opt.Boundary == "pad" {
			shape[i]++
			over -= n
		}
		if c.opt.Right {
			start[i] = over
		}
	}
	fold := coordFolds[c.opt.Coord]
	f := make([]float64, shape.Size())
	strides := l.Shape.RowMajor()
	at, window := make([]int64, len(dims)), []float64{}
	for i := range f {
		rest := int64(i)
		for k := len(at) - 1; k >= 0; k-- {
			at[k] = start[k] + rest%shape[k]*length[k]
			rest /= shape[k]
		}
		window = window[:0]
		for n := range chunk.Shape(length).Size() {
			pos, inside := int64(0), true
			for k := len(at) - 1; k >= 0; k-- {
				x := at[k] + n%length[k]
				n /= length[k]
				inside = inside && x >= 0 && x < l.Shape[k]
				pos += x * strides[k]
			}
			if inside && !l.isMissing(int(pos)) {
				window = append(window, l.Number(int(pos)))
			}
		}
		f[i] = math.NaN()
		if len(window) > 0 {
			f[i] = fold(window)
		}
	}
	out := &Labels{DType: l.DType, Shape: shape, Float: f}
	switch {
	case l.Int == nil:
	case c.opt.Coord == "mean" || c.opt.Coord == "median":
		out.DType = dtype.Float64
	default:
		out.Float, out.Int = nil, convert(f, func(x float64) int64 { return int64(x) })
		if c.opt.Coord == "sum" {
			out.DType = dtype.Int64
		}
	}
	if out.DType == dtype.Float32 {
		for i, x := range f {
			f[i] = float64(float32(x))
		}
	}
	return out
}

// Sum returns the sum of each window; 0 where all are missing.
func (c Coarsen) Sum() Variable { return c.Reduce("sum", Reduction{}) }

// Mean returns the mean of each window; NaN where all are missing.
func (c Coarsen) Mean() Variable { return c.Reduce("mean", Reduction{}) }

// Min returns the smallest value of each window.
func (c Coarsen) Min() Variable { return c.Reduce("min", Reduction{}) }

// Max returns the largest value of each window.
func (c Coarsen) Max() Variable { return c.Reduce("max", Reduction{}) }

// Std returns the standard deviation of each window, divided by its count.
func (c Coarsen) Std() Variable { return c.Reduce("std", Reduction{}) }

// Var returns the variance of each window, divided by its count.
func (c Coarsen) Var() Variable { return c.Reduce("var", Reduction{}) }

// Count returns the number of values of each window that are not missing.
func (c Coarsen) Count() Variable { return c.Reduce("count", Reduction{}) }

// Median returns the median of each window.
func (c Coarsen) Median() Variable { return c.MedianOf(Reduction{}) }
