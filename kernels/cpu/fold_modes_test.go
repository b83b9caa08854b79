// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
)

// TestFoldsAlike compares the executors on every fold of every dtype over shapes with long and short runs, wide and
// narrow rows, with and without NaN.
func TestFoldsAlike(t *testing.T) {
	devices := executors(t)
	for _, red := range kernels.AllReductions() {
		for d := dtype.Bool; d <= dtype.Float64; d++ {
			if _, err := red.Result(d); err != nil {
				continue
			}
			rd := rand.New(rand.NewPCG(uint64(d), 1))
			draw := make([]uint64, 600) // conversions cost more than folds
			for i := range draw {
				if draw[i] = small(rd, d); i > 550 {
					draw[i] = edge(rd, d)
				}
			}
			for i, c := range []struct {
				shape  chunk.Shape
				axes   kernels.AxisSet
				groups int64
			}{
				{chunk.Shape{9000}, kernels.Axes(0), 0},
				{chunk.Shape{7, 131}, kernels.Axes(1), 0},
				{chunk.Shape{5, 3, 70}, kernels.Axes(0, 2), 0},
				{chunk.Shape{6, 9}, kernels.Axes(1), 0},
				{chunk.Shape{5, 158}, kernels.Axes(1), 0},
				{chunk.Shape{4, 64}, kernels.Axes(1), 0},
				{chunk.Shape{3, 700}, kernels.Axes(1), 0},
				{chunk.Shape{19, 83}, kernels.Axes(0), 0},
				{chunk.Shape{2, 9, 334}, kernels.Axes(1), 0},
				{chunk.Shape{5, 2100}, kernels.Axes(0), 0},
				{chunk.Shape{9, 37}, kernels.Axes(0), 0},
				{chunk.Shape{131, 8}, kernels.Axes(1), 0},
				{chunk.Shape{61, 3}, kernels.Axes(1), 0},
				{chunk.Shape{33, 23}, kernels.Axes(1), 0},
				{chunk.Shape{530, 8}, kernels.Axes(0), 0},
				{chunk.Shape{270, 3}, kernels.Axes(0), 0},
				{chunk.Shape{300, 70}, kernels.Axes(0), 0},
				{chunk.Shape{3, 23, 130}, kernels.Axes(1), 0},
				{chunk.Shape{40, 67}, kernels.Axes(0), 3},
				{chunk.Shape{11, 300}, kernels.Axes(1), 4},
			} {
				for nans := range 3 {
					r := rand.New(rand.NewPCG(uint64(red.ID)<<8+uint64(d), uint64(3*i+nans)))
					foldAlike(t, devices, r, draw, red, d, c.shape, c.axes, c.groups, nans, nans == 2)
				}
			}
		}
	}
}

// foldAlike runs one fold on all devices; body makes it a fold of something computed.
func foldAlike(t *testing.T, devices []kernels.Device, r *rand.Rand, draw []uint64, red *kernels.Reduction, d dtype.DType, shape chunk.Shape, axes kernels.AxisSet, groups int64, nans int, body bool) {
	t.Helper()
	pack := func(d dtype.DType, shape chunk.Shape) *chunk.Chunk {
		n := shape.Size() * int64(d.Size())
		return &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n+mem.Align)[:n])}
	}
	b := kernels.NewBuilder(len(shape))
	x := b.Input(kernels.In(d))
	in := pack(d, shape)
	call := kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape)), In: []*chunk.Chunk{in}}
	raw := in.Block.Bytes()
	for i := 0; i < len(raw); i += d.Size() {
		v := draw[r.IntN(len(draw))]
		if k := r.IntN(10); d.IsFloat() && (nans == 1 && k < 2 || nans == 2 && k < 8) {
			v = ^uint64(0) >> (64 - 8*d.Size())
			if k == 0 && d >= dtype.Float32 {
				v = map[dtype.DType]uint64{dtype.Float32: 0xff800001, dtype.Float64: 0x7ff0000000000001}[d] // a signalling one
			}
		}
		for k := range d.Size() {
			raw[i+k] = byte(v >> (8 * k))
		}
	}
	if body && d.Kind() != dtype.KindBool {
		x = b.Apply(kernels.OpMaximum, x, b.Apply(kernels.OpMinimum, x, x))
	}
	f := kernels.Fold{Op: red.ID, Args: []kernels.Reg{x}, Axes: axes, Group: -1}
	if red.Indexed {
		p := b.Index(0)
		for i := 1; i < len(shape); i++ {
			n, _ := kernels.ConstOf(dtype.Int64, shape[i])
			p = b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, p, b.Const(n)), b.Index(i))
		}
		f.Args = append(f.Args, p)
	}
	outShape := chunk.Shape{kernels.FoldBlocks(shape, axes)}
	if groups > 0 {
		f.Group = 1
		b.Input(kernels.In(dtype.Int32))
		ids := pack(dtype.Int32, shape)
		for i := range chunk.Slice[int32](ids) {
			chunk.Slice[int32](ids)[i] = int32(r.IntN(int(groups)+2)) - 1
		}
		call.In = append(call.In, ids)
		outShape[0] = groups
	}
	for i, n := range shape {
		if !axes.Has(i) {
			outShape = append(outShape, n)
		}
	}
	b.Fold(f)
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var want []*chunk.Chunk
	for _, dev := range devices {
		call.Out = nil
		for _, s := range red.State(d) {
			call.Out = append(call.Out, pack(s.DType, outShape))
		}
		if err := run(dev, p, call); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = call.Out
			continue
		}
		for i := range want {
			same(t, fmt.Sprintf("%s: %s(%v) over axes %b of %v, %d groups, nans %d, component %d of\n%s", dev.Name(), red.Name, d, axes, shape, groups, nans, i, p), call.Out[i], want[i])
		}
	}
}

// edge is a value at the edges of floats, in the dtype.
func edge(r *rand.Rand, d dtype.DType) uint64 {
	c, err := kernels.ConstOf(dtype.Float64, edges[r.IntN(len(edges)-1)])
	if err != nil {
		return 0
	}
	if c, err = kernels.EvalConst(kernels.OpCast, d, c); err != nil || c.IsNaN() {
		return 0
	}
	return c.Bits
}
