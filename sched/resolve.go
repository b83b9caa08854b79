// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// Resolve returns the arrays with every selection by a mask replaced by the
// positions where the mask is true, and with what is built later (distinct elements, say) built, so that their shapes are known. It computes what
// that takes, innermost first; arrays without anything of the kind come back as they are.
func (e *Engine) Resolve(ctx context.Context, list ...ndarray.Array) ([]ndarray.Array, error) {
	nodes := make([]*graph.Node, len(list))
	for i, a := range list {
		if err := a.Err(); err != nil {
			return nil, err
		}
		nodes[i] = a.Node()
	}
	nodes, err := e.resolve(ctx, nodes)
	if err != nil {
		return nil, err
	}
	out := make([]ndarray.Array, len(list))
	for i, n := range nodes {
		out[i] = ndarray.FromNode(n)
	}
	return out, nil
}

// resolve replaces what waits for a run, first what waits for nothing else: selections by masks, whose positions are found, and what is built
// later.
func (e *Engine) resolve(ctx context.Context, nodes []*graph.Node) ([]*graph.Node, error) {
	for {
		w := waiting{ready: map[*graph.Node]*search{}, seen: map[*graph.Node]bool{}}
		for _, n := range nodes {
			w.visit(n)
		}
		if len(w.ready) == 0 {
			return nodes, nil
		}
		memo, err := e.find(ctx, w.searches, e.opt.Memory/keptShare-listBytes(nodes))
		if err != nil {
			return nil, err
		}
		for i, n := range nodes {
			nodes[i] = replace(n, w.ready, memo)
			if nodes[i].Err != nil {
				return nil, nodes[i].Err
			}
		}
	}
}

// search is one pass over an array, or one sweep over several, and what it found.
type search struct {
	on     []*graph.Node
	pass   *graph.Pass
	sweep  *graph.Sweep
	finder graph.Finder
	found  any
}

// waiting is what can be built after some passes.
type waiting struct {
	ready    map[*graph.Node]*search // by the node that is replaced; nil where nothing has to be found
	searches []*search
	seen     map[*graph.Node]bool
}

// visit collects what waits for nothing below it and reports whether n depends on anything that waits.
func (w *waiting) visit(n *graph.Node) bool {
	if dep, ok := w.seen[n]; ok {
		return dep
	}
	dep := false
	for _, in := range n.In {
		dep = w.visit(in) || dep
	}
	switch arg := n.Arg.(type) {
	case graph.CompressArg:
		if !w.visit(n.In[1]) {
			w.ready[n] = w.search(n.In[1:], truePositions, nil) // what is selected from may wait: the positions are known without it
		}
		dep = true
	case graph.LaterArg:
		if !dep {
			w.ready[n] = w.search(n.In, arg.Pass, arg.Sweep)
		}
		dep = true
	}
	w.seen[n] = dep
	return dep
}

// search returns the search that a pass over the first of the inputs, or a sweep over all, is; nil for neither.
func (w *waiting) search(in []*graph.Node, pass *graph.Pass, sweep *graph.Sweep) *search {
	s := &search{on: in, pass: pass, sweep: sweep}
	switch {
	case pass != nil:
		s.on = in[:1]
	case sweep == nil:
		return nil
	}
	for _, t := range w.searches {
		if t.key() == s.key() && (t.sweep == nil) == (sweep == nil) && slices.Equal(t.on, s.on) {
			return t
		}
	}
	w.searches = append(w.searches, s)
	return s
}

// key tells searches over the same arrays apart.
func (s *search) key() string {
	if s.sweep != nil {
		return s.sweep.Key
	}
	return s.pass.Key
}

// find makes all passes and sweeps in one run. What passes find may take half the budget, what sweeps find the share of it that they have in every run.
// Of what they look at it keeps, and returns in the place of, the arrays that take more than a few operations to compute again, as long as room has the bytes.
func (e *Engine) find(ctx context.Context, searches []*search, room int64) (kept map[*graph.Node]*graph.Node, err error) {
	kept = map[*graph.Node]*graph.Node{}
	if len(searches) == 0 {
		return kept, nil
	}
	passes := int64(0)
	for _, s := range searches {
		if s.pass != nil {
			passes++
		}
	}
	share := e.opt.Memory / 2 / max(passes, 1)
	outputs := make([]ndarray.Output, len(searches))
	for i, s := range searches {
		o := ndarray.Output{Name: s.key(), Array: ndarray.FromNode(s.on[0])}
		if s.sweep != nil {
			o.Sweep, o.Done = s.sweep, func(found any) error { s.found = found; return nil }
			for _, n := range s.on[1:] {
				o.With = append(o.With, ndarray.FromNode(n))
			}
		} else {
			s.finder = s.pass.Begin(s.on[0], share)
			o.Each = func(at chunk.Region, c *chunk.Chunk) error { return s.finder.Add(at, c) }
		}
		outputs[i] = o
	}
	keep, bytes := e.keep(searches, room)
	p, err := e.plan(ctx, append(outputs, keep...), bytes)
	if errors.Is(err, ErrBudget) && bytes > 0 { // computing them again is better than not at all
		keep = nil
		p, err = e.plan(ctx, outputs, 0)
	}
	if err == nil {
		_, err = e.execute(ctx, p, append(outputs, keep...), nil)
	}
	for _, s := range searches {
		if err == nil && s.pass != nil {
			s.found, err = s.finder.Found()
		}
		s.finder = nil
	}
	for _, o := range keep {
		grid := o.Array.Grid()
		load := ndarray.FromChunk(o.Into, &grid).Node()
		kept[o.Array.Node()] = ndarray.FromSource(&keptArray{load.Arg.(graph.LoadArg).Source.(memory)}, o.Name).Node()
	}
	return kept, e.roomFor(err, share, 2*passes)
}

// keptShare: arrays that passes have looked at stay in memory for later passes, and for the run itself, up to this share of the budget.
const keptShare = 4

// memory is a stored array whose elements are in memory.
type memory interface {
	plan.Memory
	formats.Source
	formats.RegionReader
}

// keptArray is an array that has been computed for a pass and is kept. Its bytes are the engine's, unlike those of arrays that callers made.
type keptArray struct{ memory }

// Holds implements graph.Holder.
func (k *keptArray) Holds() int64 { return k.Whole().Block.Len() }

// keep returns the outputs that keep what searches look at, and the bytes that these take.
func (e *Engine) keep(searches []*search, room int64) (keep []ndarray.Output, bytes int64) {
	seen := map[*graph.Node]bool{}
	for _, s := range searches {
		for _, n := range s.on {
			size := n.Shape().Size() * int64(n.DType.Size())
			if seen[n] || !n.DType.IsNumeric() || size <= 0 || bytes+size > room || !costly(n) {
				continue
			}
			seen[n] = true
			bytes += size
			c := &chunk.Chunk{DType: n.DType, ItemBytes: int32(n.DType.Size()), Shape: n.Shape(), Strides: n.Shape().RowMajor(), Block: mem.Wrap(make([]byte, size, size+mem.Align))}
			keep = append(keep, ndarray.Output{Array: ndarray.FromNode(n), Name: "what passes look at", Into: c})
		}
	}
	return keep, bytes
}

// costly reports whether n is made by a Go function, a filter say, whose results nothing keeps.
func costly(n *graph.Node) bool {
	for x := range n.Together() {
		if x.Kind == graph.Opaque {
			return true
		}
	}
	return false
}

// roomFor says of what a pass or a sweep has no room for how much there was, one of so many parts of the budget, and what to do; other errors it returns.
func (e *Engine) roomFor(err error, share, parts int64) error {
	var room *graph.NoRoom
	if errors.Is(err, ErrBudget) || !errors.As(err, &room) {
		return err
	}
	return fmt.Errorf("sched: %s take %s of host memory, want at most %s of the budget of %s; raise --memory to at least %dMiB%s: %w",
		room.What, plan.Bytes(room.Bytes), plan.Bytes(share), plan.Bytes(e.opt.Memory), parts*room.Bytes>>20+16, room.Instead, ErrBudget)
}

// positionBytes is what one position of a list takes: itself, and its place in the key that makes equal nodes one.
const positionBytes = 24

// listBytes returns what the lists of positions that nodes select by, the tables of functions and what passes have kept take in host memory.
func listBytes(nodes []*graph.Node) int64 {
	seen := map[*graph.Node]bool{}
	total := int64(0)
	var walk func(n *graph.Node)
	walk = func(n *graph.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		switch arg := n.Arg.(type) {
		case graph.SelectArg:
			for _, s := range arg.Axes {
				total += int64(len(s.IDs)) * positionBytes
			}
		case graph.ReduceArg:
			total += int64(len(arg.IDs)) * positionBytes / 2 // int32
		case graph.OpaqueArg:
			total += arg.Holds
		case graph.LoadArg:
			if h, ok := arg.Source.(graph.Holder); ok {
				total += h.Holds()
			}
		}
		for _, in := range n.In {
			walk(in)
		}
	}
	for _, n := range nodes {
		walk(n)
	}
	return total
}

// truePositions finds where a mask of one axis is true, in order: []int64.
var truePositions = &graph.Pass{
	Key:   "mask",
	Begin: func(_ *graph.Node, budget int64) graph.Finder { return &positions{most: budget / positionBytes} },
}

// positions are those of the true elements of a mask.
type positions struct {
	parts []part
	count int64
	most  int64
}

// part are the positions in one region.
type part struct {
	start int64
	ids   []int64
}

// Add collects the positions in c.
func (f *positions) Add(at chunk.Region, c *chunk.Chunk) error {
	p := part{start: at.Lo[0]}
	truth := chunk.Elems[bool](c.Block)
	for i := range c.Shape[0] {
		if !truth[c.Offset+i*c.Strides[0]] {
			continue
		}
		if f.count++; f.count <= f.most {
			p.ids = append(p.ids, at.Lo[0]+i)
		}
	}
	if f.count > f.most {
		f.parts = nil // only the count matters now
	} else if len(p.ids) > 0 {
		f.parts = append(f.parts, p)
	}
	return nil
}

// Found returns the positions, or how many there would be.
func (f *positions) Found() (any, error) {
	if f.count > f.most {
		return nil, &graph.NoRoom{What: fmt.Sprintf("the positions of the %d elements that a mask selects", f.count), Bytes: f.count * positionBytes, Instead: " or use where"}
	}
	slices.SortFunc(f.parts, func(a, b part) int { return cmp.Compare(a.start, b.start) })
	ids := make([]int64, 0, f.count)
	for _, p := range f.parts {
		ids = append(ids, p.ids...)
	}
	return ids, nil
}

// replace builds n anew with what has been found.
func replace(n *graph.Node, ready map[*graph.Node]*search, memo map[*graph.Node]*graph.Node) *graph.Node {
	if m, ok := memo[n]; ok {
		return m
	}
	in := make([]*graph.Node, len(n.In))
	same := true
	for i, x := range n.In {
		in[i] = replace(x, ready, memo)
		same = same && in[i] == x
	}
	out := n
	if s, ok := ready[n]; ok {
		switch arg := n.Arg.(type) {
		case graph.CompressArg:
			out = take(in[0], arg.Axis, s.found.([]int64))
		case graph.LaterArg:
			var found any
			if s != nil {
				found = s.found
			}
			out = arg.Build(in, found)
		}
	} else if !same {
		out = rebuild(n, in)
	}
	memo[n] = out
	return out
}

// take selects positions along one axis.
func take(n *graph.Node, axis int, ids []int64) *graph.Node {
	arg := graph.SelectArg{Fixed: make([]int64, len(n.Shape()))}
	for i, d := range n.Shape() {
		arg.Axes = append(arg.Axes, graph.All(i, d))
	}
	arg.Axes[axis] = graph.AxisSel{In: axis, IDs: ids}
	return graph.NewSelect(n, arg)
}

// rebuild makes n's operation again on other inputs.
func rebuild(n *graph.Node, in []*graph.Node) *graph.Node {
	place := graph.At(n.Pos)
	switch arg := n.Arg.(type) {
	case graph.MapArg:
		if arg.Op == kernels.OpCast {
			return place.Cast(in[0], n.DType)
		}
		return place.Map(arg.Op, in...)
	case graph.ReduceArg:
		return place.Reduce(arg, in...)
	case graph.ScanArg:
		return place.Scan(arg.Op, in[0], arg.Axis)
	case graph.SelectArg:
		return place.Select(in[0], arg)
	case graph.PermuteArg:
		return place.Permute(in[0], arg.Axes)
	case graph.StackArg:
		return place.Stack(arg.Axis, in...)
	case graph.RechunkArg:
		if sameShapes(n.In, in) {
			return place.Rechunk(in[0], arg.Grid)
		}
		return in[0] // its grid was made for a length nobody knew
	case graph.CompressArg:
		return place.Compress(in[0], in[1], arg.Axis)
	case graph.LaterArg:
		return place.Later(arg, n.DType, n.Grid, in...)
	case graph.OpaqueArg:
		if sameShapes(n.In, in) { // it was made for these
			return place.Opaque(arg, n.DType, n.Grid, in...)
		}
	}
	return graph.NewError(fmt.Errorf("sched: a function cannot follow a selection by a mask whose length is not known; compute the mask first"), n.Pos)
}

// sameShapes reports whether nodes have the shapes of those whose place they take.
func sameShapes(old, now []*graph.Node) bool {
	return slices.EqualFunc(old, now, func(a, b *graph.Node) bool { return a.Shape().Equal(b.Shape()) })
}
