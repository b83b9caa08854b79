// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/ndarray/order"
)

// BinOptions say what Histogram counts.
type BinOptions struct {
	Edges   *Array      // one-dimensional edges that ascend; nil: Bins of one width
	Bins    int64       // 0 is 10
	Range   *[2]float64 // of bins of one width; nil: from the smallest to the largest element
	Weights *Array      // added in place of 1, of a's shape
	Density bool        // divide by the sum and by the widths of the bins
}

// Histogram returns how many elements of a lie in each bin, and the edges of the bins, one more than these. Bin i holds edges[i] <= x < edges[i+1], the
// last one its right edge too; what lies in none, NaN among it, is left out.
//
// Counts are int64, sums of weights have the weights' dtype, densities are float64 (float32 weights too). Edges of bins of one width have a's dtype
// where it is a float, else float64. Edges that do not ascend and a range that is not finite are errors of the run; other shapes, fewer bins than 1 and complex
// numbers one of the call.
func (a Array) Histogram(o BinOptions) (counts, edges Array) {
	fail := func(format string, args ...any) (Array, Array) {
		bad := failf("ndarray: histogram: "+format, args...)
		return bad, bad
	}
	if a.Err() != nil {
		return a, a
	}
	if !a.DType().IsNumeric() || a.DType().IsComplex() {
		return fail("operand: got %v, want real numbers: %w", a.DType(), dtype.ErrPromote)
	}
	if a.DType() == dtype.Bool {
		a = a.AsType(dtype.Uint8)
	}
	if w := o.Weights; w != nil {
		switch {
		case w.Err() != nil:
			return *w, *w
		case !w.Shape().Equal(a.Shape()):
			return fail("weights: got shape %v, want %v as the operand: %w", w.Shape(), a.Shape(), chunk.ErrShape)
		case !w.DType().IsNumeric() || w.DType() == dtype.Bool:
			return fail("weights: got %v, want numbers: %w", w.DType(), dtype.ErrPromote)
		}
	}
	if o.Edges == nil {
		if o.Bins == 0 {
			o.Bins = 10
		}
		if o.Bins < 1 || o.Bins > math.MaxInt32 {
			return fail("bins: got %d, want 1 to %d", o.Bins, math.MaxInt32)
		}
		edges = a.evenEdges(o)
	} else {
		edges = *o.Edges
	}
	switch {
	case edges.Err() != nil:
		return edges, edges
	case edges.Rank() != 1 || edges.Shape()[0] == 0:
		return fail("bins: got %v, want edges along one axis: %w", edges, chunk.ErrShape)
	case !edges.DType().IsNumeric() || edges.DType().IsComplex():
		return fail("bins: got %v, want real numbers: %w", edges.DType(), dtype.ErrPromote)
	}
	in := []Array{a, edges}
	dt := dtype.Int64
	if o.Weights != nil {
		in = append(in, *o.Weights)
		dt = o.Weights.DType()
	}
	grid := unknownAxis()
	if !edges.unknown() {
		grid = chunk.DefaultGrid(chunk.Shape{edges.Size() - 1}, 8)
	}
	counts = whenKnown("histogram", in, dt, grid, func(in []Array) Array {
		n := in[1].Size() - 1
		if n == 0 {
			return Zeros(chunk.Shape{0}, dt)
		}
		return sumsOf(in[0].binOf(in[1]), n, in[2:])
	})
	if o.Density && counts.Err() == nil {
		one := int64(1)
		width := Apply("subtract", edges.Index(Slice(&one, nil, nil)), edges.Index(Span(0, -1))).AsType(dtype.Float64)
		counts = Apply("divide", Apply("divide", counts, width), counts.Sum())
	}
	return counts, edges
}

// sumsOf returns how often, or with what weight, each of n groups occurs in ids.
func sumsOf(ids Array, n int64, weights []Array) Array {
	w := Array{here().Fill(ids.Grid(), kernels.Const{DType: dtype.Int64, Bits: 1}, -1)}
	if len(weights) > 0 {
		w = weights[0]
	}
	out := w.GroupReduceBy("sum", ids, n, ReduceOptions{})
	if len(weights) > 0 && out.Err() == nil {
		out = out.AsType(w.DType())
	}
	return out
}

// evenEdges returns the edges of bins of one width, as NumPy's linspace computes them.
func (a Array) evenEdges(o BinOptions) Array {
	work := a.DType()
	if !work.IsFloat() {
		work = dtype.Float64
	}
	lo, hi := 0.0, 1.0
	if o.Range != nil {
		lo, hi = o.Range[0], o.Range[1]
		if !(lo <= hi) || math.IsInf(lo, 0) || math.IsInf(hi, 0) {
			return failf("ndarray: histogram: range: got %v to %v, want two finite numbers that ascend", lo, hi)
		}
	}
	if o.Range != nil || a.Size() == 0 {
		if lo == hi {
			lo, hi = lo-0.5, hi+0.5
		}
		return checkedEdges(linear(Scalar(lo), Scalar(hi), o.Bins).AsType(work))
	}
	return checkedEdges(whenKnown(fmt.Sprintf("histogram edges %d", o.Bins), []Array{a}, work, chunk.DefaultGrid(chunk.Shape{o.Bins + 1}, 8), func(in []Array) Array {
		if in[0].Size() == 0 {
			return linear(Scalar(0.0), Scalar(1.0), o.Bins).AsType(work)
		}
		lo, hi := in[0].Min(), in[0].Max()
		same := Apply("equal", lo, hi)
		lo, hi = lo.AsType(work), hi.AsType(work)
		return linear(Where(same, Apply("subtract", lo, 0.5), lo), Where(same, Apply("add", hi, 0.5), hi), o.Bins)
	}))
}

// checkedEdges returns edges of bins of one width; those that are not finite or do not ascend are an error of the run.
func checkedEdges(edges Array) Array {
	if edges.Err() != nil {
		return edges
	}
	d, n := edges.DType(), edges.Size()
	arg := graph.OpaqueArg{
		Key:     "histogram edges",
		Whole:   kernels.Axes(0),
		Need:    func(_ int, out chunk.Region) chunk.Region { return out.Clone() },
		Scratch: func(chunk.Shape) int64 { return 16 * n },
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			if err := sorters[d].edges(d, c.In[0]); err != nil || n == 0 {
				return err
			}
			formats.CopyElems(c.Out, c.In[0])
			return nil
		},
	}
	grid := chunk.Grid{Shape: chunk.Shape{n}, Axes: []chunk.Axis{{Len: n, Step: max(n, 1)}}}
	return Array{here().Opaque(arg, d, grid, edges.Node())}
}

// linear returns n+1 numbers from lo to hi, computed in their dtype.
func linear(lo, hi Array, n int64) Array {
	d := lo.DType()
	step := Apply("divide", Apply("subtract", hi, lo), Scalar(float64(n)).AsType(d))
	at := Arange(0, n, 1, dtype.Int64).AsType(d)
	return Concat(0, Apply("add", Apply("multiply", at, step), lo), hi.Reshape(1))
}

// binOf returns the bin of each element, int32, -1 for none.
func (a Array) binOf(edges Array) Array {
	d, err := dtype.Promote(a.DType(), edges.DType())
	if err != nil {
		return failf("ndarray: histogram: %w", err)
	}
	n := edges.Size()
	arg := graph.OpaqueArg{
		Key: "histogram bins",
		Need: func(i int, out chunk.Region) chunk.Region {
			if i > 0 {
				return chunk.Whole(chunk.Shape{n})
			}
			return out.Clone()
		},
		Scratch: func(out chunk.Shape) int64 { return 2*16*n + 16*lastLen(out) },
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			if c.Out.Shape.Size() == 0 {
				return nil
			}
			return sorters[d].bins(d, c.Out, c.In[0], c.In[1])
		},
	}
	return Array{here().Opaque(arg, dtype.Int32, a.Grid(), a.AsType(d).Node(), edges.AsType(d).Node())}
}

// edgesOf returns an error for edges of bins of one width that are not finite or do not ascend.
func edgesOf[K order.Key](d dtype.DType, c *chunk.Chunk) error {
	e := order.EncoderOf[K](d, false)
	keys := make([]K, c.Shape[0])
	e.Encode(keys, chunk.Elems[K](c.Block)[c.Offset:], int(c.Strides[0]))
	for i, k := range keys {
		switch {
		case k <= e.One(e.Infinity(true)) || k >= e.One(e.Infinity(false)):
			return fmt.Errorf("the range of the elements is not finite: give one, or the edges of bins")
		case i > 0 && k <= keys[i-1]:
			return fmt.Errorf("too many bins for the range of the elements: %d of one width are not all wider than 0", len(keys)-1)
		}
	}
	return nil
}

// binLines stores the bin of each real number of in.
func binLines[K order.Key](d dtype.DType, out, in, edges *chunk.Chunk) error {
	e := order.EncoderOf[K](d, false)
	keys := make([]K, edges.Shape[0])
	e.Encode(keys, chunk.Elems[K](edges.Block)[edges.Offset:], int(edges.Strides[0]))
	for i := 1; i < len(keys); i++ {
		if keys[i] < keys[i-1] {
			return fmt.Errorf("bins must ascend: edge %d is below edge %d", i, i-1)
		}
	}
	bins, room := order.NewBins(keys), make([]K, lastLen(out.Shape))
	dst, src := chunk.Elems[int32](out.Block), chunk.Elems[K](in.Block)
	eachRow(out, in, func(to, step, at, by, n int64) {
		e.Encode(room[:n], src[at:], int(by))
		bins.Find(dst[to:], int(step), room[:n])
	})
	return nil
}

// BinCount returns how often each number from 0 on occurs in a, which is one-dimensional and holds integers of 0 or more: as many counts (int64) as the largest
// needs, at least minLength. With weights, of a's shape, it returns their sums: float64. The number of counts is known after a run.
//
// Negative numbers, and numbers of 2147483647 and more, are an error of the run; other shapes and dtypes one of the call.
func (a Array) BinCount(weights *Array, minLength int64) Array {
	const fn = "ndarray: bincount: "
	if a.Err() != nil {
		return a
	}
	switch {
	case !a.DType().IsInteger() && a.DType() != dtype.Bool:
		return failf(fn+"operand: got %v, want integers: %w", a.DType(), dtype.ErrPromote)
	case a.Rank() != 1:
		return failf(fn+"operand: got shape %v, want one axis: %w", a.Shape(), chunk.ErrShape)
	case minLength < 0 || minLength > math.MaxInt32:
		return failf(fn+"minlength: got %d, want 0 to %d", minLength, math.MaxInt32)
	}
	in, dt := []Array{a}, dtype.Int64
	if weights != nil {
		w := *weights
		if w.Err() != nil {
			return w
		}
		if !w.DType().IsNumeric() || w.DType().IsComplex() {
			return failf(fn+"weights: got %v, want real numbers: %w", w.DType(), dtype.ErrPromote)
		}
		if !w.Shape().Equal(a.Shape()) {
			return failf(fn+"weights: got shape %v, want %v as the operand: %w", w.Shape(), a.Shape(), chunk.ErrShape)
		}
		in, dt = append(in, w.AsType(dtype.Float64)), dtype.Float64
	}
	if !a.unknown() && a.Size() == 0 {
		return Zeros(chunk.Shape{minLength}, dtype.Int64) // as NumPy has it, with weights too
	}
	key := fmt.Sprintf("bincount minlength=%d", minLength)
	return whenKnown(key, in, dt, unknownAxis(), func(in []Array) Array {
		if in[0].Size() == 0 {
			return Zeros(chunk.Shape{minLength}, dt)
		}
		x := in[0]
		ends := Stack(0, x.Min().AsType(dtype.Float64), x.Max().AsType(dtype.Float64))
		return later(key+" of known length", endsPass, append([]Array{ends}, in...), dt, unknownAxis(), func(in []Array, found any) Array {
			e := found.([2]float64)
			if e[0] < 0 || e[1] >= math.MaxInt32 {
				return failf(fn+"operand: got numbers from %v to %v, want 0 to %d", e[0], e[1], math.MaxInt32-1)
			}
			return sumsOf(in[1].AsType(dtype.Int32), max(int64(e[1])+1, minLength), in[2:])
		})
	})
}

// endsPass reads two numbers.
var endsPass = &graph.Pass{Key: "ends", Begin: func(*graph.Node, int64) graph.Finder { return &endsFinder{} }}

type endsFinder struct{ ends [2]float64 }

// Add keeps the numbers.
func (f *endsFinder) Add(at chunk.Region, c *chunk.Chunk) error {
	v := chunk.View[float64](c)
	for i := range c.Shape[0] {
		f.ends[at.Lo[0]+i] = v.At(i)
	}
	return nil
}

// Found returns the numbers: [2]float64.
func (f *endsFinder) Found() (any, error) { return f.ends, nil }
