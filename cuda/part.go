// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"github.com/arrayrun/arrayrun/kernels"
)

// foldsAtOnce is how many folds one kernel evaluates: their accumulators stay in registers.
const foldsAtOnce = 6

// part is what one kernel of a program computes: its elementwise results, or folds over the same axes and groups.
type part struct {
	p     *kernels.Program
	ret   []kernels.Reg
	folds []partFold
	axes  kernels.AxisSet
	group int // input that holds the group ids, or -1
	live  []bool
	in    []bool // inputs among live, those that hold ids of live gathers included
	fixed kernels.AxisSet
}

// partFold is a fold and the number of its first output.
type partFold struct {
	kernels.Fold
	r   *kernels.Reduction
	out int
}

// partsOf divides a program into the parts that run one after the other.
func partsOf(p *kernels.Program) []*part {
	var parts []*part
	if len(p.Ret) > 0 {
		parts = append(parts, &part{p: p, ret: p.Ret, group: -1})
	}
	out := len(p.Ret)
	for _, f := range p.Folds {
		r := kernels.ReductionOf(f.Op)
		var to *part
		for _, q := range parts {
			if len(q.folds) > 0 && len(q.folds) < foldsAtOnce && q.axes == f.Axes && q.group == int(f.Group) {
				to = q
			}
		}
		if to == nil {
			to = &part{p: p, axes: f.Axes, group: int(f.Group)}
			parts = append(parts, to)
		}
		to.folds = append(to.folds, partFold{f, r, out})
		out += len(r.State(p.RegType(f.Args[0])))
	}
	for _, q := range parts {
		q.mark()
	}
	return parts
}

// mark finds the registers that the part needs and the axes that may not be joined.
func (q *part) mark() {
	regs := append([]kernels.Reg(nil), q.ret...)
	for _, f := range q.folds {
		regs = append(regs, f.Args...)
	}
	if q.group >= 0 {
		regs = append(regs, kernels.Reg(q.group))
	}
	q.live = liveOf(q.p, regs)
	q.in = q.live[:len(q.p.In)]
	for i, port := range q.p.In {
		if q.in[i] && port.Gather >= 0 {
			q.fixed |= kernels.Axes(int(port.Gather))
		}
	}
	first := len(q.p.In) + len(q.p.Consts)
	for i, in := range q.p.Body {
		if q.live[first+i] && in.Op == kernels.OpIndex {
			q.fixed |= kernels.Axes(int(in.Aux))
		}
	}
}

// twice returns the folds of the part that need two passes over their numbers, as a part of their own: nil where there are none.
func (q *part) twice() *part {
	t := &part{p: q.p, axes: q.axes, group: q.group}
	for _, f := range q.folds {
		if !f.r.Continues() {
			t.folds = append(t.folds, f)
		}
	}
	if t.folds == nil {
		return nil
	}
	t.mark()
	return t
}

// liveOf marks the registers that regs need.
func liveOf(p *kernels.Program, regs []kernels.Reg) []bool {
	first := len(p.In) + len(p.Consts)
	live := make([]bool, first+len(p.Body))
	for _, r := range regs {
		live[r] = true
	}
	for i := len(p.Body) - 1; i >= 0; i-- {
		if live[first+i] {
			for _, a := range p.Body[i].Args {
				if a >= 0 {
					live[a] = true
				}
			}
		}
	}
	for i, port := range p.In {
		if live[i] && port.Gather >= 0 {
			live[port.GatherIDs] = true
		}
	}
	return live
}

// instructions returns how many instructions the part runs for each element, slow programs included.
func (q *part) instructions() int {
	n, first := 0, len(q.p.In)+len(q.p.Consts)
	for i, in := range q.p.Body {
		if q.live[first+i] {
			n++
			if in.Op == kernels.OpCold {
				n += len(q.p.Slow[in.Aux].Body)
			}
		}
	}
	return n
}
