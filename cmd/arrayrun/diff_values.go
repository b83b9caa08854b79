// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/netcdf"
	"github.com/arrayrun/arrayrun/ndarray"
)

// numbers compares two arrays of numbers in one sweep of the engine.
func (d *differ) numbers(ctx context.Context, x, y ndarray.Array) (values, error) {
	v := values{of: x.Size(), abs: -1, rel: -1}
	differs := x.NotEqual(y)
	if dt := x.DType(); dt.IsFloat() || dt.IsComplex() {
		differs = differs.And(x.IsNaN().And(y.IsNaN()).Not())
	}
	wide := dtype.Float64
	if x.DType().IsComplex() {
		wide = dtype.Complex128
	}
	a, b := x.AsType(wide), y.AsType(wide)
	gap, size := a.Sub(b).Abs(), b.Abs()
	if dt := x.DType(); dt == dtype.Int64 || dt == dtype.Uint64 {
		// As float64 neighbours beyond 2^53 are the same. Where they are not far apart the difference of integers does not wrap.
		near := ndarray.Where(x.Greater(y), x.Sub(y), y.Sub(x)).AsType(wide)
		gap = ndarray.Where(gap.Less(0x1p62), near, gap)
	}
	if d.rtol > 0 || d.atol > 0 { // an infinity is close to itself only, which does not differ
		differs = differs.And(gap.LessEqual(size.Mul(d.rtol).Add(d.atol)).And(gap.Less(math.Inf(1))).Not())
	}
	// A number beside a NaN differs by no number: -1 stands for it, and for what does not differ.
	counts := differs.And(gap.IsNaN().Not())
	gap = ndarray.Where(counts, gap, -1.0)
	ratio := ndarray.Where(counts, gap.Div(size), -1.0)
	results := []ndarray.Array{
		differs.Reduce("count_nonzero", ndarray.ReduceOptions{}), gap.Max(), ratio.Max(), gap.ArgMax(), differs.ArgMax(),
	}
	got := make([]float64, len(results))
	var outputs []ndarray.Output
	for i, r := range results {
		if err := r.Err(); err != nil {
			return v, at(exitInput, err)
		}
		c := &chunk.Chunk{DType: dtype.Float64, ItemBytes: 8, Shape: chunk.Shape{}, Strides: []int64{}, Block: mem.Wrap(make([]byte, 8, 8+mem.Align))}
		outputs = append(outputs, ndarray.Output{Array: r.AsType(dtype.Float64), Name: fmt.Sprintf("difference %d", i), Each: func(_ chunk.Region, part *chunk.Chunk) error {
			formats.CopyElems(c, part)
			got[i] = chunk.Elems[float64](c.Block)[0]
			return nil
		}})
	}
	p, err := d.eng.PlanOutputs(ctx, outputs)
	if err != nil {
		return v, at(exitUsage, err)
	}
	if err := d.app.run(ctx, d.eng, p); err != nil {
		return v, err
	}
	if v.count = int64(got[0]); v.count == 0 {
		return v, nil
	}
	where := got[4] // the first difference
	if got[1] >= 0 {
		v.abs, v.rel, where = got[1], got[2], got[3]
	}
	if math.IsNaN(v.rel) {
		v.rel = math.Inf(1)
	}
	v.where = position(int64(where), x.Shape())
	return v, nil
}

// position returns the index of element n in C order.
func position(n int64, shape chunk.Shape) []int64 {
	out := make([]int64, len(shape))
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n % shape[i]
		n /= shape[i]
	}
	return out
}

// pieceBytes is the memory that a piece of texts or records may take, beside the texts themselves.
const pieceBytes = 4 << 20

// pieces compares texts and records piece by piece along the first axis; kernels know neither.
func (d *differ) pieces(ctx context.Context, x, y ndarray.Array) (values, error) {
	v := values{of: x.Size(), abs: -1, rel: -1}
	shape := x.Shape()
	if len(shape) == 0 {
		return v, d.piece(ctx, x, y, nil, &v)
	}
	row := max(x.Size()/shape[0]*int64(max(x.Node().ItemBytes, 1)), 1)
	step := max(pieceBytes/row, 1)
	for lo := int64(0); lo < shape[0]; lo += step {
		part := ndarray.Span(lo, min(lo+step, shape[0]))
		origin := make([]int64, len(shape))
		origin[0] = lo
		if err := d.piece(ctx, x.Index(part), y.Index(part), origin, &v); err != nil {
			return v, err
		}
	}
	return v, nil
}

// piece adds what differs between two small arrays.
func (d *differ) piece(ctx context.Context, x, y ndarray.Array, origin []int64, v *values) error {
	got, err := ndarray.ComputeAll(ctx, d.eng, x, y)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err != nil {
		return at(exitRunning, err)
	}
	for i, narrow := range d.narrow {
		if narrow != nil && got[i].DType == dtype.Raw {
			own := bytes.Clone(got[i].Bytes())
			narrow(own)
			got[i] = &chunk.Chunk{DType: dtype.Raw, ItemBytes: got[i].ItemBytes, Shape: got[i].Shape, Strides: got[i].Shape.RowMajor(), Block: mem.Wrap(own)}
		}
	}
	elem := func(c *chunk.Chunk, i int64) []byte {
		if c.DType == dtype.String {
			return formats.Text(c, i)
		}
		n := int64(c.ItemBytes)
		return c.Bytes()[i*n : (i+1)*n]
	}
	for i := range got[0].Shape.Size() {
		if bytes.Equal(elem(got[0], i), elem(got[1], i)) {
			continue
		}
		if v.count++; v.count == 1 {
			v.where = position(i, got[0].Shape)
			for k := range origin {
				v.where[k] += origin[k]
			}
		}
	}
	return nil
}

// narrowers return how texts in records become UTF-8, where one of two variables has them in UTF-32 and the other one may have what a copy to NetCDF-4
// makes of them.
func narrowers(a, b *formats.Var) (out [2]func([]byte)) {
	if a.Source == nil || b.Source == nil {
		return out
	}
	x, y := a.Source.Meta().Stored, b.Source.Meta().Stored
	if fmt.Sprint(x) != fmt.Sprint(y) {
		out = [2]func([]byte){netcdf.NarrowTexts(x), netcdf.NarrowTexts(y)}
	}
	return out
}
