// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// tasker runs tasks of one stage, one after another. It belongs to one
// goroutine and reuses everything it can.
type tasker struct {
	scope
	s       *plan.Stage
	sr      *stageRun
	task    plan.Task
	leafs   []*chunk.Chunk // by leaf: views of the tile
	rets    []*chunk.Chunk // by program result: the tile
	whole   []*chunk.Chunk // by root: the tile, nil where the leaf's view is the result
	place   []int          // by root: the output in whose memory the tile is, -1
	call    kernels.Call
	in      []chunk.Chunk // what call.In points to
	shapes  []chunk.Shape // by input: its shape where it is gathered
	out     []chunk.Chunk
	folds   []foldRun
	cells   cellWalk
	seated  bool          // among those that compute
	idle    time.Duration // of the current step, waited among them
	crew    *crew         // nil: the task is one thread's
	scanned scanRun
}

func newTasker(r *run, sr *stageRun) *tasker {
	t := &tasker{s: sr.s, sr: sr}
	t.r = r
	t.rd.r = r
	b := t.s.Body
	t.leafs = make([]*chunk.Chunk, len(b.Leaves))
	t.whole = make([]*chunk.Chunk, len(b.Roots))
	t.place = make([]int, len(b.Roots))
	for i := range t.place {
		t.place[i] = r.plan.Place(t.s, i)
	}
	t.cells.init(t.s)
	if b.Program == nil {
		t.crew = newCrew(t)
		return t
	}
	t.call.Stream = t.streams()
	t.rets = make([]*chunk.Chunk, len(b.Program.Ret))
	t.in = make([]chunk.Chunk, len(b.Ports))
	t.call.In = pointers(t.in)
	t.shapes = make([]chunk.Shape, len(b.Ports))
	for i := range t.in {
		t.shapes[i] = make(chunk.Shape, len(b.Shape))
	}
	n := len(t.rets)
	for _, f := range t.s.Folds {
		n += len(f.State)
	}
	t.out = make([]chunk.Chunk, n)
	t.call.Out = pointers(t.out)
	t.folds = make([]foldRun, len(t.s.Folds))
	for i := range t.folds {
		t.folds[i].init(t, i)
	}
	t.crew = newCrew(t)
	return t
}

// streamFrom is the size from which results in memory count as too large for the last-level cache.
const streamFrom = 32 << 20

// streams reports whether all results go straight to memory of outputs that are larger than caches are.
func (t *tasker) streams() bool {
	bytes := int64(0)
	for i, root := range t.s.Body.Roots {
		if root.Ret < 0 {
			continue
		}
		if t.place[i] < 0 {
			return false
		}
		bytes += t.s.Body.Shape.Size() * int64(root.Node.ItemBytes)
	}
	return bytes >= streamFrom
}

// run does task i: step by step reads its leaves and runs the program, then
// writes results and hands partials on.
func (t *tasker) run(ctx context.Context, i int64) error {
	t.s.Task(i, &t.task)
	defer t.close(0)
	t.cells.begin(t.task.Region)
	single := true
	for a, n := range t.task.Region.Shape() {
		single = single && n <= t.s.Steps[a].Max()
	}
	if err := t.begin(single); err != nil {
		return err
	}
	mark := len(t.blocks)
	if single {
		if err := t.step(ctx, t.task.Region, true); err != nil {
			return err
		}
	} else {
		steps := chunk.Grid{Shape: t.s.Tiles.Shape, Axes: t.s.Steps}
		for key := range steps.Covering(t.task.Region) {
			if err := t.step(ctx, steps.Region(key).Intersect(t.task.Region), false); err != nil {
				return err
			}
			t.close(mark)
		}
	}
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	for i := range t.folds {
		if err := t.folds[i].end(ctx, t); err != nil {
			return err
		}
	}
	if t.s.Scan != nil {
		if err := t.scan(ctx); err != nil {
			return err
		}
	}
	if err := t.write(ctx); err != nil {
		return err
	}
	t.sr.tasks.Add(1)
	return nil
}

// begin allocates what a task makes. A result that is a leaf as it is needs a place
// only when the tile is computed in steps.
func (t *tasker) begin(single bool) error {
	for i, root := range t.s.Body.Roots {
		t.whole[i] = nil
		if root.Ret < 0 && single {
			continue
		}
		var c *chunk.Chunk
		if o := t.place[i]; o >= 0 {
			c = t.r.outs[o].out.Into.Sub(t.task.Region)
		} else {
			var err error
			if c, err = t.alloc(root.Node.DType, int64(root.Node.ItemBytes), t.task.Region.Shape()); err != nil {
				return err
			}
		}
		t.whole[i] = c
		if root.Ret >= 0 {
			t.rets[root.Ret] = c
		}
	}
	for i := range t.folds {
		if err := t.folds[i].begin(t); err != nil {
			return err
		}
	}
	if k := t.s.Body.Kernel; k != nil {
		n := k.Scratch(t.cells.largest())
		scratch, err := t.scratch(n)
		if err != nil {
			return err
		}
		t.call.Scratch = scratch
		if t.crew != nil {
			if err := t.crew.begin(t, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// step reads the leaves of a part of the tile and runs the program over it, cell by cell where it folds.
func (t *tasker) step(ctx context.Context, at chunk.Region, single bool) error {
	if err := t.leaves(ctx, at, single); err != nil {
		return err
	}
	if err := t.enter(ctx); err != nil {
		return err
	}
	defer t.leave()
	start := time.Now()
	t.idle = 0
	defer func() { t.sr.compute.Add(int64(time.Since(start) - t.idle)) }()
	if !single {
		part := formats.Shift(at, t.task.Region.Lo)
		for i, root := range t.s.Body.Roots {
			if root.Ret >= 0 {
				continue
			}
			place := t.whole[i].Sub(part)
			if err := copyChunk(ctx, t.r.device, place, t.leafs[root.Leaf]); err != nil {
				return err
			}
			t.whole[i].Heap = place.Heap
		}
	}
	if t.s.Body.Program == nil {
		return nil
	}
	for ok := t.cells.enter(at); ok; ok = t.cells.next() {
		if err := t.cell(ctx); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// enter takes a seat among the tasks that compute.
func (t *tasker) enter(ctx context.Context) error {
	start := time.Now()
	err := t.r.cpu.enter(ctx)
	t.seated = err == nil
	d := time.Since(start)
	t.idle += d
	t.sr.wait.Add(int64(d))
	return err
}

// leave gives the seat to another task.
func (t *tasker) leave() {
	if t.seated {
		t.r.cpu.leave()
	}
	t.seated = false
}

// pause leaves the seat to another task while wait waits.
func (t *tasker) pause(ctx context.Context, wait func() error) error {
	start := time.Now()
	t.leave()
	err := wait()
	d := time.Since(start)
	t.idle += d
	t.sr.wait.Add(int64(d))
	if err != nil {
		return err
	}
	return t.enter(ctx)
}

// cell runs the program over one cell of the tile.
func (t *tasker) cell(ctx context.Context) error {
	w := &t.cells
	for i, p := range t.s.Body.Ports {
		if g := t.s.Body.Leaves[p].Gather; g >= 0 {
			w.pick(&t.in[i], t.leafs[p], g, t.shapes[i])
		} else {
			w.view(&t.in[i], t.leafs[p], w.step.Lo)
		}
	}
	for i, c := range t.rets {
		w.view(&t.out[i], c, w.tile.Lo)
	}
	n := len(t.rets)
	for i := range t.folds {
		f := &t.folds[i]
		if err := f.before(t, t.out[n:n+len(f.plan.State)]); err != nil {
			return err
		}
		n += len(f.plan.State)
	}
	t.call.Origin, t.call.Shape, t.call.Continue = w.at.Lo, w.shape, w.begun
	if err := t.kernel(ctx); err != nil {
		return fmt.Errorf("at %v: %w", t.task.Region, err)
	}
	for i := range t.folds {
		if err := t.folds[i].after(ctx, t); err != nil {
			return err
		}
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
		c, place := t.whole[w.Root], t.place[w.Root]
		switch {
		case t.s.Scan != nil:
			c, place = t.scanned.tile, t.r.plan.ScanPlace(t.s)
		case c == nil:
			c, place = t.root(w.Root), -1
		}
		if place == w.Output {
			continue
		}
		if o := &t.r.outs[w.Output]; o.sweeper != nil {
			if err := t.sweep(ctx, o, w, c); err != nil {
				return err
			}
			continue
		}
		if err := t.sr.deliver(ctx, w.Output, t.task.Region, c); err != nil {
			return err
		}
	}
	return nil
}

// root returns the tile of a root.
func (t *tasker) root(i int) *chunk.Chunk {
	if c := t.whole[i]; c != nil {
		return c
	}
	return t.leafs[t.s.Body.Roots[i].Leaf]
}

// sweep gives the tile of an output, and those of the roots beside it, to what looks at them together.
func (t *tasker) sweep(ctx context.Context, o *output, w plan.Write, c *chunk.Chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	all := []*chunk.Chunk{c}
	for _, root := range w.With {
		all = append(all, t.root(root))
	}
	if err := o.sweeper.Add(t.task.Region, all); err != nil {
		return fmt.Errorf("%s at %v: %w", o.name(), t.task.Region, err)
	}
	return nil
}

// deliver gives a region of an output to its sink, whole chunks only, to its memory or its function.
func (sr *stageRun) deliver(ctx context.Context, output int, at chunk.Region, c *chunk.Chunk) error {
	o := &sr.r.outs[output]
	switch {
	case o.out.To != nil:
	case o.out.Into != nil:
		return o.copy(ctx, sr.r.device, at, c)
	default:
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
	var next atomic.Int64
	return together(sr.s.Crew, nil, nil, func(int) error {
		mine := &turns{next: &next, held: -1}
		for key := range grid.Covering(at) {
			if mine.mine() {
				if err := o.write(ctx, grid, key, at, c, &sr.counters); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// write gives one chunk of an output, which lies in c, the region at, to its sink.
func (o *output) write(ctx context.Context, grid chunk.Grid, key chunk.Key, at chunk.Region, c *chunk.Chunk, st *counters) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	part := grid.Region(key)
	if !at.Contains(part) {
		panic(fmt.Sprintf("sched: tile %v holds a part of chunk %s of %s only", at, keyText(key), o.name()))
	}
	n, err := o.out.To.WriteChunk(ctx, key, c.Sub(formats.Shift(part, at.Lo)))
	st.bytesWritten.Add(n)
	if err != nil {
		return fmt.Errorf("write %s chunk %s: %w", o.name(), keyText(key), err)
	}
	return nil
}
