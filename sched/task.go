// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// tasker runs tasks of one stage, one after another. It belongs to one
// goroutine and reuses everything it can.
type tasker struct {
	scope
	s     *plan.Stage
	sr    *stageRun
	task  plan.Task
	leafs []*chunk.Chunk // by leaf: views of the tile
	rets  []*chunk.Chunk // by program result: the tile
	call  kernels.Call
	in    []chunk.Chunk // what call.In points to
	out   []chunk.Chunk
	folds []foldRun
	cells cellWalk
}

func newTasker(r *run, sr *stageRun) *tasker {
	t := &tasker{s: sr.s, sr: sr}
	t.r = r
	t.rd.r = r
	b := t.s.Body
	t.leafs = make([]*chunk.Chunk, len(b.Leaves))
	if b.Program == nil {
		return t
	}
	t.rets = make([]*chunk.Chunk, len(b.Program.Ret))
	t.in = make([]chunk.Chunk, len(b.Ports))
	t.call.In = make([]*chunk.Chunk, len(b.Ports))
	for i := range t.in {
		t.call.In[i] = &t.in[i]
	}
	n := len(t.rets)
	for _, f := range t.s.Folds {
		n += len(f.State)
	}
	t.out = make([]chunk.Chunk, n)
	t.call.Out = make([]*chunk.Chunk, n)
	for i := range t.out {
		t.call.Out[i] = &t.out[i]
	}
	t.cells.init(t.s)
	t.folds = make([]foldRun, len(t.s.Folds))
	for i := range t.folds {
		t.folds[i].init(t, i)
	}
	return t
}

// run does task i: reads its leaves, runs the program, writes results, hands partials on.
func (t *tasker) run(ctx context.Context, i int64) error {
	t.s.Task(i, &t.task)
	defer t.close(0)
	for l, leaf := range t.s.Body.Leaves {
		v, err := t.leaf(ctx, leaf, t.task.Region)
		if err != nil {
			return err
		}
		t.leafs[l] = v
	}
	start := time.Now()
	if err := t.r.cpu.enter(ctx); err != nil {
		return err
	}
	defer t.r.cpu.leave()
	t.sr.wait.Add(int64(time.Since(start)))
	if t.s.Body.Program != nil {
		if err := t.compute(ctx); err != nil {
			return err
		}
	}
	if err := t.write(ctx); err != nil {
		return err
	}
	t.sr.tasks.Add(1)
	return nil
}

// compute runs the program over the tile, cell by cell where it folds.
func (t *tasker) compute(ctx context.Context) error {
	b, at := t.s.Body, t.task.Region
	for _, root := range b.Roots {
		if root.Ret < 0 {
			continue
		}
		c, err := t.alloc(root.Node.DType, int64(root.Node.DType.Size()), at.Shape())
		if err != nil {
			return err
		}
		t.rets[root.Ret] = c
	}
	scratch, err := t.callScratch()
	if err != nil {
		return err
	}
	t.call.Scratch = scratch
	start := time.Now()
	defer func() { t.sr.compute.Add(int64(time.Since(start))) }()
	if len(t.folds) == 0 {
		t.call.Origin, t.call.Shape = at.Lo, at.Shape()
		for i, p := range b.Ports {
			t.in[i] = *t.leafs[p]
		}
		for i, c := range t.rets {
			t.out[i] = *c
		}
		return t.kernel(ctx)
	}
	for i := range t.folds {
		if err := t.folds[i].begin(t); err != nil {
			return err
		}
	}
	for ok := t.cells.begin(at); ok; ok = t.cells.next() {
		if err := t.cell(ctx); err != nil {
			return err
		}
	}
	for i := range t.folds {
		if err := t.folds[i].end(ctx, t); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// callScratch returns scratch for the largest call of the tile.
func (t *tasker) callScratch() (*mem.Block, error) {
	shape := t.task.Region.Shape()
	if len(t.folds) > 0 {
		shape = t.cells.largest(t.task.Region)
	}
	return t.scratch(t.s.Body.Kernel.Scratch(shape))
}

// cell runs the program over one cell of the tile.
func (t *tasker) cell(ctx context.Context) error {
	w := &t.cells
	for i, p := range t.s.Body.Ports {
		w.view(&t.in[i], t.leafs[p])
	}
	for i, c := range t.rets {
		w.view(&t.out[i], c)
	}
	n := len(t.rets)
	for i := range t.folds {
		f := &t.folds[i]
		if err := f.before(t, t.out[n:n+len(f.plan.State)]); err != nil {
			return err
		}
		n += len(f.plan.State)
	}
	t.call.Origin, t.call.Shape = w.at.Lo, w.shape
	if err := t.kernel(ctx); err != nil {
		return err
	}
	for i := range t.folds {
		if err := t.folds[i].after(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

func (t *tasker) kernel(ctx context.Context) error {
	if err := t.s.Body.Kernel.Run(ctx, &t.call); err != nil {
		return fmt.Errorf("at %v: %w", t.task.Region, err)
	}
	return nil
}

// write hands the tile's results to their sinks and functions.
func (t *tasker) write(ctx context.Context) error {
	if len(t.s.Writes) == 0 {
		return nil
	}
	start := time.Now()
	defer func() { t.sr.write.Add(int64(time.Since(start))) }()
	for _, w := range t.s.Writes {
		root := t.s.Body.Roots[w.Root]
		c := (*chunk.Chunk)(nil)
		if root.Ret >= 0 {
			c = t.rets[root.Ret]
		} else {
			c = t.leafs[root.Leaf]
		}
		if err := t.r.deliver(ctx, w.Output, t.task.Region, c, &t.sr.counters); err != nil {
			return err
		}
	}
	return nil
}

// deliver gives a region of an output to its sink, whole chunks only, or to its function.
func (r *run) deliver(ctx context.Context, output int, at chunk.Region, c *chunk.Chunk, st *counters) error {
	o := &r.outs[output]
	if o.out.To == nil {
		o.mu.Lock()
		defer o.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := o.out.Each(at, c); err != nil {
			return fmt.Errorf("%s at %v: %w", o.name(), at, err)
		}
		return nil
	}
	grid := o.out.To.Grid()
	for key := range grid.Covering(at) {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := grid.Region(key)
		if !at.Contains(part) {
			panic(fmt.Sprintf("sched: tile %v holds a part of chunk %s of %s only", at, keyText(key), o.name()))
		}
		for i := range part.Lo {
			part.Lo[i] -= at.Lo[i]
			part.Hi[i] -= at.Lo[i]
		}
		n, err := o.out.To.WriteChunk(ctx, key, c.Sub(part))
		st.bytesWritten.Add(n)
		if err != nil {
			return fmt.Errorf("write %s chunk %s: %w", o.name(), keyText(key), err)
		}
	}
	return nil
}
