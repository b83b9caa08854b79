// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Of each measurement: the elements of an operand, and the shortest time it is repeated for.
const (
	speedElements = 4 << 20
	speedTime     = 200 * time.Millisecond
)

// bandwidths measures how many bytes of operands and results, in host memory, a device moves in a second, in GB/s.
// For a GPU this includes the way over the bus and back.
func bandwidths(ctx context.Context, dev kernels.Device) (object, error) {
	var out object
	for _, m := range []struct {
		name string
		d    dtype.DType
		two  bool
		body func(b *kernels.Builder, x, y kernels.Reg)
	}{
		{"copy_float32", dtype.Float32, false, func(b *kernels.Builder, x, _ kernels.Reg) { b.Ret(b.Apply(kernels.OpAbsolute, x)) }},
		{"add_float32", dtype.Float32, true, func(b *kernels.Builder, x, y kernels.Reg) { b.Ret(b.Apply(kernels.OpAdd, x, y)) }},
		{"sum_float32", dtype.Float32, false, func(b *kernels.Builder, x, _ kernels.Reg) { speedFold(b, "sum", x) }},
		{"exp_float64", dtype.Float64, false, func(b *kernels.Builder, x, _ kernels.Reg) { b.Ret(b.Apply(kernels.OpExp, x)) }},
		{"sum_of_exp_sin_float32", dtype.Float32, false, func(b *kernels.Builder, x, _ kernels.Reg) {
			speedFold(b, "sum", b.Apply(kernels.OpExp, b.Apply(kernels.OpSin, x)))
		}},
	} {
		c := newCase(m.name, chunk.Shape{speedElements}, 1)
		b := kernels.NewBuilder(1)
		x := b.Input(kernels.In(m.d))
		y := x
		bytes := int64(speedElements * m.d.Size())
		c.call.In = append(c.call.In, tame(m.d, speedElements))
		if m.two {
			y = b.Input(kernels.In(m.d))
			c.call.In = append(c.call.In, c.call.In[0])
			bytes *= 2
		}
		m.body(b, x, y)
		if _, err := c.finish(b); err != nil {
			return nil, err
		}
		p := c.unit.(*kernels.Program)
		if len(p.Ret) > 0 {
			bytes += int64(speedElements * m.d.Size())
		}
		seconds, err := c.time(ctx, dev, p)
		if err != nil {
			return nil, err
		}
		out.set(m.name, float64(bytes)/seconds/1e9)
	}
	return out, nil
}

// tame returns n values between 0 and 1: measuring is no test of the special ones.
func tame(d dtype.DType, n int64) *chunk.Chunk {
	c := &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: chunk.Shape{n}, Strides: []int64{1}, Block: hostBlock(n * int64(d.Size()))}
	var few [64]uint64
	for i := range few {
		k, _ := kernels.ConstOf(d, float64(i)/64)
		few[i] = k.Bits
	}
	for i := range n {
		putBits(c, i, few[i%64])
	}
	return c
}

func speedFold(b *kernels.Builder, name string, x kernels.Reg) {
	r, _ := kernels.ReductionByName(name)
	b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: kernels.Axes(0), Group: -1})
}

// time returns the shortest seconds of a run of the case, repeated for a while.
func (c *deviceCase) time(ctx context.Context, dev kernels.Device, p *kernels.Program) (float64, error) {
	k, err := dev.Compile(ctx, p)
	if err != nil {
		return 0, err
	}
	call := c.call
	call.Out = c.outputs(p)
	if call.Scratch, err = dev.Allocator().Alloc(k.Scratch(call.Shape)); err != nil {
		return 0, err
	}
	defer call.Scratch.Release()
	best := time.Duration(0)
	for start, n := time.Now(), 0; n < 2 || time.Since(start) < speedTime; n++ {
		from := time.Now()
		if err := k.Run(ctx, &call); err != nil {
			return 0, err
		}
		if d := time.Since(from); best == 0 || d < best {
			best = d
		}
	}
	return max(best.Seconds(), 1e-9), nil
}
