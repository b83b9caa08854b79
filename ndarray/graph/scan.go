// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// ScanArg is a running fold along an axis: element i of the result is a step from element i-1 of the result and element i of
// In[0], which has the result's dtype. It goes in sequence, so the Grid has no part in what it means.
type ScanArg struct {
	Op   kernels.ScanID
	Axis int
}

// AppendKey appends the scan and its axis.
func (a ScanArg) AppendKey(b []byte) []byte {
	return binary.AppendVarint(append(b, byte(a.Op)), int64(a.Axis))
}

// String prints the scan with its axis.
func (a ScanArg) String() string {
	name := fmt.Sprintf("scan(%d)", a.Op)
	if o := kernels.ScanOf(a.Op); o != nil {
		name = o.Name
	}
	return fmt.Sprintf("%s axis=%d", name, a.Axis)
}

// Scan returns the running fold of n along an axis; the operand is cast to the dtype of the result, NumPy's.
func (at At) Scan(op kernels.ScanID, n *Node, axis int) *Node {
	if n.Err != nil {
		return n
	}
	o := kernels.ScanOf(op)
	if o == nil {
		return at.errorf("ndarray: scan: row %d is not in the table", op)
	}
	if axis < 0 || axis >= len(n.Grid.Axes) {
		return at.errorf("ndarray: %s: axis %d is outside rank %d: %w", o.Name, axis, len(n.Grid.Axes), chunk.ErrShape)
	}
	out, err := o.Result(n.DType)
	if err != nil {
		return at.errorf("ndarray: %w", err)
	}
	in := at.Cast(n, out)
	if in.Err != nil {
		return in
	}
	return at.newNode(Scan, []*Node{in}, out, 0, n.Grid, ScanArg{Op: op, Axis: axis}, false)
}

// NewScan is At("").Scan.
func NewScan(op kernels.ScanID, n *Node, axis int) *Node { return At("").Scan(op, n, axis) }

func scanShape(n *Node) (chunk.Shape, error) {
	a := n.Arg.(ScanArg)
	o := kernels.ScanOf(a.Op)
	switch {
	case o == nil:
		return nil, fmt.Errorf("scan %d is not in the table", a.Op)
	case a.Axis < 0 || a.Axis >= len(n.In[0].Grid.Axes):
		return nil, fmt.Errorf("%s: axis %d is outside rank %d", o.Name, a.Axis, len(n.In[0].Grid.Axes))
	case n.In[0].DType != n.DType:
		return nil, fmt.Errorf("%s: input: got %v, want %v", o.Name, n.In[0].DType, n.DType)
	}
	return n.In[0].Grid.Shape, nil
}

// rewriteSelectScan selects from the operand of a scan what a selection of the result needs: the same beside the axis, and along it
// all up to the last position. Dropped and new axes stay above. As with folds, only the Select that alone uses a scan is pushed.
func rewriteSelectScan(r *rewriter, n *Node) *Node {
	x := n.In[0]
	a, ok := x.Arg.(ScanArg)
	if !ok || r.uses[n] == 0 || r.uses[x] != 1 {
		return nil
	}
	arg, shape := n.Arg.(SelectArg), x.Grid.Shape
	below := SelectArg{Fixed: make([]int64, len(shape))}
	above := SelectArg{Axes: slices.Clone(arg.Axes), Fixed: slices.Clone(arg.Fixed)}
	for i, d := range shape {
		below.Axes = append(below.Axes, All(i, d))
		k := slices.IndexFunc(arg.Axes, func(s AxisSel) bool { return s.In == i })
		switch {
		case i == a.Axis:
			last := arg.Fixed[i]
			if k >= 0 {
				last = arg.Axes[k].last()
			}
			below.Axes[i] = All(i, last+1)
		case k < 0:
			below.Axes[i] = AxisSel{In: i, Start: arg.Fixed[i], Step: 1, Len: 1}
			above.Fixed[i] = 0
		case !arg.Axes[k].missing() && arg.Axes[k].Len <= d:
			below.Axes[i] = arg.Axes[k]
			above.Axes[k] = All(i, arg.Axes[k].Len)
		}
	}
	if identitySelect(x.In[0], below) {
		return nil
	}
	at := At(n.Pos)
	in := at.Select(x.In[0], below)
	if in.Err != nil {
		return nil
	}
	low := at.Scan(a.Op, in, a.Axis)
	if identitySelect(low, above) {
		return like(n, Scan, []*Node{in}, a)
	}
	return like(n, Select, []*Node{low}, above)
}

// last returns the highest position that the selection reads, at least 0.
func (s AxisSel) last() int64 {
	if s.IDs == nil {
		return max(0, s.Start, s.Start+(s.Len-1)*s.Step)
	}
	p := int64(0)
	for _, id := range s.IDs {
		p = max(p, id)
	}
	return p
}
