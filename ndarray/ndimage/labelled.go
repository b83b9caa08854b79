// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"crypto/sha256"
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// ByLabels says which elements of an array belong together, as labels= and index= do in SciPy. The zero value is all of them, and a result of one group has no axis for groups.
type ByLabels struct {
	Labels *ndarray.Array // integers or bool, which broadcast with the array; nil: all elements are one group
	Index  []int64        // the labels that are asked for; nil: elements with labels above 0 are one group
	Shape  chunk.Shape    // of Index and of results; nil: a list. An empty one: a single label
}

// labelled is one call of a function by labels.
type labelled struct {
	fn    string
	array ndarray.Array
	by    ByLabels
	group grouping
	shape chunk.Shape // of the groups
	err   error
}

// newLabelled checks the operands of a function.
func newLabelled(fn string, a ndarray.Array, by ByLabels) *labelled {
	l := &labelled{fn: fn, array: a, by: by, shape: chunk.Shape{}}
	fail := func(format string, args ...any) *labelled {
		l.err = fmt.Errorf("ndimage: %s: %w", fn, fmt.Errorf(format, args...))
		return l
	}
	if a.Err() != nil {
		l.err = a.Err()
		return l
	}
	if dt := a.DType(); !dt.IsNumeric() || dt.IsComplex() {
		return fail("operand: got %v, want real numbers: %w", dt, dtype.ErrPromote)
	}
	if by.Labels == nil {
		if by.Index != nil {
			return fail("index: got labels to look for, but no array of labels")
		}
		l.group = grouping{alone: true}
		return l
	}
	if by.Labels.Err() != nil {
		l.err = by.Labels.Err()
		return l
	}
	if d := by.Labels.DType(); !d.IsInteger() && d != dtype.Bool {
		return fail("labels: got %v, want integers: %w", d, dtype.ErrPromote)
	}
	both := ndarray.Broadcast(a, *by.Labels)
	for _, x := range both {
		if x.Err() != nil {
			return fail("labels: %w", x.Err())
		}
	}
	l.array, l.by.Labels = both[0], &both[1]
	if by.Index == nil {
		l.group = grouping{one: true}
		return l
	}
	l.shape = by.Shape
	if l.shape == nil {
		l.shape = chunk.Shape{int64(len(by.Index))}
	}
	if l.shape.Size() != int64(len(by.Index)) {
		return fail("index: got %d labels for shape %v: %w", len(by.Index), l.shape, chunk.ErrShape)
	}
	l.group.index = slices.Compact(slices.Sorted(slices.Values(by.Index)))
	if l.group.index == nil {
		l.group.index = []int64{}
	}
	return l
}

// single reports whether the result is of one group, which then must not be empty.
func (l *labelled) single() bool { return len(l.shape) == 0 }

// rows returns the row of each group that is asked for, -1 where there is no element of it.
func (l *labelled) rows(g *groups) []int {
	index := l.by.Index
	if l.group.alone || l.group.one {
		index = []int64{1}
	}
	out := make([]int, len(index))
	for i, label := range index {
		out[i] = g.of(label)
	}
	return out
}

// result returns what build makes of the rows of groups, of dtype dt and the shape of the groups with more axes of given lengths behind. key tells results of the function apart.
func (l *labelled) result(key string, want wants, dt dtype.DType, more chunk.Shape, build func(g *groups, im image, rows []int) ndarray.Array) ndarray.Array {
	if l.err != nil {
		return failed(l.err)
	}
	images, err := measurable([]ndarray.Array{l.array})
	if err != nil {
		return failed(fmt.Errorf("ndimage: %s: %w", l.fn, err))
	}
	shape := append(l.shape.Clone(), more...)
	key = fmt.Sprintf("%s %s of %s shape=%v", l.fn, key, indexKey(l.by.Index), shape)
	grid := chunk.DefaultGrid(shape, max(dt.Size(), 1))
	return groupsOf(key, want, l.group, l.by.Labels, images, dt, grid, func(g *groups) ndarray.Array {
		out := build(g, g.images[0], l.rows(g))
		if out.Err() == nil {
			out = out.Reshape(shape...).AsType(dt)
		}
		return out
	})
}

// indexKey tells lists of labels apart.
func indexKey(index []int64) string {
	if len(index) <= 16 {
		return fmt.Sprint(index)
	}
	h := sha256.New()
	for _, label := range index {
		fmt.Fprintf(h, "%d ", label)
	}
	return fmt.Sprintf("%d labels %x", len(index), h.Sum(nil))
}

// floats returns a result of float64, one number for each row, of being absent where there is none.
func (l *labelled) floats(want wants, absent float64, of func(g *groups, im image, row int) float64) ndarray.Array {
	return l.result("", want, dtype.Float64, nil, func(g *groups, im image, rows []int) ndarray.Array {
		out := make([]float64, len(rows))
		for i, row := range rows {
			out[i] = absent
			if row >= 0 {
				out[i] = of(g, im, row)
			}
		}
		return ndarray.FromSlice(out)
	})
}

// SumLabels returns the sum of the elements of each group: scipy.ndimage.sum_labels. Sums of a list of labels are float64, rounded once; that of one group has the dtype of Sum, int64
// and uint64 wrapping. The sum of no elements is 0.
func SumLabels(a ndarray.Array, by ByLabels) ndarray.Array {
	l := newLabelled("sum_labels", a, by)
	if l.err == nil && l.single() {
		whole := l.array.Sum()
		if whole.Err() != nil {
			return whole
		}
		dt := whole.DType()
		return l.result("", wants{sum: true}, dt, nil, func(_ *groups, im image, rows []int) ndarray.Array {
			switch {
			case dt.IsFloat() && rows[0] >= 0:
				return ndarray.Scalar(im.total(rows[0]))
			case rows[0] >= 0 && dt == dtype.Uint64:
				return ndarray.Scalar(im.wrapped(rows[0]))
			case rows[0] >= 0:
				return ndarray.Scalar(int64(im.wrapped(rows[0])))
			}
			return ndarray.Zeros(nil, dt)
		})
	}
	return l.floats(wants{sum: true}, 0, func(_ *groups, im image, row int) float64 { return im.total(row) })
}

// MeanLabels returns the mean of the elements of each group, float64; NaN of none: scipy.ndimage.mean.
func MeanLabels(a ndarray.Array, by ByLabels) ndarray.Array {
	return newLabelled("mean", a, by).floats(wants{sum: true}, math.NaN(), func(g *groups, im image, row int) float64 { return im.total(row) / float64(g.count[row]) })
}

// VarianceLabels returns the variance of the elements of each group, float64, rounded once; NaN of none: scipy.ndimage.variance.
func VarianceLabels(a ndarray.Array, by ByLabels) ndarray.Array {
	return newLabelled("variance", a, by).floats(wants{sum: true, squares: true}, math.NaN(), func(g *groups, im image, row int) float64 { return im.variance(row, g.count[row]) })
}

// StandardDeviationLabels returns the square roots of VarianceLabels: scipy.ndimage.standard_deviation.
func StandardDeviationLabels(a ndarray.Array, by ByLabels) ndarray.Array {
	return newLabelled("standard_deviation", a, by).floats(wants{sum: true, squares: true}, math.NaN(), func(g *groups, im image, row int) float64 {
		return math.Sqrt(im.variance(row, g.count[row]))
	})
}

// MedianLabels returns the median of the elements of each group, float64, or float32 of float32; NaN of none and where one is NaN: scipy.ndimage.median, but for
// labels that do not occur. All elements of the groups must fit a quarter of the engine's budget.
func MedianLabels(a ndarray.Array, by ByLabels) ndarray.Array {
	out := newLabelled("median", a, by).floats(wants{values: true}, math.NaN(), func(_ *groups, im image, row int) float64 { return im.median(row) })
	if out.Err() == nil && a.DType().IsFloat() {
		out = out.AsType(a.DType())
	}
	return out
}

// MinimumLabels returns the smallest element of each group, of a's dtype: scipy.ndimage.minimum. Of a list of labels NaN are left out, as SciPy sorts them last, and it
// is 0 where there is no element; one group gives NaN where one element is, and no elements are an error of the run.
func MinimumLabels(a ndarray.Array, by ByLabels) ndarray.Array {
	return newLabelled("minimum", a, by).extremes(false)
}

// MaximumLabels returns the largest element of each group, of a's dtype, NaN where one element is: scipy.ndimage.maximum. It is 0 where there is no element of a
// label in a list; of one group that is an error of the run.
func MaximumLabels(a ndarray.Array, by ByLabels) ndarray.Array {
	return newLabelled("maximum", a, by).extremes(true)
}

func (l *labelled) extremes(largest bool) ndarray.Array {
	return l.result("", wants{extremes: true}, l.array.DType(), nil, func(_ *groups, im image, rows []int) ndarray.Array {
		if err := l.empty(rows); err != nil {
			return failed(err)
		}
		return im.extremes(rows, largest, largest || l.single())
	})
}

// empty returns an error for a single group without elements.
func (l *labelled) empty(rows []int) error {
	if l.single() && rows[0] < 0 {
		return fmt.Errorf("ndimage: %s: there is no element with such a label", l.fn)
	}
	return nil
}

// MinimumPosition returns where the first of the smallest elements of each group is: int64, a last axis of a's rank. It is 0 where MinimumLabels is for want of elements:
// scipy.ndimage.minimum_position.
func MinimumPosition(a ndarray.Array, by ByLabels) ndarray.Array {
	return newLabelled("minimum_position", a, by).positions(false)
}

// MaximumPosition returns where the first of the largest elements of each group is, or the first NaN: scipy.ndimage.maximum_position, as MinimumPosition.
func MaximumPosition(a ndarray.Array, by ByLabels) ndarray.Array {
	return newLabelled("maximum_position", a, by).positions(true)
}

func (l *labelled) positions(largest bool) ndarray.Array {
	rank := int64(l.array.Rank())
	return l.result("", wants{extremes: true}, dtype.Int64, chunk.Shape{rank}, func(g *groups, im image, rows []int) ndarray.Array {
		if err := l.empty(rows); err != nil {
			return failed(err)
		}
		out := make([]int64, 0, int64(len(rows))*rank)
		for _, row := range rows {
			at := int64(0)
			if row >= 0 {
				if _, at = im.extreme(row, largest); at < 0 || im.missing(row) >= 0 && (largest || l.single()) {
					at = im.missing(row)
				}
			}
			for _, s := range g.strides {
				out = append(out, at/max(s, 1))
				at %= max(s, 1)
			}
		}
		return ndarray.FromSlice(out)
	})
}

// ExtremaLabels returns MinimumLabels, MaximumLabels, MinimumPosition and MaximumPosition, found out in one sweep: scipy.ndimage.extrema.
func ExtremaLabels(a ndarray.Array, by ByLabels) (lo, hi, loAt, hiAt ndarray.Array) {
	return MinimumLabels(a, by), MaximumLabels(a, by), MinimumPosition(a, by), MaximumPosition(a, by)
}

// CenterOfMass returns the mean of the positions of the elements of each group, weighted by the elements: float64, a last axis of a's rank, NaN of no elements:
// scipy.ndimage.center_of_mass.
func CenterOfMass(a ndarray.Array, by ByLabels) ndarray.Array {
	l := newLabelled("center_of_mass", a, by)
	rank := a.Rank()
	return l.result("", wants{sum: true, weighted: true}, dtype.Float64, chunk.Shape{int64(rank)}, func(_ *groups, im image, rows []int) ndarray.Array {
		out := make([]float64, 0, len(rows)*rank)
		for _, row := range rows {
			for k := range rank {
				if row < 0 {
					out = append(out, math.NaN())
				} else {
					out = append(out, im.moment(row, k)/im.total(row))
				}
			}
		}
		return ndarray.FromSlice(out)
	})
}

// mostBins bounds the bins of HistogramLabels.
const mostBins = 1 << 24

// HistogramLabels returns how many elements of each group lie in each of bins of one width from lo to hi, the last of which holds hi: int64, a last axis of bins. NaN and
// elements beyond are left out: scipy.ndimage.histogram, but for labels that do not occur, which have counts of 0. All elements of the groups must fit a quarter of the
// engine's budget.
func HistogramLabels(a ndarray.Array, lo, hi float64, bins int64, by ByLabels) ndarray.Array {
	l := newLabelled("histogram", a, by)
	if l.err == nil && !(lo <= hi && !math.IsInf(lo, 0) && !math.IsInf(hi, 0)) {
		l.err = fmt.Errorf("ndimage: histogram: got a range from %v to %v, want two finite numbers that ascend", lo, hi)
	}
	if l.err == nil && (bins < 1 || bins > mostBins) {
		l.err = fmt.Errorf("ndimage: histogram: bins: got %d, want 1 to %d", bins, mostBins)
	}
	if l.err != nil {
		return failed(l.err)
	}
	edges := make([]float64, bins+1)
	step := (hi - lo) / float64(bins)
	for i := range edges {
		edges[i] = float64(float64(i)*step) + lo
	}
	edges[bins] = hi
	return l.result(fmt.Sprint(lo, hi, bins), wants{values: true}, dtype.Int64, chunk.Shape{bins}, func(_ *groups, im image, rows []int) ndarray.Array {
		out := make([]int64, int64(len(rows))*bins)
		for i, row := range rows {
			if row >= 0 {
				im.histogram(row, edges, out[int64(i)*bins:][:bins])
			}
		}
		return ndarray.FromSlice(out)
	})
}

// FindObjects returns the box around each label from 1 to most: int64 of shape (most, rank, 2), the first position along each axis and the one after the last. A label
// that does not occur has an empty box, from 0 to 0. With most 0 it is the largest label, and the length of the result is known after a run: scipy.ndimage.find_objects.
func FindObjects(labels ndarray.Array, most int64) ndarray.Array {
	if labels.Err() != nil {
		return labels
	}
	rank := int64(labels.Rank())
	switch {
	case !labels.DType().IsInteger():
		return failed(fmt.Errorf("ndimage: find_objects: got %v, want integers: %w", labels.DType(), dtype.ErrPromote))
	case most < 0 || most > math.MaxInt32:
		return failed(fmt.Errorf("ndimage: find_objects: max_label: got %d, want 0 to %d", most, math.MaxInt32))
	case rank == 0:
		return failed(fmt.Errorf("ndimage: find_objects: got rank 0, want one axis at least: %w", chunk.ErrShape))
	}
	grid := chunk.DefaultGrid(chunk.Shape{most, rank, 2}, 8)
	if most == 0 {
		grid = chunk.Grid{Shape: chunk.Shape{-1, rank, 2}, Axes: []chunk.Axis{{Len: -1, Step: 1}, {Len: rank, Step: rank}, {Len: 2, Step: 2}}}
	}
	return groupsOf(fmt.Sprintf("find_objects %d", most), wants{}, grouping{}, &labels, nil, dtype.Int64, grid, func(g *groups) ndarray.Array {
		n := most
		if n == 0 && len(g.order) > 0 {
			n = g.labels[g.order[len(g.order)-1]]
		}
		if n > math.MaxInt32 {
			return failed(fmt.Errorf("ndimage: find_objects: got label %d, want at most %d; regionprops_table lists the boxes of the labels that there are", n, math.MaxInt32))
		}
		out := make([]int64, n*rank*2)
		for _, row := range g.order {
			label := g.labels[row]
			if label > n {
				break
			}
			for k := range rank {
				box := g.box[int64(row)*2*rank:]
				out[((label-1)*rank+k)*2], out[((label-1)*rank+k)*2+1] = box[k], box[rank+k]
			}
		}
		return ndarray.FromSlice(out, n, rank, 2)
	})
}
