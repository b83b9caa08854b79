// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// RollingOptions say where a window lies and when it has a result.
type RollingOptions struct {
	Center     bool  // the window is around its position, i-n/2 to i+(n-1)/2; by default it ends at it
	MinPeriods int64 // values that are not missing for which there is a result; 0: as many as the window has
}

// Rolling is a variable with a window around each position.
type Rolling struct {
	v      Variable
	length []int64 // of windows along each dimension, 0 for none
	opt    RollingOptions
	failed *Variable // carries the error
}

// Rolling puts a window of consecutive positions at each position. Reductions keep the shape; a window with fewer than o.MinPeriods
// values, those beyond the ends missing, gives NaN. A window longer than its dimension is an error.
func (v Variable) Rolling(w Windows, o RollingOptions) Rolling {
	if v.Err() != nil {
		return Rolling{failed: &v}
	}
	length, bad := w.in(v, "rolling")
	if bad != nil {
		return Rolling{failed: bad}
	}
	all := int64(1)
	for i, n := range length {
		if n > v.Shape()[i] {
			b := v.fail("ndarray: rolling: the window of %d is longer than dimension %q, which has %d positions", n, v.dims[i], v.Shape()[i])
			return Rolling{failed: &b}
		}
		all *= max(n, 1)
	}
	switch {
	case o.MinPeriods < 0:
		b := v.fail("ndarray: rolling: min_periods: got %d, want 1 or more", o.MinPeriods)
		bad = &b
	case !v.DType().IsNumeric() || v.DType().IsComplex():
		b := v.fail("ndarray: rolling: %s holds %v, want real numbers: %w", v.label(), v.DType(), dtype.ErrPromote)
		bad = &b
	}
	if bad != nil {
		return Rolling{failed: bad}
	}
	if o.MinPeriods == 0 {
		o.MinPeriods = all
	}
	return Rolling{v: v, length: length, opt: o}
}

// Err returns why the windows do not fit, nil when they do.
func (w Rolling) Err() error {
	if w.failed != nil {
		return w.failed.Err()
	}
	return nil
}

// Reduce returns a fold of the window at each position: sum, mean, min, max, prod, std, var, median or count. Sums are made in float64 and
// rounded once. float32 and float16 stay, other dtypes become float64, as does count. NaN and what lies beyond an end are left out.
func (w Rolling) Reduce(op string, o Reduction) Variable {
	if w.failed != nil {
		return *w.failed
	}
	f, ok := windowFolds[op]
	if !ok {
		return w.v.fail("ndarray: rolling: windows have no %s; they have mean, sum, min, max, std, var, median, prod and count", op)
	}
	if o.KeepNaN {
		return w.v.fail("ndarray: rolling: %s: NaN is always left out; min_periods says how many values a window needs", op)
	}
	job := windowJob{op: op, fold: f, length: w.length, center: w.opt.Center, need: w.opt.MinPeriods, ddof: o.DDof}
	out := w.v.WithArray(w.v.array.windowFold(job))
	if out.Err() != nil {
		return out
	}
	var dims []string
	for i, d := range w.v.dims {
		if w.length[i] > 0 {
			dims = append(dims, d)
		}
	}
	if r, ok := kernels.ReductionByName(op); ok {
		out.attrs = reducedAttrs(w.v.attrs, r, dims)
	} else {
		out.attrs = appendCellMethod(w.v.attrs, dims, op)
	}
	return out
}

// Sum returns the sum of each window.
func (w Rolling) Sum() Variable { return w.Reduce("sum", Reduction{}) }

// Mean returns the mean of each window.
func (w Rolling) Mean() Variable { return w.Reduce("mean", Reduction{}) }

// Min returns the smallest value of each window.
func (w Rolling) Min() Variable { return w.Reduce("min", Reduction{}) }

// Max returns the largest value of each window.
func (w Rolling) Max() Variable { return w.Reduce("max", Reduction{}) }

// Std returns the standard deviation of each window, divided by its count.
func (w Rolling) Std() Variable { return w.Reduce("std", Reduction{}) }

// Var returns the variance of each window, divided by its count.
func (w Rolling) Var() Variable { return w.Reduce("var", Reduction{}) }

// Median returns the median of each window.
func (w Rolling) Median() Variable { return w.Reduce("median", Reduction{}) }

// Count returns the number of values of each window that are not missing.
func (w Rolling) Count() Variable { return w.Reduce("count", Reduction{}) }

// windowJob is one fold of windows.
type windowJob struct {
	op     string
	fold   windowFold
	length []int64 // along each axis, 0 for none
	center bool
	need   int64 // values for a result
	ddof   float64
}

// before returns how many positions before its own the window has along axis k.
func (j *windowJob) before(k int) int64 {
	n := max(j.length[k], 1)
	if j.center {
		return n / 2
	}
	return n - 1
}

// around returns the region that windows at the positions of at reach, not cut to the array.
func (j *windowJob) around(at chunk.Region) chunk.Region {
	r := at.Clone()
	for k, n := range j.length {
		if n > 0 && r.Hi[k] > r.Lo[k] {
			r.Lo[k] -= j.before(k)
			r.Hi[k] += n - 1 - j.before(k)
		}
	}
	return r
}

// windowTile is how many bytes of the result are made at once, so that what windows reach beyond it, and is read twice, is little.
const windowTile = 16 << 20

// windowGrid widens the chunks along the windows: to the length of the window, and on while they are small.
func (j *windowJob) windowGrid(g chunk.Grid, item int64) chunk.Grid {
	out := chunk.Grid{Shape: g.Shape, Axes: append([]chunk.Axis{}, g.Axes...)}
	bytes := item
	for _, a := range g.Axes {
		bytes *= max(a.Max(), 1)
	}
	for k, n := range j.length {
		a := g.Axes[k]
		step := max(a.Max(), 1)
		if n == 0 || a.Count() <= 1 {
			continue
		}
		times := max((n+step-1)/step, windowTile/max(bytes, 1))
		times = max(min(times, a.Count()), 1)
		out.Axes[k] = chunk.Axis{Len: a.Len, Step: min(step*times, a.Len)}
		bytes *= times
	}
	return out
}

// windowFold returns the fold of the window at each position, on a grid of larger chunks.
func (a Array) windowFold(j windowJob) Array {
	if a.Err() != nil {
		return a
	}
	from := a.DType()
	work := dtype.Float64
	if from == dtype.Float32 {
		work = dtype.Float32
	}
	shape := a.Shape()
	out := work
	if j.op == "count" {
		out = dtype.Float64
	}
	arg := graph.OpaqueArg{
		Key:     fmt.Sprintf("rolling %s %v center=%v need=%d ddof=%v", j.op, j.length, j.center, j.need, j.ddof),
		Need:    func(_ int, at chunk.Region) chunk.Region { return j.around(at) },
		Scratch: j.scratch,
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			if c.In[0].DType == dtype.Float32 {
				foldWindows[float32](&j, c.At, shape, c.Out, c.In[0])
			} else {
				foldWindows[float64](&j, c.At, shape, c.Out, c.In[0])
			}
			return nil
		},
	}
	res := Array{here().Opaque(arg, out, j.windowGrid(a.Grid(), int64(work.Size())), a.AsType(work).Node())}
	if from.IsFloat() && from.Size() < 4 && j.op != "count" {
		return res.AsType(from)
	}
	return res
}
