// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/kernels"
)

// The fold templates.
const (
	templateLanes  = "lanes"  // last axis reduced: 32 accumulators to a block, one warp
	templateColumn = "column" // last axis kept: one accumulator, one thread
	templateGroups = "groups" // one accumulator for each group and kept element, one thread
)

// foldTemplate chooses the template of a part with folds.
func foldTemplate(q *part) string {
	switch {
	case q.group >= 0:
		return templateGroups
	case q.p.Rank > 0 && q.axes.Has(q.p.Rank-1):
		return templateLanes
	}
	return templateColumn
}

// renderFold returns the source of the folds of a part, in the order of the architecture:
//
//   - lanes: number i of a block goes to accumulator i mod 32, the lane of a warp, and
//     the 32 join by halving, lane i with i+16, then i+8 ... i+1. Where a cell has fewer numbers, a warp
//     takes several: accumulators that nothing reached are neutral and are left out.
//   - column: a thread takes the numbers of a block in sequence.
//   - groups: a thread takes those of its group in sequence, over the whole chunk.
//
// Blocks are not joined here: their states are the results.
func renderFold(q *part, g *geometry, template string, m mode) (*Source, error) {
	w := newWriter(g.wide)
	accs := make([]*accumulator, len(q.folds))
	for i, f := range q.folds {
		accs[i] = newAccumulator(w, i, f.r, q.p.RegType(f.Args[0]), m)
		for k, c := range accs[i].state {
			w.param(ctype[c.DType]+" *__restrict__ ", fmt.Sprintf("out%d_%d", i, k), func(l *launch) uint64 { return l.out[f.out+k] })
		}
	}
	total := w.number("total", func(l *launch) int64 { return int64(l.count) })
	keep := w.number("keep", func(l *launch) int64 { return l.geo.keep })
	reduced := w.number("reduced", func(l *launch) int64 { return l.run.to })
	skip := ""
	if m.skips {
		name := w.number("skip", func(l *launch) int64 { return l.run.from })
		if skip = " + (un)" + name; m.lone {
			w.lone = " - (ix)" + name
		}
	}
	var loop string // over the numbers of the accumulators
	switch template {
	case templateLanes:
		width := w.number("width", func(l *launch) int64 { return int64(l.width) })
		w.printf("\tconst u32 width_ = (u32)%s, lid = threadIdx.x & (width_ - 1), per = 32 / width_;\n", width)
		w.printf("\tconst un warps = (un)gridDim.x * (blockDim.x >> 5);\n")
		w.printf("\tfor (un base = ((un)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5)) * per; base < (un)%s; base += warps * per) {\n", total)
		w.printf("\t\tconst un t = base + (threadIdx.x & 31) / width_;\n\t\tconst bool on = t < (un)%s;\n", total)
		w.printf("\t\tconst un block = t / (un)%s, cell = t - block * (un)%s;\n", keep, keep)
		w.split(g, "cell", 0, g.kept, "\t\t")
		w.printf("\t\tconst un from = block * %d%s, left = on ? (un)%s - from : 0, to = from + (left < %d ? left : %d);\n", kernels.InnerBlock, skip, reduced, kernels.InnerBlock, kernels.InnerBlock)
		loop = "\t\tfor (un n = from + lid; n < to; n += 32) {\n"
	case templateColumn:
		w.printf("\tconst un step = (un)gridDim.x * blockDim.x;\n")
		w.printf("\tfor (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)%s; t += step) {\n", total)
		w.printf("\t\tconst un block = t / (un)%s, cell = t - block * (un)%s;\n", keep, keep)
		w.split(g, "cell", 0, g.kept, "\t\t")
		w.printf("\t\tconst un from = block * %d%s, left = (un)%s - from, to = from + (left < %d ? left : %d);\n", kernels.OuterBlock, skip, reduced, kernels.OuterBlock, kernels.OuterBlock)
		loop = "\t\tfor (un n = from; n < to; n++) {\n"
	case templateGroups:
		w.printf("\tconst un step = (un)gridDim.x * blockDim.x;\n")
		w.printf("\tfor (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)%s; t += step) {\n", total)
		w.printf("\t\tconst un group = t / (un)%s, cell = t - group * (un)%s;\n", keep, keep)
		w.split(g, "cell", 0, g.kept, "\t\t")
		loop = fmt.Sprintf("\t\tfor (un n = 0; n < (un)%s; n++) {\n", reduced)
	}
	for _, a := range accs {
		if m.resumes || m.sweep == squareSweep {
			a.resume()
		} else {
			a.begin()
		}
	}
	if m.sweep != squareSweep {
		if err := w.sweep(q, g, template, loop, accs, 0); err != nil {
			return nil, err
		}
	}
	twice := false
	if m.sweep == bothSweeps || m.sweep == squareSweep && !m.resumes {
		for _, a := range accs {
			twice = a.between(template == templateLanes) || twice
		}
	}
	if twice || m.sweep == squareSweep {
		if err := w.sweep(q, g, template, loop, accs, 1); err != nil {
			return nil, err
		}
	}
	if template == templateLanes {
		for _, a := range accs {
			a.halve()
		}
		w.printf("\t\tif (on && lid == 0) {\n")
	} else {
		w.printf("\t\t{\n")
	}
	for _, a := range accs {
		a.store()
	}
	w.printf("\t\t}\n\t}\n")
	shape := perElement
	if template == templateLanes {
		shape = perWarp
	}
	return w.finish("fold, "+template, shape)
}

// sweep writes a loop over the numbers that feeds the accumulators that take part in a pass.
func (w *writer) sweep(q *part, g *geometry, template, loop string, accs []*accumulator, pass int) error {
	loaded := make([]bool, len(q.in))
	var regs []kernels.Reg
	for i, f := range q.folds {
		if pass == 0 || accs[i].twice() {
			regs = append(regs, f.Args...)
		}
	}
	w.printf("%s", loop)
	w.split(g, "n", g.kept, len(g.dim), "\t\t\t")
	if template == templateGroups {
		if port := q.p.In[q.group]; port.Gather >= 0 {
			w.load(q, g, int(port.GatherIDs), "\t\t\t")
			loaded[port.GatherIDs] = true
		}
		w.load(q, g, q.group, "\t\t\t")
		w.printf("\t\t\tif (r%d < 0 || (un)r%d != group) continue;\n", q.group, q.group)
		loaded[q.group] = true
	}
	if err := w.element(q, g, regs, loaded, "\t\t\t"); err != nil {
		return err
	}
	for i, f := range q.folds {
		if pass == 0 || accs[i].twice() {
			accs[i].add(f.Args, pass)
		}
	}
	w.printf("\t\t}\n")
	return nil
}
