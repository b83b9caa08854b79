// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
)

// RewriteOptions says which rewrites run; the zero value runs all.
type RewriteOptions struct {
	Off   bool                              // change nothing
	Skip  []string                          // names of rules to leave out
	Trace func(rule string, from, to *Node) // called for every replacement
}

// rule replaces a node of a kind by a cheaper one with the same shape, dtype, Grid
// and bits, or returns nil. Rules may count on their node's inputs being rewritten already.
type rule struct {
	name  string
	kind  Kind // 0: every kind
	apply func(r *rewriter, n *Node) *Node
}

// rules lists the rewrites in the order they are tried, one file each.
// Common subexpressions need none: hash-consing makes equal nodes one. Nor do results
// nobody asks for: what the outputs do not reach is never looked at.
func rules() []rule {
	return []rule{
		{"empty", 0, rewriteEmpty},
		{"noop", 0, rewriteNoop},
		{"fold-constants", Map, rewriteFold},
		{"select-select", Select, rewriteSelectSelect},
		{"select-fill", Select, rewriteSelectFill},
		{"select-rechunk", Select, rewriteSelectRechunk},
		{"select-permute", Select, rewriteSelectPermute},
		{"select-stack", Select, rewriteSelectStack},
		{"select-map", Select, rewriteSelectMap},
		{"select-reduce", Select, rewriteSelectReduce},
		{"select-scan", Select, rewriteSelectScan},
	}
}

// maxPasses bounds the passes; each one that changes something moves a Select
// below a Reduce at least, so real graphs need a handful.
const maxPasses = 64

// rewriter is one pass.
type rewriter struct {
	opt   RewriteOptions
	rules []rule
	memo  map[*Node]*Node
	uses  map[*Node]int // of the nodes the pass began with: how many inputs and outputs they are
}

// Rewrite returns nodes with the same values, dtypes, shapes and Grids as outs
// that cost less: bit for bit the same results, in any combination of rules. Error nodes stay.
// Time is proportional to the number of nodes, not of chunks.
func Rewrite(outs []*Node, opt RewriteOptions) []*Node {
	cur := slices.Clone(outs)
	if opt.Off {
		return cur
	}
	active := slices.DeleteFunc(rules(), func(r rule) bool { return slices.Contains(opt.Skip, r.name) })
	for range maxPasses {
		r := &rewriter{opt: opt, rules: active, memo: map[*Node]*Node{}, uses: countUses(cur)}
		next := make([]*Node, len(cur))
		for i, n := range cur {
			next[i] = r.visit(n)
		}
		if slices.Equal(next, cur) {
			break
		}
		cur = next
	}
	return cur
}

// countUses returns how often each node is an input or an output.
func countUses(outs []*Node) map[*Node]int {
	uses := map[*Node]int{}
	for _, n := range Topo(outs...) {
		for _, in := range n.In {
			uses[in]++
		}
	}
	for _, n := range outs {
		uses[n]++
	}
	return uses
}

// visit returns what n becomes.
func (r *rewriter) visit(n *Node) *Node {
	if m, ok := r.memo[n]; ok {
		return m
	}
	m := n
	if n.Err == nil {
		in := make([]*Node, len(n.In))
		for i, x := range n.In {
			in[i] = r.visit(x)
		}
		if !slices.Equal(in, n.In) {
			m = like(n, n.Kind, in, n.Arg)
		}
		m = r.step(m)
	}
	r.memo[n] = m
	r.memo[m] = m
	return m
}

// step applies the rules to a node whose inputs are done.
func (r *rewriter) step(n *Node) *Node {
	for _, rule := range r.rules {
		if rule.kind != 0 && rule.kind != n.Kind {
			continue
		}
		to := rule.apply(r, n)
		if to == nil || to == n || to.Err != nil || !sameOutside(n, to) {
			continue
		}
		if checked {
			if err := Verify(to); err != nil {
				panic(fmt.Sprintf("graph: rewrite %s broke a rule: %v\nfrom:\n%v\nto:\n%v", rule.name, err, n, to))
			}
		}
		if r.opt.Trace != nil {
			r.opt.Trace(rule.name, n, to)
		}
		return r.visit(to)
	}
	return n
}

// sameOutside reports whether b can stand where a stands. It holds for every rule; it
// is here because a rule that forgot a Grid would change the bits of a sum far away.
func sameOutside(a, b *Node) bool {
	return a.DType == b.DType && a.ItemBytes == b.ItemBytes && a.Grid.Equal(b.Grid)
}

// like returns a node with n's dtype, place and Grid that does something else.
func like(n *Node, k Kind, in []*Node, arg Arg) *Node {
	inferred, ok := inferGrid(k, in, arg)
	return At(n.Pos).newNode(k, in, n.DType, n.ItemBytes, n.Grid, arg, !ok || !inferred.Equal(n.Grid))
}

// onGrid returns x cut by grid, through a Rechunk where it is cut otherwise.
func onGrid(x *Node, grid chunk.Grid) *Node { return At(x.Pos).Rechunk(x, grid) }

// inferGrid returns the Grid a constructor would give, ok false where it is an argument.
func inferGrid(k Kind, in []*Node, arg Arg) (g chunk.Grid, ok bool) {
	switch a := arg.(type) {
	case MapArg:
		s, err := broadcastAll(in)
		if err != nil {
			return g, false
		}
		return mapGrid(s, in), true
	case ReduceArg:
		return reduceGrid(in[0].Grid, a), true
	case ScanArg:
		return in[0].Grid, true
	case SelectArg:
		return selectGrid(in[0].Grid, a), true
	case PermuteArg:
		axes := make([]chunk.Axis, len(a.Axes))
		for i, x := range a.Axes {
			axes[i] = in[0].Grid.Axes[x]
		}
		return gridOf(axes), true
	case StackArg:
		return stackGrid(a.Axis, in), true
	case CompressArg:
		return compressGrid(in[0].Grid, a.Axis), true
	case RechunkArg:
		return a.Grid, true
	}
	return g, false
}
