// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
)

// Load returns the node of a stored or host array. Its Grid is always the
// source's; another grid puts a Rechunk on top. A grid without axes means the source's.
func (at At) Load(src formats.Source, name string, grid chunk.Grid) *Node {
	if src == nil {
		return at.errorf("ndarray: load %q: no source", name)
	}
	m := src.Meta()
	if !validGrid(m.Grid) || !m.Grid.Shape.Equal(m.Shape) {
		return at.errorf("ndarray: load %q: the source's grid does not cut its shape %v: %w", name, m.Shape, chunk.ErrShape)
	}
	n := at.newNode(Load, nil, m.DType, m.ItemBytes, m.Grid, LoadArg{Source: src, Name: name}, false)
	if grid.Axes == nil {
		return n
	}
	return at.Rechunk(n, grid)
}

// Fill returns an array cut by grid: the constant everywhere, in the constant's dtype,
// or with axis >= 0 the int64 position along that axis.
func (at At) Fill(grid chunk.Grid, c kernels.Const, axis int) *Node {
	if !validGrid(grid) {
		return at.errorf("ndarray: full: grid does not cut shape %v: %w", grid.Shape, chunk.ErrShape)
	}
	dt := c.DType
	if axis >= 0 {
		if axis >= len(grid.Axes) {
			return at.errorf("ndarray: index: axis %d is outside rank %d: %w", axis, len(grid.Axes), chunk.ErrShape)
		}
		dt, c = dtype.Int64, kernels.Const{}
	} else {
		axis = -1
	}
	return at.newNode(Fill, nil, dt, 0, grid, FillArg{Const: c, Axis: axis}, true)
}

// Map returns the elementwise operation of the inputs, which broadcast by
// NumPy's rule; inputs are cast to what the operation's signature asks for. Each axis is cut as the
// first input, in order, that is longer than 1 along it.
func (at At) Map(op kernels.OpID, in ...*Node) *Node {
	if e := firstErr(in...); e != nil {
		return e
	}
	o := kernels.OpOf(op)
	switch {
	case o == nil:
		return at.errorf("ndarray: operation %d is not in the table", op)
	case o.Arity != len(in):
		return at.errorf("ndarray: %s: got %d operands, want %d", o.Name, len(in), o.Arity)
	}
	dts := make([]dtype.DType, len(in))
	for i, x := range in {
		dts[i] = x.DType
	}
	args, out, err := o.Signature(dts)
	if err != nil {
		return at.errorf("ndarray: %w", err)
	}
	shape, err := broadcastAll(in)
	if err != nil {
		return at.errorf("ndarray: %s: %w", o.Name, err)
	}
	cast := make([]*Node, len(in))
	for i, x := range in {
		cast[i] = at.Cast(x, args[i])
		if cast[i].Err != nil {
			return cast[i]
		}
	}
	return at.newNode(Map, cast, out, 0, mapGrid(shape, in), MapArg{Op: op}, false)
}

// broadcastAll returns the shape all inputs have together.
func broadcastAll(in []*Node) (chunk.Shape, error) {
	if len(in) == 0 {
		return chunk.Shape{}, nil
	}
	shape := in[0].Grid.Shape
	for _, x := range in[1:] {
		s, err := chunk.Broadcast(shape, x.Grid.Shape)
		if err != nil {
			return nil, fmt.Errorf("%w; slice or expand one of them", err)
		}
		shape = s
	}
	return shape, nil
}

// Cast returns n with its elements converted to dt; n itself when it has that dtype.
// Raw and String elements cannot be cast.
func (at At) Cast(n *Node, dt dtype.DType) *Node {
	if n.Err != nil || n.DType == dt {
		return n
	}
	if !n.DType.IsNumeric() || !dt.IsNumeric() {
		return at.errorf("ndarray: astype: elements of %v cannot become %v: %w", n.DType, dt, dtype.ErrPromote)
	}
	return at.newNode(Map, []*Node{n}, dt, 0, n.Grid, MapArg{Op: kernels.OpCast}, false)
}

// Permute returns n with its axes in another order: output axis i is axis axes[i] of n.
func (at At) Permute(n *Node, axes []int) *Node {
	if n.Err != nil {
		return n
	}
	rank := len(n.Grid.Axes)
	seen := make([]bool, rank)
	ok := len(axes) == rank
	for _, a := range axes {
		if !ok || a < 0 || a >= rank || seen[a] {
			ok = false
			break
		}
		seen[a] = true
	}
	if !ok {
		return at.errorf("ndarray: permute: got axes %v, want each of 0 to %d once: %w", axes, rank-1, chunk.ErrShape)
	}
	if isIdentity(axes) {
		return n
	}
	cut := make([]chunk.Axis, rank)
	for i, a := range axes {
		cut[i] = n.Grid.Axes[a]
	}
	return at.newNode(Permute, []*Node{n}, n.DType, n.ItemBytes, gridOf(cut), PermuteArg{Axes: slices.Clone(axes)}, false)
}

func isIdentity(axes []int) bool {
	for i, a := range axes {
		if a != i {
			return false
		}
	}
	return true
}

// Stack returns the inputs joined along an existing axis; they have one rank
// and, apart from that axis, one shape. dtypes are promoted. Along the axis each input keeps its cuts;
// the other axes are cut as the first input.
func (at At) Stack(axis int, in ...*Node) *Node {
	if e := firstErr(in...); e != nil {
		return e
	}
	if len(in) == 0 {
		return at.errorf("ndarray: concat: no arrays: got 0, want at least 1")
	}
	rank := len(in[0].Grid.Axes)
	if axis < 0 || axis >= rank {
		return at.errorf("ndarray: concat: axis %d is outside rank %d: %w", axis, rank, chunk.ErrShape)
	}
	dt := in[0].DType
	for i, x := range in {
		if unknownLen(x) {
			return at.unknown("concat", x)
		}
		if e := joinable(axis, i, in[0], x); e != nil {
			return at.errorf("ndarray: concat: %w", e)
		}
		p, err := dtype.Promote(dt, x.DType)
		if err != nil {
			return at.errorf("ndarray: concat: %w", err)
		}
		dt = p
	}
	if len(in) == 1 {
		return in[0]
	}
	cast := make([]*Node, len(in))
	for i, x := range in {
		if cast[i] = at.Cast(x, dt); cast[i].Err != nil {
			return cast[i]
		}
	}
	return at.newNode(Stack, cast, dt, in[0].ItemBytes, stackGrid(axis, in), StackArg{Axis: axis}, false)
}

// joinable returns why x cannot follow first along the axis, or nil.
func joinable(axis, i int, first, x *Node) error {
	a, b := first.Grid.Shape, x.Grid.Shape
	if len(a) != len(b) {
		return fmt.Errorf("ranks of array 0 and array %d: got shapes %v and %v, want one rank: %w", i, a, b, chunk.ErrShape)
	}
	for k := range a {
		if k != axis && a[k] != b[k] {
			return fmt.Errorf("shapes %v and %v of arrays 0 and %d differ along axis %d: got %d and %d, want them equal except along axis %d: %w",
				a, b, i, k, a[k], b[k], axis, chunk.ErrShape)
		}
	}
	if first.DType == dtype.Raw && first.ItemBytes != x.ItemBytes {
		return fmt.Errorf("records of array 0 and array %d: got %d and %d bytes, want one size: %w", i, first.ItemBytes, x.ItemBytes, dtype.ErrPromote)
	}
	return nil
}

// Rechunk returns n's values on another grid of the same shape; n itself when it has that grid.
func (at At) Rechunk(n *Node, grid chunk.Grid) *Node {
	switch {
	case n.Err != nil:
		return n
	case unknownLen(n):
		return at.unknown("rechunk", n)
	case !validGrid(grid) || !grid.Shape.Equal(n.Grid.Shape):
		return at.errorf("ndarray: rechunk: grid of shape %v does not cut shape %v: %w", grid.Shape, n.Grid.Shape, chunk.ErrShape)
	case grid.Equal(n.Grid):
		return n
	}
	return at.newNode(Rechunk, []*Node{n}, n.DType, n.ItemBytes, grid, RechunkArg{Grid: grid}, false)
}

// Opaque returns the result of a Go function of regions, of dtype dt on grid.
// Two Opaques are one node when Key, Whole, inputs, dtype and grid are equal.
func (at At) Opaque(arg OpaqueArg, dt dtype.DType, grid chunk.Grid, in ...*Node) *Node {
	if e := firstErr(in...); e != nil {
		return e
	}
	switch {
	case arg.Key == "" || arg.Run == nil || arg.Need == nil:
		return at.errorf("ndarray: function: want Key, Need and Run set")
	case !validGrid(grid):
		return at.errorf("ndarray: function %q: grid does not cut shape %v: %w", arg.Key, grid.Shape, chunk.ErrShape)
	case !dt.IsNumeric() && dt != dtype.String && dt != dtype.Raw:
		return at.errorf("ndarray: function %q: %v is not a dtype: %w", arg.Key, dt, dtype.ErrPromote)
	}
	itemBytes := 0
	if dt == dtype.Raw && len(in) > 0 {
		itemBytes = in[0].ItemBytes
	}
	return at.newNode(Opaque, slices.Clone(in), dt, itemBytes, grid, arg, true)
}

// Later returns the node that arg stands in for, of dtype dt on grid, whose lengths are -1 where they are not known.
// Two Laters are one node when Key, Pass, inputs, dtype and grid are equal.
func (at At) Later(arg LaterArg, dt dtype.DType, grid chunk.Grid, in ...*Node) *Node {
	if e := firstErr(in...); e != nil {
		return e
	}
	if arg.Key == "" || arg.Build == nil || len(in) == 0 {
		return at.errorf("ndarray: later: want Key, Build and inputs set")
	}
	return at.newNode(Later, slices.Clone(in), dt, 0, grid, arg, true)
}

// Compress returns the positions along axis where the 1-D bool mask is true.
// The length there is -1 until the engine has counted.
func (at At) Compress(n, mask *Node, axis int) *Node {
	if e := firstErr(n, mask); e != nil {
		return e
	}
	rank := len(n.Grid.Axes)
	switch {
	case axis < 0 || axis >= rank:
		return at.errorf("ndarray: compress: axis %d is outside rank %d: %w", axis, rank, chunk.ErrShape)
	case mask.DType != dtype.Bool || len(mask.Grid.Axes) != 1:
		return at.errorf("ndarray: compress: mask: got %v of shape %v, want bool of rank 1: %w", mask.DType, mask.Grid.Shape, chunk.ErrShape)
	case mask.Grid.Shape[0] != n.Grid.Shape[axis]:
		return at.errorf("ndarray: compress: mask of length %d does not match axis %d of length %d: %w",
			mask.Grid.Shape[0], axis, n.Grid.Shape[axis], chunk.ErrShape)
	}
	return at.newNode(Compress, []*Node{n, mask}, n.DType, n.ItemBytes, compressGrid(n.Grid, axis), CompressArg{Axis: axis}, false)
}

// NewLoad is At("").Load.
func NewLoad(src formats.Source, name string, grid chunk.Grid) *Node {
	return At("").Load(src, name, grid)
}

// NewFill is At("").Fill.
func NewFill(grid chunk.Grid, c kernels.Const, axis int) *Node { return At("").Fill(grid, c, axis) }

// NewMap is At("").Map.
func NewMap(op kernels.OpID, in ...*Node) *Node { return At("").Map(op, in...) }

// NewCast is At("").Cast.
func NewCast(n *Node, dt dtype.DType) *Node { return At("").Cast(n, dt) }

// NewReduce is At("").Reduce.
func NewReduce(arg ReduceArg, in ...*Node) *Node { return At("").Reduce(arg, in...) }

// NewSelect is At("").Select.
func NewSelect(n *Node, arg SelectArg) *Node { return At("").Select(n, arg) }

// NewPermute is At("").Permute.
func NewPermute(n *Node, axes []int) *Node { return At("").Permute(n, axes) }

// NewStack is At("").Stack.
func NewStack(axis int, in ...*Node) *Node { return At("").Stack(axis, in...) }

// NewRechunk is At("").Rechunk.
func NewRechunk(n *Node, grid chunk.Grid) *Node { return At("").Rechunk(n, grid) }

// NewOpaque is At("").Opaque.
func NewOpaque(arg OpaqueArg, dt dtype.DType, grid chunk.Grid, in ...*Node) *Node {
	return At("").Opaque(arg, dt, grid, in...)
}

// NewCompress is At("").Compress.
func NewCompress(n, mask *Node, axis int) *Node { return At("").Compress(n, mask, axis) }
