// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// programForm is the form of a program: a step for each of its parts.
type programForm struct {
	p     *kernels.Program
	parts []*part
	outs  int // outputs of a call
}

func newProgramForm(u kernels.Unit) (form, error) {
	p, ok := u.(*kernels.Program)
	if !ok {
		return nil, nil
	}
	if err := p.Verify(); err != nil {
		return nil, fmt.Errorf("cuda: compile: %w", err)
	}
	k := &programForm{p: p, parts: partsOf(p), outs: len(p.Ret)}
	for _, q := range k.parts {
		if err := q.check(); err != nil {
			return nil, err
		}
		for _, f := range q.folds {
			k.outs += len(f.r.State(p.RegType(f.Args[0])))
		}
	}
	return k, nil
}

func (k *programForm) check(c *kernels.Call) error {
	p := k.p
	if err := c.CheckContinue(p); err != nil {
		return err
	}
	if len(c.Shape) != p.Rank || len(c.In) != len(p.In) || len(c.Out) != k.outs {
		return fmt.Errorf("cuda: run: got rank %d, %d inputs, %d outputs, want %d, %d, %d", len(c.Shape), len(c.In), len(c.Out), p.Rank, len(p.In), k.outs)
	}
	for i, in := range c.In {
		if in.DType != p.In[i].DType || len(in.Shape) != p.Rank {
			return fmt.Errorf("cuda: run: input %d: got %v of rank %d, want %v of rank %d", i, in.DType, len(in.Shape), p.In[i].DType, p.Rank)
		}
	}
	for i, r := range p.Ret {
		if o := c.Out[i]; o.DType != p.RegType(r) || !o.Shape.Equal(c.Shape) {
			return fmt.Errorf("cuda: run: output %d: got %v %v, want %v %v", i, o.DType, o.Shape, p.RegType(r), c.Shape)
		}
	}
	return nil
}

// outputs returns the outputs of a call without values.
func (k *programForm) outputs(shape chunk.Shape, groups int64) []*chunk.Chunk {
	of := func(d dtype.DType, s chunk.Shape) *chunk.Chunk {
		return &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: s, Strides: s.RowMajor()}
	}
	var out []*chunk.Chunk
	for _, r := range k.p.Ret {
		out = append(out, of(k.p.RegType(r), shape))
	}
	for _, f := range k.p.Folds {
		cells := chunk.Shape{kernels.FoldBlocks(shape, f.Axes)}
		if f.Group >= 0 {
			cells[0] = groups
		}
		for a, n := range shape {
			if !f.Axes.Has(a) {
				cells = append(cells, n)
			}
		}
		for _, s := range kernels.ReductionOf(f.Op).State(k.p.RegType(f.Args[0])) {
			out = append(out, of(s.DType, cells))
		}
	}
	return out
}

func (k *programForm) reads(p *piece, i int) reading {
	for j, q := range k.parts {
		switch {
		case !p.does(j) || !q.in[i]:
		case p.lone != (run{}) && k.p.In[i].Gather < 0:
			return readsLone
		default:
			return readsAll
		}
	}
	return readsNothing
}

func (k *programForm) changes(c *kernels.Call) []*chunk.Chunk {
	if !c.Continue {
		return nil
	}
	return c.Out[len(k.p.Ret):]
}

func (k *programForm) steps(c *piece, in []*chunk.Chunk) []*step {
	var steps []*step
	for i, q := range k.parts {
		m := mode{resumes: c.parts[i].resumes, lone: c.lone != (run{})}
		switch t := q.twice(); {
		case !c.does(i):
			steps = append(steps, &step{part: q})
			continue
		case c.second:
			q, m.sweep = t, squareSweep
		case c.parts[i].split:
			m.sweep = sumSweep
		}
		groups := int64(0)
		if q.group >= 0 {
			groups = c.Out[q.folds[0].out].Shape[0]
		}
		st := stepOf(q, c.Shape, in, groups)
		if len(q.folds) > 0 {
			st.limit(c.parts[i].run, m)
		}
		steps = append(steps, st)
	}
	return steps
}

func (k *programForm) example(shape chunk.Shape, groups int64) ([]*step, error) {
	if len(shape) != k.p.Rank {
		return nil, fmt.Errorf("cuda: sources: got a shape of rank %d, want %d: %w", len(shape), k.p.Rank, chunk.ErrShape)
	}
	in := make([]*chunk.Chunk, len(k.p.In))
	for i, port := range k.p.In {
		in[i] = &chunk.Chunk{DType: port.DType, ItemBytes: int32(port.DType.Size()), Shape: shape, Strides: shape.RowMajor()}
	}
	var steps []*step
	for _, q := range k.parts {
		steps = append(steps, stepOf(q, shape, in, groups))
	}
	return steps, nil
}
