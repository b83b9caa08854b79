// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// templateScan: a thread takes the elements of a line in sequence.
const templateScan = "scan"

// scanForm is the form of a scan: one step, whose threads take a line each.
type scanForm struct {
	*kernels.Scan
	part *part // the program of a step; its reduced axis is the scan's
}

func newScanForm(u kernels.Unit) (form, error) {
	s, ok := u.(*kernels.Scan)
	if !ok {
		return nil, nil
	}
	p, err := s.Step()
	if err != nil {
		return nil, fmt.Errorf("cuda: compile: %w", err)
	}
	q := &part{p: p, ret: p.Ret, axes: kernels.Axes(s.Axis), group: -1}
	q.mark()
	q.in = []bool{true, false} // what comes before is in a register
	return &scanForm{s, q}, q.check()
}

func (k *scanForm) check(c *kernels.Call) error { return k.Check(c) }

func (k *scanForm) reads(*piece, int) reading { return readsAll }

// changes returns the carry where the call goes on from it.
func (k *scanForm) changes(c *kernels.Call) []*chunk.Chunk {
	if !c.Continue {
		return nil
	}
	return c.Out[1:]
}

func (k *scanForm) whole(c *kernels.Call) *piece { return &piece{Call: c} }

func (k *scanForm) steps(p *piece, in []*chunk.Chunk) []*step {
	return []*step{k.step(p.Shape, in[0], p.Continue)}
}

func (k *scanForm) step(shape chunk.Shape, in *chunk.Chunk, goes bool) *step {
	g := newGeometry(shape, k.part.axes, 0, []*chunk.Chunk{in, nil}, k.part.in)
	s := &step{geo: g, template: templateScan, changes: goes, vector: 1, width: 1, count: g.keep}
	if g.count == 0 {
		s.count = 0
	}
	s.source = func() (*Source, error) { return renderScan(k.part, g) }
	return s
}

// halves cuts a call between lines, along the outermost axis that has two; one line in two runs of its elements, the second of which goes on from the carry.
func (k *scanForm) halves(p *piece) ([]*piece, bool) {
	axis := -1
	for i, n := range p.Shape {
		if n > 1 && (axis < 0 || axis == k.Axis) {
			axis = i
		}
	}
	if axis < 0 {
		return nil, false
	}
	cut := func(lo, hi int64) *piece {
		r := chunk.Whole(p.Shape)
		r.Lo[axis], r.Hi[axis] = lo, hi
		carry := r
		if axis == k.Axis {
			carry = chunk.Whole(p.Out[1].Shape)
		} else {
			carry = chunk.Region{Lo: r.Lo.Clone(), Hi: r.Hi.Clone()}
			carry.Hi[k.Axis] = 1
		}
		c := *p.Call
		c.In, c.Out = []*chunk.Chunk{p.In[0].Sub(r)}, []*chunk.Chunk{p.Out[0].Sub(r), p.Out[1].Sub(carry)}
		c.Shape = r.Shape()
		c.Continue = p.Continue || axis == k.Axis && lo > 0
		return &piece{Call: &c}
	}
	half := p.Shape[axis] / 2
	return []*piece{cut(0, half), cut(half, p.Shape[axis])}, false
}

func (k *scanForm) example(shape chunk.Shape, _ int64) ([]*step, error) {
	if len(shape) != k.Rank {
		return nil, fmt.Errorf("cuda: sources: got a shape of rank %d, want %d: %w", len(shape), k.Rank, chunk.ErrShape)
	}
	in := &chunk.Chunk{DType: k.DType, ItemBytes: int32(k.DType.Size()), Shape: shape, Strides: shape.RowMajor()}
	return []*step{k.step(shape, in, false)}, nil
}

// renderScan returns the source of a scan whose step is the program of q: each line begins with its first element, or with a step from the
// carry, and leaves its last there.
func renderScan(q *part, g *geometry) (*Source, error) {
	w := newWriter(g.wide)
	d := q.p.RegType(q.ret[0])
	if d.IsComplex() {
		w.use("c64")
	}
	t := ctype[d]
	w.param(t+" *__restrict__ ", "out0", func(l *launch) uint64 { return l.out[0] })
	w.param(t+" *__restrict__ ", "carry", func(l *launch) uint64 { return l.out[1] })
	lines := w.number("lines", func(l *launch) int64 { return int64(l.count) })
	inner := w.number("inner", func(l *launch) int64 {
		n := int64(1)
		for a := len(l.call.Shape) - 1; a >= 0 && !q.axes.Has(a); a-- {
			n *= l.call.Shape[a]
		}
		return n
	})
	long := w.number("long_", func(l *launch) int64 { return l.geo.count })
	goes := w.number("goes", func(l *launch) int64 {
		if l.call.Continue {
			return 1
		}
		return 0
	})
	w.printf("\tconst un step = (un)gridDim.x * blockDim.x;\n")
	w.printf("\tfor (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)%s; t += step) {\n", lines)
	w.split(g, "t", 0, g.kept, "\t\t")
	w.printf("\t\tconst un outer = t / (un)%s;\n", inner)
	w.printf("\t\tun y = outer * ((un)%s * (un)%s) + (t - outer * (un)%s);\n", inner, long, inner)
	w.printf("\t\tbool first = !%s;\n\t\t%s acc = first ? %s() : carry[t];\n", goes, t, t)
	w.printf("\t\tfor (un n = 0; n < (un)%s; n++, y += (un)%s) {\n", long, inner)
	w.split(g, "n", g.kept, len(g.dim), "\t\t\t")
	w.load(q, g, 0, "\t\t\t")
	w.printf("\t\t\tconst %s r1 = acc;\n", t)
	if err := w.element(q, g, q.ret, []bool{true, true}, "\t\t\t"); err != nil {
		return nil, err
	}
	w.printf("\t\t\tacc = first ? r0 : r%d;\n\t\t\tfirst = false;\n\t\t\tout0[y] = acc;\n\t\t}\n\t\tcarry[t] = acc;\n\t}\n", q.ret[0])
	return w.finish("scan", perElement)
}
