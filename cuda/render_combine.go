// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// combineForm is the form of a combine: one step that changes all outputs.
type combineForm struct{ *kernels.Combine }

func newCombineForm(u kernels.Unit) (form, error) {
	c, ok := u.(*kernels.Combine)
	if !ok {
		return nil, nil
	}
	if _, err := renderCombine(c); err != nil {
		return nil, err
	}
	return combineForm{c}, nil
}

func (k combineForm) check(c *kernels.Call) error {
	if n := len(k.In); len(c.Out) != n || len(c.In) != n {
		return fmt.Errorf("cuda: combine: got %d and %d state components, want %d", len(c.Out), len(c.In), n)
	}
	for i, s := range k.In {
		if c.Out[i].DType != s.DType || c.In[i].DType != s.DType || !c.Out[i].Shape.Equal(c.In[i].Shape) {
			return fmt.Errorf("cuda: combine: component %d: got %v %v and %v %v, want two of %v and one shape", i, c.Out[i].DType, c.Out[i].Shape, c.In[i].DType, c.In[i].Shape, s.DType)
		}
	}
	return nil
}

func (k combineForm) reads(*piece, int) reading { return readsAll }

func (k combineForm) changes(c *kernels.Call) []*chunk.Chunk { return c.Out }

func (k combineForm) whole(c *kernels.Call) *piece { return &piece{Call: c} }

func (k combineForm) steps(p *piece, _ []*chunk.Chunk) []*step {
	return []*step{{source: k.render, updates: func(int) bool { return true }, vector: 1, width: 1, count: p.Out[0].Shape.Size()}}
}

// halves cuts nothing: states are small.
func (k combineForm) halves(*piece) ([]*piece, bool) { return nil, false }

func (k combineForm) example(chunk.Shape, int64) ([]*step, error) {
	return []*step{{source: k.render}}, nil
}

func (k combineForm) render() (*Source, error) { return renderCombine(k.Combine) }

// renderCombine returns the source that joins the states in the call's In into those in its Out.
func renderCombine(c *kernels.Combine) (*Source, error) {
	r := kernels.ReductionOf(c.Op)
	if r == nil || len(c.In) == 0 {
		return nil, fmt.Errorf("cuda: render: %v: no join for this state: %w", c, kernels.ErrUnsupported)
	}
	w := newWriter(true)
	a := &accumulator{w: w, r: r, in: c.In[0].DType, state: c.In}
	var other []string
	if a.in.IsComplex() {
		w.use("fold_c")
	}
	for k, s := range c.In {
		a.typ = append(a.typ, accumulatorType(s.DType))
		t := ctype[s.DType]
		w.param(t+" *__restrict__ ", fmt.Sprintf("out0_%d", k), func(l *launch) uint64 { return l.out[k] })
		w.param("const "+t+" *__restrict__ ", fmt.Sprintf("in%d", k), func(l *launch) uint64 { return l.in[k] })
		other = append(other, fmt.Sprintf("b%d", k))
	}
	n := w.number("total", func(l *launch) int64 { return int64(l.count) })
	w.printf("\tconst un step = (un)gridDim.x * blockDim.x;\n")
	w.printf("\tfor (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)%s; t += step) {\n", n)
	for k, s := range c.In {
		w.printf("\t\t%s %s = %s;\n", a.typ[k], a.variable(k), w.widen(s.DType, fmt.Sprintf("out0_%d[t]", k)))
		w.printf("\t\tconst %s %s = %s;\n", a.typ[k], other[k], w.widen(s.DType, fmt.Sprintf("in%d[t]", k)))
	}
	w.printf("\t\t%s;\n", a.join(other))
	a.store()
	w.printf("\t}\n")
	return w.finish("combine "+r.Name, perElement)
}
