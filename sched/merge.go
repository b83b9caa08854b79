// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// stageRun is the state that the tasks of a running stage share.
type stageRun struct {
	counters
	r       *run
	s       *plan.Stage
	mu      sync.Mutex
	mergers []map[int64]*merger // by fold, then fragment; those that are finished are gone
	carries map[int64]*carry    // of a scan, by line of tiles
}

// merger joins the partials of one fragment of a fold, in the order of the
// fold and not of arrival, and finishes it when all are there.
type merger struct {
	sr   *stageRun
	plan *plan.Fold
	fold int   // of the stage
	key  int64 // of the fragment
	kept int64
	lo   chunk.Shape
	hi   chunk.Shape
	tree *kernels.Tree[state]
	// Groups: cells are added to the accumulator one after another.
	cells   *kernels.Sequence[cellState]
	acc     state
	present []bool
	out     pair
	in      pair
}

// state is one chunk for each component of a fold's state.
type state = []*chunk.Chunk

// cellState is the partial of a grouped cell: of some groups, or of all where groups is nil.
type cellState struct {
	groups []int32
	state  state
	own    bool // the merger's, not the task's
}

// merger returns the merger of a task's fragment.
func (sr *stageRun) merger(f *foldRun, fr *fragRun) *merger {
	sr.mu.Lock()
	defer sr.mu.Unlock()
	m := sr.mergers[f.index][fr.key]
	if m == nil {
		m = &merger{sr: sr, plan: f.plan, fold: f.index, key: fr.key, kept: fr.kept, lo: fr.lo.Clone(), hi: fr.hi.Clone()}
		if f.plan.Groups > 0 {
			m.cells = kernels.NewSequence(m.accumulate)
		} else {
			m.tree = kernels.NewTree(f.plan.Cells.Total(), m.join)
		}
		sr.mergers[f.index][fr.key] = m
	}
	return m
}

// newState allocates a state of n elements and charges it.
func (m *merger) newState(n int64) (state, error) {
	out := make(state, len(m.plan.State))
	for i, s := range m.plan.State {
		c, err := chunk.New(m.sr.r.pool, s.DType, 0, chunk.Shape{n})
		if err != nil {
			m.free(out[:i])
			return nil, err
		}
		m.sr.r.gate.state(mem.ClassBytes(n * int64(s.DType.Size())))
		out[i] = c
	}
	return out, nil
}

// free releases a state that newState made.
func (m *merger) free(s state) {
	for _, c := range s {
		if c != nil {
			m.sr.r.gate.state(-mem.ClassBytes(c.Block.Len()))
			c.Release()
		}
	}
}

// copyState copies n elements of each component.
func copyState(dst state, to int64, src state, from, n int64) {
	for i, d := range dst {
		w := int64(d.ItemBytes)
		a, b := (d.Offset+to)*w, (src[i].Offset+from)*w
		copy(d.Block.Bytes()[a:a+n*w], src[i].Block.Bytes()[b:b+n*w])
	}
}

// join joins states of the tree.
func (m *merger) join(ctx context.Context, dst, src state) error {
	defer m.free(src)
	return m.plan.Combine.Run(ctx, &kernels.Call{Out: dst, In: src, Shape: dst[0].Shape})
}

// insert takes a node of a task's tree, whose state lies in the task's store.
func (m *merger) insert(ctx context.Context, t *tasker, f *foldRun, fr *fragRun, n kernels.TreeState[int64]) error {
	from := int64(f.cur)*f.stride + n.State*fr.kept
	if m.tree.Root(n.TreeNode) {
		// The task had all of it.
		f.left.at(f.store, from, fr.kept)
		return m.finish(ctx, &t.scope, f.left.p)
	}
	s, err := m.newState(fr.kept)
	if err != nil {
		return err
	}
	copyState(s, 0, f.store, from, fr.kept)
	s, done, err := m.tree.Insert(ctx, n.TreeNode, s)
	if err == nil && done {
		err = m.finish(ctx, &t.scope, s)
	}
	m.free(s)
	return err
}

// add takes the partial of a grouped cell, which lies at the start of the task's store.
func (m *merger) add(ctx context.Context, t *tasker, f *foldRun, cell int64) error {
	c := cellState{state: f.store}
	if f.local.of != nil {
		c.groups = f.local.groups
	}
	keep := func(c cellState) (cellState, error) {
		n := f.blocks * m.kept
		s, err := m.newState(n)
		if err != nil {
			return c, err
		}
		copyState(s, 0, c.state, 0, n)
		if c.groups != nil {
			c.groups = append([]int32{}, c.groups...)
		}
		c.state, c.own = s, true
		return c, nil
	}
	added, err := m.cells.Insert(ctx, cell, c, keep)
	if err != nil || added < f.plan.Cells.Len() {
		return err
	}
	return m.finishGroups(ctx, &t.scope)
}

// accumulate adds the groups of one cell to the accumulator. It runs once at a time.
func (m *merger) accumulate(ctx context.Context, c cellState) error {
	if c.own {
		defer m.free(c.state)
	}
	if m.acc == nil {
		acc, err := m.newState(m.plan.Groups * m.kept)
		if err != nil {
			return err
		}
		m.acc, m.present = acc, make([]bool, m.plan.Groups)
		m.out, m.in = newPair(m.plan), newPair(m.plan)
	}
	n := int64(len(c.groups))
	if c.groups == nil {
		n = m.plan.Groups
	}
	for i := range n {
		g := i
		if c.groups != nil {
			g = int64(c.groups[i])
		}
		if !m.present[g] {
			m.present[g] = true
			copyState(m.acc, g*m.kept, c.state, i*m.kept, m.kept)
			continue
		}
		m.out.at(m.acc, g*m.kept, m.kept)
		m.in.at(c.state, i*m.kept, m.kept)
		if err := m.plan.Combine.Run(ctx, &kernels.Call{Out: m.out.p, In: m.in.p, Shape: m.out.c[0].Shape}); err != nil {
			return err
		}
	}
	return nil
}

// finishGroups fills the groups nobody was in and finishes.
func (m *merger) finishGroups(ctx context.Context, sc *scope) error {
	for g, ok := range m.present {
		if ok {
			continue
		}
		m.identity(m.acc, int64(g)*m.kept, m.kept)
	}
	err := m.finish(ctx, sc, m.acc)
	m.free(m.acc)
	m.acc = nil
	return err
}

// identity writes the state of no elements.
func (m *merger) identity(s state, from, n int64) {
	for i, c := range m.plan.By.Identity(m.plan.In) {
		w := int64(s[i].ItemBytes)
		item := make([]byte, w)
		for k := range min(w, 8) {
			item[k] = byte(c.Bits >> (8 * k))
		}
		a := (s[i].Offset + from) * w
		repeat(s[i].Block.Bytes()[a:a+n*w], item)
	}
}

// finish turns a complete state into its part of the result.
func (m *merger) finish(ctx context.Context, sc *scope, s state) error {
	start := time.Now()
	defer func() { m.sr.compute.Add(int64(time.Since(start))) }()
	mark := len(sc.blocks)
	defer sc.close(mark)
	whole, place := m.sr.r.results[m.plan.Result], m.place()
	if m.plan.Direct != nil {
		n := m.plan.Node
		var err error
		if whole, err = sc.alloc(n.DType, int64(n.ItemBytes), place.Shape()); err != nil {
			return err
		}
	} else {
		whole = whole.Sub(place)
	}
	res := m.view(whole)
	in := make(state, len(s))
	for i, c := range s {
		v := *c
		v.Shape, v.Strides = res.Shape, res.Shape.RowMajor()
		in[i] = &v
	}
	scratch, err := sc.scratch(m.plan.Finish.Scratch(res.Shape))
	if err != nil {
		return err
	}
	call := kernels.Call{Out: []*chunk.Chunk{res}, In: in, Origin: make(chunk.Shape, len(res.Shape)), Shape: res.Shape, Scratch: scratch}
	if err := m.plan.Finish.Run(ctx, &call); err != nil {
		return err
	}
	if m.plan.Reduction.NegativeIsError {
		if err := m.checkNegative(res); err != nil {
			return err
		}
	}
	for _, o := range m.plan.Direct {
		if err := m.sr.deliver(ctx, o, place, whole); err != nil {
			return err
		}
	}
	m.sr.done(m)
	return nil
}

// done forgets a finished merger.
func (sr *stageRun) done(m *merger) {
	sr.mu.Lock()
	defer sr.mu.Unlock()
	if m.fold < len(sr.mergers) && sr.mergers[m.fold][m.key] == m {
		delete(sr.mergers[m.fold], m.key)
	}
}

// place returns the region of the result that the fragment makes.
func (m *merger) place() chunk.Region {
	f := m.plan
	r := chunk.Whole(f.Node.Shape())
	for k, a := range f.Kept {
		i := f.ResultAxis(a)
		r.Lo[i], r.Hi[i] = m.lo[k], m.hi[k]
	}
	return r
}

// view returns part, the fragment's region of the result, in the order of the state's
// axes: groups first, then the kept axes.
func (m *merger) view(part *chunk.Chunk) *chunk.Chunk {
	v := *part
	f := m.plan
	v.Shape, v.Strides = make(chunk.Shape, 0, len(f.Kept)+1), make([]int64, 0, len(f.Kept)+1)
	if f.Groups > 0 {
		// The one axis that no kept loop axis becomes.
		axis := 0
		for _, a := range f.Kept {
			if f.ResultAxis(a) == axis {
				axis++
			}
		}
		v.Shape, v.Strides = append(v.Shape, f.Groups), append(v.Strides, part.Strides[axis])
	}
	for _, a := range f.Kept {
		i := f.ResultAxis(a)
		v.Shape, v.Strides = append(v.Shape, part.Shape[i]), append(v.Strides, part.Strides[i])
	}
	return &v
}

// checkNegative reports a result below 0, which stands for a slice without a value.
func (m *merger) checkNegative(res *chunk.Chunk) error {
	var bad bool
	e := chunk.Elems[int64](res.Block)
	eachPair(res, res, func(i, _ int64) { bad = bad || e[i] < 0 })
	if bad {
		return fmt.Errorf("sched: %s: a slice has only NaN: there is no position to give; drop it or use %s",
			m.plan.Reduction.Name, m.plan.Reduction.TwinOf().Name)
	}
	return nil
}

// empty finishes a fold whose loop has no elements.
func (sr *stageRun) empty(ctx context.Context, f *plan.Fold) error {
	if f.Node.Shape().Size() == 0 {
		return nil
	}
	if err := f.Reduction.Empty(f.In); err != nil && f.Groups == 0 {
		return err
	}
	m := &merger{sr: sr, plan: f, kept: 1}
	for _, a := range f.Kept {
		m.lo = append(m.lo, 0)
		m.hi = append(m.hi, sr.s.Body.Shape[a])
		m.kept *= sr.s.Body.Shape[a]
	}
	n := m.kept * max(f.Groups, 1)
	s, err := m.newState(n)
	if err != nil {
		return err
	}
	defer m.free(s)
	m.identity(s, 0, n)
	return m.finish(ctx, &scope{r: sr.r}, s)
}

// drop releases what an interrupted stage left behind.
func (sr *stageRun) drop() {
	sr.dropCarries()
	for _, list := range sr.mergers {
		for _, m := range list {
			if m.tree != nil {
				m.tree.Drain(m.free)
				continue
			}
			m.cells.Drain(func(c cellState) { m.free(c.state) })
			m.free(m.acc)
			m.acc = nil
		}
	}
}
