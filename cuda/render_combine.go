// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/kernels"
)

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
