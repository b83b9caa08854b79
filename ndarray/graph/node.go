// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"context"
	"fmt"
	"iter"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
)

// Kind is what a node does. Another kind needs an entry in RATIONALE.md.
type Kind uint8

// The kinds. In counts inputs.
const (
	Load     Kind = iota + 1 // a stored or host array; LoadArg, In 0
	Fill                     // a constant or an axis index; FillArg, In 0
	Map                      // elementwise, inputs broadcast; MapArg, In 1-3
	Reduce                   // fold along axes, perhaps by group; ReduceArg, In 1-2
	Scan                     // running fold along an axis; ScanArg, In 1
	Select                   // slices, steps, index lists, dropped, new and repeated axes; SelectArg, In 1
	Permute                  // axes in another order; PermuteArg, In 1
	Stack                    // joined along an axis; StackArg, In n
	Rechunk                  // the same values on another grid; RechunkArg, In 1
	Compress                 // the elements where a 1-D mask is true; CompressArg, In 2
	Opaque                   // a Go function of whole regions; OpaqueArg, In n
	Later                    // what is built when lengths, or what a pass over In[0] finds, are known; LaterArg, In n
)

// Node is one array operation: immutable, hash-consed by Kind, In and Arg. Pos
// (where the user wrote it) is not part of its identity. A node with Err stands for what
// could not be built; everything made from it carries the same error.
type Node struct {
	Kind      Kind
	In        []*Node
	DType     dtype.DType
	ItemBytes int // Raw only, else DType.Size()
	Grid      chunk.Grid
	Arg       Arg
	Pos       string
	Err       error
	ID        uint64 // unique for each distinct node of the process, ascending in order of creation
}

// Shape returns the node's shape.
func (n *Node) Shape() chunk.Shape { return n.Grid.Shape }

// Arg is what a node of a kind needs besides its inputs.
type Arg interface {
	// AppendKey appends bytes that are equal exactly for equal arguments.
	AppendKey(b []byte) []byte
}

// LoadArg names a source. Sources are compared by identity. Name is for plans and errors.
type LoadArg struct {
	Source formats.Source
	Name   string
}

// FillArg is a constant array (Axis < 0; Const.DType is the node's) or, with
// Axis >= 0, the int64 position along that axis.
type FillArg struct {
	Const kernels.Const
	Axis  int
}

// MapArg is an elementwise operation of the table. The inputs already have the dtypes the
// operation's signature asks for; they broadcast by NumPy's rule.
type MapArg struct{ Op kernels.OpID }

// ReduceArg is a fold of In[0] over Axes (ascending). Without a group, the
// kept axes remain in order (KeepDims: reduced axes have length 1). With Groups > 0 either
// IDs holds the group of each position along the one axis in Axes (-1: none), and an axis of length Groups
// takes that axis's place; or IDs is nil and In[1], of int32 and broadcasting to In[0], holds the group
// of each element: the result then has a first axis of length Groups, followed by the kept axes.
type ReduceArg struct {
	Op       kernels.ReductionID
	Axes     []int
	KeepDims bool
	Groups   int64
	IDs      []int32
	Params   kernels.Params
}

// AxisSel is one output axis of a Select: along input axis In, the positions
// Start, Start+Step, ... (Len of them), or IDs when not nil (-1 reads as missing: NaN, or 0 for
// dtypes without one). In < 0 is a new axis of length Len that repeats.
type AxisSel struct {
	In    int
	Start int64
	Step  int64
	Len   int64
	IDs   []int64
}

// Holder is a Source that holds so many bytes of host memory which are part of the engine's budget: what a pass has found, say.
type Holder interface{ Holds() int64 }

// SelectArg lists the output axes in order; input axes that occur in none are fixed at Fixed[axis].
// The input axes that occur do so once each and in ascending order (Permute changes order).
type SelectArg struct {
	Axes  []AxisSel
	Fixed []int64 // one entry per input axis; used where dropped
}

// PermuteArg: output axis i is input axis Axes[i].
type PermuteArg struct{ Axes []int }

// StackArg joins the inputs along an existing axis.
type StackArg struct{ Axis int }

// RechunkArg puts the same values on the node's Grid.
type RechunkArg struct{ Grid chunk.Grid }

// CompressArg keeps the positions along Axis where In[1] (1-D bool) is true; the node's length there is -1
// until the engine has counted.
type CompressArg struct{ Axis int }

// OpaqueArg is a Go function of regions. Key identifies it (functions cannot be compared). Need
// returns, for a region of the output, the region of input i that Run is given.
// A result region is never cut along the axes in Whole. With Near above 0 a region that needs more than Near
// elements of an input for each of its own is computed in halves: its box spans much that it does not want. Holds are the bytes that
// Run's tables take in host memory.
type OpaqueArg struct {
	Key     string
	Whole   kernels.AxisSet
	Near    int64
	Holds   int64
	Blocks  []chunk.Axis // by axis of the result, where it is cut into blocks of which a region is computed whole; nil for none
	Need    func(i int, out chunk.Region) chunk.Region
	Scratch func(out chunk.Shape) int64
	Strided bool                          // Run takes inputs of any strides: what is in memory is given as it lies there
	Unit    kernels.Unit                  // nil, or what Run does its work with: the call's Kernel is of it, on the CPU or a GPU
	Work    func(out chunk.Shape) float64 // with Unit: its fused multiply-adds
	Run     func(ctx context.Context, c OpaqueCall) error
}

// OpaqueCall is one run of an Opaque's function; the chunks are borrowed until it returns.
type OpaqueCall struct {
	At     chunk.Region // of the result
	Out    *chunk.Chunk // to be filled, of At's shape
	In     []*chunk.Chunk
	Device kernels.Device // the CPU, for what can be said as Programs; its allocator is where scratch comes from
	Kernel kernels.Kernel // of the Unit
}

// LaterArg says what an engine puts in the node's place before it plans: what Build returns for the inputs, whose lengths are all
// known by then. With a Pass every element of In[0] has been looked at, with a Sweep every element of all inputs, and found is what the Finder or the Sweeper
// had found, else nil. Key identifies Build. The node's lengths are -1 where they are not known.
type LaterArg struct {
	Key   string
	Pass  *Pass
	Sweep *Sweep
	Build func(in []*Node, found any) *Node
}

// Pass looks at every element of an array once. Passes over one array with equal Keys are one. Begin returns what looks at the elements of n and
// may keep budget bytes of what it finds.
type Pass struct {
	Key   string
	Begin func(n *Node, budget int64) Finder
}

// Finder looks at an array region by region.
type Finder interface {
	// Add is given each region once, in any order and never two at a time; c is borrowed. An error ends the pass.
	Add(at chunk.Region, c *chunk.Chunk) error
	// Found is called once, after the last Add.
	Found() (any, error)
}

// Sweep looks at every element of several arrays of one shape together, once. Sweeps over the same arrays with equal Keys are one. Begin returns what
// looks at them, of the dtypes and the shape, and may keep budget bytes of what it finds.
type Sweep struct {
	Key   string
	Begin func(dts []dtype.DType, shape chunk.Shape, budget int64) Sweeper
}

// Sweeper looks at arrays region by region.
type Sweeper interface {
	// Add is given each region once, with a chunk of each array, in any order and several at a time; chunks are borrowed. An error ends the sweep.
	Add(at chunk.Region, c []*chunk.Chunk) error
	// Found is called once, after the last Add. What it returns depends on elements and positions only.
	Found() (any, error)
}

// Together yields n and what tasks that want n compute along with it, each node once: what folds and scans are made of is computed before them.
func (n *Node) Together() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		seen := map[*Node]bool{}
		var visit func(n *Node) bool
		visit = func(n *Node) bool {
			if seen[n] || n.Kind == Reduce || n.Kind == Scan {
				return true
			}
			seen[n] = true
			if !yield(n) {
				return false
			}
			for _, in := range n.In {
				if !visit(in) {
					return false
				}
			}
			return true
		}
		visit(n)
	}
}

// NoRoom is the error of a Finder or a Sweeper that finds more than its budget holds: What ("the distinct elements") takes Bytes. Instead is
// what to do other than raise the budget, " or use where", perhaps empty.
type NoRoom struct {
	What    string
	Bytes   int64
	Instead string
}

// Error says what there is no room for.
func (e *NoRoom) Error() string { return fmt.Sprintf("%s take %d bytes", e.What, e.Bytes) }
