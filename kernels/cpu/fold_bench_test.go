// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// BenchmarkFold measures folds of arrays that fit L2, in nanoseconds an element.
func BenchmarkFold(b *testing.B) {
	type row struct {
		op     string
		dt     dtype.DType
		shape  chunk.Shape
		axes   kernels.AxisSet
		groups int64
		packed bool // decode int16 with a missing value, a scale and an offset first
	}
	rows := []row{
		{op: "sum", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "sum", dt: dtype.Float64, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "sum", dt: dtype.Int16, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "nansum", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "var", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "nanvar", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "max", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "nanmax", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "argmax", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "any", dt: dtype.Bool, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "count", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0)},
		{op: "sum", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0)},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0)},
		{op: "var", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0)},
		{op: "max", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0)},
		{op: "nanmax", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0)},
		{op: "argmax", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0)},
		{op: "sum", dt: dtype.Float32, shape: chunk.Shape{1000, 64}, axes: kernels.Axes(1)},
		{op: "sum", dt: dtype.Float32, shape: chunk.Shape{16000, 4}, axes: kernels.Axes(1)},
		{op: "sum", dt: dtype.Float32, shape: chunk.Shape{16000, 4}, axes: kernels.Axes(0)},
		{op: "sum", dt: dtype.Float32, shape: chunk.Shape{16, 1000, 4}, axes: kernels.Axes(0, 2)},
		{op: "sum", dt: dtype.Float32, shape: chunk.Shape{65536, 1}, axes: kernels.Axes(0)},
		{op: "sum", dt: dtype.Float64, shape: chunk.Shape{32, 32}, axes: kernels.Axes(0, 1)},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0), groups: 12},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{1, 64800}, axes: kernels.Axes(0), groups: 1, packed: true},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{31, 2000}, axes: kernels.Axes(0), packed: true},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{100, 10000}, axes: kernels.Axes(0), packed: true},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{65536}, axes: kernels.Axes(0), packed: true},
		{op: "var", dt: dtype.Float32, shape: chunk.Shape{64, 1000}, axes: kernels.Axes(0), packed: true},
		{op: "nanmean", dt: dtype.Float32, shape: chunk.Shape{100, 10000}, axes: kernels.Axes(0)},
	}
	for i := range len(modes) * len(rows) {
		r, mode := rows[i/len(modes)], modes[i%len(modes)]
		dev := cpu.New(cpu.Options{Mode: mode})
		defer dev.Close()
		name := fmt.Sprintf("op=%s/dtype=%v/shape=%dx%d/axes=%b/groups=%d/packed=%v/device="+mode, r.op, r.dt, r.shape[0], r.shape[len(r.shape)-1], r.axes, r.groups, r.packed)
		b.Run(name, func(b *testing.B) {
			call, p := foldCall(b, r.op, r.dt, r.shape, r.axes, r.groups, r.packed)
			k, err := dev.Compile(context.Background(), p)
			if err != nil {
				b.Fatal(err)
			}
			call.Scratch = mem.Wrap(make([]byte, k.Scratch(r.shape)))
			b.ReportAllocs()
			loop(b, r.shape.Size(), func() error { return k.Run(context.Background(), call) })
		})
	}
}

// foldCall returns a program with one fold and a call of it.
func foldCall(tb testing.TB, op string, dt dtype.DType, shape chunk.Shape, axes kernels.AxisSet, groups int64, packed bool) (*kernels.Call, *kernels.Program) {
	r, _ := kernels.ReductionByName(op)
	heap := func(dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
		c := &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape, Strides: shape.RowMajor()}
		c.Block = mem.Wrap(make([]byte, shape.Size()*int64(dt.Size())+mem.Align))
		return c
	}
	bl := kernels.NewBuilder(len(shape))
	call := &kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape))}
	in := dt
	if packed {
		in = dtype.Int16
	}
	x := bl.Input(kernels.In(in))
	src := heap(in, shape)
	for i := range src.Block.Bytes() {
		src.Block.Bytes()[i] = byte(i*7) & 0x3f
	}
	call.In = append(call.In, src)
	if packed {
		c := func(dt dtype.DType, v any) kernels.Reg {
			k, err := kernels.ConstOf(dt, v)
			if err != nil {
				tb.Fatal(err)
			}
			return bl.Const(k)
		}
		apply := func(name string, a ...kernels.Reg) kernels.Reg {
			o, _ := kernels.OpByName(name)
			return bl.Apply(o.ID, a...)
		}
		y := apply("add", apply("multiply", bl.Cast(x, dt), c(dt, 0.01)), c(dt, 273.15))
		nan, _ := kernels.ConstOf(dt, nanValue())
		x = apply("where", apply("equal", x, c(dtype.Int16, int64(-32768))), bl.Const(nan), y)
	}
	f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: axes, Group: -1}
	if r.Indexed {
		f.Args = append(f.Args, bl.Index(0))
	}
	out := chunk.Shape{kernels.FoldBlocks(shape, axes)}
	if groups > 0 {
		f.Group = int16(len(call.In))
		bl.Input(kernels.In(dtype.Int32))
		ids := heap(dtype.Int32, chunk.Shape{shape[0]})
		for i := range shape[0] {
			chunk.Slice[int32](ids)[i] = int32(i % groups)
		}
		ids.Shape, ids.Strides = shape, make([]int64, len(shape))
		ids.Strides[0] = 1
		call.In = append(call.In, ids)
		out[0] = groups
	}
	bl.Fold(f)
	for i, d := range shape {
		if !axes.Has(i) {
			out = append(out, d)
		}
	}
	for _, c := range r.State(dt) {
		call.Out = append(call.Out, heap(c.DType, out))
	}
	p, err := bl.Build()
	if err != nil {
		tb.Fatal(err)
	}
	return call, p
}

func nanValue() float64 {
	var zero float64
	return zero / zero
}
