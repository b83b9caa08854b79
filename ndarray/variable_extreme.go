// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// IdxMax returns the label of the largest value along a dimension, the first of several; NaN is left out unless o.KeepNaN.
// Where all values are NaN the label is NaN. The result is named and described as the coordinate is, so that dates stay dates;
// labels of data without NaN (integers) keep their dtype, others are float64.
func (v Variable) IdxMax(dim string, o Reduction) Variable {
	return v.labelOf("argmax", dim, math.Inf(-1), o)
}

// IdxMin returns the label of the smallest value along a dimension, as IdxMax does that of the largest.
func (v Variable) IdxMin(dim string, o Reduction) Variable {
	return v.labelOf("argmin", dim, math.Inf(1), o)
}

func (v Variable) labelOf(op, dim string, worst float64, o Reduction) Variable {
	if v.Err() != nil {
		return v
	}
	what := "idx" + op[len("arg"):]
	k := v.axis(dim)
	c := v.CoordOf(dim)
	switch {
	case k < 0:
		return v.noDim(what, dim)
	case c == nil:
		return v.fail("ndarray: %s: dimension %q of %s has no labels; %s gives positions", what, dim, v.label(), op)
	}
	l, err := c.read()
	switch {
	case err != nil:
		return v.fail("ndarray: %s: read %q: %w", what, dim, err)
	case l == nil || l.Str != nil:
		return v.fail("ndarray: %s: the labels %q are not numbers at hand; %s gives positions", what, dim, op)
	case l.Len() == 0:
		return v.fail("ndarray: %s: dimension %q has length 0: got no labels, want at least 1", what, dim)
	}
	a := v.array
	floats := a.DType().IsFloat()
	if floats && !o.KeepNaN {
		// One position more, worse than all others, is what is found where there are none.
		op = "nan" + op
		gap := a.Shape().Clone()
		gap[k] = 1
		a = Concat(k, a, Full(gap, worst, a.DType()))
	}
	at := a.Reduce(op, ReduceOptions{Axes: []int{k}, KeepDims: o.KeepDims})
	dt := l.DType
	if floats && !o.KeepNaN && dt != dtype.Float32 {
		dt = dtype.Float64
	}
	out := v
	out.array, out.host, out.values = at.labels(l, dt), nil, nil
	out.name, out.attrs = c.name, c.attrs.Without("bounds", "climatology", "axis")
	out.coords = dropCoords(v.coords, []string{dim})
	if !o.KeepDims {
		out.dims = without(v.dims, dim)
		out.unlimited = without(v.unlimited, dim)
	}
	return out
}

// labels returns the labels at positions a of l, of dtype dt; NaN, where dt has one, at those beyond its end.
func (a Array) labels(l *Labels, dt dtype.DType) Array {
	if a.Err() != nil {
		return a
	}
	work := dtype.Float64
	if l.Int != nil && !dt.IsFloat() {
		work = dtype.Int64 // exact
	}
	h := sha256.New()
	var b [8]byte
	numbers := make([]float64, l.Len())
	for i := range numbers {
		numbers[i] = l.Number(i)
		bits := math.Float64bits(numbers[i])
		if l.Int != nil {
			bits = uint64(l.Int[i])
		}
		binary.LittleEndian.PutUint64(b[:], bits)
		h.Write(b[:])
	}
	arg := graph.OpaqueArg{
		Key:     fmt.Sprintf("labels %d %x", l.Len(), h.Sum(nil)),
		Need:    func(_ int, at chunk.Region) chunk.Region { return at.Clone() },
		Scratch: func(chunk.Shape) int64 { return 0 },
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			if work == dtype.Int64 {
				lookUpAll(c.Out, c.In[0], l.Int, 0)
			} else {
				lookUpAll(c.Out, c.In[0], numbers, nan)
			}
			return nil
		},
	}
	return Array{here().Opaque(arg, work, a.Grid(), a.Node())}.AsType(dt)
}

// lookUpAll stores the entry of the table at each position of in, or missing.
func lookUpAll[T int64 | float64](out, in *chunk.Chunk, table []T, missing T) {
	src, dst := chunk.Elems[int64](in.Block), chunk.Elems[T](out.Block)
	index := make([]int64, len(out.Shape))
	for range out.Shape.Size() {
		from, to := in.Offset, out.Offset
		for k, i := range index {
			from += i * in.Strides[k]
			to += i * out.Strides[k]
		}
		dst[to] = missing
		if p := src[from]; p >= 0 && p < int64(len(table)) {
			dst[to] = table[p]
		}
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < out.Shape[k] {
				break
			}
			index[k] = 0
		}
	}
}
