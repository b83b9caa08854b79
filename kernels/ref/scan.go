// SPDX-License-Identifier: BSD-3-Clause

package ref

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// scan is the kernel of a scan.
type scan struct {
	s    *kernels.Scan
	step *kernels.Program
}

func newScan(s *kernels.Scan) (kernels.Kernel, error) {
	step, err := s.Step()
	if err != nil {
		return nil, err
	}
	return scan{s, step}, nil
}

func (scan) Scratch(chunk.Shape) int64 { return 0 }

// Run takes the elements in row-major order: those before each one along the axis come first.
func (k scan) Run(ctx context.Context, c *kernels.Call) error {
	if err := k.s.Check(c); err != nil {
		return err
	}
	index := make([]int64, k.s.Rank)
	at := func(from *chunk.Chunk, position int64) *chunk.Chunk { // the element at index, but for that position along the axis
		one := *from
		x := append([]int64(nil), index...)
		x[k.s.Axis] = position
		one.Offset, one.Shape, one.Strides = offset(from, x), nil, nil
		return &one
	}
	for range c.Shape.Size() {
		if err := ctx.Err(); err != nil {
			return err
		}
		i := index[k.s.Axis]
		before := c.Out[1]
		var v kernels.Const
		var im uint64
		if i == 0 && !c.Continue {
			v, im = get(at(c.In[0], 0), nil)
		} else {
			carry := at(before, 0)
			one := kernels.Call{In: []*chunk.Chunk{carry, at(c.In[0], i)}}
			regs, imag, err := registers(k.step, &one, nil)
			if err != nil {
				return err
			}
			r := k.step.Ret[0]
			v, im = regs[r], imag[r]
		}
		put(at(c.Out[0], i), nil, v, im)
		put(at(before, 0), nil, v, im)
		step(index, c.Shape)
	}
	return nil
}
