// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"context"
	"errors"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// ErrUnsupported is wrapped when a device cannot run a unit; the planner then
// places the stage on the CPU and says so.
var ErrUnsupported = errors.New("kernels: not supported by this device")

// Unit is what a device understands: a pure description with a canonical text, a key, by which units
// are looked up (equal units have equal keys, and no others do), and a hash of that. The units are *Program, *Combine, *Scan and *Product.
type Unit interface {
	String() string
	Key() string
	Hash() uint64
}

// Device compiles units and runs them on chunks in its space.
type Device interface {
	Name() string // "ref", "vm-generic", "jit-avx2", "cuda:0"
	Allocator() mem.Allocator
	// Compile returns the unit's kernel, or an error wrapping ErrUnsupported. Kernels are cached by key.
	Compile(ctx context.Context, u Unit) (Kernel, error)
	// Copy copies src's elements to dst: same dtype and shape, any strides, any spaces.
	Copy(ctx context.Context, dst, src *chunk.Chunk) error
	Close() error
}

// Call is one run of a kernel.
//
// For a Program: Shape is the loop's shape (rank Program.Rank), Origin the
// global position of its first element (what OpIndex counts from). In has one
// chunk per Port, of rank Rank, whose shape is Shape except along broadcast
// axes (any length, stride 0) and gather axes. Out has one chunk per Ret, of
// the loop's shape, then for each Fold one chunk per state component.
//
// The call covers whole fold cells: for every fold, all reduced elements of one
// cell (one operand chunk, or several joined, see FoldBlocks). Kept axes may be
// split freely. A fold's output has shape [blocks, kept lengths in loop order...],
// blocks = FoldBlocks(Shape, Axes); for a grouped fold [groups, kept...]. Outputs
// of folds are contiguous and are written, not accumulated into, unless Continue is set.
//
// For a Combine: Out and In have one chunk per state component, contiguous, all
// of one shape; Out becomes Out joined with In, Out being the earlier in order.
//
// For a Scan or a Product: see there.
type Call struct {
	Out, In []*chunk.Chunk
	Origin  chunk.Shape
	Shape   chunk.Shape
	Scratch *mem.Block // at least Scratch(Shape) bytes, contents undefined
	Stream  bool       // results are not read soon and do not fit the last-level cache: store them past the caches
	// Continue: the folds of this call go on from the states that Out holds, as if the numbers of this call
	// followed those of earlier calls in the same block: the bits are those of one call over all of them. It is for
	// programs whose every fold is ungrouped, keeps the last loop axis and is of a reduction that Continues, and
	// for calls that hold numbers of one block (FoldBlocks = 1; with the earlier calls' at most OuterBlock).
	// CheckContinue reports what is otherwise.
	Continue bool
}

// CheckContinue returns an error for a call of p with Continue set whose folds cannot go on from a state; see Call.Continue.
func (c *Call) CheckContinue(p *Program) error {
	if !c.Continue {
		return nil
	}
	for i, f := range p.Folds {
		r := ReductionOf(f.Op)
		blocks := FoldBlocks(c.Shape, f.Axes)
		switch {
		case f.Group >= 0:
			return fmt.Errorf("kernels: run: fold %d (%s) continues: got groups, want none", i, r.Name)
		case p.Rank == 0 || f.Axes.Has(p.Rank-1):
			return fmt.Errorf("kernels: run: fold %d (%s) continues: got the last of %d axes reduced, want it kept", i, r.Name, p.Rank)
		case !r.Continues():
			return fmt.Errorf("kernels: run: fold %d continues: got %s, which needs all numbers of a block at once; fold whole blocks", i, r.Name)
		case blocks != 1:
			return fmt.Errorf("kernels: run: fold %d (%s) continues: got %d blocks in a loop of shape %v, want 1", i, r.Name, blocks, c.Shape)
		}
	}
	return nil
}

// Kernel is a compiled unit. Run returns when the work is done. Both methods
// are safe for concurrent use. Run allocates nothing on the Go heap per call beyond a constant handful.
type Kernel interface {
	Scratch(shape chunk.Shape) int64
	Run(ctx context.Context, c *Call) error
}

// Explained is a Kernel, or a Device, that tells what runs it and why nothing faster does, in a few words for people:
// "machine code", "machine code, block machine for power(int64)", "block machine: ...".
type Explained interface{ Executor() string }

// Combine joins the states of two parts of a fold: sums add, minima compare,
// variances join by Chan's formula.
type Combine struct {
	Op ReductionID
	In []StateType // state components, in the reduction's order
}

// The block lengths of the fold order.
const (
	InnerBlock = 4096 // last axis reduced: numbers in a block, 32 accumulators
	OuterBlock = 256  // last axis kept: numbers in a block, one accumulator per kept element
	Lanes      = 32
)

// FoldBlocks returns how many blocks a cell of the given loop shape has when
// the axes in set are reduced: the reduced elements are numbered row-major and
// cut into blocks of InnerBlock when the last axis is reduced, else of OuterBlock.
// An empty cell has none.
func FoldBlocks(shape chunk.Shape, set AxisSet) int64 {
	n := int64(1)
	for i, d := range shape {
		if set.Has(i) {
			n *= d
		}
	}
	b := int64(OuterBlock)
	if len(shape) > 0 && set.Has(len(shape)-1) {
		b = InnerBlock
	}
	return (n + b - 1) / b
}
