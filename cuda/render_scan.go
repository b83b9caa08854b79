// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// scanForm is the form of a scan: one step, in which a thread takes the elements of a line in sequence.
type scanForm struct {
	*kernels.Scan
	part *part // the program of a step, from the result before and the operand
}

func newScanForm(u kernels.Unit) (form, error) {
	s, ok := u.(*kernels.Scan)
	if !ok {
		return nil, nil
	}
	p, err := s.Step()
	if err != nil {
		return nil, err
	}
	k := scanForm{s, &part{p: p, ret: p.Ret, group: -1}}
	k.part.mark()
	return k, k.part.check()
}

func (k scanForm) check(c *kernels.Call) error { return k.Check(c) }

func (k scanForm) reads(*piece, int) reading { return readsAll }

func (k scanForm) changes(c *kernels.Call) []*chunk.Chunk {
	if !c.Continue {
		return nil
	}
	return c.Out[1:]
}

func (k scanForm) whole(c *kernels.Call) *piece { return &piece{Call: c} }

func (k scanForm) steps(p *piece, in []*chunk.Chunk) []*step {
	g := newGeometry(p.Shape, kernels.Axes(k.Axis), 0, in, []bool{true})
	st := &step{geo: g, vector: 1, width: 1, count: g.keep, updates: func(out int) bool { return out == 1 && p.Continue }}
	rows := numbers(p.Shape, ^kernels.AxisSet(0), k.Axis+1) == 1 // lines lie one after the other
	if rows {
		st.template, st.count = templateTiles, (g.keep+tileSide-1)/tileSide
	}
	if g.count == 0 {
		st.count = 0
	}
	st.name = fmt.Sprint(rows, p.Continue, g.key(0, ""))
	st.source = func() (*Source, error) { return renderScan(k, g, rows, p.Continue) }
	return []*step{st}
}

// halves cuts between lines, or where there is one along it: the second half goes on from the carry.
func (k scanForm) halves(p *piece) ([]*piece, bool) {
	axis := k.Axis
	for a, n := range p.Shape {
		if a != k.Axis && n > 1 && (axis == k.Axis || n > p.Shape[axis]) {
			axis = a
		}
	}
	n := p.Shape[axis]
	if n < 2 {
		return nil, false
	}
	half := func(lo, hi int64) *piece {
		r := chunk.Whole(p.Shape)
		r.Lo[axis], r.Hi[axis] = lo, hi
		c := &kernels.Call{Shape: r.Shape(), Origin: make(chunk.Shape, len(p.Shape)), In: []*chunk.Chunk{p.In[0].Sub(r)},
			Out: []*chunk.Chunk{p.Out[0].Sub(r), p.Out[1]}, Scratch: p.Scratch, Continue: p.Continue}
		if axis == k.Axis {
			c.Continue = c.Continue || lo > 0
		} else {
			r.Lo[k.Axis], r.Hi[k.Axis] = 0, 1
			c.Out[1] = p.Out[1].Sub(r)
		}
		return &piece{Call: c}
	}
	return []*piece{half(0, n/2), half(n/2, n)}, false
}

func (k scanForm) example(shape chunk.Shape, _ int64) ([]*step, error) {
	if len(shape) != k.Rank {
		return nil, fmt.Errorf("cuda: sources: got a shape of rank %d, want %d: %w", len(shape), k.Rank, chunk.ErrShape)
	}
	in := &chunk.Chunk{DType: k.DType, ItemBytes: int32(k.DType.Size()), Shape: shape, Strides: shape.RowMajor()}
	return k.steps(k.whole(&kernels.Call{Shape: shape}), []*chunk.Chunk{in}), nil
}

// renderScan returns the source of a scan. Where lines lie one after the other, a warp scans 32 of them while the threads of its block carry squares of 32 x 32
// to shared memory and back; elsewhere neighbouring threads have neighbouring lines and need none.
func renderScan(k scanForm, g *geometry, rows, continues bool) (*Source, error) {
	w := newWriter(g.wide)
	t := ctype[k.DType]
	if k.DType.IsComplex() {
		w.use("c64")
	}
	for i, name := range []string{"out", "carry"} {
		w.param(t+" *__restrict__ ", name, func(l *launch) uint64 { return l.out[i] })
	}
	w.param("const "+t+" *__restrict__ ", "in0", func(l *launch) uint64 { return l.in[0] })
	lines := w.number("lines", func(l *launch) int64 { return l.geo.keep })
	long := w.number("long_", func(l *launch) int64 { return l.geo.count })
	w.constants(k.part, k.part.live)
	// take writes the step from before to x and makes it the new before.
	take := func(indent string) error {
		w.printf("%sconst %s r0 = before, r1 = x;\n", indent, t)
		if err := w.instructions(k.part.p, k.part.live, nil, indent); err != nil {
			return err
		}
		w.printf("%sbefore = r%d;\n", indent, k.part.p.Ret[0])
		return nil
	}
	at := func(from, indent string) { // the coordinate along the axis
		if len(g.dim) > g.kept {
			w.printf("%sconst ix c%d = (ix)(%s);\n", indent, g.kept, from)
		}
	}
	if !rows {
		inner := w.number("inner", func(l *launch) int64 { return numbers(l.call.Shape, ^kernels.AxisSet(0), k.Axis+1) })
		w.printf("\tconst un step = (un)gridDim.x * blockDim.x;\n")
		w.printf("\tfor (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)%s; t += step) {\n", lines)
		w.split(g, "t", 0, g.kept, "\t\t")
		w.printf("\t\tun at = t / (un)%s * (un)%s * (un)%s + t %% (un)%s;\n", inner, long, inner, inner)
		if continues {
			w.printf("\t\t%s before = carry[t];\n", t)
		} else {
			w.printf("\t\t%s before = {};\n", t)
		}
		w.printf("\t\tfor (un i = 0; i < (un)%s; i++) {\n", long)
		at("i", "\t\t\t")
		w.printf("\t\t\tconst %s x = in0[%s];\n", t, w.offset(g, 0, -1))
		if continues {
			w.printf("\t\t\t{\n")
		} else {
			w.printf("\t\t\tif (i == 0) {\n\t\t\t\tbefore = x;\n\t\t\t} else {\n")
		}
		if err := take("\t\t\t\t"); err != nil {
			return nil, err
		}
		w.printf("\t\t\t}\n\t\t\tout[at] = before;\n\t\t\tat += (un)%s;\n\t\t}\n\t\tcarry[t] = before;\n\t}\n", inner)
		return w.finish("scan, lines", perElement)
	}
	n := w.number("n", func(l *launch) int64 { return int64(l.count) })
	w.printf("\t__shared__ %s square[%d][%d];\n", t, tileSide, tileSide+1)
	w.printf("\tfor (un group = blockIdx.x; group < (un)%s; group += gridDim.x) {\n", n)
	w.printf("\t\tconst un first = group * %d, line = first + threadIdx.x;\n\t\tconst bool scans = threadIdx.y == 0 && line < (un)%s;\n", tileSide, lines)
	w.printf("\t\t%s before = {};\n", t)
	if continues {
		w.printf("\t\tif (scans) before = carry[line];\n")
	}
	w.printf("\t\tfor (un from = 0; from < (un)%s; from += %d) {\n", long, tileSide)
	w.printf("\t\t\tfor (un r = threadIdx.y; r < %d; r += blockDim.y) {\n\t\t\t\tconst un t = first + r, i = from + threadIdx.x;\n", tileSide)
	w.printf("\t\t\t\tif (t < (un)%s && i < (un)%s) {\n", lines, long)
	w.split(g, "t", 0, g.kept, "\t\t\t\t\t")
	at("i", "\t\t\t\t\t")
	w.printf("\t\t\t\t\tsquare[r][threadIdx.x] = in0[%s];\n\t\t\t\t}\n\t\t\t}\n\t\t\t__syncthreads();\n", w.offset(g, 0, -1))
	w.printf("\t\t\tfor (un i = 0; i < %d && scans && from + i < (un)%s; i++) {\n", tileSide, long)
	w.printf("\t\t\t\tconst %s x = square[threadIdx.x][i];\n", t)
	if continues {
		w.printf("\t\t\t\t{\n")
	} else {
		w.printf("\t\t\t\tif (from + i == 0) {\n\t\t\t\t\tbefore = x;\n\t\t\t\t} else {\n")
	}
	if err := take("\t\t\t\t\t"); err != nil {
		return nil, err
	}
	w.printf("\t\t\t\t}\n\t\t\t\tsquare[threadIdx.x][i] = before;\n\t\t\t}\n\t\t\t__syncthreads();\n")
	w.printf("\t\t\tfor (un r = threadIdx.y; r < %d; r += blockDim.y) {\n\t\t\t\tconst un t = first + r, i = from + threadIdx.x;\n", tileSide)
	w.printf("\t\t\t\tif (t < (un)%s && i < (un)%s) out[t * (un)%s + i] = square[r][threadIdx.x];\n\t\t\t}\n\t\t\t__syncthreads();\n\t\t}\n", lines, long, long)
	w.printf("\t\tif (scans) carry[line] = before;\n\t}\n")
	return w.finish("scan, rows", perTile)
}
