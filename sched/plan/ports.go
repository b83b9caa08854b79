// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// input appends a leaf without a node and makes it an input.
func (f *fuser) input(l *Leaf) kernels.Reg {
	l.Gather = -1
	f.body.Leaves = append(f.body.Leaves, l)
	return f.port(len(f.body.Leaves) - 1)
}

// picks makes an input of the positions that leaf l is read at along the one
// axis it is gathered along, when its values are in memory and the program can pick them
// itself; it returns the loop axis and the number of the input, or -1.
func (f *fuser) picks(l *Leaf, gather bool) (axis int, port int8) {
	switch l.Kind {
	case Computed, Inner:
		if !gather {
			return -1, 0
		}
	case Stored:
		if _, ok := f.pl.plan.Sources[l.Store].Source.(Memory); !ok {
			return -1, 0
		}
	default:
		return -1, 0
	}
	at := -1
	for i, m := range l.Axes {
		switch {
		case m.IDs != nil && at >= 0, m.Loop < 0 && m.Start < 0:
			return -1, 0
		case m.IDs != nil:
			at = i
		}
	}
	if at < 0 || l.Node.Shape()[at] > math.MaxInt32 || len(f.body.Ports) >= math.MaxInt8 {
		return -1, 0
	}
	m := l.Axes[at]
	f.input(&Leaf{Kind: Picks, Axes: []AxisMap{m}, DType: dtype.Int32, ItemBytes: 4, Relative: l.Kind == Inner})
	return m.Loop, int8(len(f.body.Ports) - 1)
}

// port makes leaf i an input of the program.
func (f *fuser) port(i int) kernels.Reg { return f.portOf(i, true) }

// portOf is port; gather says that the program may pick positions itself.
func (f *fuser) portOf(i int, gather bool) kernels.Reg {
	l := f.body.Leaves[i]
	p := kernels.In(l.DType)
	p.Access = l.access(len(f.body.Shape) - 1)
	if axis, ids := f.picks(l, gather); axis >= 0 {
		l.Gather = axis
		p.Gather, p.GatherIDs = int8(axis), ids
		if axis == len(f.body.Shape)-1 {
			p.Access = kernels.Strided
		}
	}
	r := f.b.Input(p)
	f.body.Ports = append(f.body.Ports, i)
	f.leafOf[r] = i
	return r
}

// access returns how the leaf follows the innermost loop axis.
func (l *Leaf) access(inner int) kernels.Access {
	for i, m := range l.Axes {
		if m.Loop != inner {
			continue
		}
		if i == len(l.Axes)-1 && (m.Step == 1 || m.IDs != nil) {
			return kernels.Contiguous
		}
		return kernels.Strided
	}
	return kernels.Broadcast
}
