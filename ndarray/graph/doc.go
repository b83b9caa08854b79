// SPDX-License-Identifier: BSD-3-Clause

// Package graph is what an array means before anything is computed: a directed
// acyclic graph of whole-array operations.
//
// The nouns: a Node is one operation with its dtype, shape and Grid, inferred
// when it is made; a Kind is one of twelve things a node can do; an Arg is what it
// needs besides its inputs; a rewrite turns nodes into cheaper ones that give the same bits.
//
//	load := graph.NewLoad(src, "t2m", src.Meta().Grid)
//	day := graph.NewSelect(load, graph.SelectArg{Axes: []graph.AxisSel{
//		{In: 1, Step: 1, Len: 721}, {In: 2, Step: 1, Len: 1440}}, Fixed: []int64{3, 0, 0}})
//	outs := graph.Rewrite([]*graph.Node{day}, graph.RewriteOptions{})
//
// # Laws
//
// Nodes are immutable and hash-consed: two calls with equal arguments return the
// same pointer while it is alive, so a subexpression that was written twice
// exists once. Building costs time and memory in the number of operations, never in the
// number of chunks: grids stay symbolic.
//
// The Grid of a node is part of what it means only where a Reduce reads it (its cells
// fix the order of the fold, for good); elsewhere it is the cut results are asked for in. A
// rewrite hands the Grid of a node it replaces on to the replacement, so a Grid may differ from the one
// that inference would give (an explicit grid). Only a Load's Grid is always its source's.
//
// A node that cannot be built carries an error, and so does everything made from it.
//
// The package does not know files' formats, labels, tasks or budgets. A new kind needs an
// entry in RATIONALE.md; a new rewrite is a file and a line in rewrite.go.
package graph
