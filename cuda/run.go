// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// try runs a call on the device. One that does not fit waits for the memory that other calls have, makes room or is cut in two; one that
// cannot be cut, or that the CPU is better at, gives an error wrapping errCPU.
func (k *kernel) try(ctx context.Context, c *kernels.Call) error {
	for reaped := false; ; {
		err := k.attempt(ctx, c)
		switch {
		case errors.Is(err, errTooLarge):
			if err = k.halve(ctx, c); !errors.Is(err, errWhole) {
				return err
			}
		case driver.CodeOf(err) != driver.OutOfMemory:
			return err
		case !reaped:
			reaped = true
			if err := k.dev.reap(ctx); err != nil {
				return err
			}
			continue
		}
		switch {
		case k.dev.evict(): // again, with more memory
		case errors.Is(err, errWhole):
			return err
		default:
			return k.halve(ctx, c)
		}
	}
}

// errTooLarge is wrapped when a call takes more than its share of the device's memory; errWhole when it cannot be cut.
var (
	errTooLarge = errors.New("cuda: the call does not fit its share of the device's memory")
	errWhole    = fmt.Errorf("%w: the call does not fit the device's memory and cannot be cut", errCPU)
)

// attempt is try for a call as it is. Its slot and its operands are free again when it returns.
func (k *kernel) attempt(ctx context.Context, c *kernels.Call) error {
	if k.dev.lost.Load() {
		return fmt.Errorf("%w: the device is lost", errCPU)
	}
	views := make([]view, len(c.In))
	for i, in := range c.In {
		if r := k.dev.residentOf(in); r != nil {
			if err := r.pin(); err != nil {
				return fmt.Errorf("%w: %w", errCPU, err)
			}
			defer r.unpin()
			views[i] = view{chunk: in, at: r}
		} else if k.reads(i) {
			views[i] = viewOf(in)
		}
		if k.program != nil && c.Shape.Size() == 0 { // nothing is read, and there may be nothing to read
			views[i].src = nil
		}
	}
	if need(views, c.Out) > k.dev.room() {
		return errTooLarge
	}
	steps := k.steps(c, views)
	fns, err := k.sources(steps)
	if err != nil {
		return err
	}
	sl, err := k.dev.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { k.dev.slots <- sl }()
	return k.dev.ctx.Do(func(s *driver.Session) error {
		return sl.finish(s, k.on(ctx, s, sl, c, views, steps, fns))
	})
}

// reads reports whether some part reads input i.
func (k *kernel) reads(i int) bool {
	for _, q := range k.parts {
		if q.in[i] {
			return true
		}
	}
	return k.program == nil
}

// sources returns the compiled sources of steps, nil for those without work. No slot waits for the compiler.
func (k *kernel) sources(steps []*step) ([]*loaded, error) {
	fns := make([]*loaded, len(steps))
	for i, st := range steps {
		if st.count == 0 {
			continue
		}
		if !k.dev.opt.Always && st.slow() {
			return nil, fmt.Errorf("%w: too few threads for so many elements", errCPU)
		}
		var err error
		if fns[i], err = k.variant(st, i); err != nil {
			return nil, err
		}
	}
	return fns, nil
}

// on runs a call in a slot. Its launches follow the copies of their operands on the slot's stream.
func (k *kernel) on(ctx context.Context, s *driver.Session, sl *slot, c *kernels.Call, views []view, steps []*step, fns []*loaded) error {
	l := &launch{call: c, in: make([]uint64, len(c.In)), out: make([]uint64, len(c.Out))}
	if k.program != nil {
		in := make([]*chunk.Chunk, len(c.In)) // as they lie on the device: what parameters are made of
		for i := range in {
			in[i] = c.In[i]
			if views[i].chunk != nil {
				in[i] = views[i].chunk
			}
		}
		call := *c
		call.In = in
		l.call = &call
	}
	for i, v := range views {
		if v.at != nil {
			l.in[i] = uint64(v.at.block.ptr.Add(v.chunk.Offset * int64(v.chunk.ItemBytes)))
		}
		if v.src == nil || v.src.Shape.Size() == 0 {
			continue
		}
		item := int64(v.src.ItemBytes)
		to, err := sl.alloc(s, v.src.Shape.Size()*item)
		if err != nil {
			return err
		}
		if err := sl.upload(ctx, s, to, v.src); err != nil {
			return err
		}
		l.in[i] = uint64(to.Add(v.first * item))
	}
	for i, o := range c.Out {
		if o.Shape.Size() == 0 {
			continue
		}
		to, err := sl.alloc(s, o.Shape.Size()*int64(o.ItemBytes))
		if err != nil {
			return err
		}
		if k.program == nil || c.Continue && i >= len(k.program.Ret) { // states that are joined or gone on with are operands too
			if err := sl.upload(ctx, s, to, o); err != nil {
				return err
			}
		}
		l.out[i] = uint64(to)
	}
	flagged := false
	for _, f := range fns {
		flagged = flagged || f != nil && f.src.flag
	}
	if flagged {
		to, err := sl.alloc(s, flagBytes)
		if err != nil {
			return err
		}
		if err := s.Memset(to, 0, flagBytes, sl.stream); err != nil {
			return err
		}
		l.flag = uint64(to)
	}
	if err := sl.mark(s, 0); err != nil {
		return err
	}
	for i, st := range steps {
		if fns[i] == nil {
			continue
		}
		if err := sl.launch(s, st, fns[i], l); err != nil {
			return err
		}
	}
	if err := sl.mark(s, 1); err != nil {
		return err
	}
	if flagged {
		if err := sl.domain(s, driver.DevicePtr(l.flag)); err != nil {
			return err
		}
	}
	for i, o := range c.Out {
		if o.Shape.Size() == 0 {
			continue
		}
		if err := sl.download(ctx, s, o, driver.DevicePtr(l.out[i])); err != nil {
			return err
		}
	}
	sl.count(s)
	return nil
}

// steps plans the launches of a call.
func (k *kernel) steps(c *kernels.Call, views []view) []*step {
	if k.program == nil {
		return []*step{{combine: k.combine, vector: 1, width: 1, count: c.Out[0].Shape.Size()}}
	}
	in := make([]*chunk.Chunk, len(views))
	for i, v := range views {
		in[i] = v.chunk
	}
	var steps []*step
	for _, q := range k.parts {
		groups := int64(0)
		if q.group >= 0 {
			groups = c.Out[q.folds[0].out].Shape[0]
		}
		st := stepOf(q, c.Shape, in, groups)
		st.resumes = c.Continue && len(q.folds) > 0
		for i, v := range views {
			// Wide loads want what begins where an allocation does; a view may begin anywhere.
			if v.at != nil && q.in[i] && v.chunk.Offset*int64(v.chunk.ItemBytes)%16 != 0 {
				st.vector = 1
			}
		}
		steps = append(steps, st)
	}
	return steps
}

// launch queues a step.
func (sl *slot) launch(s *driver.Session, st *step, f *loaded, l *launch) error {
	l.geo, l.count, l.width = st.geo, uint64(st.count), uint64(st.width)
	sl.args.Reset()
	for _, p := range f.src.params {
		sl.args.Uint(p.value(l))
	}
	grid, block := st.grid(f.src.shape)
	sl.dev.stats.launches.Add(1)
	return s.Launch(f.fn, grid, block, 0, sl.stream, &sl.args)
}

// domain waits for the launches and reports a flag that one of them set.
func (sl *slot) domain(s *driver.Session, flag driver.DevicePtr) error {
	g, err := sl.next(s)
	if err != nil {
		return err
	}
	if err := s.CopyToHost(g.buf, 0, flag, flagBytes, sl.stream); err != nil {
		return err
	}
	if err := s.StreamSynchronize(sl.stream); err != nil {
		return err
	}
	if binary.NativeEndian.Uint64(g.buf.Bytes()) != 0 {
		return errPower()
	}
	return nil
}

// slow reports a step whose few threads each walk over many elements, which a CPU does faster.
func (st *step) slow() bool {
	return st.part != nil && st.template == templateGroups && (st.count < 1024 && st.geo.count > 4096 || st.geo.count*st.groups > 1<<26)
}

// halve runs a call in two parts.
func (k *kernel) halve(ctx context.Context, c *kernels.Call) error {
	axis, at := k.cut(c)
	if axis < 0 {
		return errWhole
	}
	k.dev.stats.halved.Add(1)
	for _, part := range [][2]int64{{0, at}, {at, c.Shape[axis]}} {
		if err := k.try(ctx, k.slice(c, axis, part[0], part[1])); err != nil {
			return err
		}
	}
	return nil
}

// cut returns where a call is cut in two: in the middle of its longest axis that no fold reduces; where there is none, along one that folds
// reduce, near its middle between two of their blocks. axis is -1 where neither is possible.
func (k *kernel) cut(c *kernels.Call) (axis int, at int64) {
	axis = -1
	if k.program == nil {
		return axis, 0
	}
	reduced, first := -1, int64(0)
	for a, n := range c.Shape {
		u := k.unit(c, a)
		if u == 0 || n <= u {
			continue
		}
		half := max(u, n/2/u*u)
		switch {
		case !k.reduces(a):
			if axis < 0 || n > c.Shape[axis] {
				axis, at = a, half
			}
		case reduced < 0 || n > c.Shape[reduced]:
			reduced, first = a, half
		}
	}
	if axis < 0 {
		return reduced, first
	}
	return axis, at
}

// reduces reports whether some fold reduces an axis.
func (k *kernel) reduces(axis int) bool {
	return slices.ContainsFunc(k.program.Folds, func(f kernels.Fold) bool { return f.Axes.Has(axis) })
}

// unit returns the length along an axis at whose multiples a call may be cut: 1 where no fold reduces the axis, 0 where it may not be cut.
func (k *kernel) unit(c *kernels.Call, axis int) int64 {
	u := int64(1)
	for _, f := range k.program.Folds {
		if !f.Axes.Has(axis) {
			continue
		}
		if f.Group >= 0 || c.Continue {
			return 0
		}
		inner := int64(1) // numbers of the fold for each position along the axis
		for a, n := range c.Shape {
			switch {
			case a < axis && f.Axes.Has(a) && n > 1:
				return 0 // numbers of a part would not follow each other
			case a > axis && f.Axes.Has(a):
				inner *= n
			}
		}
		need := blockOf(f, len(c.Shape))
		for need > 1 && inner > 1 { // over their greatest common divisor, a power of 2 as blocks are
			if inner%2 != 0 {
				break
			}
			need, inner = need/2, inner/2
		}
		u = max(u, need) // both are powers of 2
	}
	return u
}

// blockOf returns how many numbers a block of a fold has.
func blockOf(f kernels.Fold, rank int) int64 {
	if f.Axes.Has(rank - 1) {
		return kernels.InnerBlock
	}
	return kernels.OuterBlock
}

// slice returns the part of a call from lo to hi along an axis, which cut allows.
func (k *kernel) slice(c *kernels.Call, axis int, lo, hi int64) *kernels.Call {
	p := k.program
	cut := func(x *chunk.Chunk, at int, lo, hi int64) *chunk.Chunk {
		r := chunk.Region{Lo: make(chunk.Shape, len(x.Shape)), Hi: x.Shape.Clone()}
		r.Lo[at], r.Hi[at] = lo, hi
		return x.Sub(r)
	}
	h := &kernels.Call{Shape: c.Shape.Clone(), Origin: make(chunk.Shape, len(c.Shape)), Scratch: c.Scratch, Continue: c.Continue}
	copy(h.Origin, c.Origin)
	h.Shape[axis] = hi - lo
	h.Origin[axis] += lo
	for i, in := range c.In {
		if in.Strides[axis] != 0 && int(p.In[i].Gather) != axis {
			in = cut(in, axis, lo, hi)
		}
		h.In = append(h.In, in)
	}
	for _, o := range c.Out[:len(p.Ret)] {
		h.Out = append(h.Out, cut(o, axis, lo, hi))
	}
	n := len(p.Ret)
	for _, f := range p.Folds {
		at, from, to := 1, lo, hi // blocks or groups come first, then the kept axes
		for a := range axis {
			if !f.Axes.Has(a) {
				at++
			}
		}
		if f.Axes.Has(axis) { // the blocks of the part
			before := c.Shape.Clone()
			before[axis] = lo
			at, from = 0, kernels.FoldBlocks(before, f.Axes)
			to = from + kernels.FoldBlocks(h.Shape, f.Axes)
		}
		for range kernels.ReductionOf(f.Op).State(p.RegType(f.Args[0])) {
			h.Out = append(h.Out, cut(c.Out[n], at, from, to))
			n++
		}
	}
	return h
}
