// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Body is a fused computation over one loop: leaves in, results and folds out.
type Body struct {
	Shape   chunk.Shape // of the whole loop
	Leaves  []*Leaf     // those with Ports come in the order of the program's inputs
	Ports   []int       // leaf of each input of the program
	Roots   []Root
	Program *kernels.Program // nil when every root is a leaf as it is
	Kernel  kernels.Kernel   // of Program
	Device  kernels.Device   // that Kernel runs on
	foldIn  []dtype.DType    // dtype of each fold's value
}

// Root says where a result of a Body is: the program's Ret, or the leaf itself
// when nothing is computed.
type Root struct {
	Node *graph.Node
	Ret  int // -1: Leaf is the result
	Leaf int
}

// Part computes a node over a region of its own coordinates, inside a task.
type Part struct {
	Node   *graph.Node
	In     []*Body // Map: one, whose root is Node; Stack, Opaque: one for each input
	Starts []int64 // Stack: where each input begins along the axis
	Kinds  []int   // Stack: one input of each kind, as far as bytes are concerned
	Axis   int     // Stack
	Opaque *graph.OpaqueArg
	Kernel kernels.Kernel // of Opaque's Unit
}

// Viewed reports whether input i of an Opaque is given to it as it lies in memory, without a copy.
func (p *Plan) Viewed(part *Part, i int) bool {
	root := part.In[i].Roots[0]
	if !part.Opaque.Strided || root.Ret >= 0 {
		return false
	}
	l := part.In[i].Leaves[root.Leaf]
	if l.copies() || l.Kind != Computed && l.Kind != Stored {
		return false
	}
	if l.Kind == Stored && !p.Sources[l.Store].Keep {
		_, memory := p.Sources[l.Store].Source.(Memory)
		return memory
	}
	return true
}

// shareRatio is how many times larger a loop must be than a broadcast operand
// for the operand to be computed once for each tile instead of once for each element.
const shareRatio = 8

// manyMaps bounds how often one node may be computed with different index maps in one
// program; beyond it the node is computed once into a buffer. It keeps programs small for
// expressions that shift themselves again and again.
const manyMaps = 6

// fuser walks from roots down to leaves and builds the program on the way.
type fuser struct {
	pl      *planner
	b       *kernels.Builder
	body    *Body
	memo    map[string]kernels.Reg
	leafOf  map[kernels.Reg]int
	axisIDs map[axisKey]uint64
	visits  map[*graph.Node]int
	copies  *graph.Node // read from where it is stored, though there is a copy: what the stage copies
}

type axisKey struct {
	m    mapKey
	list *int64
}

// mapKey is the comparable part of an AxisMap.
type mapKey struct {
	loop        int
	start, step int64
}

func (pl *planner) newFuser(loop chunk.Shape) (*fuser, error) {
	if len(loop) > kernels.MaxAxes {
		return nil, fmt.Errorf("plan: fuse: rank %d, want at most %d: %w", len(loop), kernels.MaxAxes, chunk.ErrShape)
	}
	return &fuser{
		pl: pl, b: kernels.NewBuilder(len(loop)), body: &Body{Shape: loop, Device: pl.opt.Device},
		memo: map[string]kernels.Reg{}, leafOf: map[kernels.Reg]int{},
		axisIDs: map[axisKey]uint64{}, visits: map[*graph.Node]int{},
	}, nil
}

// identityMaps returns the maps of a node whose axes are the loop's.
func identityMaps(rank int) []AxisMap {
	m := make([]AxisMap, rank)
	for i := range m {
		m[i] = follow(i)
	}
	return m
}

// root adds n, whose axes are the loop's, as a result.
func (f *fuser) root(n *graph.Node) error {
	maps := identityMaps(len(n.Shape()))
	if !n.DType.IsNumeric() {
		leaf, err := f.plainLeaf(n, maps)
		if err != nil {
			return err
		}
		f.body.Roots = append(f.body.Roots, Root{Node: n, Ret: -1, Leaf: leaf})
		return nil
	}
	r, err := f.value(n, maps, true)
	if err != nil {
		return err
	}
	if l, ok := f.leafOf[r]; ok && f.body.Leaves[l].Node != nil && f.body.Leaves[l].Gather < 0 {
		f.body.Roots = append(f.body.Roots, Root{Node: n, Ret: -1, Leaf: l})
		return nil
	}
	ret := 0
	for _, x := range f.body.Roots {
		ret = max(ret, x.Ret+1)
	}
	f.b.Ret(r)
	f.body.Roots = append(f.body.Roots, Root{Node: n, Ret: ret, Leaf: -1})
	return nil
}

// finish builds and compiles the program.
func (f *fuser) finish() (*Body, error) {
	body := f.body
	needed := len(body.foldIn) > 0
	for _, r := range body.Roots {
		needed = needed || r.Ret >= 0
	}
	if !needed {
		body.Ports = nil
		return body, nil
	}
	p, err := f.b.Build()
	if err != nil {
		return nil, fmt.Errorf("plan: fuse: %w", err)
	}
	body.Program = p
	body.Kernel, err = f.pl.compile(p)
	return body, err
}

// through follows selections from n down to the node they select from.
func (f *fuser) through(n *graph.Node, maps []AxisMap) (*graph.Node, []AxisMap) {
	for {
		switch n.Kind {
		case graph.Select:
			maps = f.selectMaps(n, maps)
		case graph.Permute:
			maps = permuteMaps(n, maps)
		case graph.Rechunk:
		default:
			return n, maps
		}
		n = n.In[0]
	}
}

// plainLeaf returns the leaf that n, of a dtype kernels refuse, is a selection of.
func (f *fuser) plainLeaf(n *graph.Node, maps []AxisMap) (int, error) {
	n, maps = f.through(n, maps)
	if n.Kind == graph.Map || n.Kind == graph.Fill {
		return 0, fmt.Errorf("plan: fuse: elements of %v are carried and copied, not computed%s: %w", n.DType, at(n), kernels.ErrUnsupported)
	}
	return f.addLeaf(n, maps)
}

// value returns the register that holds n's elements read through maps. top says that n
// itself must be computed here even where maps are not fused.
func (f *fuser) value(n *graph.Node, maps []AxisMap, top bool) (kernels.Reg, error) {
	if n.Err != nil {
		return kernels.NoReg, n.Err
	}
	key := f.key(n, maps)
	if r, ok := f.memo[key]; ok {
		return r, nil
	}
	r, err := f.compute(n, maps, top)
	if err == nil {
		f.memo[key] = r
	}
	return r, err
}

func (f *fuser) compute(n *graph.Node, maps []AxisMap, top bool) (kernels.Reg, error) {
	switch n.Kind {
	case graph.Fill:
		return f.fill(n.Arg.(graph.FillArg), maps)
	case graph.Permute:
		return f.value(n.In[0], permuteMaps(n, maps), top)
	case graph.Rechunk:
		return f.value(n.In[0], maps, top)
	case graph.Select:
		return f.selected(n, maps, top)
	case graph.Map:
		f.visits[n]++
		if !top && (f.pl.opt.NoFuse || f.visits[n] > manyMaps || f.shared(n)) {
			return f.leaf(n, maps)
		}
		return f.mapped(n, maps)
	}
	return f.leaf(n, maps)
}

// shared reports whether n is so much smaller than the loop that it pays to
// compute it once for each tile.
func (f *fuser) shared(n *graph.Node) bool {
	return n.Shape().Size()*shareRatio <= f.body.Shape.Size()
}

func (f *fuser) mapped(n *graph.Node, maps []AxisMap) (kernels.Reg, error) {
	args := make([]kernels.Reg, len(n.In))
	for i, in := range n.In {
		r, err := f.value(in, broadcastMaps(n, in, maps), false)
		if err != nil {
			return kernels.NoReg, err
		}
		args[i] = r
	}
	op := n.Arg.(graph.MapArg).Op
	if op == kernels.OpCast {
		return f.b.Cast(args[0], n.DType), nil
	}
	return f.b.Apply(op, args...), nil
}

// broadcastMaps returns the maps of an operand of n: axes are matched from the last, a length of 1 stays at 0.
func broadcastMaps(n, in *graph.Node, maps []AxisMap) []AxisMap {
	skip := len(n.Shape()) - len(in.Shape())
	out := make([]AxisMap, len(in.Shape()))
	for i, d := range in.Shape() {
		out[i] = maps[skip+i]
		if d == 1 && n.Shape()[skip+i] != 1 {
			out[i] = fixed(0)
		}
	}
	return out
}

func permuteMaps(n *graph.Node, maps []AxisMap) []AxisMap {
	out := make([]AxisMap, len(maps))
	for i, a := range n.Arg.(graph.PermuteArg).Axes {
		out[a] = maps[i]
	}
	return out
}

// selectMaps composes maps onto a Select's output with its selections.
func (f *fuser) selectMaps(n *graph.Node, maps []AxisMap) []AxisMap {
	arg := n.Arg.(graph.SelectArg)
	out := make([]AxisMap, len(n.In[0].Shape()))
	for i := range out {
		if i < len(arg.Fixed) {
			out[i] = fixed(arg.Fixed[i])
		}
	}
	for o, s := range arg.Axes {
		if s.In < 0 {
			continue
		}
		length := int64(0)
		if maps[o].Loop >= 0 {
			length = f.body.Shape[maps[o].Loop]
		}
		out[s.In] = maps[o].through(s, length)
	}
	return out
}

// selected handles missing positions: a leaf reads them as missing itself; above a
// computation the positions are made valid and the result is replaced.
func (f *fuser) selected(n *graph.Node, maps []AxisMap, top bool) (kernels.Reg, error) {
	in := f.selectMaps(n, maps)
	if readsLeaf(n.In[0]) {
		return f.value(n.In[0], in, top)
	}
	var masks []kernels.Reg
	for i, m := range in {
		if !m.missing() {
			continue
		}
		if m.Loop < 0 {
			return f.absent(n.DType), nil
		}
		valid := make([]int64, len(m.IDs))
		any := false
		for x, p := range m.IDs {
			valid[x] = max(p, 0)
			any = any || p >= 0
		}
		if !any {
			return f.absent(n.DType), nil
		}
		masks = append(masks, f.input(&Leaf{Kind: Absent, Axes: []AxisMap{m}, DType: dtype.Bool, ItemBytes: 1}))
		in[i] = AxisMap{Loop: m.Loop, IDs: valid}
	}
	r, err := f.value(n.In[0], in, top && len(masks) == 0)
	if err != nil {
		return r, err
	}
	for _, m := range masks {
		r = f.b.Apply(kernels.OpWhere, m, f.absent(n.DType), r)
	}
	return r, nil
}

// readsLeaf reports whether nothing but selections that keep track of missing
// positions lies between n and a leaf; a new axis does not.
func readsLeaf(n *graph.Node) bool {
	for n.Kind == graph.Select || n.Kind == graph.Permute || n.Kind == graph.Rechunk {
		if arg, ok := n.Arg.(graph.SelectArg); ok && slices.ContainsFunc(arg.Axes, func(s graph.AxisSel) bool { return s.In < 0 }) {
			return false
		}
		n = n.In[0]
	}
	return n.Kind != graph.Map && n.Kind != graph.Fill
}

// absent returns the value of a position that does not exist.
func (f *fuser) absent(dt dtype.DType) kernels.Reg {
	if dt.IsFloat() || dt.IsComplex() {
		return f.b.Cast(f.b.Const(nanConst), dt)
	}
	return f.b.Cast(f.b.Const(kernels.Const{DType: dtype.Bool}), dt)
}

// nanConst is a float64 NaN.
var nanConst = kernels.Const{DType: dtype.Float64, Bits: 0x7ff8000000000000}

func int64Const(v int64) kernels.Const { return kernels.Const{DType: dtype.Int64, Bits: uint64(v)} }

func (f *fuser) fill(arg graph.FillArg, maps []AxisMap) (kernels.Reg, error) {
	if arg.Axis < 0 {
		return f.b.Const(arg.Const), nil
	}
	m := maps[arg.Axis]
	switch {
	case m.Loop < 0:
		return f.b.Const(int64Const(m.Start)), nil
	case m.IDs != nil:
		return f.input(&Leaf{Kind: Position, Axes: []AxisMap{m}, DType: dtype.Int64, ItemBytes: 8}), nil
	}
	r := f.b.Index(m.Loop)
	if m.Step != 1 {
		r = f.b.Apply(kernels.OpMultiply, r, f.b.Const(int64Const(m.Step)))
	}
	if m.Start != 0 {
		r = f.b.Apply(kernels.OpAdd, r, f.b.Const(int64Const(m.Start)))
	}
	return r, nil
}

// leaf returns the input that holds n read through maps.
func (f *fuser) leaf(n *graph.Node, maps []AxisMap) (kernels.Reg, error) {
	i, err := f.addLeaf(n, maps)
	if err != nil {
		return kernels.NoReg, err
	}
	return f.port(i), nil
}

// addLeaf appends a leaf for n; the caller decides whether it becomes an input.
func (f *fuser) addLeaf(n *graph.Node, maps []AxisMap) (int, error) {
	l := &Leaf{Node: n, Axes: maps, DType: n.DType, ItemBytes: int64(n.ItemBytes), Gather: -1}
	if n.DType != dtype.Raw {
		l.ItemBytes = int64(n.DType.Size())
	}
	switch n.Kind {
	case graph.Load:
		l.Kind, l.Store = Stored, f.pl.source(n)
		if i, ok := f.pl.copies[n]; ok && n != f.copies {
			l.Store = i
		}
	case graph.Reduce, graph.Scan:
		if i, ok := f.pl.sources[n]; ok {
			l.Kind, l.Store = Stored, i
		} else {
			l.Kind, l.Store = Computed, f.pl.result(n)
		}
	case graph.Map, graph.Stack, graph.Opaque, graph.Fill:
		p, err := f.pl.part(n)
		if err != nil {
			return 0, err
		}
		l.Kind, l.Part = Inner, p
	default:
		return 0, fmt.Errorf("plan: fuse: a selection by a mask has no length before its mask is counted; use where, or compute the mask first%s", at(n))
	}
	f.body.Leaves = append(f.body.Leaves, l)
	return len(f.body.Leaves) - 1, nil
}

// key identifies a node read through maps.
func (f *fuser) key(n *graph.Node, maps []AxisMap) string {
	b := binary.AppendUvarint(make([]byte, 0, 64), n.ID)
	for _, m := range maps {
		b = binary.AppendUvarint(b, f.axisID(m))
	}
	return string(b)
}

func (f *fuser) axisID(m AxisMap) uint64 {
	k := axisKey{m: mapKey{m.Loop, m.Start, m.Step}}
	if len(m.IDs) > 0 {
		k.list = &m.IDs[0]
	}
	id, ok := f.axisIDs[k]
	if !ok {
		id = uint64(len(f.axisIDs) + 1)
		f.axisIDs[k] = id
	}
	return id
}

// at returns where the user wrote n, for the end of a message.
func at(n *graph.Node) string {
	if n.Pos == "" {
		return ""
	}
	return " (" + n.Pos + ")"
}
