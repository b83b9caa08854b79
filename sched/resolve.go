// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// Resolve returns the arrays with every selection by a mask replaced by the
// positions where the mask is true, so that their shapes are known. It computes the masks,
// innermost first; arrays without such selections come back as they are.
func (e *Engine) Resolve(ctx context.Context, list ...ndarray.Array) ([]ndarray.Array, error) {
	nodes := make([]*graph.Node, len(list))
	for i, a := range list {
		if err := a.Err(); err != nil {
			return nil, err
		}
		nodes[i] = a.Node()
	}
	nodes, err := e.resolve(ctx, nodes)
	if err != nil {
		return nil, err
	}
	out := make([]ndarray.Array, len(list))
	for i, n := range nodes {
		out[i] = ndarray.FromNode(n)
	}
	return out, nil
}

// resolve replaces the masks of nodes, those without masks below them first.
func (e *Engine) resolve(ctx context.Context, nodes []*graph.Node) ([]*graph.Node, error) {
	for {
		masks := map[*graph.Node][]int64{}
		seen := map[*graph.Node]bool{}
		for _, n := range nodes {
			innermost(n, masks, seen)
		}
		if len(masks) == 0 {
			return nodes, nil
		}
		for mask := range masks {
			ids, err := e.truePositions(ctx, mask)
			if err != nil {
				return nil, fmt.Errorf("sched: count a mask: %w", err)
			}
			masks[mask] = ids
		}
		memo := map[*graph.Node]*graph.Node{}
		for i, n := range nodes {
			nodes[i] = replace(n, masks, memo)
			if nodes[i].Err != nil {
				return nil, nodes[i].Err
			}
		}
	}
}

// positionBytes is what one position of a list takes: itself, and its place in the key that makes equal nodes one.
const positionBytes = 24

// listBytes returns what the lists of positions that nodes select by take in host memory.
func listBytes(nodes []*graph.Node) int64 {
	seen := map[*graph.Node]bool{}
	total := int64(0)
	var walk func(n *graph.Node)
	walk = func(n *graph.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		switch arg := n.Arg.(type) {
		case graph.SelectArg:
			for _, s := range arg.Axes {
				total += int64(len(s.IDs)) * positionBytes
			}
		case graph.ReduceArg:
			total += int64(len(arg.IDs)) * positionBytes / 2 // int32
		}
		for _, in := range n.In {
			walk(in)
		}
	}
	for _, n := range nodes {
		walk(n)
	}
	return total
}

// truePositions computes a mask of one axis chunk by chunk and returns where it is true, in order. More positions than half the budget
// holds are an error wrapping ErrBudget.
func (e *Engine) truePositions(ctx context.Context, mask *graph.Node) ([]int64, error) {
	type part struct {
		start int64
		ids   []int64
	}
	var parts []part
	count, most := int64(0), e.opt.Memory/2/positionBytes
	out := ndarray.Output{Name: "mask", Array: ndarray.FromNode(mask).AsType(dtype.Bool), Each: func(at chunk.Region, c *chunk.Chunk) error {
		p := part{start: at.Lo[0]}
		truth := chunk.Elems[bool](c.Block)
		for i := range c.Shape[0] {
			if !truth[c.Offset+i*c.Strides[0]] {
				continue
			}
			if count++; count <= most {
				p.ids = append(p.ids, at.Lo[0]+i)
			}
		}
		if count > most {
			parts = nil // only the count matters now
		} else if len(p.ids) > 0 {
			parts = append(parts, p)
		}
		return nil
	}}
	if err := e.Run(ctx, []ndarray.Output{out}); err != nil {
		return nil, err
	}
	if count > most {
		return nil, fmt.Errorf("it selects %d elements: their positions take %s of host memory, want at most half the budget of %s; raise --memory to at least %dMiB or use where: %w",
			count, plan.Bytes(count*positionBytes), plan.Bytes(e.opt.Memory), 2*count*positionBytes>>20+16, ErrBudget)
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.start, b.start) })
	ids := make([]int64, 0, count)
	for _, p := range parts {
		ids = append(ids, p.ids...)
	}
	return ids, nil
}

// innermost collects the masks that depend on no other mask and reports whether n depends on one.
func innermost(n *graph.Node, masks map[*graph.Node][]int64, seen map[*graph.Node]bool) bool {
	if dep, ok := seen[n]; ok {
		return dep
	}
	dep := false
	for _, in := range n.In {
		dep = innermost(in, masks, seen) || dep
	}
	if n.Kind == graph.Compress {
		if !innermost(n.In[1], masks, seen) {
			masks[n.In[1]] = nil
		}
		dep = true
	}
	seen[n] = dep
	return dep
}

// replace builds n anew with the masks that are known.
func replace(n *graph.Node, masks map[*graph.Node][]int64, memo map[*graph.Node]*graph.Node) *graph.Node {
	if m, ok := memo[n]; ok {
		return m
	}
	in := make([]*graph.Node, len(n.In))
	same := true
	for i, x := range n.In {
		in[i] = replace(x, masks, memo)
		same = same && in[i] == x
	}
	out := n
	if ids, ok := masks[maskOf(n)]; ok {
		out = take(in[0], n.Arg.(graph.CompressArg).Axis, ids)
	} else if !same {
		out = rebuild(n, in)
	}
	memo[n] = out
	return out
}

// maskOf returns the mask of a Compress, nil for other nodes.
func maskOf(n *graph.Node) *graph.Node {
	if n.Kind != graph.Compress {
		return nil
	}
	return n.In[1]
}

// take selects positions along one axis.
func take(n *graph.Node, axis int, ids []int64) *graph.Node {
	arg := graph.SelectArg{Fixed: make([]int64, len(n.Shape()))}
	for i, d := range n.Shape() {
		arg.Axes = append(arg.Axes, graph.All(i, d))
	}
	arg.Axes[axis] = graph.AxisSel{In: axis, IDs: ids}
	return graph.NewSelect(n, arg)
}

// rebuild makes n's operation again on other inputs.
func rebuild(n *graph.Node, in []*graph.Node) *graph.Node {
	place := graph.At(n.Pos)
	switch arg := n.Arg.(type) {
	case graph.MapArg:
		if arg.Op == kernels.OpCast {
			return place.Cast(in[0], n.DType)
		}
		return place.Map(arg.Op, in...)
	case graph.ReduceArg:
		return place.Reduce(arg, in...)
	case graph.ScanArg:
		return place.Scan(arg.Op, in[0], arg.Axis)
	case graph.SelectArg:
		return place.Select(in[0], arg)
	case graph.PermuteArg:
		return place.Permute(in[0], arg.Axes)
	case graph.StackArg:
		return place.Stack(arg.Axis, in...)
	case graph.RechunkArg:
		return in[0] // its grid was made for a length nobody knew
	case graph.CompressArg:
		return place.Compress(in[0], in[1], arg.Axis)
	}
	return graph.NewError(fmt.Errorf("sched: a function cannot follow a selection by a mask whose length is not known; compute the mask first"), n.Pos)
}
