// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// foldRun folds one fold of a stage over the cells of a tile.
//
// The kept part of a tile falls into fragments, usually one: one for each combination of steps, and of
// cells along kept axes that another fold of the stage reduces. Each fragment has
// its own tree (or accumulator, for groups).
type foldRun struct {
	plan    *plan.Fold
	index   int
	frags   []fragRun
	store   state       // by component: partial states of the tile
	spare   state       // by component: the right sides of joins
	stride  int64       // elements of store for each fragment
	kept    int64       // kept elements of the current cell
	blocks  int64       // blocks of the current cell
	cur     int         // fragment of the current cell
	shape   chunk.Shape // of the current output
	strides []int64
	left    pair
	right   pair
	call    kernels.Call // joins right to left
	join    kernels.Join[int64]
	local   localIDs
	waits   bool // for the turn of each cell
}

// fragRun is the tree of one fragment inside one task.
type fragRun struct {
	fill int64 // slots of store in use: one for each node of row, in order
	kept int64
	key  int64
	lo   chunk.Shape // kept region, by kept axis
	hi   chunk.Shape
	row  kernels.TreeRow[int64] // of slots of the store
}

// spareElements is how many elements of each component one call joins, of several states.
const spareElements = 512

// pair holds the chunks of one side of a Combine call.
type pair struct {
	c []chunk.Chunk
	p []*chunk.Chunk
}

func newPair(f *plan.Fold) pair {
	p := pair{c: make([]chunk.Chunk, len(f.State)), p: make([]*chunk.Chunk, len(f.State))}
	for i, s := range f.State {
		p.c[i] = chunk.Chunk{DType: s.DType, ItemBytes: int32(s.DType.Size()), Shape: make(chunk.Shape, 1), Strides: []int64{1}}
		p.p[i] = &p.c[i]
	}
	return p
}

// at points the pair at n elements of each component, from offset on.
func (p *pair) at(store state, offset, n int64) {
	for i := range p.c {
		p.c[i].Block = store[i].Block
		p.c[i].Offset = store[i].Offset + offset
		p.c[i].Shape[0] = n
	}
}

func (f *foldRun) init(t *tasker, i int) {
	f.plan, f.index = t.s.Folds[i], i
	f.shape = make(chunk.Shape, 1+len(f.plan.Kept))
	f.strides = make([]int64, len(f.shape))
	f.left, f.right = newPair(f.plan), newPair(f.plan)
	f.call = kernels.Call{Out: f.left.p, In: f.right.p, Shape: f.left.c[0].Shape}
	f.join = f.joinSlots
	f.store = make(state, len(f.plan.State))
	if f.plan.Groups == 0 { // groups are joined by the merger
		for _, s := range f.plan.State {
			c := &chunk.Chunk{DType: s.DType, ItemBytes: int32(s.DType.Size()), Block: mem.Wrap(make([]byte, spareElements*s.DType.Size()))}
			f.spare = append(f.spare, c)
		}
	}
	f.waits = f.plan.Groups > 0 && t.s.InOrder(f.plan)
	if f.plan.GroupLeaf >= 0 && t.s.Body.Leaves[f.plan.GroupLeaf].IDs != nil {
		f.local.of = make([]int32, f.plan.Groups)
		f.local.groups = []int32{} // nil would mean all groups
		for g := range f.local.of {
			f.local.of[g] = -1
		}
	}
}

// begin makes room for the partials of a tile.
func (f *foldRun) begin(t *tasker) error {
	w := &t.cells
	kept, frags, blocks := int64(1), int64(1), int64(0)
	cells, cell := int64(1), w.largest()
	for a, n := range w.count {
		if f.plan.Cells.Set.Has(a) {
			cells *= n
		} else {
			kept *= cell[a]
			frags *= n
		}
	}
	switch {
	case f.plan.Groups > 0 && f.local.of != nil:
		blocks = min(f.plan.Groups, reduced(cell, f.plan.Cells.Set))
	case f.plan.Groups > 0:
		blocks = f.plan.Groups
	default:
		blocks = t.s.Slots(f.plan, cells, kernels.FoldBlocks(cell, f.plan.Cells.Set))
	}
	f.stride = blocks * kept
	total := f.stride * frags
	if f.plan.Groups > 0 {
		total = f.stride // one cell at a time
	}
	for i, s := range f.plan.State {
		c, err := t.alloc(s.DType, int64(s.DType.Size()), chunk.Shape{total})
		if err != nil {
			return err
		}
		f.store[i] = c
	}
	for int64(len(f.frags)) < frags {
		f.frags = append(f.frags, fragRun{})
	}
	for i := range f.frags {
		f.frags[i].fill, f.frags[i].kept = 0, 0
		f.frags[i].row.Begin(f.plan.Cells.Total(), f.join)
	}
	return nil
}

func reduced(shape chunk.Shape, set kernels.AxisSet) int64 {
	n := int64(1)
	for i, d := range shape {
		if set.Has(i) {
			n *= d
		}
	}
	return n
}

// before points the kernel's outputs at the place of the current cell's partials.
func (f *foldRun) before(t *tasker, out []chunk.Chunk) error {
	w := &t.cells
	frag := int64(0)
	f.kept = 1
	for i, a := range f.plan.Kept {
		n := w.shape[a]
		f.kept *= n
		f.shape[1+i] = n
		frag = frag*w.count[a] + w.key[a] - w.first[a]
	}
	f.cur = int(frag)
	fr := &f.frags[frag]
	if fr.kept == 0 {
		f.open(t, fr)
	}
	offset := frag*f.stride + fr.fill*f.kept
	switch {
	case f.local.of != nil:
		offset = 0
		f.blocks = f.local.fill(t, f)
	case f.plan.Groups > 0:
		offset, f.blocks = 0, f.plan.Groups
	default:
		f.blocks = kernels.FoldBlocks(w.shape, f.plan.Cells.Set)
	}
	f.shape[0] = f.blocks
	n := int64(1)
	for i := len(f.shape) - 1; i >= 0; i-- {
		f.strides[i] = n
		n *= f.shape[i]
	}
	for i := range out {
		s := f.store[i]
		out[i] = chunk.Chunk{DType: s.DType, ItemBytes: s.ItemBytes, Shape: f.shape, Strides: f.strides, Offset: s.Offset + offset, Block: s.Block}
	}
	return nil
}

// open names the fragment of the current cell.
func (f *foldRun) open(t *tasker, fr *fragRun) {
	w := &t.cells
	n := len(f.plan.Kept)
	if len(fr.lo) != n {
		fr.lo, fr.hi = make(chunk.Shape, n), make(chunk.Shape, n)
	}
	fr.kept, fr.key = f.kept, 0
	for i, a := range f.plan.Kept {
		fr.lo[i], fr.hi[i] = w.at.Lo[a], w.at.Hi[a]
		// Fragments start at different places, which names them.
		fr.key = fr.key*(t.s.Body.Shape[a]+1) + fr.lo[i]
	}
}

// after joins the current cell's partials, when they are complete, to those before.
func (f *foldRun) after(ctx context.Context, t *tasker) error {
	fr := &f.frags[f.cur]
	if !t.cells.ends {
		return nil
	}
	if f.plan.Groups > 0 {
		m, cell := t.sr.merger(f, fr), f.plan.Cells.Linear(t.cells.key)
		if f.waits && !m.cells.Turn(cell) {
			if err := t.pause(ctx, func() error { return m.cells.Await(ctx, cell) }); err != nil {
				return err
			}
		}
		return m.add(ctx, t, f, cell)
	}
	base := f.plan.Cells.First(t.cells.key)
	for b := int64(0); b < f.blocks; {
		n := kernels.Covering(base+b, f.blocks-b)
		if err := f.joinRun(ctx, fr.fill+b, 1<<n.Level); err != nil {
			return err
		}
		if err := fr.row.Add(ctx, n, fr.fill+b); err != nil {
			return err
		}
		b += 1 << n.Level
	}
	// What was joined has left its slots.
	from := int64(f.cur) * f.stride
	for i := range fr.row.Nodes {
		if n := &fr.row.Nodes[i]; n.State != int64(i) {
			copyState(f.store, from+int64(i)*fr.kept, f.store, from+n.State*fr.kept, fr.kept)
			n.State = int64(i)
		}
	}
	fr.fill = int64(len(fr.row.Nodes))
	return nil
}

// joinSlots joins two slots of the current fragment.
func (f *foldRun) joinSlots(ctx context.Context, dst, src int64) error {
	from, kept := int64(f.cur)*f.stride, f.frags[f.cur].kept
	f.left.at(f.store, from+dst*kept, kept)
	f.right.at(f.store, from+src*kept, kept)
	return f.plan.Combine.Run(ctx, &f.call)
}

// joinRun joins n slots of the current fragment, a power of two of them that are a node of the tree, into the first. Many short
// states are joined by one call: what is on the left of the joins moves together, and what is on the right to spare.
func (f *foldRun) joinRun(ctx context.Context, first, n int64) error {
	kept := f.frags[f.cur].kept
	most := spareElements / kept
	if most < 2 {
		for step := int64(1); step < n; step *= 2 {
			for p := first; p < first+n; p += 2 * step {
				if err := f.joinSlots(ctx, p, p+step); err != nil {
					return err
				}
			}
		}
		return nil
	}
	first = int64(f.cur)*f.stride + first*kept
	for ; n > 1; n /= 2 {
		for p := int64(0); p < n/2; p += most {
			left, m := first+p*kept, min(most, n/2-p)
			for i, c := range f.store {
				unzip(c, left, f.spare[i], first+2*p*kept, m, kept)
			}
			f.left.at(f.store, left, m*kept)
			f.right.at(f.spare, 0, m*kept)
			if err := f.plan.Combine.Run(ctx, &f.call); err != nil {
				return err
			}
		}
	}
	return nil
}

// unzip moves m pairs of runs of n elements, which begin at element from of c: the first of each to element to, which is not behind
// from, and the second to other.
func unzip(c *chunk.Chunk, to int64, other *chunk.Chunk, from, m, n int64) {
	w := n * int64(c.ItemBytes)
	from, to = (c.Offset+from)*int64(c.ItemBytes), (c.Offset+to)*int64(c.ItemBytes)
	if w == 8 { // most states of one kept element
		b, o := chunk.Elems[uint64](c.Block), chunk.Elems[uint64](other.Block)
		pairs := b[from/8:]
		b = b[to/8:]
		for i := range m {
			o[i] = pairs[2*i+1]
			b[i] = pairs[2*i]
		}
		return
	}
	b, o := c.Block.Bytes(), other.Block.Bytes()
	for i := range m {
		copy(o[i*w:], b[from+(2*i+1)*w:][:w])
		copy(b[to+i*w:], b[from+2*i*w:][:w])
	}
}

// end hands what is left of each fragment to the merger of its kept tile.
func (f *foldRun) end(ctx context.Context, t *tasker) error {
	if f.plan.Groups > 0 {
		return nil
	}
	for i := range f.frags {
		fr := &f.frags[i]
		if fr.kept == 0 {
			continue
		}
		m := t.sr.merger(f, fr)
		f.cur = i
		for _, n := range fr.row.Nodes {
			if err := m.insert(ctx, t, f, fr, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// localIDs numbers the groups that occur in one cell.
type localIDs struct {
	of     []int32 // by group: its local number, -1
	groups []int32 // the groups in the cell, in order of appearance
}

// fill writes the local ids of the current cell into the group leaf's buffer and returns how many there are.
func (l *localIDs) fill(t *tasker, f *foldRun) int64 {
	leaf := t.s.Body.Leaves[f.plan.GroupLeaf]
	axis := leaf.Axes[0].Loop
	for _, g := range l.groups {
		l.of[g] = -1
	}
	l.groups = l.groups[:0]
	w := &t.cells
	c := t.leafs[f.plan.GroupLeaf]
	ids := chunk.Elems[int32](c.Block)[w.at.Lo[axis]-w.step.Lo[axis]:]
	for i, g := range leaf.IDs[w.at.Lo[axis]:w.at.Hi[axis]] {
		if g < 0 {
			ids[i] = -1
			continue
		}
		if l.of[g] < 0 {
			l.of[g] = int32(len(l.groups))
			l.groups = append(l.groups, g)
		}
		ids[i] = l.of[g]
	}
	return int64(len(l.groups))
}
