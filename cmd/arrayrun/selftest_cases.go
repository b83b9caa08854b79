// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// numericTypes are the real dtypes that programs compute with.
var numericTypes = dtype.Reals()

// deviceCase is one comparison: a unit and its operands. Outputs are made anew for each run, except those of a
// combine, which are operands too.
type deviceCase struct {
	what   string
	unit   kernels.Unit
	call   kernels.Call
	groups int64
	rng    *rand.Rand
}

// newCase returns a case whose values follow from a seed.
func newCase(what string, shape chunk.Shape, seed uint64) *deviceCase {
	return &deviceCase{what: what, rng: rand.New(rand.NewPCG(seed, 11)), call: kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape))}}
}

// selftestCases makes the cases: operations, conversions, reductions, joins, random programs.
func selftestCases(random int) iter.Seq2[*deviceCase, error] {
	return func(yield func(*deviceCase, error) bool) {
		for _, list := range []iter.Seq2[*deviceCase, error]{opCases, castCases, foldCases, randomCases(random)} {
			for c, err := range list {
				if !yield(c, err) || err != nil {
					return
				}
			}
		}
	}
}

// finish builds the program of a case.
func (c *deviceCase) finish(b *kernels.Builder) (*deviceCase, error) {
	p, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("selftest: %s: %w", c.what, err)
	}
	c.unit = p
	return c, nil
}

// opCases is every operation on every dtype, over plain and over strided operands.
func opCases(yield func(*deviceCase, error) bool) {
	for _, o := range kernels.AllOps() {
		if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast {
			continue
		}
		for _, d := range numericTypes {
			in := make([]dtype.DType, o.Arity)
			for i := range in {
				in[i] = d
			}
			if o.ID == kernels.OpWhere {
				in[0] = dtype.Bool
			}
			if _, out, err := o.Signature(in); err != nil || out.IsComplex() {
				continue
			}
			for k, shape := range []chunk.Shape{{211}, {3, 41}} {
				c := newCase(fmt.Sprintf("%s(%v)", o.Name, d), shape, uint64(o.ID)<<8+uint64(d)<<1+uint64(k))
				b := kernels.NewBuilder(len(shape))
				args := make([]kernels.Reg, len(in))
				for i, t := range in {
					args[i] = b.Input(kernels.In(t))
					c.input(t, k*(i+1))
				}
				b.Ret(b.Apply(o.ID, args...))
				if o.ID == kernels.OpPower && d.Kind() == dtype.KindInt {
					c.positive(1) // a negative power is an error, as it should be
				}
				if !yield(c.finish(b)) {
					return
				}
			}
		}
	}
}

// castCases is every conversion.
func castCases(yield func(*deviceCase, error) bool) {
	for _, from := range numericTypes {
		for _, to := range numericTypes {
			c := newCase(fmt.Sprintf("%v to %v", from, to), chunk.Shape{301}, uint64(from)<<8+uint64(to))
			b := kernels.NewBuilder(1)
			b.Ret(b.Cast(b.Input(kernels.In(from)), to))
			c.input(from, 0)
			if !yield(c.finish(b)) {
				return
			}
		}
	}
}

// foldCases is every reduction of every dtype: rows, columns, groups, cells of several blocks; and the joins of their states.
func foldCases(yield func(*deviceCase, error) bool) {
	for _, r := range kernels.AllReductions() {
		for _, d := range numericTypes {
			if _, err := r.Result(d); err != nil {
				continue
			}
			for k, f := range []struct {
				shape  chunk.Shape
				axes   kernels.AxisSet
				groups int64
			}{
				{chunk.Shape{kernels.InnerBlock + 37}, kernels.Axes(0), 0},
				{chunk.Shape{13, 21}, kernels.Axes(1), 0},
				{chunk.Shape{kernels.OuterBlock + 9, 5}, kernels.Axes(0), 0},
				{chunk.Shape{5, 3, 41}, kernels.Axes(0, 2), 0},
				{chunk.Shape{40, 7}, kernels.Axes(0), 3},
			} {
				c := newCase(fmt.Sprintf("%s(%v) over axes %b of %v", r.Name, d, f.axes, f.shape), f.shape, uint64(r.ID)<<16+uint64(d)<<8+uint64(k))
				c.groups = f.groups
				b := kernels.NewBuilder(len(f.shape))
				fold := kernels.Fold{Op: r.ID, Args: []kernels.Reg{b.Input(kernels.In(d))}, Axes: f.axes, Group: -1}
				c.input(d, k%2)
				if r.Indexed {
					fold.Args = append(fold.Args, b.Position(f.shape, 1<<len(f.shape)-1))
				}
				if f.groups > 0 {
					fold.Group = int16(len(c.call.In))
					b.Input(kernels.In(dtype.Int32))
					c.ids(f.groups)
				}
				b.Fold(fold)
				if !yield(c.finish(b)) {
					return
				}
			}
			if !yield(joinCase(r, d), nil) {
				return
			}
		}
	}
}

// joinCase joins random states.
func joinCase(r *kernels.Reduction, d dtype.DType) *deviceCase {
	state := r.State(d)
	c := newCase(fmt.Sprintf("join %s(%v)", r.Name, d), chunk.Shape{211}, uint64(r.ID)<<8+uint64(d))
	c.unit = kernels.CombineOf(r.ID, state)
	for range 2 {
		for _, s := range state {
			c.input(s.DType, 0)
			in := c.call.In[len(c.call.In)-1]
			for i := range in.Shape.Size() {
				switch v := (kernels.Const{DType: s.DType, Bits: getBits(in, i)}); {
				case s.Name == "count" || s.Name == "position":
					putBits(in, i, c.rng.Uint64N(20))
				case v.IsNaN() && r.SkipNaN: // no state of elements that are there
					putBits(in, i, 0)
				}
			}
		}
	}
	c.call.Out, c.call.In = c.call.In[:len(state)], c.call.In[len(state):]
	return c
}

// randomCases is programs of random operations with results and folds.
func randomCases(n int) iter.Seq2[*deviceCase, error] {
	return func(yield func(*deviceCase, error) bool) {
		ops := kernels.AllOps()
		for seed := range n {
			c := newCase(fmt.Sprintf("random program %d", seed), chunk.Shape{3, 5, 37}, uint64(seed)<<32)
			b := kernels.NewBuilder(3)
			regs := []kernels.Reg{b.Index(c.rng.IntN(3))}
			for range 1 + c.rng.IntN(3) {
				d := numericTypes[c.rng.IntN(len(numericTypes))]
				regs = append(regs, b.Input(kernels.In(d)))
				c.input(d, c.rng.IntN(3))
			}
			pick := func() kernels.Reg { return regs[c.rng.IntN(len(regs))] }
			for range 1 + c.rng.IntN(7) {
				o := ops[c.rng.IntN(len(ops))]
				if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast || o.ID == kernels.OpPower {
					regs = append(regs, b.Cast(pick(), numericTypes[c.rng.IntN(len(numericTypes))]))
					continue
				}
				args, in := make([]kernels.Reg, o.Arity), make([]dtype.DType, o.Arity)
				for i := range args {
					args[i] = pick()
					in[i] = b.Type(args[i])
				}
				if _, out, err := o.Signature(in); err != nil || out.IsComplex() {
					continue
				}
				regs = append(regs, b.Apply(o.ID, args...))
			}
			b.Ret(regs[len(regs)-1])
			all := kernels.AllReductions()
			for range c.rng.IntN(3) {
				r := all[c.rng.IntN(len(all))]
				f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{pick()}, Axes: kernels.AxisSet(1 + c.rng.Uint32N(7)), Group: -1}
				if r.Indexed {
					f.Args = append(f.Args, b.Position(c.call.Shape, 1<<len(c.call.Shape)-1))
				}
				b.Fold(f)
			}
			if !yield(c.finish(b)) {
				return
			}
		}
	}
}

// input adds an operand of random values: with 0 in C order, with 1 and 2 in other layouts.
func (c *deviceCase) input(d dtype.DType, layout int) {
	shape := c.call.Shape
	strides := shape.RowMajor()
	switch layout % 3 {
	case 1: // every second element of rows with a gap
		for i := range strides {
			strides[i] *= 2
		}
	case 2: // axes turned
		n := int64(1)
		for i, k := range shape {
			strides[i] = n
			n *= k
		}
	}
	n := int64(1)
	for i, k := range shape {
		n += (k - 1) * strides[i]
	}
	item := int64(d.Size())
	x := &chunk.Chunk{DType: d, ItemBytes: int32(item), Shape: shape, Strides: strides, Block: hostBlock(n * item)}
	flat := &chunk.Chunk{DType: d, ItemBytes: int32(item), Shape: chunk.Shape{n}, Strides: []int64{1}, Block: x.Block}
	for i := range n {
		putBits(flat, i, c.value(d))
	}
	c.call.In = append(c.call.In, x)
}

// ids adds group ids along the first axis.
func (c *deviceCase) ids(groups int64) {
	x := &chunk.Chunk{DType: dtype.Int32, ItemBytes: 4, Shape: c.call.Shape, Strides: make([]int64, len(c.call.Shape)), Block: hostBlock(4 * c.call.Shape[0])}
	x.Strides[0] = 1
	flat := &chunk.Chunk{DType: dtype.Int32, ItemBytes: 4, Shape: c.call.Shape[:1], Strides: []int64{1}, Block: x.Block}
	for i := range c.call.Shape[0] {
		putBits(flat, i, uint64(uint32(int32(c.rng.Int64N(groups+2)-1))))
	}
	c.call.In = append(c.call.In, x)
}

// positive makes the values of operand i small and not negative.
func (c *deviceCase) positive(i int) {
	b := c.call.In[i].Block.Bytes()
	n := int(c.call.In[i].ItemBytes)
	for k := range b {
		if b[k] &= 7; k%n != 0 {
			b[k] = 0
		}
	}
}

// hostBlock returns Go memory, padded as blocks are.
func hostBlock(n int64) *mem.Block { return mem.Wrap(make([]byte, n, n+mem.Align)) }

// value returns the bits of a random value; many are special.
func (c *deviceCase) value(d dtype.DType) uint64 {
	mask := ^uint64(0) >> (64 - 8*uint(d.Size()))
	switch {
	case d == dtype.Bool:
		return c.rng.Uint64N(2)
	case !d.IsFloat():
		switch c.rng.IntN(4) {
		case 0:
			return [...]uint64{0, 1, mask, mask >> 1, mask>>1 + 1}[c.rng.IntN(5)]
		case 1:
			return c.rng.Uint64() & mask
		}
		return uint64(c.rng.IntN(200)-100) & mask
	}
	x := c.rng.NormFloat64() * 10
	switch c.rng.IntN(5) {
	case 0:
		x = [...]float64{0, math.Copysign(0, -1), 1, -1, 0.5, 2, math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat32, 65504, 0x1p-24, 0x1p-126, 0x1p-1030, 1 << 53}[c.rng.IntN(15)]
	case 1:
		return c.rng.Uint64() & mask
	}
	k, err := kernels.ConstOf(d, x)
	if err != nil {
		return 0
	}
	return k.Bits
}

// outputs returns chunks for the results and states of a program.
func (c *deviceCase) outputs(p *kernels.Program) []*chunk.Chunk {
	var out []*chunk.Chunk
	add := func(d dtype.DType, shape chunk.Shape) {
		out = append(out, &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape, Strides: shape.RowMajor(), Block: hostBlock(shape.Size() * int64(d.Size()))})
	}
	for _, r := range p.Ret {
		add(p.RegType(r), c.call.Shape)
	}
	for _, f := range p.Folds {
		shape := chunk.Shape{c.groups}
		if f.Group < 0 {
			shape[0] = kernels.FoldBlocks(c.call.Shape, f.Axes)
		}
		for i, d := range c.call.Shape {
			if !f.Axes.Has(i) {
				shape = append(shape, d)
			}
		}
		for _, s := range kernels.ReductionOf(f.Op).State(p.RegType(f.Args[0])) {
			add(s.DType, shape)
		}
	}
	return out
}

// run computes the case on a device and returns the outputs.
func (c *deviceCase) run(ctx context.Context, dev kernels.Device) ([]*chunk.Chunk, error) {
	k, err := dev.Compile(ctx, c.unit)
	if err != nil {
		return nil, err
	}
	call := c.call
	if p, ok := c.unit.(*kernels.Program); ok {
		call.Out = c.outputs(p)
	} else {
		call.Out = nil
		for _, o := range c.call.Out {
			x := *o
			x.Block = hostBlock(o.Block.Len())
			copy(x.Block.Bytes(), o.Block.Bytes())
			call.Out = append(call.Out, &x)
		}
	}
	call.Scratch, err = dev.Allocator().Alloc(k.Scratch(call.Shape))
	if err != nil {
		return nil, err
	}
	defer call.Scratch.Release()
	return call.Out, k.Run(ctx, &call)
}

// compare runs the case on a device and on the reference and tells the first difference, "" for none.
func (c *deviceCase) compare(ctx context.Context, dev kernels.Device) (string, error) {
	got, err := c.run(ctx, dev)
	if errors.Is(err, kernels.ErrUnsupported) {
		return "", err
	}
	oracle := ref.New()
	defer oracle.Close()
	want, refErr := c.run(ctx, oracle)
	if (err == nil) != (refErr == nil) {
		return fmt.Sprintf("got error %v, want %v", err, refErr), nil
	}
	if err != nil {
		return "", nil // an error of the data, on both
	}
	for i, w := range want {
		for n := range w.Shape.Size() {
			a, b := kernels.Const{DType: w.DType, Bits: getBits(got[i], n)}, kernels.Const{DType: w.DType, Bits: getBits(w, n)}
			if a.Bits != b.Bits && !(a.IsNaN() && b.IsNaN()) {
				return fmt.Sprintf("output %d of %v at %d: got %v (%#x), want %v (%#x)", i, w.Shape, n, a, a.Bits, b, b.Bits), nil
			}
		}
	}
	return "", nil
}

// getBits and putBits read and write element i of a chunk in C order.
func getBits(c *chunk.Chunk, i int64) uint64 {
	n := int64(c.ItemBytes)
	v := uint64(0)
	for j, x := range c.Block.Bytes()[i*n : (i+1)*n] {
		v |= uint64(x) << (8 * j)
	}
	return v
}

func putBits(c *chunk.Chunk, i int64, v uint64) {
	n := int64(c.ItemBytes)
	b := c.Block.Bytes()[i*n : (i+1)*n]
	for j := range b {
		b[j] = byte(v >> (8 * j))
	}
}
