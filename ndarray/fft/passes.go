// SPDX-License-Identifier: BSD-3-Clause

package fft

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	lines "github.com/arrayrun/arrayrun/kernels/cpu/fft"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// mostTogether bounds the bytes of the axes that one task transforms along all: what fits in a cache. Beyond it axes are transformed one after another,
// so that many tasks share the work and a task needs lines only.
const mostTogether = 4 << 20

// mostLine bounds the elements of a line: tables are counted in int32 pairs.
const mostLine = math.MaxInt32 / 4

// transform computes steps one after another.
func transform(fn string, a ndarray.Array, steps []step, norm Norm) ndarray.Array {
	steps = slices.Clone(steps)
	if slices.ContainsFunc(a.Shape(), func(n int64) bool { return n < 0 }) { // the length of an axis waits for a run: so does the transform
		wait := graph.LaterArg{Key: fmt.Sprintf("fft %s %v %d", fn, steps, norm), Build: func(in []*graph.Node, _ any) *graph.Node {
			return transform(fn, ndarray.FromNode(in[0]), steps, norm).Node()
		}}
		grid := chunk.Grid{Shape: a.Shape().Clone(), Axes: slices.Clone(a.Grid().Axes)}
		for _, s := range steps {
			grid.Shape[s.axis], grid.Axes[s.axis] = -1, chunk.Axis{Len: -1, Step: 1}
			if s.n > 0 {
				n := s.to.Length(s.n)
				grid.Shape[s.axis], grid.Axes[s.axis] = n, chunk.Axis{Len: n, Step: max(n, 1)}
			}
		}
		_, last := dtypes(a.DType(), steps)
		return ndarray.FromNode(graph.At("").Later(wait, last, grid, a.Node()))
	}
	shape := a.Shape().Clone()
	for i := range steps {
		s := &steps[i]
		n := shape[s.axis]
		switch {
		case s.from == lines.Real && a.DType().IsComplex():
			return failed(fmt.Errorf("fft: %s: operand: got %v, want real numbers; use fft, or take the real part: %w", fn, a.DType(), dtype.ErrPromote))
		case s.n == 0 && s.from == lines.Half:
			s.n = 2 * (n - 1)
		case s.n == 0:
			s.n = n
		}
		switch {
		case s.n < 1:
			return failed(fmt.Errorf("fft: %s: axis %d of shape %v: %w: got a length of %d, want 1 or more: %w", fn, s.axis, a.Shape(), errNone, s.n, chunk.ErrShape))
		case s.n > mostLine:
			return failed(fmt.Errorf("fft: %s: axis %d: got a length of %d, want %d at most: %w", fn, s.axis, s.n, mostLine, chunk.ErrShape))
		}
		shape[s.axis] = s.to.Length(s.n)
	}
	if steps[0].from == lines.Complex && !a.DType().IsComplex() {
		steps[0].from = lines.Real
	}
	first, last := dtypes(a.DType(), steps)
	a = a.AsType(first)
	for len(steps) > 0 {
		n := together(a.Shape(), steps, first)
		p := passes{name: fmt.Sprintf("%s %d", fn, norm), steps: steps[:n], norm: norm}
		a = p.apply(a.WholeAlong(p.axes(), mostTogether))
		if steps = steps[n:]; len(steps) > 0 {
			a = a.Once()
		}
	}
	return a.AsType(last)
}

// dtypes returns what the operand is cast to, and the result's dtype.
func dtypes(d dtype.DType, steps []step) (first, last dtype.DType) {
	single := d == dtype.Float16 || d == dtype.BFloat16 || d == dtype.Float32 || d == dtype.Complex64
	isReal := steps[0].from == lines.Real || steps[0].from == lines.Complex && !d.IsComplex()
	wide := dtype.Complex128
	if single {
		wide = dtype.Complex64
	}
	pick := func(isReal bool) dtype.DType {
		if isReal {
			return wide.Part()
		}
		return wide
	}
	first, last = pick(isReal), pick(steps[len(steps)-1].to == lines.Real)
	if len(steps) == 1 && steps[0].to == lines.Real && d == dtype.Float16 {
		last = d // as NumPy
	}
	return first, last
}

// together returns how many steps one task computes: those whose axes, as long as they get, are few bytes.
func together(shape chunk.Shape, steps []step, d dtype.DType) int {
	size := d.Complex().Size()
	long, total := map[int]int64{}, int64(size)
	for i, s := range steps {
		was := max(long[s.axis], 1)
		long[s.axis] = max(was, shape[s.axis], s.n)
		if total = total / was * long[s.axis]; total > mostTogether && i > 0 {
			return i
		}
	}
	return len(steps)
}

// passes are the steps that one task computes.
type passes struct {
	name  string
	steps []step
	norm  Norm
}

// axes returns the axes of the steps.
func (p *passes) axes() []int {
	var list []int
	for _, s := range p.steps {
		if !slices.Contains(list, s.axis) {
			list = append(list, s.axis)
		}
	}
	return list
}

// apply adds the node.
func (p *passes) apply(a ndarray.Array) ndarray.Array {
	shape := a.Shape()
	lengths, read := map[int]int64{}, map[int]int64{}
	work := make([]*lines.Transform, len(p.steps))
	made := make([]dtype.DType, len(p.steps)) // by each step
	key := "fft " + p.name
	var whole kernels.AxisSet
	scratch := int64(0)
	for i, s := range p.steps {
		if _, ok := read[s.axis]; !ok {
			read[s.axis] = min(shape[s.axis], s.from.Length(s.n))
			whole |= kernels.Axes(s.axis)
		}
		lengths[s.axis] = s.to.Length(s.n)
		work[i] = &lines.Transform{Axis: s.axis, N: s.n, From: s.from, To: s.to, Inverse: s.inverse, Scale: p.norm.scale(s.n, s.inverse)}
		if made[i] = a.DType().Complex(); s.to == lines.Real {
			made[i] = made[i].Part()
		}
		scratch += work[i].Bytes()
		key += fmt.Sprintf(" %v", s)
	}
	last := made[len(made)-1]
	arg := graph.OpaqueArg{
		Key:   key,
		Whole: whole,
		Need: func(_ int, out chunk.Region) chunk.Region {
			r := out.Clone()
			for k, n := range read {
				r.Lo[k], r.Hi[k] = 0, n
			}
			return r
		},
		Scratch: func(out chunk.Shape) int64 { return scratch + p.between(out, shape, made) },
		Run: func(ctx context.Context, c graph.OpaqueCall) error {
			return p.run(ctx, c, work, made)
		},
	}
	return ndarray.FromNode(graph.At("").Opaque(arg, last, ndarray.WholeAxes(a.Grid(), int64(last.Size()), lengths), a.Node()))
}

// between bounds the bytes of what lies between the steps that make a region of the shape.
func (p *passes) between(out, in chunk.Shape, made []dtype.DType) int64 {
	now, total := out.Clone(), int64(0)
	for _, s := range p.steps {
		now[s.axis] = in[s.axis]
	}
	for i, s := range p.steps[:len(p.steps)-1] {
		now[s.axis] = s.to.Length(s.n)
		total += mem.ClassBytes(now.Size() * int64(made[i].Size()))
	}
	return total
}

// run computes the steps of one region; between them a chunk is transformed where it lies if its shape stays.
func (p *passes) run(ctx context.Context, c graph.OpaqueCall, work []*lines.Transform, made []dtype.DType) error {
	now := c.In[0]
	for i, t := range work {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := c.Out
		if i < len(work)-1 {
			shape := now.Shape.Clone()
			shape[t.Axis] = t.To.Length(t.N)
			if now != c.In[0] && now.DType == made[i] && shape.Equal(now.Shape) {
				to = now
			} else {
				fresh, err := chunk.New(c.Device.Allocator(), made[i], made[i].Size(), shape)
				if err != nil {
					return err
				}
				defer fresh.Release()
				to = fresh
			}
		}
		if err := t.Run(to, now); err != nil {
			return err
		}
		now = to
	}
	return nil
}
