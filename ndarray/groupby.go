// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
)

// GroupBy is a variable whose positions are sorted into groups. Reductions give one result for
// each group; Op broadcasts an operand with a dimension of groups back.
type GroupBy struct {
	v      Variable
	name   string   // of the dimension of groups
	dims   []string // the dimensions that the labels run along
	labels *Labels  // of the groups, ascending
	attrs  formats.Attrs
	bounds *Labels   // edges of bins, nil otherwise
	keys   *Labels   // the label of each position, row-major over dims
	ids    []int32   // the group of each position, -1 for none
	empty  []bool    // groups without positions; nil where there are none
	failed *Variable // carries the error

	resampled bool // groups are periods of the dimension, which keeps its name
}

// GroupBy sorts v's positions into groups by key: a part of a time coordinate ("time.month", "time.season",
// "time.year", "time.dayofyear", "time.day", "time.hour"), or a coordinate of any dimensions by its name. Groups are the sorted labels
// that are present. The values of the key are read if they are not in memory.
func (v Variable) GroupBy(key string) GroupBy {
	if v.Err() != nil {
		return GroupBy{failed: &v}
	}
	if i := strings.LastIndexByte(key, '.'); i > 0 && v.CoordOf(key) == nil {
		c := v.CoordOf(key[:i])
		if c == nil {
			return v.noGroups("ndarray: groupby: %s has no coordinate %q; it has %s", v.label(), key[:i], quoted(v.Coords()))
		}
		if len(c.dims) == 0 {
			return v.noGroups("ndarray: groupby: %q is a scalar in %s: there is nothing to group", c.name, v.label())
		}
		l, err := c.timeLabels(key[i+1:])
		if err != nil {
			bad := v.failed(Failed(err, string(here())))
			return GroupBy{failed: &bad}
		}
		return v.groups(key[i+1:], c.dims, l, nil)
	}
	c := v.CoordOf(key)
	if c == nil {
		return v.noGroups("ndarray: groupby: %s has no coordinate %q; it has %s", v.label(), key, quoted(v.Coords()))
	}
	return v.groupByCoord(c)
}

// GroupByValues sorts v's positions into groups by the values of another variable, whose dimensions v
// has. They must be in a file or in memory; they are read now.
func (v Variable) GroupByValues(key Variable) GroupBy {
	if v.Err() != nil {
		return GroupBy{failed: &v}
	}
	if key.Err() != nil {
		return GroupBy{failed: &key}
	}
	return v.groupByCoord(key.keyCoord())
}

// keyCoord returns the variable as a coordinate whose values can be read.
func (v Variable) keyCoord() *Coord {
	c := v.asCoord()
	if c.name == "" {
		c.name = "group"
	}
	switch {
	case c.host != nil:
	case v.values != nil && v.values.node == v.array.Node():
		c.load = v.values.load
	default:
		c.load = func() (*Labels, error) {
			vals, err := v.array.hostRead()
			if vals == nil || err != nil {
				return nil, err
			}
			return constLabels(vals, v.array.DType(), v.array.Shape()), nil
		}
	}
	return c
}

// groupByCoord groups by the values of a coordinate.
func (v Variable) groupByCoord(c *Coord) GroupBy {
	l, err := c.read()
	if err != nil {
		bad := v.failed(Failed(fmt.Errorf("ndarray: groupby: read %q: %w", c.name, err), string(here())))
		return GroupBy{failed: &bad}
	}
	if l == nil {
		return v.noGroups("ndarray: groupby: the labels %q are the result of a computation; group by values of a file: store them first", c.name)
	}
	for i, d := range c.dims {
		if n := v.dimLen(d); n != c.shape()[i] {
			return v.noGroups("ndarray: groupby: dimension %q of the labels %q has length %d, in %s it has %d", d, c.name, c.shape()[i], v.label(), n)
		}
	}
	return v.groups(c.name, c.dims, l, c.attrs)
}

func (v Variable) noGroups(format string, args ...any) GroupBy {
	bad := v.fail(format, args...)
	return GroupBy{failed: &bad}
}

// groups sorts the labels into groups.
func (v Variable) groups(name string, dims []string, keys *Labels, attrs formats.Attrs) GroupBy {
	g := GroupBy{v: v, name: name, dims: dims, keys: keys, attrs: attrs}
	n := keys.Len()
	// first holds the position at which a label was seen first.
	first := map[any]int{}
	var order []int
	for i := range n {
		if keys.isMissing(i) {
			continue
		}
		k := keys.key(i)
		if _, ok := first[k]; !ok {
			first[k] = i
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		if keys.Str != nil {
			return cmp.Compare(keys.Str[a], keys.Str[b])
		}
		return cmp.Compare(keys.Number(a), keys.Number(b))
	})
	if len(order) == 0 {
		return v.noGroups("ndarray: groupby: %q has no labels", name)
	}
	if len(order) > math.MaxInt32 {
		return v.noGroups("ndarray: groupby: %q has %d groups, want fewer than %d", name, len(order), math.MaxInt32)
	}
	group := make(map[any]int32, len(order))
	pick := make([]int64, len(order))
	for k, i := range order {
		group[keys.key(i)] = int32(k)
		pick[k] = int64(i)
	}
	flat := *keys
	flat.Shape = chunk.Shape{int64(n)}
	g.labels = flat.Take(0, pick)
	if g.labels.Str == nil && !g.labels.DType.IsFloat() {
		g.labels.DType = dtype.Int64
	}
	g.ids = make([]int32, n)
	for i := range n {
		g.ids[i] = -1
		if !keys.isMissing(i) {
			g.ids[i] = group[keys.key(i)]
		}
	}
	return g
}

// isMissing reports whether value i is NaN.
func (l *Labels) isMissing(i int) bool { return l.Float != nil && l.Float[i] != l.Float[i] }

// Err returns why the groups could not be formed, nil when they could.
func (g GroupBy) Err() error {
	if g.failed != nil {
		return g.failed.Err()
	}
	return nil
}

// Variable returns the variable that is grouped, or the one with the error.
func (g GroupBy) Variable() Variable {
	if g.failed != nil {
		return *g.failed
	}
	return g.v
}

// Labels returns the labels of the groups.
func (g GroupBy) Labels() *Labels { return g.labels }

// Reduce returns the reduction of the kernels table in each group, over the grouped dimensions and others
// that are named. The dimension of groups takes the grouped one's place; labels of several dimensions make it the last.
// NaN is left out unless o.KeepNaN. Bins without elements give NaN, a count of 0.
func (g GroupBy) Reduce(op string, o Reduction, dims ...string) Variable {
	if g.failed != nil {
		return *g.failed
	}
	v := g.v
	r, ok := kernels.ReductionByName(op)
	if !ok {
		return v.fail("ndarray: groupby: %q is not a reduction", op)
	}
	if strings.HasSuffix(r.Name, "argmin") || strings.HasSuffix(r.Name, "argmax") {
		return v.fail("ndarray: groupby: %s of groups is not defined: positions inside groups; use min or max", op)
	}
	if !o.KeepNaN && !r.SkipNaN && v.DType().IsFloat() {
		r = r.TwinOf()
	}
	gone, axes, place, bad := g.fold(op, o, dims)
	if bad != nil {
		return *bad
	}
	n := int64(g.labels.Len())
	fill := g.empty != nil && !countsOrTruth[r.Name]
	if fill && !v.DType().IsFloat() && !v.DType().IsComplex() {
		g.v = v.AsType(dtype.Float64)
	}
	res := g.inRuns(16, place, func(g GroupBy) Array {
		a, n := g.v.array, int64(g.labels.Len())
		if len(axes) == 1 && len(g.dims) == 1 {
			return a.GroupReduce(r.Name, axes[0], g.ids, n, ReduceOptions{DDof: o.DDof})
		}
		return a.GroupReduceBy(r.Name, g.idArray(), n, ReduceOptions{Axes: axes, DDof: o.DDof}).MoveAxis(0, place)
	})
	if fill {
		mask := make([]bool, n)
		copy(mask, g.empty)
		shape := make([]int64, res.Rank()-place)
		for i := range shape {
			shape[i] = 1
		}
		shape[0] = n
		res = Where(FromSlice(mask, shape...), nan, res)
	}
	methods := dims
	if len(g.dims) == 1 {
		methods = append([]string{g.dims[0]}, without(dims, g.dims[0])...)
	}
	out := g.result(res, gone, place)
	out.attrs = reducedAttrs(v.attrs, r, methods)
	return out
}

// countsOrTruth are the reductions that have a value for bins without elements.
var countsOrTruth = map[string]bool{"count": true, "count_nonzero": true, "any": true, "all": true}

// fold returns the dimensions that go, their axes and the place of the dimension of groups in the result.
func (g GroupBy) fold(op string, o Reduction, dims []string) (gone []string, axes []int, place int, bad *Variable) {
	more := Reduction{Axes: []int{}}
	more.Axes = append(more.Axes, o.Axes...)
	gone, axes, bad = g.v.reduced(op, more, slices.Concat(g.dims, without(dims, append(g.dims, g.name)...)))
	if bad != nil {
		return nil, nil, 0, bad
	}
	place = len(g.v.dims) - len(axes)
	if len(g.dims) == 1 {
		place = 0
		for i := range g.v.axis(g.dims[0]) {
			if !slices.Contains(axes, i) {
				place++
			}
		}
	}
	return gone, axes, place, nil
}

// idArray returns the group ids as an array with an axis for each of v's dimensions.
func (g GroupBy) idArray() Array {
	shape := make([]int64, len(g.v.dims))
	for i := range shape {
		shape[i] = 1
	}
	var order []int
	var own []int64
	for _, d := range g.dims {
		own = append(own, g.v.dimLen(d))
	}
	for i, d := range g.v.dims {
		if k := slices.Index(g.dims, d); k >= 0 {
			shape[i] = own[k]
			order = append(order, k)
		}
	}
	a := FromSlice(g.ids, own...)
	if !slices.IsSorted(order) {
		a = a.Transpose(order...)
	}
	return a.Reshape(shape...)
}

// result returns the variable of reduced values: the dimension of groups stands at place.
func (g GroupBy) result(a Array, gone []string, place int) Variable {
	out := g.v
	out.array, out.host, out.values = a, nil, nil
	out.dims = slices.Insert(without(g.v.dims, gone...), place, g.name)
	out.unlimited = without(g.v.unlimited, gone...)
	if g.resampled && slices.Contains(g.v.unlimited, g.name) {
		out.unlimited = append(out.unlimited, g.name)
	}
	out.coords = slices.DeleteFunc(dropCoords(g.v.coords, gone), func(c *Coord) bool { return c.name == g.name })
	c := newCoord(g.name, []string{g.name}, g.attrs.Without("bounds", "climatology"), g.labels)
	if g.bounds != nil {
		c.attrs = c.attrs.With("bounds", g.name+"_bnds")
		c.bounds = newCoord(g.name+"_bnds", []string{g.name, "bnds"}, nil, g.bounds)
	}
	out.coords = append(out.coords, c)
	return out
}

// Quantile returns the quantiles of each group, NaN left out; with isList they are a new last dimension "quantile".
func (g GroupBy) Quantile(q []float64, isList bool, o Reduction, dims ...string) Variable {
	return g.quantiles(quantileJob{q: q}, isList, o, dims)
}

// quantiles is Quantile and MedianOf.
func (g GroupBy) quantiles(job quantileJob, isList bool, o Reduction, dims []string) Variable {
	q := job.q
	if g.failed != nil {
		return *g.failed
	}
	gone, axes, place, bad := g.fold("quantile", o, dims)
	if bad != nil {
		return *bad
	}
	if !isList && len(q) != 1 {
		return g.v.fail("ndarray: quantile: got %d quantiles, want one number or a list", len(q))
	}
	rank := len(g.v.dims) - len(axes) + 2
	a := g.inRuns(8*int64(len(g.ids))/int64(g.labels.Len()), place, func(g GroupBy) Array {
		job := job
		job.axes, job.ids, job.groups, job.skip = axes, g.spreadIDs(axes), int64(g.labels.Len()), !o.KeepNaN
		return g.v.array.quantiles(job).MoveAxis(rank-2, place)
	})
	if a.Err() != nil {
		return g.v.failed(a)
	}
	out := g.result(a, gone, place)
	if isList {
		out.dims = append(out.dims, "quantile")
		out.coords = append(out.coords, newCoord("quantile", []string{"quantile"}, nil, floatLabels(slices.Clone(q))))
		return out
	}
	out.array = a.Squeeze(rank - 1)
	if dt := g.v.DType(); dt.IsFloat() && dt.Size() < 8 {
		out.array = out.array.AsType(dt)
	}
	out.coords = append(out.coords, scalarCoord("quantile", q[0]))
	return out
}

// scalarCoord returns a coordinate of one number.
func scalarCoord(name string, x float64) *Coord {
	return newCoord(name, nil, nil, &Labels{DType: dtype.Float64, Shape: chunk.Shape{}, Float: []float64{x}})
}

// spreadIDs returns the group of every position over axes, row-major.
func (g GroupBy) spreadIDs(axes []int) []int32 {
	shape := g.v.Shape()
	total := int64(1)
	for _, x := range axes {
		total *= shape[x]
	}
	strides := make([]int64, len(axes)) // of g.ids along each axis
	own := int64(1)
	for i := len(g.dims) - 1; i >= 0; i-- {
		if k := slices.Index(axes, g.v.axis(g.dims[i])); k >= 0 {
			strides[k] = own
		}
		own *= g.v.dimLen(g.dims[i])
	}
	out := make([]int32, total)
	for i := range out {
		rest, at := int64(i), int64(0)
		for k := len(axes) - 1; k >= 0; k-- {
			n := shape[axes[k]]
			at += rest % n * strides[k]
			rest /= n
		}
		out[i] = g.ids[at]
	}
	return out
}

// Median returns the median of each group, NaN left out.
func (g GroupBy) Median(dims ...string) Variable { return g.MedianOf(Reduction{}, dims...) }

// MedianOf returns the median of each group, NaN left out unless o.KeepNaN.
func (g GroupBy) MedianOf(o Reduction, dims ...string) Variable {
	out := g.quantiles(quantileJob{q: []float64{0.5}, middle: true}, false, o, dims)
	if out.Err() != nil {
		return out
	}
	if len(g.dims) == 1 {
		dims = append([]string{g.dims[0]}, without(dims, g.dims[0])...)
	}
	if len(dims) > 0 {
		out.attrs = appendCellMethod(out.attrs, dims, "median")
	}
	out.coords = slices.DeleteFunc(slices.Clone(out.coords), func(c *Coord) bool { return c.name == "quantile" })
	return out
}

// Sum returns the sum of each group.
func (g GroupBy) Sum(dims ...string) Variable { return g.Reduce("sum", Reduction{}, dims...) }

// Mean returns the mean of each group.
func (g GroupBy) Mean(dims ...string) Variable { return g.Reduce("mean", Reduction{}, dims...) }

// Min returns the smallest value of each group.
func (g GroupBy) Min(dims ...string) Variable { return g.Reduce("min", Reduction{}, dims...) }

// Max returns the largest value of each group.
func (g GroupBy) Max(dims ...string) Variable { return g.Reduce("max", Reduction{}, dims...) }

// Std returns the standard deviation of each group, divided by its count.
func (g GroupBy) Std(dims ...string) Variable { return g.Reduce("std", Reduction{}, dims...) }

// Var returns the variance of each group, divided by its count.
func (g GroupBy) Var(dims ...string) Variable { return g.Reduce("var", Reduction{}, dims...) }

// Count returns the number of values of each group that are not missing.
func (g GroupBy) Count(dims ...string) Variable { return g.Reduce("count", Reduction{}, dims...) }

// First returns the first value of each group that is not missing.
func (g GroupBy) First() Variable { return g.Reduce("first", Reduction{}) }

// Last returns the last value of each group that is not missing.
func (g GroupBy) Last() Variable { return g.Reduce("last", Reduction{}) }

// Op returns op of v and x, where x's dimension of groups is looked up through the labels of v's
// positions: g.Op("subtract", clim) is the anomaly. A label that x lacks gives NaN; no coordinate is added.
func (g GroupBy) Op(op string, x any) Variable {
	if g.failed != nil {
		return *g.failed
	}
	if g.resampled {
		return g.v.fail("ndarray: resample: %s of periods and %s is not defined; reduce the periods first", op, g.name)
	}
	c, ok := x.(Variable)
	if !ok || c.Err() != nil || c.axis(g.name) < 0 || len(g.dims) == 1 && g.dims[0] == g.name {
		return Elementwise(op, g.v, x)
	}
	if len(g.dims) != 1 {
		return g.v.fail("ndarray: groupby: labels of %d dimensions cannot be broadcast back; want one", len(g.dims))
	}
	k := c.CoordOf(g.name)
	if k == nil || k.host == nil {
		return g.v.fail("ndarray: groupby: dimension %q of %s has no labels", g.name, c.label())
	}
	at := map[any]int64{}
	for i := range k.host.Len() {
		at[k.host.key(i)] = int64(i)
	}
	ids := make([]int64, len(g.ids))
	for i, id := range g.ids {
		ids[i] = -1
		if id < 0 {
			continue
		}
		if p, ok := at[g.labels.key(int(id))]; ok {
			ids[i] = p
		}
	}
	c = c.take(g.name, ids)
	c.coords = slices.DeleteFunc(slices.Clone(c.coords), func(k *Coord) bool { return k.name == g.name || slices.Contains(k.dims, g.name) })
	c.dims = slices.Clone(c.dims)
	c.dims[c.axis(g.name)] = g.dims[0]
	return Elementwise(op, g.v, c)
}
