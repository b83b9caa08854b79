// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// whenKnown returns what build makes of the operands: now, or, where the length of an axis of one waits for a run (it was selected by a mask), as
// soon as an engine knows it. key, dt and grid are the function's, the dtype and the grid of its result; its lengths are -1 where they wait.
func whenKnown(key string, in []Array, dt dtype.DType, grid chunk.Grid, build func(in []Array) Array) Array {
	if !slices.ContainsFunc(in, Array.unknown) {
		return build(in)
	}
	return later(key, nil, in, dt, grid, func(in []Array, _ any) Array { return build(in) })
}

// later returns the array that build makes once an engine knows the lengths of the operands and what pass, nil for none, finds in the first.
func later(key string, pass *graph.Pass, in []Array, dt dtype.DType, grid chunk.Grid, build func(in []Array, found any) Array) Array {
	nodes := make([]*graph.Node, len(in))
	for i, a := range in {
		nodes[i] = a.Node()
	}
	return Array{here().Later(graph.LaterArg{Key: key, Pass: pass, Build: func(in []*graph.Node, found any) *graph.Node {
		arrays := make([]Array, len(in))
		for i, n := range in {
			if n.Err != nil {
				return n
			}
			arrays[i] = Array{n}
		}
		out := build(arrays, found)
		if err := out.Err(); err != nil {
			return graph.NewError(plainError(err), "") // the place in code is the engine's
		}
		return out.Node()
	}}, dt, grid, nodes...)}
}

// unknown reports whether a length of a waits for a run.
func (a Array) unknown() bool {
	return slices.ContainsFunc(a.Shape(), func(n int64) bool { return n < 0 })
}

// unknownAxis is the grid of one axis whose length waits for a run.
func unknownAxis() chunk.Grid {
	return chunk.Grid{Shape: chunk.Shape{-1}, Axes: []chunk.Axis{{Len: -1, Step: 1}}}
}

// plainError takes the place in code off an error.
func plainError(err error) error {
	if e, ok := err.(*graph.Error); ok {
		return e.Err
	}
	return err
}
