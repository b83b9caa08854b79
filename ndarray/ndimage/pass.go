// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"context"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Options are what all filters take. The zero value is SciPy's default.
type Options struct {
	// Boundary is what lies beyond the ends: one for all axes, or one for each.
	Boundary []ndarray.Boundary
	Fill     float64 // what Constant puts there, a value of the operand's dtype
}

// boundaries returns one for each axis.
func (o Options) boundaries(rank int) ([]ndarray.Boundary, error) {
	switch len(o.Boundary) {
	case rank:
		return o.Boundary, nil
	case 0:
		return make([]ndarray.Boundary, rank), nil
	case 1:
		return slices.Repeat(o.Boundary, rank), nil
	}
	return nil, fmt.Errorf("boundaries: got %d, want one, or one for each of %d axes", len(o.Boundary), rank)
}

// tap is an input of a step: a buffer (0 is what the pass reads, i+1 the result of step i) at an offset from each position.
type tap struct {
	buffer int
	offset []int64
}

// step computes a buffer from earlier ones. Its buffer holds the region of the pass grown by before and after.
type step struct {
	taps          []tap
	before, after []int64
	dt            dtype.DType
	build         func(b *kernels.Builder, in []kernels.Reg) kernels.Reg
	made          *kernels.Program
}

// pass computes an array from one of the same shape: the last step's buffer is the result.
type pass struct {
	before, after []int64 // how far it reaches
	steps         []step
}

// filter is passes one after another.
type filter struct {
	name   string
	key    string // what tells it from others of the name, but for the options
	passes []pass
	opt    Options
}

// apply returns the filtered array.
func (f *filter) apply(a ndarray.Array) ndarray.Array {
	if a.Err() != nil || len(f.passes) == 0 {
		return a
	}
	rank := a.Rank()
	ends, err := f.opt.boundaries(rank)
	if err != nil {
		return failed(fmt.Errorf("ndimage: %s: %w", f.name, err))
	}
	if slices.ContainsFunc(a.Shape(), func(n int64) bool { return n < 0 }) { // the length of an axis waits for a run: so does the filter
		wait := graph.LaterArg{Key: fmt.Sprintf("ndimage %s %s %v", f.name, f.key, f.opt), Build: func(in []*graph.Node, _ any) *graph.Node { return f.apply(ndarray.FromNode(in[0])).Node() }}
		return ndarray.FromNode(graph.At("").Later(wait, f.last().dt, a.Grid(), a.Node()))
	}
	fill, err := kernels.ConstOf(a.DType(), f.opt.Fill)
	if err != nil {
		return failed(fmt.Errorf("ndimage: %s: fill: %w", f.name, err))
	}
	r := ndarray.RegionFunc{
		Name:     fmt.Sprintf("ndimage %s %s boundaries=%d fill=%v", f.name, f.key, ends, f.opt.Fill),
		DType:    f.last().dt,
		Before:   make([]int64, rank),
		After:    make([]int64, rank),
		Periodic: make([]bool, rank),
	}
	for k, b := range ends {
		r.Periodic[k] = b == ndarray.Periodic
	}
	for _, p := range f.passes {
		for k := range rank {
			r.Before[k] += p.before[k]
			r.After[k] += p.after[k]
		}
	}
	if err := f.programs(a.DType(), rank); err != nil {
		return failed(fmt.Errorf("ndimage: %s: %w", f.name, err))
	}
	shape := a.Shape()
	r.Scratch = f.scratch
	r.Run = func(ctx context.Context, c graph.OpaqueCall) error {
		run := run{filter: f, region: &r, shape: shape, ends: ends, fill: fill, device: c.Device}
		return run.all(ctx, c)
	}
	return ndarray.MapRegions(r, a)
}

// last returns the step that makes the result.
func (f *filter) last() *step {
	steps := f.passes[len(f.passes)-1].steps
	return &steps[len(steps)-1]
}

// grown returns the lengths with before and after added.
func grown(s chunk.Shape, before, after []int64) chunk.Shape {
	return chunk.Whole(s).Grow(before, after).Shape()
}

// scratch bounds the bytes that filtering a region of the shape takes beside operand and result.
func (f *filter) scratch(out chunk.Shape) int64 {
	most, result := int64(0), int64(0) // of a pass; of the pass after it, which is the operand of none but the last
	shape := out
	for i := len(f.passes) - 1; i >= 0; i-- {
		p := &f.passes[i]
		n := result + mem.ClassBytes(grown(shape, p.before, p.after).Size()*8) // its operand, extended
		for _, s := range p.steps {
			n += mem.ClassBytes(grown(shape, s.before, s.after).Size() * int64(s.dt.Size()))
		}
		shape = grown(shape, p.before, p.after)
		if i > 0 { // what it reads is another pass's result
			n += mem.ClassBytes(shape.Size() * int64(f.passes[i-1].steps[len(f.passes[i-1].steps)-1].dt.Size()))
		}
		most = max(most, n)
	}
	return most
}

// run filters one region.
type run struct {
	*filter
	region *ndarray.RegionFunc
	shape  chunk.Shape // of the array
	ends   []ndarray.Boundary
	fill   kernels.Const
	device kernels.Device
}

// all runs the passes.
func (r *run) all(ctx context.Context, c graph.OpaqueCall) error {
	// What each pass has to make: what the next one reads.
	regions := make([]chunk.Region, len(r.passes))
	at := c.At
	for i := len(r.passes) - 1; i >= 0; i-- {
		regions[i] = at
		at = at.Grow(r.passes[i].before, r.passes[i].after).Clip(r.shape, r.region.Periodic)
	}
	in, have := c.In[0], r.region.Around(c.At, r.shape)
	for i := range r.passes {
		var out *chunk.Chunk
		if i == len(r.passes)-1 {
			out = c.Out
		}
		made, err := r.pass(ctx, &r.passes[i], in, have, regions[i], out)
		if i > 0 {
			in.Release()
		}
		if err != nil {
			return err
		}
		in, have = made, regions[i]
	}
	return nil
}

// pass returns the pass's result over the region at, in out or, where that is nil, in a chunk that the caller releases. in holds the region have.
func (r *run) pass(ctx context.Context, p *pass, in *chunk.Chunk, have, at chunk.Region, out *chunk.Chunk) (*chunk.Chunk, error) {
	first, fresh, err := ndarray.Extend(r.device.Allocator(), in, have, at.Grow(p.before, p.after), r.shape, r.ends, r.fill)
	if err != nil {
		return nil, err
	}
	buffers := []*chunk.Chunk{first}
	owned := make([]bool, len(p.steps)+1)
	owned[0] = fresh
	origin := [][]int64{p.before}
	defer func() {
		for i, b := range buffers {
			if owned[i] {
				b.Release()
			}
		}
	}()
	for i := range p.steps {
		s := &p.steps[i]
		shape := grown(at.Shape(), s.before, s.after)
		to := out
		if to == nil || i < len(p.steps)-1 {
			if to, err = chunk.New(r.device.Allocator(), s.dt, s.dt.Size(), shape); err != nil {
				return nil, err
			}
			owned[i+1] = true
		}
		buffers, origin = append(buffers, to), append(origin, s.before)
		if err := r.step(ctx, s, buffers, origin, shape); err != nil {
			return nil, err
		}
	}
	owned[len(p.steps)] = false
	return buffers[len(p.steps)], nil
}

// step computes the last of the buffers from the others; origin says how far each begins before the pass's region.
func (r *run) step(ctx context.Context, s *step, buffers []*chunk.Chunk, origin [][]int64, shape chunk.Shape) error {
	if shape.Size() == 0 {
		return nil
	}
	kernel, err := r.device.Compile(ctx, s.made)
	if err != nil {
		return err
	}
	last := len(buffers) - 1
	call := kernels.Call{Out: buffers[last:], Shape: shape, Origin: make(chunk.Shape, len(shape)), In: make([]*chunk.Chunk, len(s.taps))}
	for i, t := range s.taps {
		place := chunk.Whole(shape)
		for k := range shape {
			d := origin[t.buffer][k] - s.before[k] + t.offset[k]
			place.Lo[k] += d
			place.Hi[k] += d
		}
		call.In[i] = buffers[t.buffer].Sub(place)
	}
	if n := kernel.Scratch(shape); n > 0 {
		if call.Scratch, err = r.device.Allocator().Alloc(n); err != nil {
			return err
		}
		defer call.Scratch.Release()
	}
	return kernel.Run(ctx, &call)
}

// program makes the step's program over a loop of the rank; types are the dtypes of the buffers that it may read.
func (s *step) program(types []dtype.DType, rank int) (err error) {
	access := kernels.Contiguous // buffers are C-ordered
	if rank == 0 {
		access = kernels.Strided
	}
	b := kernels.NewBuilder(rank)
	in := make([]kernels.Reg, len(s.taps))
	for i, t := range s.taps {
		in[i] = b.Input(kernels.Port{DType: types[t.buffer], Access: access, Gather: -1})
	}
	b.Ret(b.Cast(s.build(b, in), s.dt))
	s.made, err = b.Build()
	return err
}

// programs makes the programs of all steps, for an operand of dtype dt and the rank.
func (f *filter) programs(dt dtype.DType, rank int) error {
	for i := range f.passes {
		types := []dtype.DType{dt}
		for k := range f.passes[i].steps {
			s := &f.passes[i].steps[k]
			if err := s.program(types, rank); err != nil {
				return err
			}
			types = append(types, s.dt)
		}
		dt = types[len(types)-1]
	}
	return nil
}
