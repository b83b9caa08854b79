// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// Output asks an engine for an array: into a Sink, or to a function that is
// called with each region's chunk, never twice at once, in any order, borrowed.
type Output struct {
	Array Array
	Name  string // for plans and messages
	To    formats.Sink
	Each  func(at chunk.Region, c *chunk.Chunk) error
}

// Engine computes arrays. sched implements it.
type Engine interface {
	// Run computes all outputs in as few sweeps as possible. The first error wins and cancels the rest.
	Run(ctx context.Context, outputs []Output) error
}
