// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// Output asks an engine for an array: into a Sink, into memory, or to a function that is
// called with each region's chunk, never twice at once, in any order, borrowed. The first of the
// three that is set counts.
type Output struct {
	Array Array
	Name  string // for plans and messages
	To    formats.Sink
	// Into is memory of the array's dtype and shape, any strides, borrowed until the run ends. Elements are computed
	// in their place where that can be, so it must share none with what the array is made from; after an error they are undefined.
	Into *chunk.Chunk
	Each func(at chunk.Region, c *chunk.Chunk) error
}

// Engine computes arrays. sched implements it.
type Engine interface {
	// Run computes all outputs in as few sweeps as possible. The first error wins and cancels the rest.
	Run(ctx context.Context, outputs []Output) error
}
