// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// What is too little to be shared out.
const (
	crewElements = 1 << 16 // of a kernel call
	crewBytes    = 1 << 20 // of a region that a source reads in one piece
)

// crew is what the threads of a task need, one each, where tasks are too large for every worker to have one.
type crew struct {
	readers []reader
	calls   []callPart
	scratch []*mem.Block
	axis    int // along which calls are cut, -1: they are not
}

// callPart is one thread's part of a kernel call.
type callPart struct {
	call   kernels.Call
	in     []chunk.Chunk
	out    []chunk.Chunk
	origin chunk.Shape
	shape  chunk.Shape
	shapes []chunk.Shape // by output of a fold
}

// newCrew returns the crew of a stage's task, nil where a task is one thread's.
func newCrew(t *tasker) *crew {
	n := t.s.Crew
	if n <= 1 {
		return nil
	}
	c := &crew{readers: make([]reader, n), axis: -1}
	for i := range c.readers {
		c.readers[i].r = t.r
	}
	if t.s.Place != nil && t.s.Place.Device != "cpu" || t.s.Body.Program == nil {
		return c
	}
	if c.axis = t.s.CallAxis(); c.axis >= 0 {
		c.calls = make([]callPart, n)
		rank := len(t.s.Body.Shape)
		for i := range c.calls {
			p := &c.calls[i]
			p.in, p.out = make([]chunk.Chunk, len(t.in)), make([]chunk.Chunk, len(t.out))
			p.call.In, p.call.Out = pointers(p.in), pointers(p.out)
			p.origin, p.shape = make(chunk.Shape, rank), make(chunk.Shape, rank)
			for _, f := range t.folds {
				for range f.plan.State {
					p.shapes = append(p.shapes, make(chunk.Shape, len(f.shape)))
				}
			}
		}
	}
	return c
}

// begin sets the scratch of each thread, n bytes, for a task.
func (c *crew) begin(t *tasker, n int64) error {
	c.scratch = append(c.scratch[:0], t.call.Scratch)
	for len(c.scratch) < len(c.calls) {
		b, err := t.scope.scratch(n)
		if err != nil {
			return err
		}
		c.scratch = append(c.scratch, b)
	}
	return nil
}

func pointers(list []chunk.Chunk) []*chunk.Chunk {
	out := make([]*chunk.Chunk, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// together calls f for 0 to n-1, each once, in as many goroutines at most, the caller's among them, and returns the first
// error. enter lets another goroutine begin; nil lets all.
func together(n int, enter func() bool, leave func(), f func(i int) error) error {
	var next atomic.Int64
	var mu sync.Mutex
	var first error
	work := func() {
		for {
			i := int(next.Add(1) - 1)
			if i >= n {
				return
			}
			if err := f(i); err != nil {
				mu.Lock()
				if first == nil {
					first = err
				}
				mu.Unlock()
				return
			}
		}
	}
	var wg sync.WaitGroup
	for range n - 1 {
		if enter != nil && !enter() {
			break
		}
		wg.Go(func() {
			work()
			if leave != nil {
				leave()
			}
		})
	}
	work()
	wg.Wait()
	return first
}

// wanted is a region that the threads of a task read together.
type wanted struct {
	src  *plan.Source
	leaf *plan.Leaf
	at   chunk.Region
	dst  *chunk.Chunk
}

// turns shares pieces of work out among readers that all count through them.
type turns struct {
	next *atomic.Int64
	held int64 // the piece this reader takes next, -1: none yet
	at   int64 // the piece it comes to
}

// mine reports whether the piece the reader comes to is its own.
func (t *turns) mine() bool {
	if t == nil {
		return true
	}
	if t.held < 0 {
		t.held = t.next.Add(1) - 1
	}
	mine := t.held == t.at
	t.at++
	if mine {
		t.held = -1
	}
	return mine
}

// leaves sets the views of the leaves for a step. Those that are decoded are so by all threads of the task, and those that are results as
// they are in the memory of their output.
func (t *tasker) leaves(ctx context.Context, at chunk.Region, single bool) error {
	var list []wanted
	for l, leaf := range t.s.Body.Leaves {
		shares := t.shares(leaf, at)
		var c *chunk.Chunk
		if shares && single {
			c = t.inPlace(l, at)
		}
		if c == nil && (t.crew == nil || !shares) {
			v, err := t.leaf(ctx, leaf, at)
			if err != nil {
				return err
			}
			t.leafs[l] = v
			continue
		}
		if c == nil {
			var err error
			if c, err = t.alloc(leaf.DType, leaf.ItemBytes, compactShape(leaf, at)); err != nil {
				return err
			}
		}
		t.leafs[l] = spread(leaf, at, c)
		w := wanted{t.r.plan.Sources[leaf.Store], leaf, at, c}
		if t.crew != nil {
			list = t.crew.cut(list, w)
		} else if err := t.rd.read(ctx, w.src, leaf.Axes, at, c); err != nil {
			return err
		}
	}
	if len(list) == 0 {
		return nil
	}
	var next atomic.Int64
	return together(len(t.crew.readers), nil, nil, func(i int) error {
		rd := &t.crew.readers[i]
		rd.turns = &turns{next: &next, held: -1}
		for _, w := range list {
			dst := *w.dst // readers set what a chunk says of its texts
			if err := rd.read(ctx, w.src, w.leaf.Axes, w.at, &dst); err != nil {
				return err
			}
		}
		return nil
	})
}

// inPlace returns the memory of an output as the buffer of leaf l, when the leaf is what goes there, and notes that the root is there then.
// Otherwise it returns nil. What is contiguous as a whole is not read in small pieces.
func (t *tasker) inPlace(l int, at chunk.Region) *chunk.Chunk {
	leaf := t.s.Body.Leaves[l]
	for i, root := range t.s.Body.Roots {
		if root.Ret >= 0 || root.Leaf != l || t.place[i] < 0 {
			continue
		}
		into := t.r.outs[t.place[i]].out.Into.Sub(at)
		c := *into
		c.Shape = compactShape(leaf, at)
		c.Strides = make([]int64, len(leaf.Axes))
		follows := 0
		for k, m := range leaf.Axes {
			if m.Loop >= 0 {
				c.Strides[k] = into.Strides[m.Loop]
				follows++
			}
		}
		_, regions := t.r.plan.Sources[leaf.Store].Source.(formats.RegionReader)
		if follows != len(at.Lo) || regions && !c.Contiguous() {
			continue
		}
		t.whole[i] = into
		return &c
	}
	return nil
}

// shares reports whether a leaf is read into a buffer of its own, piece by piece.
func (t *tasker) shares(l *plan.Leaf, at chunk.Region) bool {
	if l.Kind != plan.Stored || l.DType == dtype.String || t.r.leaves[l] != nil || missing(l.Axes, at) {
		return false
	}
	src := t.r.plan.Sources[l.Store]
	_, memory := src.Source.(plan.Memory)
	return !src.Keep && !memory
}

// cut appends w to the list, in parts where its source would read it in one piece.
func (c *crew) cut(list []wanted, w wanted) []wanted {
	_, regions := w.src.Source.(formats.RegionReader)
	if !regions || !c.readers[0].box(w.leaf.Axes, w.at) || w.dst.Shape.Size()*int64(w.dst.ItemBytes) < crewBytes {
		return append(list, w)
	}
	n := int64(len(c.readers))
	for i, m := range w.leaf.Axes {
		if m.Loop < 0 || w.dst.Shape[i] < n {
			continue
		}
		lo, length := w.at.Lo[m.Loop], w.dst.Shape[i]
		for k := range n {
			from, to := length*k/n, length*(k+1)/n
			part := w
			part.at = w.at.Clone()
			part.at.Lo[m.Loop], part.at.Hi[m.Loop] = lo+from, lo+to
			box := chunk.Whole(w.dst.Shape)
			box.Lo[i], box.Hi[i] = from, to
			part.dst = w.dst.Sub(box)
			list = append(list, part)
		}
		return list
	}
	return append(list, w)
}

// kernel runs the current call, in parts by as many threads as have a seat.
func (t *tasker) kernel(ctx context.Context) error {
	c := t.crew
	if c == nil || c.axis < 0 || t.call.Shape[c.axis] < int64(len(c.calls)) || t.call.Shape.Size() < crewElements || !t.oneBlock() {
		return t.r.kernel.Run(ctx, &t.call)
	}
	return together(len(c.calls), t.r.cpu.try, t.r.cpu.leave, func(i int) error { return t.part(ctx, i) })
}

// oneBlock reports whether every fold makes one block of the current call, so that parts of its outputs are contiguous.
func (t *tasker) oneBlock() bool {
	for i := range t.folds {
		if t.folds[i].blocks != 1 {
			return false
		}
	}
	return true
}

// part runs part i of the current call.
func (t *tasker) part(ctx context.Context, i int) error {
	c := t.crew
	p, a, n := &c.calls[i], c.axis, int64(len(c.calls))
	from, to := t.call.Shape[a]*int64(i)/n, t.call.Shape[a]*int64(i+1)/n
	copy(p.origin, t.call.Origin)
	copy(p.shape, t.call.Shape)
	p.origin[a] += from
	p.shape[a] = to - from
	p.call.Origin, p.call.Shape, p.call.Continue, p.call.Stream = p.origin, p.shape, t.call.Continue, t.call.Stream
	p.call.Scratch = c.scratch[i]
	for k, in := range t.call.In {
		p.in[k] = *in
		p.in[k].Shape = p.shape
		p.in[k].Offset += from * in.Strides[a]
	}
	rets := len(t.rets)
	for k, out := range t.call.Out {
		p.out[k] = *out
		if k < rets {
			p.out[k].Shape = p.shape
			p.out[k].Offset += from * out.Strides[a]
			continue
		}
		// The axis is the first that folds keep, behind the one block.
		shape := p.shapes[k-rets]
		copy(shape, out.Shape)
		shape[1] = to - from
		p.out[k].Shape = shape
		p.out[k].Offset += from * out.Strides[1]
	}
	return t.r.kernel.Run(ctx, &p.call)
}
