// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
)

// laneDevice is a toy: elementwise programs without index, sums.
type laneDevice struct{ pool *mem.Pool }

func (laneDevice) Name() string               { return "lane" }
func (d laneDevice) Allocator() mem.Allocator { return d.pool }
func (laneDevice) Close() error               { return nil }
func (laneDevice) Copy(_ context.Context, dst, src *chunk.Chunk) error {
	formats.CopyElems(dst, src)
	return nil
}
func (laneDevice) Compile(_ context.Context, u kernels.Unit) (kernels.Kernel, error) {
	return laneKernel{u}, nil
}

type laneKernel struct{ u kernels.Unit }

func (laneKernel) Scratch(chunk.Shape) int64 { return 0 }

func get(c *chunk.Chunk, o int64) kernels.Const {
	n := int64(c.ItemBytes)
	k := kernels.Const{DType: c.DType}
	for j, b := range c.Block.Bytes()[o*n : (o+1)*n] {
		k.Bits |= uint64(b) << (8 * j)
	}
	return k
}

func put(c *chunk.Chunk, o int64, k kernels.Const) {
	n := int64(c.ItemBytes)
	for j := range n {
		c.Block.Bytes()[o*n+j] = byte(k.Bits >> (8 * j))
	}
}

func f64add(a, b kernels.Const) kernels.Const {
	a.Bits = math.Float64bits(math.Float64frombits(a.Bits) + math.Float64frombits(b.Bits))
	return a
}

func (k laneKernel) Run(_ context.Context, c *kernels.Call) error {
	p, ok := k.u.(*kernels.Program)
	if !ok {
		for i := range c.Out[0].Shape[0] {
			o := c.Out[0].Offset + i
			put(c.Out[0], o, f64add(get(c.Out[0], o), get(c.In[0], c.In[0].Offset+i)))
		}
		return nil
	}
	q := *p
	q.Folds = nil
	for _, f := range p.Folds {
		q.Ret = append(q.Ret[:len(q.Ret):len(q.Ret)], f.Args[0])
	}
	for i := range p.Folds {
		o := c.Out[len(p.Ret)+i]
		for j := range o.Shape.Size() {
			put(o, o.Offset+j, kernels.Const{DType: o.DType})
		}
	}
	idx := make([]int64, len(c.Shape))
	nums := make([]int64, len(p.Folds))
	_ = nums
	for n := range c.Shape.Size() {
		m := n
		for a := len(idx) - 1; a >= 0; a-- {
			idx[a] = m % c.Shape[a]
			m /= c.Shape[a]
		}
		in := make([]kernels.Const, len(c.In))
		off := func(x *chunk.Chunk) int64 {
			o := x.Offset
			for a := range idx {
				o += idx[a] * x.Strides[a]
			}
			return o
		}
		for i, x := range c.In {
			in[i] = get(x, off(x))
		}
		out, err := q.EvalLane(in)
		if err != nil {
			return err
		}
		for i := range p.Ret {
			put(c.Out[i], off(c.Out[i]), out[i])
		}
		for i, f := range p.Folds {
			o := c.Out[len(p.Ret)+i]
			red, kept := int64(0), int64(0)
			for a := range idx {
				if f.Axes.Has(a) {
					red = red*c.Shape[a] + idx[a]
				} else {
					kept = kept*c.Shape[a] + idx[a]
				}
			}
			bl := int64(kernels.OuterBlock)
			if f.Axes.Has(len(idx) - 1) {
				bl = kernels.InnerBlock
			}
			row := red / bl
			if f.Group >= 0 {
				row = int64(int32(in[f.Group].Bits))
				if row < 0 {
					continue
				}
			}
			at := o.Offset + row*o.Strides[0] + kept
			put(o, at, f64add(get(o, at), out[len(p.Ret)+i]))
		}
	}
	return nil
}
