// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Output asks an engine for an array: into a Sink, into memory, or to a function that is
// called with each region's chunk, never twice at once, in any order, borrowed; or to a sweep over several arrays. The first of the
// four that is set counts.
type Output struct {
	Array Array
	Name  string // for plans and messages
	To    formats.Sink
	// Into is memory of the array's dtype and shape, any strides, borrowed until the run ends. Elements are computed
	// in their place where that can be, so it must share none with what the array is made from; after an error they are undefined.
	Into *chunk.Chunk
	Each func(at chunk.Region, c *chunk.Chunk) error
	// Sweep looks at Array and at the arrays With, all of one shape, together. It may keep SweepShare of the budget; Done is given what it has found when all outputs
	// are computed, and its error fails the run.
	Sweep *graph.Sweep
	With  []Array
	Done  func(found any) error
}

// SweepShare: what the Sweeps of a run find takes at most one of so many parts of the budget, together.
const SweepShare = 4

// Engine computes arrays. sched implements it.
type Engine interface {
	// Run computes all outputs in as few sweeps as possible. The first error wins and cancels the rest.
	Run(ctx context.Context, outputs []Output) error
}
