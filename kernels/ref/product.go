// SPDX-License-Identifier: BSD-3-Clause

package ref

import (
	"context"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// product is the kernel of a product of matrices.
type product struct {
	p         *kernels.Product
	step, add *kernels.Program
}

func newProduct(p *kernels.Product) (kernels.Kernel, error) {
	if err := p.Verify(); err != nil {
		return nil, err
	}
	k := product{p: p}
	b := kernels.NewBuilder(0)
	b.Ret(b.Apply(kernels.OpFma, b.Input(kernels.In(p.DType)), b.Input(kernels.In(p.DType)), b.Input(kernels.In(p.DType))))
	var err error
	if k.step, err = b.Build(); err != nil {
		return nil, err
	}
	b = kernels.NewBuilder(0)
	b.Ret(b.Apply(kernels.OpAdd, b.Input(kernels.In(p.DType)), b.Input(kernels.In(p.DType))))
	k.add, err = b.Build()
	return k, err
}

func (product) Scratch(chunk.Shape) int64 { return 0 }

// Run computes one element of the result after another.
func (k product) Run(ctx context.Context, c *kernels.Call) error {
	if err := k.p.Check(c); err != nil {
		return err
	}
	l := k.p.Split(c.Shape)
	var total, sum *chunk.Chunk
	for _, to := range []**chunk.Chunk{&total, &sum} {
		var err error
		if *to, err = chunk.New(heap{}, k.p.DType, 0, nil); err != nil {
			return err
		}
	}
	apply := func(p *kernels.Program, to *chunk.Chunk, in ...*chunk.Chunk) error {
		regs, _, err := registers(p, &kernels.Call{In: in}, nil)
		if err == nil {
			put(to, nil, regs[p.Ret[0]], 0)
		}
		return err
	}
	zero := kernels.Const{DType: k.p.DType}
	element := func(c *chunk.Chunk, parts ...[]int64) *chunk.Chunk {
		one := *c
		one.Offset, one.Shape, one.Strides = offset(c, slices.Concat(parts...)), nil, nil
		return &one
	}
	b := make([]int64, len(l.Batch))
	for range chunk.Shape(l.Batch).Size() {
		i := make([]int64, len(l.Rows))
		for range chunk.Shape(l.Rows).Size() {
			j := make([]int64, len(l.Cols))
			for range chunk.Shape(l.Cols).Size() {
				if err := ctx.Err(); err != nil {
					return err
				}
				put(total, nil, zero, 0)
				at := make([]int64, len(l.Sums))
				for n := range chunk.Shape(l.Sums).Size() {
					if n%kernels.OuterBlock == 0 {
						if n > 0 {
							if err := apply(k.add, total, total, sum); err != nil {
								return err
							}
						}
						put(sum, nil, zero, 0)
					}
					if err := apply(k.step, sum, element(c.In[0], b, i, at), element(c.In[1], b, at, j), sum); err != nil {
						return err
					}
					step(at, l.Sums)
				}
				if chunk.Shape(l.Sums).Size() > 0 {
					if err := apply(k.add, total, total, sum); err != nil {
						return err
					}
				}
				v, _ := get(total, nil)
				put(element(c.Out[0], b, i, j), nil, v, 0)
				step(j, l.Cols)
			}
			step(i, l.Rows)
		}
		step(b, l.Batch)
	}
	return nil
}
