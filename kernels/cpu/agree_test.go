// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

var ctx = context.Background()

// edges are float64 bit patterns worth meeting; conversion makes them edges of other dtypes.
var edges = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, 7, 100, -128, 127, 128, 255, 256, 32767, -32768, 65504, 65520, 1e5,
	2147483647, -2147483648, 4294967295, 9.2e18, -9.3e18, 1.8e19, 1e20, -1e300, 1e300, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-310, 6e-8, 3e-5, 1e-40,
	math.MaxFloat32, math.Inf(1), math.Inf(-1), math.NaN(), math.Pi, -math.E, 1e15 + 0.5, 0x1p40, 1e22, 0.49999999999999994}

// fillRandom fills a chunk's whole block with random elements, edges among them.
func fillRandom(r *rand.Rand, c *chunk.Chunk) {
	if c.DType.IsComplex() {
		part := *c
		part.DType, part.ItemBytes = dtype.Float32, c.ItemBytes/2
		if c.DType == dtype.Complex128 {
			part.DType = dtype.Float64
		}
		fillRandom(r, &part)
		return
	}
	b := c.Block.Bytes()
	n := int(c.ItemBytes)
	for i := 0; i+n <= len(b); i += n {
		var bits uint64
		switch k := r.IntN(4); {
		case c.DType == dtype.Bool:
			bits = r.Uint64() & 1
		case k == 0:
			bits = r.Uint64()
		case k == 1:
			bits = small(r, c.DType)
		case k == 2:
			v, err := kernels.EvalConst(kernels.OpCast, c.DType, kernels.Const{DType: dtype.Float64, Bits: math.Float64bits(edges[r.IntN(len(edges))])})
			if err != nil {
				panic(err)
			}
			bits = v.Bits
		default:
			bits = small(r, c.DType)
		}
		for j := range n {
			b[i+j] = byte(bits >> (8 * j))
		}
	}
}

// small is a number near 0 in the dtype.
func small(r *rand.Rand, d dtype.DType) uint64 {
	v, err := kernels.EvalConst(kernels.OpCast, d, kernels.Const{DType: dtype.Float64, Bits: math.Float64bits(r.NormFloat64() * 4)})
	if err != nil {
		panic(err)
	}
	return v.Bits
}

// view makes a chunk of the shape with random strides: packed, padded, reversed, transposed or repeated.
func view(r *rand.Rand, d dtype.DType, shape chunk.Shape, broadcast bool) *chunk.Chunk {
	perm := r.Perm(len(shape))
	if r.IntN(2) == 0 {
		for i := range perm {
			perm[i] = i
		}
	}
	c := &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape.Clone(), Strides: make([]int64, len(shape))}
	n, off := int64(1), int64(0)
	for i := len(perm) - 1; i >= 0; i-- {
		k := perm[i]
		step := n
		if r.IntN(5) == 0 {
			step = n * int64(1+r.IntN(3))
		}
		if broadcast && r.IntN(4) == 0 {
			continue // stride 0
		}
		c.Strides[k] = step
		n = step * max(shape[k], 1)
		if r.IntN(6) == 0 {
			c.Strides[k] = -step
			off += step * max(shape[k]-1, 0)
		}
	}
	c.Offset = off + int64(r.IntN(3))
	c.Block = mem.Wrap(make([]byte, (n+4)*int64(d.Size())+mem.Align)[:(n+4)*int64(d.Size())])
	fillRandom(r, c)
	return c
}

// run compiles and runs p on a device; scratch is poisoned before.
func run(dev kernels.Device, p *kernels.Program, c kernels.Call) error {
	k, err := dev.Compile(ctx, p)
	if err != nil {
		return err
	}
	if n := k.Scratch(c.Shape); n > 0 {
		b, err := dev.Allocator().Alloc(n)
		if err != nil {
			return err
		}
		defer b.Release()
		for i := range b.Bytes() {
			b.Bytes()[i] = 0xa5
		}
		c.Scratch = b
	}
	return k.Run(ctx, &c)
}

// element returns the bits at an index.
func element(c *chunk.Chunk, index []int64) kernels.Const {
	at := c.Offset
	for i, x := range index {
		at += x * c.Strides[i]
	}
	n := int64(c.ItemBytes)
	k := kernels.Const{DType: c.DType}
	for j, b := range c.Block.Bytes()[at*n : (at+1)*n] {
		k.Bits |= uint64(b) << (8 * j)
	}
	return k
}

// partsOf returns the element at an index as one or two real numbers.
func partsOf(c *chunk.Chunk, index []int64) []kernels.Const {
	if !c.DType.IsComplex() {
		return []kernels.Const{element(c, index)}
	}
	part := *c
	part.DType, part.ItemBytes = dtype.Float32, c.ItemBytes/2
	if c.DType == dtype.Complex128 {
		part.DType = dtype.Float64
	}
	part.Offset *= 2
	part.Strides = nil
	for _, s := range c.Strides {
		part.Strides = append(part.Strides, 2*s)
	}
	re := element(&part, index)
	part.Offset++
	return []kernels.Const{re, element(&part, index)}
}

// same fails unless two chunks are equal bit for bit, NaNs being equal.
func same(t *testing.T, what string, got, want *chunk.Chunk) {
	t.Helper()
	index := make([]int64, len(got.Shape))
	for range got.Shape.Size() {
		gs, ws := partsOf(got, index), partsOf(want, index)
		for i, g := range gs {
			if w := ws[i]; g.Bits != w.Bits && !(g.IsNaN() && w.IsNaN()) {
				t.Fatalf("%s: element %v is %v (%#x), ref has %v (%#x)", what, index, g, g.Bits, w, w.Bits)
			}
		}
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < got.Shape[i] {
				break
			}
			index[i] = 0
		}
	}
}

// modes are the executors compared with ref.
var modes = []string{"generic", "avx2", "avx512"}

// agree runs p on ref and on every executor over the inputs and compares the results.
func agree(t *testing.T, r *rand.Rand, p *kernels.Program, shape chunk.Shape, in []*chunk.Chunk) {
	t.Helper()
	origin := make(chunk.Shape, len(shape))
	for i := range origin {
		origin[i] = r.Int64N(1000)
	}
	call := kernels.Call{In: in, Origin: origin, Shape: shape}
	results := func() (out []*chunk.Chunk) {
		for _, reg := range p.Ret {
			out = append(out, view(r, p.RegType(reg), shape, false))
		}
		return out
	}
	want := results()
	call.Out = want
	errRef := run(ref.New(), p, call)
	for _, mode := range modes {
		dev := cpu.New(cpu.Options{Mode: mode})
		got := results()
		call.Out = got
		err := run(dev, p, call)
		dev.Close()
		if (err == nil) != (errRef == nil) || errors.Is(err, kernels.ErrDomain) != errors.Is(errRef, kernels.ErrDomain) {
			t.Fatalf("%s: %v; ref: %v\n%s", mode, err, errRef, p)
		}
		if err != nil {
			continue
		}
		for i := range p.Ret {
			same(t, fmt.Sprintf("%s, shape %v, result %d of\n%s", mode, shape, i, p), got[i], want[i])
		}
	}
}

// TestEveryOperation runs each operation on each dtype it takes, vectors and single values.
func TestEveryOperation(t *testing.T) {
	for _, o := range kernels.AllOps() {
		if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast {
			continue
		}
		t.Run(o.Name, func(t *testing.T) {
			for d := dtype.Bool; d <= dtype.Complex128; d++ {
				in := make([]dtype.DType, o.Arity)
				for i := range in {
					in[i] = d
				}
				args, _, err := o.Signature(in)
				if err != nil || !args[0].IsNumeric() {
					continue
				}
				r := rand.New(rand.NewPCG(1, uint64(d)))
				for round := range 1 << o.Arity {
					b := kernels.NewBuilder(1)
					var regs []kernels.Reg
					var chunks []*chunk.Chunk
					n := int64(300)
					if o.Arity > 1 && strings.Contains(o.Family, "exp") || o.Family == "trigonometry" {
						n = 80
					}
					for i, a := range args {
						regs = append(regs, b.Input(kernels.In(a)))
						c := view(r, a, chunk.Shape{n}, false)
						if round>>i&1 == 1 {
							c.Strides[0] = 0
						}
						chunks = append(chunks, c)
					}
					b.Ret(b.Apply(o.ID, regs...))
					p, err := b.Build()
					if err != nil {
						t.Fatal(err)
					}
					if o.ID == kernels.OpPower && d.Kind() == dtype.KindInt { // exponents from 0 on
						e := chunks[1].Block.Bytes()
						for i := d.Size() - 1; i < len(e); i += d.Size() {
							e[i] &= 0x7f
						}
					}
					agree(t, r, p, chunk.Shape{n}, chunks)
				}
			}
		})
	}
}

// TestCasts runs every cast.
func TestCasts(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 0))
	for from := dtype.Bool; from <= dtype.Complex128; from++ {
		for to := dtype.Bool; to <= dtype.Complex128; to++ {
			b := kernels.NewBuilder(1)
			b.Ret(b.Cast(b.Input(kernels.In(from)), to))
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			agree(t, r, p, chunk.Shape{500}, []*chunk.Chunk{view(r, from, chunk.Shape{500}, false)})
		}
	}
}

// randomProgram builds a program of random operations over inputs of random dtypes.
func randomProgram(r *rand.Rand, rank int) (*kernels.Program, error) {
	b := kernels.NewBuilder(rank)
	var regs []kernels.Reg
	for range 1 + r.IntN(4) {
		regs = append(regs, b.Input(kernels.In(dtype.Bool+dtype.DType(r.IntN(15)))))
	}
	if rank > 0 && r.IntN(3) == 0 {
		ids := b.Input(kernels.In(dtype.Int32))
		regs = append(regs, ids)
		p := kernels.In(dtype.Bool + dtype.DType(r.IntN(15)))
		p.Gather, p.GatherIDs = int8(r.IntN(rank)), int8(ids)
		regs = append(regs, b.Input(p))
	}
	ops := kernels.AllOps()
	for range 1 + r.IntN(8) {
		switch k := r.IntN(8); {
		case k == 0 && rank > 0:
			regs = append(regs, b.Index(r.IntN(rank)))
		case k == 1:
			c, err := kernels.EvalConst(kernels.OpCast, dtype.Bool+dtype.DType(r.IntN(13)), kernels.Const{DType: dtype.Float64, Bits: math.Float64bits(edges[r.IntN(len(edges))])})
			if err != nil {
				return nil, err
			}
			regs = append(regs, b.Const(c))
		case k == 2:
			regs = append(regs, b.Cast(regs[r.IntN(len(regs))], dtype.Bool+dtype.DType(r.IntN(15))))
		default:
			o := ops[r.IntN(len(ops))]
			if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast || o.ID == kernels.OpPower {
				continue
			}
			args := make([]kernels.Reg, o.Arity)
			types := make([]dtype.DType, o.Arity)
			for i := range args {
				args[i] = regs[r.IntN(len(regs))]
				types[i] = b.Type(args[i])
			}
			if _, _, err := o.Signature(types); err != nil {
				continue
			}
			regs = append(regs, b.Apply(o.ID, args...))
		}
	}
	for range 1 + r.IntN(3) {
		b.Ret(regs[len(regs)-1-r.IntN(min(len(regs), 3))])
	}
	return b.Build()
}

// TestRandomPrograms compares the devices on random programs, shapes and layouts.
func TestRandomPrograms(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 300
	}
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		rank := r.IntN(4)
		p, err := randomProgram(r, rank)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		shape := make(chunk.Shape, rank)
		for i := range shape {
			shape[i] = int64(r.IntN(1 + []int{0, 300, 18, 7}[rank]))
		}
		var in []*chunk.Chunk
		for _, port := range p.In {
			s := shape.Clone()
			c := (*chunk.Chunk)(nil)
			if port.Gather >= 0 {
				s[port.Gather] = 5
				c = view(r, port.DType, s, true)
				ids := view(r, dtype.Int32, shape, false)
				for i := range ids.Strides {
					if i != int(port.Gather) {
						ids.Strides[i] = 0
					}
				}
				ids.Offset = 0
				ids.Strides[port.Gather] = 1
				e := chunk.Elems[int32](ids.Block)
				for i := range e {
					e[i] = int32(r.IntN(7)) - 2
				}
				in[port.GatherIDs] = ids
			} else {
				c = view(r, port.DType, s, true)
			}
			in = append(in, c)
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) { agree(t, r, p, shape, in) })
		if t.Failed() {
			return
		}
	}
}

// TestExecutor reads what runs a program.
func TestExecutor(t *testing.T) {
	for _, mode := range modes {
		dev := cpu.New(cpu.Options{Mode: mode})
		defer dev.Close()
		b := kernels.NewBuilder(1)
		x := b.Input(kernels.In(dtype.Int64))
		b.Ret(b.Apply(kernels.OpAdd, b.Apply(kernels.OpGcd, x, b.Index(0)), x))
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		k, err := dev.Compile(ctx, p)
		if err != nil {
			t.Fatal(err)
		}
		want := "block machine"
		if strings.HasPrefix(dev.Name(), "jit-") {
			want = "machine code, block machine for gcd(int64)"
		}
		if got := k.(kernels.Explained).Executor(); got != want {
			t.Errorf("%s: Executor() = %q, want %q", mode, got, want)
		}
	}
}
