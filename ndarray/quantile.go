// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// QuantileOptions says what Quantile folds. The zero value folds everything to one element.
type QuantileOptions struct {
	Axes     []int // nil folds all
	KeepDims bool
	SkipNaN  bool // leave NaN out; otherwise NaN gives NaN
}

// Quantile returns the quantiles q (0 to 1) along axes by NumPy's linear method. With isList the
// quantiles are a new first axis; otherwise q is one number. Every task holds whole axes: the folded ones are never cut.
//
// DType: float32 and float16 stay for one q, everything else is float64. An empty axis gives NaN.
func (a Array) Quantile(q []float64, isList bool, opt QuantileOptions) Array {
	if !isList && len(q) != 1 {
		return failf("ndarray: quantile: got %d quantiles, want one number or a list", len(q))
	}
	return a.fromQuantiles(quantileJob{q: q, skip: opt.SkipNaN}, isList, opt)
}

// fromQuantiles is Quantile and Median: j without axes.
func (a Array) fromQuantiles(j quantileJob, isList bool, opt QuantileOptions) Array {
	if a.Err() != nil {
		return a
	}
	axes, err := reduceAxes(opt.Axes, a.Rank())
	if err != nil {
		return failf("ndarray: quantile: %w", err)
	}
	j.axes = axes
	out := a.quantiles(j)
	if out.Err() != nil {
		return out
	}
	last := out.Rank() - 1
	switch {
	case isList:
		out = out.MoveAxis(last, 0)
	default:
		out = out.Squeeze(last)
		if f := a.DType(); f.IsFloat() && f.Size() < 8 {
			out = out.AsType(f)
		}
	}
	if opt.KeepDims {
		for _, x := range axes {
			if isList {
				x++
			}
			out = out.ExpandDims(x)
		}
	}
	return out
}

// Median returns the median along axes: the middle value, or the mean of the two in the middle.
func (a Array) Median(opt QuantileOptions) Array {
	return a.fromQuantiles(quantileJob{q: []float64{0.5}, middle: true, skip: opt.SkipNaN}, false, opt)
}

// quantileJob is one computation of quantiles: over axes, per group of their positions.
type quantileJob struct {
	axes   []int
	ids    []int32 // group of each position over axes, row-major; nil: one group and no group axis
	groups int64
	q      []float64
	middle bool // the quantile 0.5 is the median: no differences are taken, so infinities stay
	skip   bool
}

// quantiles returns the array of kept axes, then groups where there are any, then quantiles; float64, or float32 as a is.
func (a Array) quantiles(j quantileJob) Array {
	for _, q := range j.q {
		if !(q >= 0 && q <= 1) {
			return failf("ndarray: quantile: got q = %v, want 0 to 1", q)
		}
	}
	if !a.DType().IsNumeric() || a.DType().IsComplex() {
		return failf("ndarray: quantile: operand: got %v, want real numbers: %w", a.DType(), dtype.ErrPromote)
	}
	work := exactFloat(a.DType())
	if a.DType() != work {
		a = a.AsType(work)
	}
	in := a.Grid()
	var kept []int
	grid := chunk.Grid{}
	count := int64(1)
	for i, x := range in.Axes {
		if slices.Contains(j.axes, i) {
			count *= x.Len
			continue
		}
		kept = append(kept, i)
		grid.Axes = append(grid.Axes, x)
	}
	var whole kernels.AxisSet
	add := func(n int64) {
		whole |= kernels.Axes(len(grid.Axes))
		grid.Axes = append(grid.Axes, chunk.Axis{Len: n, Step: max(n, 1)})
	}
	if j.ids != nil {
		add(j.groups)
	}
	add(int64(len(j.q)))
	for _, x := range grid.Axes {
		grid.Shape = append(grid.Shape, x.Len)
	}
	if grid.Shape == nil {
		grid.Shape = chunk.Shape{}
	}
	members := j.members(count)
	shape := in.Shape
	arg := graph.OpaqueArg{
		Key:   j.key(),
		Whole: whole,
		Need: func(_ int, out chunk.Region) chunk.Region {
			r := chunk.Whole(shape)
			for k, i := range kept {
				r.Lo[i], r.Hi[i] = out.Lo[k], out.Hi[k]
			}
			return r
		},
		Scratch: func(chunk.Shape) int64 {
			item := int64(work.Size())
			return panelLines(count, item)*(count*item+16) + 16*(count+16)
		},
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			if work == dtype.Float32 {
				ranks32.fold(&j, c.Out, c.In[0], kept, members)
			} else {
				ranks64.fold(&j, c.Out, c.In[0], kept, members)
			}
			return nil
		},
	}
	return Array{here().Opaque(arg, dtype.Float64, grid, a.Node())}
}

// key identifies the function a job is.
func (j quantileJob) key() string {
	h := sha256.New()
	var b [4]byte
	for _, id := range j.ids {
		binary.LittleEndian.PutUint32(b[:], uint32(id))
		h.Write(b[:])
	}
	return fmt.Sprintf("quantile axes=%v q=%v middle=%v skip=%v groups=%d ids=%x", j.axes, j.q, j.middle, j.skip, j.groups, h.Sum(nil))
}

// members returns the positions of each group.
func (j quantileJob) members(count int64) [][]int32 {
	if j.ids == nil {
		all := make([]int32, count)
		for i := range all {
			all[i] = int32(i)
		}
		return [][]int32{all}
	}
	out := make([][]int32, j.groups)
	for i, id := range j.ids {
		if id >= 0 {
			out[id] = append(out[id], int32(i))
		}
	}
	return out
}

// Quantile returns the quantiles q over dims, all when none is named, NaN left out unless o.KeepNaN. With isList they
// are a new first dimension "quantile", else a scalar coordinate.
func (v Variable) Quantile(q []float64, isList bool, o Reduction, dims ...string) Variable {
	out := v.quantile(q, isList, o, dims)
	if out.Err() != nil {
		return out
	}
	out.coords = slices.Clone(out.coords)
	if isList {
		out.dims = append([]string{"quantile"}, out.dims...)
		out.coords = append(out.coords, newCoord("quantile", []string{"quantile"}, nil, floatLabels(slices.Clone(q))))
		return out
	}
	out.coords = append(out.coords, scalarCoord("quantile", q[0]))
	return out
}

// MedianOf returns the median over dims, all when none is named, NaN left out unless o.KeepNaN.
func (v Variable) MedianOf(o Reduction, dims ...string) Variable {
	out := v.quantile([]float64{0.5}, false, o, dims)
	if out.Err() == nil {
		_, axes, _ := v.reduced("median", o, dims)
		out.array = v.array.Median(QuantileOptions{Axes: axes, KeepDims: o.KeepDims, SkipNaN: !o.KeepNaN})
	}
	if out.Err() == nil && len(dims) > 0 {
		out.attrs = appendCellMethod(out.attrs, dims, "median")
	}
	return out
}

// Median returns the median over dims, all when none is named; NaN is left out.
func (v Variable) Median(dims ...string) Variable { return v.MedianOf(Reduction{}, dims...) }

func (v Variable) quantile(q []float64, isList bool, o Reduction, dims []string) Variable {
	if v.Err() != nil {
		return v
	}
	gone, axes, bad := v.reduced("quantile", o, dims)
	if bad != nil {
		return *bad
	}
	out := v
	out.array = v.array.Quantile(q, isList, QuantileOptions{Axes: axes, KeepDims: o.KeepDims, SkipNaN: !o.KeepNaN})
	out.host, out.values = nil, nil
	out.coords = dropCoords(v.coords, gone)
	if !o.KeepDims {
		out.dims = without(v.dims, gone...)
	}
	return out
}
