// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// scope owns the blocks that are allocated while a region is computed.
type scope struct {
	r      *run
	rd     reader
	blocks []*mem.Block
}

// alloc returns a chunk whose block lives until the scope is closed.
func (sc *scope) alloc(dt dtype.DType, itemBytes int64, shape chunk.Shape) (*chunk.Chunk, error) {
	c, err := chunk.New(sc.r.pool, dt, int(itemBytes), shape)
	if err != nil {
		return nil, err
	}
	sc.blocks = append(sc.blocks, c.Block)
	return c, nil
}

// scratch returns a block that lives until the scope is closed; nil for 0 bytes.
func (sc *scope) scratch(n int64) (*mem.Block, error) {
	if n == 0 {
		return nil, nil
	}
	b, err := sc.r.pool.Alloc(n)
	if err == nil {
		sc.blocks = append(sc.blocks, b)
	}
	return b, err
}

// close releases what was allocated since mark blocks were held.
func (sc *scope) close(mark int) {
	for i := mark; i < len(sc.blocks); i++ {
		sc.blocks[i].Release()
		sc.blocks[i] = nil
	}
	sc.blocks = sc.blocks[:mark]
}

// leaf returns a view of the leaf for the loop region at: rank and shape are the
// loop's, axes the leaf does not follow have stride 0.
func (sc *scope) leaf(ctx context.Context, l *plan.Leaf, at chunk.Region) (*chunk.Chunk, error) {
	if x := sc.r.leaves[l]; x != nil {
		if c, err := sc.preload(ctx, x, l, at); c != nil || err != nil {
			return c, err
		}
	}
	switch l.Kind {
	case plan.Position, plan.Absent, plan.Group, plan.Picks:
		return sc.listLeaf(l, at)
	case plan.Computed:
		return sc.project(ctx, l, at, sc.r.results[l.Store], nil)
	case plan.Inner:
		region := innerRegion(l, at)
		c, err := sc.alloc(l.DType, l.ItemBytes, region.Shape())
		if err != nil {
			return nil, err
		}
		if region.Size() > 0 {
			if err := sc.part(ctx, l.Part, region, c); err != nil {
				return nil, err
			}
		}
		return sc.project(ctx, l, at, c, region.Lo)
	}
	src := sc.r.plan.Sources[l.Store]
	if m, ok := src.Source.(plan.Memory); ok {
		return sc.project(ctx, l, at, m.Whole(), nil)
	}
	if src.Keep {
		k := sc.r.kept[l.Store]
		region := innerRegion(l, at)
		if err := k.ensure(ctx, &sc.rd, region); err != nil {
			return nil, err
		}
		c, origin := k.at(region)
		return sc.project(ctx, l, at, c, origin)
	}
	return sc.operand(ctx, src, l, at)
}

// operand reads what a loop region wants of a stored array into a buffer.
func (sc *scope) operand(ctx context.Context, src *plan.Source, l *plan.Leaf, at chunk.Region) (*chunk.Chunk, error) {
	c, err := sc.alloc(l.DType, l.ItemBytes, compactShape(l, at))
	if err != nil {
		return nil, err
	}
	if err := sc.rd.read(ctx, src, l.Axes, at, c); err != nil {
		return nil, err
	}
	return spread(l, at, c), nil
}

// compactShape returns the shape of a leaf's own buffer for a loop region: the loop's length along
// axes it follows, 1 along the others.
func compactShape(l *plan.Leaf, at chunk.Region) chunk.Shape {
	s := make(chunk.Shape, len(l.Axes))
	for i, m := range l.Axes {
		s[i] = 1
		if m.Loop >= 0 {
			s[i] = at.Hi[m.Loop] - at.Lo[m.Loop]
		}
	}
	return s
}

// spread turns a buffer of compactShape into a view of the loop's rank.
func spread(l *plan.Leaf, at chunk.Region, c *chunk.Chunk) *chunk.Chunk {
	v := *c
	v.Shape = at.Shape()
	v.Strides = make([]int64, len(v.Shape))
	for i, m := range l.Axes {
		if m.Loop >= 0 {
			v.Strides[m.Loop] = c.Strides[i]
		}
	}
	return &v
}

// innerRegion returns the region of the leaf's node that a loop region reads.
func innerRegion(l *plan.Leaf, at chunk.Region) chunk.Region {
	r := chunk.Region{Lo: make(chunk.Shape, len(l.Axes)), Hi: make(chunk.Shape, len(l.Axes))}
	for i, m := range l.Axes {
		lo, hi := int64(0), int64(1)
		if m.Loop >= 0 {
			lo, hi = at.Lo[m.Loop], at.Hi[m.Loop]
		}
		r.Lo[i], r.Hi[i] = m.Span(lo, hi)
		if l.Part != nil && l.Part.Opaque != nil && l.Part.Opaque.Whole.Has(i) {
			r.Lo[i], r.Hi[i] = 0, l.Node.Shape()[i]
		}
	}
	return r
}

// project returns the view of base, whose first element is at origin of the
// leaf's node, that a loop region reads. Lists of positions and missing positions
// are gathered into a buffer of their own.
func (sc *scope) project(ctx context.Context, l *plan.Leaf, at chunk.Region, base *chunk.Chunk, origin chunk.Shape) (*chunk.Chunk, error) {
	v := *base
	v.Shape = at.Shape()
	v.Strides = make([]int64, len(v.Shape))
	for i, m := range l.Axes {
		first := int64(0)
		if origin != nil {
			first = origin[i]
		}
		switch {
		case m.IDs != nil && m.Loop == l.Gather:
			v.Shape[m.Loop], v.Strides[m.Loop] = base.Shape[i], base.Strides[i]
		case m.IDs != nil || m.Loop < 0 && m.Start < 0:
			return sc.gather(ctx, l, at, base, origin)
		case m.Loop < 0:
			v.Offset += (m.Start - first) * base.Strides[i]
		default:
			v.Strides[m.Loop] = m.Step * base.Strides[i]
			v.Offset += (m.Start + m.Step*at.Lo[m.Loop] - first) * base.Strides[i]
		}
	}
	return &v, nil
}

// gather copies what a loop region reads of base into a buffer.
func (sc *scope) gather(ctx context.Context, l *plan.Leaf, at chunk.Region, base *chunk.Chunk, origin chunk.Shape) (*chunk.Chunk, error) {
	c, err := sc.alloc(l.DType, l.ItemBytes, compactShape(l, at))
	if err != nil {
		return nil, err
	}
	if missing(l.Axes, at) {
		if err := fillAbsent(c); err != nil {
			return nil, err
		}
	}
	// One piece holds everything: the whole of base along each axis.
	rank := len(l.Axes)
	sc.rd.size(rank)
	from := make(chunk.Shape, rank)
	for i, m := range l.Axes {
		if origin != nil {
			from[i] = origin[i]
		}
		lo, hi := int64(0), int64(1)
		if m.Loop >= 0 {
			lo, hi = at.Lo[m.Loop], at.Hi[m.Loop]
		}
		end := from[i] + base.Shape[i]
		sc.rd.pieces[i] = cut(sc.rd.pieces[i], m, chunk.Axis{Len: end, Step: max(end, 1)}, lo, hi)
		if len(sc.rd.pieces[i]) == 0 {
			return spread(l, at, c), nil
		}
		sc.rd.pick[i] = 0
	}
	if err := sc.rd.scatter(ctx, base, from, c); err != nil {
		return nil, err
	}
	return spread(l, at, c), nil
}

// listLeaf returns a leaf that follows one axis and is known from the plan.
func (sc *scope) listLeaf(l *plan.Leaf, at chunk.Region) (*chunk.Chunk, error) {
	m := l.Axes[0]
	lo, hi := at.Lo[m.Loop], at.Hi[m.Loop]
	c, err := sc.alloc(l.DType, l.ItemBytes, chunk.Shape{hi - lo})
	if err != nil {
		return nil, err
	}
	switch l.Kind {
	case plan.Position:
		copy(chunk.Slice[int64](c), m.IDs[lo:hi])
	case plan.Absent:
		s := chunk.Slice[bool](c)
		for i, p := range m.IDs[lo:hi] {
			s[i] = p < 0
		}
	case plan.Group:
		copy(chunk.Slice[int32](c), l.IDs[lo:hi])
	case plan.Picks:
		from := int64(0)
		if l.Relative {
			from, _ = m.Span(lo, hi)
		}
		s := chunk.Slice[int32](c)
		for i, p := range m.IDs[lo:hi] {
			s[i] = -1
			if p >= 0 {
				s[i] = int32(p - from)
			}
		}
	}
	return spread(l, at, c), nil
}

// part computes a node over a region of its own coordinates into dst.
func (sc *scope) part(ctx context.Context, p *plan.Part, at chunk.Region, dst *chunk.Chunk) error {
	switch {
	case p.Opaque != nil:
		return sc.opaque(ctx, p, at, dst)
	case p.Node.Kind == graph.Stack:
		return sc.stack(ctx, p, at, dst)
	}
	return sc.body(ctx, p.In[0], at, dst)
}

// stack computes the inputs that the region touches, each into its place.
func (sc *scope) stack(ctx context.Context, p *plan.Part, at chunk.Region, dst *chunk.Chunk) error {
	a := p.Axis
	for i, b := range p.In {
		lo, hi := max(at.Lo[a], p.Starts[i]), min(at.Hi[a], p.Starts[i]+b.Shape[a])
		if lo >= hi {
			continue
		}
		in := at.Clone()
		in.Lo[a], in.Hi[a] = lo-p.Starts[i], hi-p.Starts[i]
		out := chunk.Whole(dst.Shape)
		out.Lo[a], out.Hi[a] = lo-at.Lo[a], hi-at.Lo[a]
		place := dst.Sub(out)
		if err := sc.body(ctx, b, in, place); err != nil {
			return err
		}
		dst.Heap = place.Heap
	}
	return nil
}

// halves returns the two parts of a region that is computed part by part because it needs
// much more of an input than it wants.
func halves(p *plan.Part, at chunk.Region) (a, b chunk.Region, ok bool) {
	size := at.Size()
	if p.Opaque.Near == 0 || size <= 1 {
		return a, b, false
	}
	far := false
	for i := range p.In {
		far = far || p.Opaque.Need(i, at).Size() > p.Opaque.Near*size
	}
	for k := range at.Lo {
		if n := at.Hi[k] - at.Lo[k]; far && n > 1 && !p.Opaque.Whole.Has(k) {
			a, b = at.Clone(), at.Clone()
			a.Hi[k] = at.Lo[k] + n/2
			b.Lo[k] = a.Hi[k]
			return a, b, true
		}
	}
	return a, b, false
}

// opaque runs a Go function of regions.
func (sc *scope) opaque(ctx context.Context, p *plan.Part, at chunk.Region, dst *chunk.Chunk) error {
	if a, b, ok := halves(p, at); ok {
		for _, part := range []chunk.Region{a, b} {
			place := part.Clone()
			for k := range place.Lo {
				place.Lo[k] -= at.Lo[k]
				place.Hi[k] -= at.Lo[k]
			}
			to := dst.Sub(place)
			if err := sc.opaque(ctx, p, part, to); err != nil {
				return err
			}
			dst.Heap = to.Heap
		}
		return nil
	}
	mark := len(sc.blocks)
	defer sc.close(mark)
	in := make([]*chunk.Chunk, len(p.In))
	for i, b := range p.In {
		need := p.Opaque.Need(i, at).Intersect(chunk.Whole(b.Shape))
		if sc.r.plan.Viewed(p, i) {
			c, err := sc.leaf(ctx, b.Leaves[b.Roots[0].Leaf], need)
			if err != nil {
				return err
			}
			in[i] = c
			continue
		}
		n := b.Roots[0].Node
		c, err := sc.alloc(n.DType, int64(n.ItemBytes), need.Shape())
		if err != nil {
			return err
		}
		if need.Size() > 0 {
			if err := sc.body(ctx, b, need, c); err != nil {
				return err
			}
		}
		in[i] = c
	}
	start := time.Now()
	err := p.Opaque.Run(ctx, graph.OpaqueCall{At: at, Out: dst, In: in, Device: sc.r.device, Kernel: p.Kernel})
	sc.r.stats.compute.Add(int64(time.Since(start)))
	if err != nil {
		return fmt.Errorf("%s at %v: %w", p.Opaque.Key, at, err)
	}
	return nil
}

// body computes the one root of a body over a region of its loop into dst.
func (sc *scope) body(ctx context.Context, b *plan.Body, at chunk.Region, dst *chunk.Chunk) error {
	mark := len(sc.blocks)
	defer sc.close(mark)
	root := b.Roots[0]
	if root.Ret < 0 {
		l := b.Leaves[root.Leaf]
		if l.Kind == plan.Stored && l.DType != dtype.String && !sc.r.plan.Sources[l.Store].Keep && follows(l, len(at.Lo)) {
			if _, ok := sc.r.plan.Sources[l.Store].Source.(plan.Memory); !ok {
				return sc.rd.read(ctx, sc.r.plan.Sources[l.Store], l.Axes, at, dst)
			}
		}
		v, err := sc.leaf(ctx, l, at)
		if err != nil {
			return err
		}
		return copyChunk(ctx, sc.r.device, dst, v)
	}
	in := make([]*chunk.Chunk, len(b.Ports))
	for i, p := range b.Ports {
		v, err := sc.leaf(ctx, b.Leaves[p], at)
		if err != nil {
			return err
		}
		in[i] = v
	}
	shape := at.Shape()
	scratch, err := sc.scratch(b.Kernel.Scratch(shape))
	if err != nil {
		return err
	}
	start := time.Now()
	err = b.Kernel.Run(ctx, &kernels.Call{Out: []*chunk.Chunk{dst}, In: in, Origin: at.Lo, Shape: shape, Scratch: scratch})
	sc.r.stats.compute.Add(int64(time.Since(start)))
	return err
}

// follows reports whether the leaf's axes are the loop's, in order.
func follows(l *plan.Leaf, rank int) bool {
	if len(l.Axes) != rank {
		return false
	}
	for i, m := range l.Axes {
		if m.Loop != i {
			return false
		}
	}
	return true
}
