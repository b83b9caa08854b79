// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Once returns a, whole and computed once before anything is made of it: what several results, or lines in several directions, are made of. An engine
// puts it on disk where it does not fit in memory. DType: numbers; they stay as they are.
func (a Array) Once() Array {
	if a.Err() != nil || a.Size() == 0 {
		return a
	}
	// Scans and folds are what plans compute whole; a scan along one element copies it.
	return a.ExpandDims(0).CumSum(0).Squeeze(0).AsType(a.DType())
}

// functions returns the functions of regions, such as products and sorts, that tasks which want a run for it, and run again wherever they want it again.
func (a Array) functions() (list []*graph.Node) {
	for n := range a.Node().Together() {
		if arg, ok := n.Arg.(graph.OpaqueArg); ok && !strings.HasPrefix(arg.Key, "reshape ") {
			list = append(list, n)
		}
	}
	return list
}

// wholeBytes is the size of chunks that are whole along some axes: a task has several of them, one for each operand and result.
const wholeBytes = 4 << 20

// WholeAxes returns a grid for a result that is computed whole along some axes: those have the lengths given, the other axes the cuts of g, the first
// of them cut finer until a chunk has no more than 4 MiB, or as many bytes as it needs.
func WholeAxes(g chunk.Grid, itemBytes int64, lengths map[int]int64) chunk.Grid {
	out := chunk.Grid{Shape: g.Shape.Clone(), Axes: slices.Clone(g.Axes)}
	for k, n := range lengths {
		out.Shape[k], out.Axes[k] = n, chunk.Axis{Len: n, Step: max(n, 1)}
	}
	for k := range out.Axes {
		x := &out.Axes[k]
		size := out.MaxChunk().Size() * itemBytes
		if _, whole := lengths[k]; whole || size <= wholeBytes || x.Max() <= 1 {
			continue
		}
		*x = chunk.Axis{Len: x.Len, Step: max(1, x.Max()/((size+wholeBytes-1)/wholeBytes))}
	}
	return out
}

// WholeAlong returns a, of which tasks are going to take all of some axes. Where a is itself made of functions of whole lines along other axes, a task would have
// to compute it whole along those too: then a is computed once, before, if that is more than most bytes.
func (a Array) WholeAlong(axes []int, most int64) Array {
	if a.Err() != nil {
		return a
	}
	want := kernels.Axes(axes...)
	w := wholes{axes: want, seen: map[*graph.Node]bool{}}
	if w.below(a.Node()); w.lost {
		w.axes = 1<<a.Rank() - 1
	}
	bytes := int64(a.DType().Size())
	for k, n := range a.Shape() {
		if w.axes.Has(k) {
			bytes *= max(n, 1)
		}
	}
	if w.axes == want || bytes <= most {
		return a
	}
	return a.Once()
}

// wholes collects the axes along which tasks compute what a node is made of whole.
type wholes struct {
	axes kernels.AxisSet
	lost bool // some are axes of other shapes
	seen map[*graph.Node]bool
}

// below looks at n and what it is made of, but for what is computed before it or stored.
func (w *wholes) below(n *graph.Node) {
	if w.seen[n] || n.Kind == graph.Reduce || n.Kind == graph.Scan {
		return
	}
	w.seen[n] = true
	if arg, ok := n.Arg.(graph.OpaqueArg); ok {
		w.axes |= arg.Whole
	}
	for _, in := range n.In {
		if (n.Kind == graph.Map || n.Kind == graph.Rechunk || n.Kind == graph.Opaque) && len(in.Shape()) == len(n.Shape()) {
			w.below(in)
			continue
		}
		other := wholes{seen: w.seen}
		other.below(in)
		w.lost = w.lost || other.lost || other.axes != 0
	}
}
