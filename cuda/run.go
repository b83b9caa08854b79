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
func (k *kernel) try(ctx context.Context, c *piece) error {
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
		case errors.Is(err, errWhole), errors.Is(err, errLoad): // parts need the same kernel
			return err
		case driver.CodeOf(err) == driver.OutOfMemory && c.bytes() < leastBytes:
			return err
		default:
			return k.halve(ctx, c)
		}
	}
}

// leastBytes is what a piece takes that is not cut for a device that says it has no memory: smaller ones would not help it.
const leastBytes = 1 << 20

// errLoad is wrapped when a kernel could not be made ready.
var errLoad = errors.New("cuda: load a kernel")

// halve runs a piece in parts.
func (k *kernel) halve(ctx context.Context, p *piece) error {
	parts, twice := k.form.halves(p)
	if parts == nil {
		return errWhole
	}
	k.dev.stats.halved.Add(1)
	for _, part := range parts {
		if err := k.try(ctx, part); err != nil {
			return err
		}
	}
	if !twice {
		return nil
	}
	for _, part := range parts {
		part.second = true
		if err := k.try(ctx, part); err != nil {
			return err
		}
	}
	return nil
}

// errTooLarge is wrapped when a call takes more than its share of the device's memory; errWhole when it cannot be cut.
var (
	errTooLarge = errors.New("cuda: the call does not fit its share of the device's memory")
	errWhole    = fmt.Errorf("%w: the call does not fit the device's memory and cannot be cut (without Strict the CPU runs it)", errCPU)
)

// attempt is try for a call as it is. Its slot and its operands are free again when it returns.
func (k *kernel) attempt(ctx context.Context, c *piece) error {
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
		} else if what := k.form.reads(c, i); what == readsLone {
			v, err := k.dev.loneView(ctx, in, c.Shape, c.lone)
			if err != nil {
				return err
			}
			defer v.src.Release()
			views[i] = v
		} else if what == readsAll {
			views[i] = viewOf(in)
		}
		if c.Shape.Size() == 0 { // nothing is read, and there may be nothing to read
			views[i].src = nil
		}
	}
	steps := k.steps(c, views)
	uses := usesOf(c.Call, steps)
	if need(views, c.Out, uses) > k.dev.room() {
		return errTooLarge
	}
	fns, err := k.sources(steps)
	if err != nil {
		return err
	}
	sl, err := k.dev.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { k.dev.slots <- sl }()
	restore, err := k.dev.keep(ctx, c.Out, uses)
	if err != nil {
		return err
	}
	err = k.dev.ctx.Do(func(s *driver.Session) error {
		return sl.finish(s, k.on(ctx, s, sl, c.Call, views, steps, fns))
	})
	return restore(driver.CodeOf(err) == driver.OutOfMemory, err)
}

// keep copies the outputs that a piece goes on with. What it returns puts them back where the piece is to be run again: some may have come from the device
// when it fails.
func (d *Device) keep(ctx context.Context, outs []*chunk.Chunk, uses []use) (restore func(again bool, err error) error, err error) {
	old := make([]*chunk.Chunk, len(outs))
	restore = func(again bool, err error) error {
		for i, c := range old {
			if c != nil && again {
				err = errors.Join(err, d.opt.CPU.Copy(ctx, outs[i], c))
			}
			if c != nil {
				c.Release()
			}
		}
		return err
	}
	for i, o := range outs {
		if uses[i] != updated {
			continue
		}
		c, err := chunk.New(d.Allocator(), o.DType, int(o.ItemBytes), o.Shape)
		if err == nil {
			old[i] = c
			err = d.opt.CPU.Copy(ctx, c, o)
		}
		if err != nil {
			return nil, restore(false, err)
		}
	}
	return restore, nil
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
	call := *c
	call.In = slices.Clone(c.In) // as they lie on the device: what parameters are made of
	for i, v := range views {
		if v.chunk != nil {
			call.In[i] = v.chunk
		}
	}
	l.call = &call
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
	uses := usesOf(c, steps)
	for i, o := range c.Out {
		if uses[i] == unused {
			continue
		}
		to, err := sl.alloc(s, o.Shape.Size()*int64(o.ItemBytes))
		if err != nil {
			return err
		}
		if uses[i] == updated {
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
		if uses[i] == unused {
			continue
		}
		if err := sl.download(ctx, s, o, driver.DevicePtr(l.out[i])); err != nil {
			return err
		}
	}
	sl.count(s)
	return nil
}

// use is what the launches of a call do with an output.
type use uint8

const (
	unused  use = iota
	written     // all of it
	updated     // states that are joined or gone on with are operands too
)

// usesOf returns what the launches do with each output of a call.
func usesOf(c *kernels.Call, steps []*step) []use {
	uses := make([]use, len(c.Out))
	for _, st := range steps {
		if st.count == 0 {
			continue
		}
		if st.part == nil {
			for j := range uses {
				if uses[j] = written; st.updates(j) {
					uses[j] = updated
				}
			}
			continue
		}
		for j := range st.part.ret {
			uses[j] = written
		}
		for _, f := range st.part.folds {
			for j := range f.r.State(st.part.p.RegType(f.Args[0])) {
				if uses[f.out+j] = written; st.mode.resumes || st.mode.sweep == squareSweep {
					uses[f.out+j] = updated
				}
			}
		}
	}
	return uses
}

// steps plans the launches of a piece.
func (k *kernel) steps(p *piece, views []view) []*step {
	in := make([]*chunk.Chunk, len(views))
	for i, v := range views {
		in[i] = v.chunk
	}
	steps := k.form.steps(p, in)
	for _, st := range steps {
		for i, v := range views {
			// Wide loads want what begins where an allocation does; a view may begin anywhere.
			if st.part != nil && st.part.in[i] && v.at != nil && v.chunk.Offset*int64(v.chunk.ItemBytes)%16 != 0 {
				st.vector = 1
			}
		}
	}
	return steps
}

// launch queues a step.
func (sl *slot) launch(s *driver.Session, st *step, f *loaded, l *launch) error {
	l.geo, l.count, l.width, l.run = st.geo, uint64(st.count), uint64(st.width), st.run
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

// Slow reports whether a device leaves a call of a program over a shape to the CPU, unless it always runs all: some grouped fold has few threads, each
// of which walks over many elements. groups is the number of groups.
func Slow(p *kernels.Program, shape chunk.Shape, groups int64) bool {
	f, err := newProgramForm(p)
	if err != nil {
		return false // which compiling it tells
	}
	steps, err := f.example(shape, groups)
	return err == nil && slices.ContainsFunc(steps, (*step).slow)
}

// Fits reports whether a device with so much memory can run a call of a program over a shape: whether it fits, or can be cut until its pieces do. in are the
// operands, of which only shapes and strides count; groups is the number of groups.
func Fits(p *kernels.Program, shape chunk.Shape, in []*chunk.Chunk, groups, memory int64) bool {
	u, err := newProgramForm(p)
	if err != nil {
		return true // what is wrong with it compiling tells
	}
	f := u.(*programForm)
	c := &kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape)), In: in, Out: f.outputs(shape, groups)}
	done := map[string]bool{}
	var fits func(p *piece) bool
	fits = func(p *piece) bool {
		key := fmt.Sprint(p.Shape, p.parts, p.second, p.lone)
		if done[key] {
			return true
		}
		done[key] = true
		views := make([]view, len(p.In))
		at := make([]*chunk.Chunk, len(p.In))
		for i, in := range p.In {
			switch f.reads(p, i) {
			case readsAll:
				views[i] = viewOf(in)
			case readsLone:
				n := p.lone.to - p.lone.from
				views[i] = view{src: &chunk.Chunk{ItemBytes: in.ItemBytes, Shape: chunk.Shape{n}}, chunk: in}
			}
			at[i] = views[i].chunk
		}
		if need(views, p.Out, usesOf(p.Call, f.steps(p, at))) <= share(memory) {
			return true
		}
		parts, twice := f.halves(p)
		ok := parts != nil
		for _, h := range parts {
			ok = ok && fits(h)
		}
		for _, h := range parts {
			h.second = twice
			ok = ok && (!twice || fits(h))
		}
		return ok
	}
	return fits(f.whole(c))
}

// slow reports a step whose few threads each walk over many elements, which a CPU does faster.
func (st *step) slow() bool {
	return st.part != nil && st.template == templateGroups && (st.count < 1024 && st.geo.count > 4096 || st.geo.count*st.groups > 1<<26)
}
