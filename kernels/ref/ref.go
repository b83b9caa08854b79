// SPDX-License-Identifier: BSD-3-Clause

package ref

import (
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
)

// New returns the reference device: it computes one element at a time with the definitions of the
// operation table and is as slow as that sounds.
func New() kernels.Device { return device{} }

type device struct{}

func (device) Name() string { return "ref" }

func (device) Allocator() mem.Allocator { return heap{} }

func (device) Close() error { return nil }

// heap allocates blocks of Go memory.
type heap struct{}

func (heap) Space() mem.Space { return mem.Host }

func (heap) Alloc(n int64) (*mem.Block, error) {
	if n < 0 {
		return nil, fmt.Errorf("kernels/ref: alloc: got %d bytes", n)
	}
	return mem.Wrap(make([]byte, n, n+mem.Align)), nil
}

// Compile returns the kernel of a program or of a combine.
func (device) Compile(_ context.Context, u kernels.Unit) (kernels.Kernel, error) {
	switch u := u.(type) {
	case *kernels.Program:
		if err := u.Verify(); err != nil {
			return nil, fmt.Errorf("kernels/ref: compile: %w", err)
		}
		return program{u}, nil
	case *kernels.Combine:
		return newCombine(u)
	}
	return nil, fmt.Errorf("kernels/ref: compile: %T: %w", u, kernels.ErrUnsupported)
}

// Copy copies src's elements to dst, which has its dtype and shape.
func (device) Copy(_ context.Context, dst, src *chunk.Chunk) error {
	if dst.DType != src.DType || dst.ItemBytes != src.ItemBytes || !dst.Shape.Equal(src.Shape) {
		return fmt.Errorf("kernels/ref: copy: got %v %v, want %v %v: %w", dst.DType, dst.Shape, src.DType, src.Shape, chunk.ErrShape)
	}
	index := make([]int64, len(src.Shape))
	for range src.Shape.Size() {
		n := int64(src.ItemBytes)
		from, to := offset(src, index)*n, offset(dst, index)*n
		copy(dst.Block.Bytes()[to:to+n], src.Block.Bytes()[from:from+n])
		step(index, src.Shape)
	}
	return nil
}

// offset returns the place of an element in its block, in elements.
func offset(c *chunk.Chunk, index []int64) int64 {
	o := c.Offset
	for i, x := range index {
		o += x * c.Strides[i]
	}
	return o
}

// step moves index to the next element, row-major.
func step(index []int64, shape chunk.Shape) {
	for i := len(index) - 1; i >= 0; i-- {
		if index[i]++; index[i] < shape[i] {
			return
		}
		index[i] = 0
	}
}

// get and put read and write one element.
func get(c *chunk.Chunk, index []int64) kernels.Const {
	n := int64(c.ItemBytes)
	at := offset(c, index) * n
	k := kernels.Const{DType: c.DType}
	for j, b := range c.Block.Bytes()[at : at+n] {
		k.Bits |= uint64(b) << (8 * j)
	}
	return k
}

func put(c *chunk.Chunk, index []int64, k kernels.Const) {
	n := int64(c.ItemBytes)
	at := offset(c, index) * n
	for j := range n {
		c.Block.Bytes()[at+j] = byte(k.Bits >> (8 * j))
	}
}

// program is the kernel of a program.
type program struct{ p *kernels.Program }

func (program) Scratch(chunk.Shape) int64 { return 0 }

// Run computes each element's registers in turn, and each fold by itself.
func (k program) Run(ctx context.Context, c *kernels.Call) error {
	p := k.p
	for i, in := range p.In {
		if in.DType.IsComplex() {
			return fmt.Errorf("kernels/ref: run: input %d is %v: %w", i, in.DType, kernels.ErrUnsupported)
		}
	}
	if len(p.Ret) > 0 {
		index := make([]int64, p.Rank)
		for range c.Shape.Size() {
			if err := ctx.Err(); err != nil {
				return err
			}
			regs, err := registers(p, c, index)
			if err != nil {
				return err
			}
			for i, r := range p.Ret {
				put(c.Out[i], index, regs[r])
			}
			step(index, c.Shape)
		}
	}
	out := c.Out[len(p.Ret):]
	for _, f := range p.Folds {
		n := len(kernels.ReductionOf(f.Op).State(p.RegType(f.Args[0])))
		err := runFold(p, f, c, out[:n], func(index []int64) ([]kernels.Const, error) { return registers(p, c, index) })
		if err != nil {
			return err
		}
		out = out[n:]
	}
	return nil
}

// registers computes all registers of the element at index.
func registers(p *kernels.Program, c *kernels.Call, index []int64) ([]kernels.Const, error) {
	regs := make([]kernels.Const, 0, len(p.In)+len(p.Consts)+len(p.Body))
	for i, in := range p.In {
		at := index
		if in.Gather >= 0 {
			id := get(c.In[in.GatherIDs], index).Int64()
			if id < 0 {
				regs = append(regs, missing(in.DType))
				continue
			}
			at = append([]int64(nil), index...)
			at[in.Gather] = id
		}
		regs = append(regs, get(c.In[i], at))
	}
	regs = append(regs, p.Consts...)
	for _, in := range p.Body {
		if in.Op == kernels.OpIndex {
			v := index[in.Aux]
			if len(c.Origin) > 0 {
				v += c.Origin[in.Aux]
			}
			regs = append(regs, kernels.Const{DType: dtype.Int64, Bits: uint64(v)})
			continue
		}
		v, err := p.EvalInst(in, regs)
		if err != nil {
			return nil, err
		}
		regs = append(regs, v)
	}
	return regs, nil
}

// missing is what an id below 0 reads: NaN for floats, 0 for other dtypes.
func missing(d dtype.DType) kernels.Const {
	zero := kernels.Const{DType: d}
	if !d.IsFloat() {
		return zero
	}
	c, err := kernels.ConstOf(d, math.NaN())
	if err != nil {
		return zero
	}
	return c
}
