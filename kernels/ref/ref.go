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

// Compile returns the kernel of a unit.
func (device) Compile(_ context.Context, u kernels.Unit) (kernels.Kernel, error) {
	switch u := u.(type) {
	case *kernels.Program:
		if err := u.Verify(); err != nil {
			return nil, fmt.Errorf("kernels/ref: compile: %w", err)
		}
		return program{u}, nil
	case *kernels.Combine:
		return newCombine(u)
	case *kernels.Scan:
		return newScan(u)
	case *kernels.Product:
		return newProduct(u)
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

// get reads one element; put writes one. The imaginary part of a complex number is
// apart: a Const has room for one number only.
func get(c *chunk.Chunk, index []int64) (k kernels.Const, im uint64) {
	n := int64(c.ItemBytes)
	b := c.Block.Bytes()[offset(c, index)*n:][:n]
	k.DType = c.DType
	if c.DType.IsComplex() {
		n /= 2
		im = little(b[n:])
	}
	k.Bits = little(b[:n])
	return k, im
}

func little(b []byte) uint64 {
	v := uint64(0)
	for j, x := range b {
		v |= uint64(x) << (8 * j)
	}
	return v
}

func put(c *chunk.Chunk, index []int64, k kernels.Const, im uint64) {
	n := int64(c.ItemBytes)
	b := c.Block.Bytes()[offset(c, index)*n:][:n]
	if c.DType.IsComplex() {
		n /= 2
		for j := range n {
			b[n+j] = byte(im >> (8 * j))
		}
	}
	for j := range n {
		b[j] = byte(k.Bits >> (8 * j))
	}
}

// program is the kernel of a program.
type program struct{ p *kernels.Program }

func (program) Scratch(chunk.Shape) int64 { return 0 }

// Run computes each element's registers in turn, and each fold by itself.
func (k program) Run(ctx context.Context, c *kernels.Call) error {
	p := k.p
	if err := c.CheckContinue(p); err != nil {
		return fmt.Errorf("kernels/ref: %w", err)
	}
	if len(p.Ret) > 0 {
		index := make([]int64, p.Rank)
		for range c.Shape.Size() {
			if err := ctx.Err(); err != nil {
				return err
			}
			regs, im, err := registers(p, c, index)
			if err != nil {
				return err
			}
			for i, r := range p.Ret {
				put(c.Out[i], index, regs[r], im[r])
			}
			step(index, c.Shape)
		}
	}
	out := c.Out[len(p.Ret):]
	for _, f := range p.Folds {
		n := len(kernels.ReductionOf(f.Op).State(p.RegType(f.Args[0])))
		err := runFold(p, f, c, out[:n], func(index []int64) ([]kernels.Const, error) {
			regs, _, err := registers(p, c, index)
			return regs, err
		})
		if err != nil {
			return err
		}
		out = out[n:]
	}
	return nil
}

// registers computes all registers of the element at index, and the imaginary parts of complex ones.
func registers(p *kernels.Program, c *kernels.Call, index []int64) (regs []kernels.Const, im []uint64, err error) {
	n := len(p.In) + len(p.Consts) + len(p.Body)
	regs, im = make([]kernels.Const, 0, n), make([]uint64, n)
	for i, in := range p.In {
		at := index
		if in.Gather >= 0 {
			ids, _ := get(c.In[in.GatherIDs], index)
			id := ids.Int64()
			if id < 0 {
				regs = append(regs, missing(in.DType))
				continue
			}
			at = append([]int64(nil), index...)
			at[in.Gather] = id
		}
		k, v := get(c.In[i], at)
		im[i] = v
		regs = append(regs, k)
	}
	regs = append(regs, p.Consts...)
	for _, in := range p.Body {
		v := kernels.Const{DType: in.DType}
		switch {
		case in.Op == kernels.OpIndex:
			x := index[in.Aux]
			if len(c.Origin) > 0 {
				x += c.Origin[in.Aux]
			}
			v.Bits = uint64(x)
		case in.Op == kernels.OpReal:
			v.Bits = regs[in.Args[0]].Bits
		case in.Op == kernels.OpImag:
			v.Bits = im[in.Args[0]]
		case in.Op == kernels.OpComplex:
			v.Bits, im[len(regs)] = regs[in.Args[0]].Bits, regs[in.Args[1]].Bits
		default:
			if v, err = p.EvalInst(in, regs); err != nil {
				return nil, nil, err
			}
		}
		regs = append(regs, v)
	}
	return regs, im, nil
}

// missing is what an id below 0 reads: NaN for floats, without an imaginary part for complex numbers, 0 for other dtypes.
func missing(d dtype.DType) kernels.Const {
	nan := kernels.Const{DType: d}
	float := d.Part()
	if c, err := kernels.ConstOf(float, math.NaN()); err == nil && float.IsFloat() {
		nan.Bits = c.Bits
	}
	return nan
}
