// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"errors"
	"slices"

	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// item is something a stage can do: write an output, make a fold, or scan, which it does alone.
type item struct {
	output int         // -1 for a fold or a scan
	node   *graph.Node // the output's node, the Reduce or the Scan
	loop   *graph.Node // whose shape is the loop and whose grid is the natural cut
	cells  *Cells
	reads  map[*graph.Node]bool // loads and folds read
	shares []string             // with the items before it in its stage
	copies bool                 // it is a stored array that goes to scratch storage
	direct bool                 // a fold that is written part by part
}

// alone reports whether no other item can be done in the item's sweep.
func (it *item) alone() bool { return it.scans() || it.copies }

// scans reports whether the item is a scan.
func (it *item) scans() bool { return it.output < 0 && it.node.Kind == graph.Scan }

// cut sorts outputs and folds into stages, level by level.
func (pl *planner) cut(top int) error {
	for level := 0; level <= top; level++ {
		var items []*item
		for i, o := range pl.plan.Outputs {
			first := 0
			for _, n := range o.nodes() {
				first = max(first, pl.levels[n])
			}
			if first == level && !slices.Contains(pl.direct[o.Node], i) {
				items = append(items, &item{output: i, node: o.Node, loop: o.Node})
			}
		}
		for _, n := range pl.loads {
			if level == 0 {
				items = append(items, &item{output: pl.direct[n][0], node: n, loop: n, copies: true})
			}
		}
		for _, n := range pl.made {
			if pl.levels[n]-1 != level {
				continue
			}
			if n.Kind == graph.Scan {
				items = append(items, &item{output: -1, node: n, loop: n.In[0]})
				continue
			}
			arg := n.Arg.(graph.ReduceArg)
			items = append(items, &item{output: -1, node: n, loop: n.In[0], cells: cellsOf(n.In[0].Grid, arg.Axes, arg.Groups > 0), direct: pl.direct[n] != nil})
		}
		for _, it := range items {
			it.reads = map[*graph.Node]bool{}
			roots := it.node.In
			switch {
			case it.copies:
				roots = []*graph.Node{it.node}
			case it.output >= 0:
				roots = pl.plan.Outputs[it.output].nodes()
			}
			for _, n := range roots {
				readBy(n, it.reads, map[*graph.Node]bool{})
			}
		}
		if err := pl.groups(level, items); err != nil {
			return err
		}
	}
	return nil
}

// readBy collects the loads, folds and scans whose values n is made from.
func readBy(n *graph.Node, out, seen map[*graph.Node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if n.Kind == graph.Load || ends(n) {
		out[n] = true
		return
	}
	for _, in := range n.In {
		readBy(in, out, seen)
	}
}

// groups puts the items of a level together where one sweep can serve several.
func (pl *planner) groups(level int, items []*item) error {
	var groups [][]*item
	for _, it := range items {
		// One that shares something with several groups makes them one.
		var joined []*item
		rest := groups[:0:0]
		for _, members := range groups {
			why, ok := together(members, it)
			for _, m := range joined {
				ok = ok && agree(members, m)
			}
			if !ok {
				rest = append(rest, members)
				continue
			}
			for _, name := range why {
				if !slices.Contains(it.shares, name) {
					it.shares = append(it.shares, name)
				}
			}
			joined = append(joined, members...)
		}
		groups = append(rest, append(joined, it))
	}
	for _, g := range groups {
		if err := pl.stages(level, g); err != nil {
			return err
		}
	}
	return nil
}

// agree reports whether one sweep can do it and the members of a stage.
func agree(members []*item, it *item) bool {
	for _, m := range members {
		if m.alone() || it.alone() || !m.loop.Shape().Equal(it.loop.Shape()) {
			return false
		}
		if m.cells != nil && it.cells != nil && (!m.cells.agree(it.cells) || (m.direct || it.direct) && m.cells.Set != it.cells.Set) {
			return false
		}
	}
	return true
}

// together reports whether it can join the members of a stage, and what they share.
func together(members []*item, it *item) (shared []string, ok bool) {
	if !agree(members, it) {
		return nil, false
	}
	same := false
	for _, m := range members {
		same = same || m.loop == it.loop
		for n := range it.reads {
			if name := nodeName(n); m.reads[n] && !slices.Contains(shared, name) {
				shared = append(shared, name)
			}
		}
	}
	if shared == nil && same {
		return []string{"the same loop"}, true
	}
	return shared, shared != nil
}

// nodeName returns what a plan calls a node.
func nodeName(n *graph.Node) string {
	switch arg := n.Arg.(type) {
	case graph.LoadArg:
		return arg.Name
	case graph.ReduceArg:
		return kernels.ReductionOf(arg.Op).Name
	case graph.ScanArg:
		return kernels.ScanOf(arg.Op).Name
	}
	return "a value"
}

// stages makes one stage of the items; where that cannot fit the budget, one for each.
func (pl *planner) stages(level int, items []*item) error {
	s, err := pl.stage(level, items)
	if err == nil {
		s.ID = len(pl.plan.Stages)
		pl.plan.Stages = append(pl.plan.Stages, s)
		return nil
	}
	if len(items) == 1 || !errors.Is(err, ErrBudget) {
		return err
	}
	for _, it := range items {
		it.shares = nil
		if err := pl.stages(level, []*item{it}); err != nil {
			return err
		}
	}
	return nil
}
