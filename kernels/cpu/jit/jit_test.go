// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// compilers runs a test with a compiler for each length of vectors that this machine has.
func compilers(t *testing.T, do func(t *testing.T, c *Compiler)) {
	for _, bytes := range []int{32, 64} {
		t.Run(fmt.Sprintf("bytes=%d", bytes), func(t *testing.T) {
			c, err := New(bytes)
			if err != nil {
				t.Skip(err)
			}
			t.Cleanup(c.Close)
			do(t, c)
		})
	}
}

// edges are float64 values at the edges of what dtypes hold.
var edges = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2.5, 3, 7, 100, -128, 127, 128, 255, 256, 32767, -32768, 65504, 65519.999, 65520, 1e5, 65535,
	2147483647, 2147483648, -2147483648, -2147483649, 4294967295, 4294967296, 9.2e18, -9.3e18, 0x1p63, -0x1p63, 1.8e19, 0x1p64, 1e20, -1e300, 1e300, math.MaxFloat64,
	math.SmallestNonzeroFloat64, 1e-310, 6e-8, 3e-5, 1e-40, 0x1p-24, 0x1p-25, 0x1.8p-25, 0x1p-133, 0x1p-134, 0x1.8p-134, 0x1.000002p-134, 0x1.0000000000001p-134,
	math.MaxFloat32, 0x1.ffffffp127, math.Inf(1), math.Inf(-1), math.NaN(), math.Pi, 1e15 + 0.5, 0x1p40, 1e22, 0.49999999999999994, 0x1.01p8, 0x1.ffp9, 1.0009765625, 1.00048828125, 1.00048828126}

func some(r *rand.Rand, d dtype.DType) kernels.Const {
	bits := uint(8 * d.Size())
	c := kernels.Const{DType: d, Bits: r.Uint64() >> (64 - bits)}
	switch k := r.IntN(4); {
	case d == dtype.Bool:
		c.Bits &= 1
	case k > 0:
		v := r.NormFloat64() * 5
		if k == 1 {
			v = edges[r.IntN(len(edges))]
		}
		if x, err := kernels.EvalConst(kernels.OpCast, d, kernels.Const{DType: dtype.Float64, Bits: math.Float64bits(v)}); err == nil {
			c = x
		}
	}
	return c
}

// column holds n constants packed, with room around them that must stay as it is.
func column(cs []kernels.Const, n, lead, size int) []byte {
	b := make([]byte, lead+n*size+64)
	for i := range b {
		b[i] = 0xa5
	}
	for i, c := range cs[:min(n, len(cs))] {
		for k := range size {
			b[lead+i*size+k] = byte(c.Bits >> (8 * k))
		}
	}
	return b
}

// check runs p on n elements and compares with the definition. It reports false when p has no machine code.
func check(t *testing.T, c *Compiler, p *kernels.Program, r *rand.Rand, same []bool, n int) bool {
	t.Helper()
	ok, _ := checkWith(t, c, p, r, some, same, n)
	return ok
}

// checkWith is check on values that draw gives; done is how many elements were computed before a cold lane.
func checkWith(t *testing.T, c *Compiler, p *kernels.Program, r *rand.Rand, draw func(*rand.Rand, dtype.DType) kernels.Const, same []bool, n int) (ok bool, done int) {
	t.Helper()
	for _, in := range p.Body {
		if !Supports(p, in) {
			return false, 0
		}
	}
	f, err := c.Compile(p, same, r.IntN(2) == 0)
	if err != nil {
		t.Fatalf("%v\n%v", err, p)
	}
	in := make([][]kernels.Const, len(p.In))
	var keep [][]byte
	var ptrs []unsafe.Pointer
	for _, reg := range p.Ret {
		b := column(nil, n, 64, p.RegType(reg).Size())
		keep, ptrs = append(keep, b), append(ptrs, unsafe.Pointer(&b[64]))
	}
	for i, port := range p.In {
		for range max(n, 1) {
			in[i] = append(in[i], draw(r, port.DType))
		}
		lead := r.IntN(40)
		b := column(in[i], max(n, 1), lead, port.DType.Size())
		keep, ptrs = append(keep, b), append(ptrs, unsafe.Pointer(&b[lead]))
	}
	spill := make([]byte, f.Spill()+1)
	done = f.Run(ptrs, n, unsafe.Pointer(&spill[0]), nil)
	lane := make([]kernels.Const, len(p.In))
	for i := range done {
		for k := range in {
			lane[k] = in[k][i]
			if same[k] {
				lane[k] = in[k][0]
			}
		}
		want, err := p.EvalLane(lane)
		if err != nil {
			t.Fatal(err)
		}
		for k, w := range want {
			got := kernels.Const{DType: w.DType}
			s := w.DType.Size()
			for j := range s {
				got.Bits |= uint64(keep[k][64+i*s+j]) << (8 * j)
			}
			if got.Bits != w.Bits && !(got.IsNaN() && w.IsNaN()) {
				t.Fatalf("%d elements, element %d, result %d of %v: got %v (%#x), want %v (%#x)\n%v", n, i, k, lane, got, got.Bits, w, w.Bits, p)
			}
		}
	}
	for k := range p.Ret {
		b, s := keep[k], p.RegType(p.Ret[k]).Size()
		for i := range b {
			if (i < 64 || i >= 64+n*s) && b[i] != 0xa5 {
				t.Fatalf("%d elements: result %d wrote byte %d of its surroundings\n%v", n, k, i-64, p)
			}
		}
	}
	return true, done
}

// TestDivisions runs divisions with rest on values whose quotients need no slow way.
func TestDivisions(t *testing.T) { compilers(t, testDivisions) }

func testDivisions(t *testing.T, c *Compiler) {
	draw := func(r *rand.Rand, d dtype.DType) kernels.Const {
		if d.IsFloat() {
			v := []float64{r.NormFloat64() * 1e3, float64(r.IntN(200) - 100), r.Float64() + 1e-3, math.Inf(1), math.Inf(-1), math.NaN(), 0, math.Copysign(0, -1), 0.1, 1e9, 360}[r.IntN(11)]
			x, err := kernels.EvalConst(kernels.OpCast, d, kernels.Const{DType: dtype.Float64, Bits: math.Float64bits(v)})
			if err != nil {
				panic(err)
			}
			return x
		}
		v := []int64{r.Int64N(7) - 3, r.Int64N(2000) - 1000, r.Int64N(1<<40) - 1<<39, r.Int64N(1 << 50), -r.Int64N(1 << 50), 0, 1, -1, 1<<51 - 1, 1<<31 - 1, -1 << 31}[r.IntN(11)]
		if d.Kind() == dtype.KindUint {
			v = max(v, -v)
		}
		return kernels.Const{DType: d, Bits: uint64(v) << (64 - 8*d.Size()) >> (64 - 8*d.Size())}
	}
	for _, id := range []kernels.OpID{kernels.OpFloorDivide, kernels.OpRemainder, kernels.OpFmod} {
		for d := dtype.Int8; d <= dtype.Float64; d++ {
			b := kernels.NewBuilder(1)
			b.Ret(b.Apply(id, b.Input(kernels.In(d)), b.Input(kernels.In(d))))
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(uint64(id), uint64(d)))
			if _, done := checkWith(t, c, p, r, draw, []bool{false, false}, 5000); done != 5000 {
				t.Errorf("%v of %v stopped at %d", id, d, done)
			}
		}
	}
}

// TestOperations runs every operation on every dtype.
func TestOperations(t *testing.T) { compilers(t, testOperations) }

func testOperations(t *testing.T, c *Compiler) {
	missing := map[string]int{}
	for _, o := range kernels.AllOps() {
		if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast || o.ID == kernels.OpComplex { // of complex numbers there are no constants to check with
			continue
		}
		for d := dtype.Bool; d <= dtype.Float64; d++ {
			in := make([]dtype.DType, o.Arity)
			for i := range in {
				in[i] = d
			}
			args, _, err := o.Signature(in)
			if err != nil || o.ID == kernels.OpWhere && d != dtype.Bool {
				args = in
				if o.ID != kernels.OpWhere {
					continue
				}
				args = []dtype.DType{dtype.Bool, d, d}
			}
			b := kernels.NewBuilder(1)
			var regs []kernels.Reg
			for _, a := range args {
				regs = append(regs, b.Input(kernels.In(a)))
			}
			b.Ret(b.Apply(o.ID, regs...))
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(uint64(o.ID), uint64(d)))
			for _, n := range []int{0, 1, 3, 4, 5, 31, 32, 33, 63, 64, 65, 70, 300} {
				same := make([]bool, len(args))
				if n == 70 {
					same[r.IntN(len(same))] = len(same) > 1
				}
				if !check(t, c, p, r, same, n) {
					missing[fmt.Sprintf("%s(%v)", o.Name, d)]++
				}
			}
		}
	}
	t.Logf("without machine code: %v", missing)
}

// TestCasts runs every cast and every bitcast.
func TestCasts(t *testing.T) { compilers(t, testCasts) }

func testCasts(t *testing.T, c *Compiler) {
	for from := dtype.Bool; from <= dtype.Float64; from++ {
		for to := dtype.Bool; to <= dtype.Float64; to++ {
			b := kernels.NewBuilder(1)
			x := b.Input(kernels.In(from))
			b.Ret(b.Cast(x, to))
			if from.Size() == to.Size() && from != dtype.Bool && to != dtype.Bool {
				b.Ret(b.Bitcast(x, to))
			}
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(uint64(from), uint64(to)))
			for _, n := range []int{1, 7, 35, 3000} {
				if !check(t, c, p, r, []bool{false}, n) {
					t.Errorf("no cast from %v to %v", from, to)
				}
			}
		}
	}
}

// TestPrograms runs random programs: many operands, values that outlive the registers, several results.
func TestPrograms(t *testing.T) { compilers(t, testPrograms) }

func testPrograms(t *testing.T, c *Compiler) {
	rounds := 1200
	if testing.Short() {
		rounds = 200
	}
	var ops []*kernels.Op
	for _, o := range kernels.AllOps() {
		if !o.Internal && o.ID != kernels.OpCast && o.ID != kernels.OpBitcast {
			ops = append(ops, o)
		}
	}
	ran := 0
	for seed := range rounds {
		r := rand.New(rand.NewPCG(uint64(seed), 3))
		b := kernels.NewBuilder(1)
		first := dtype.Bool + dtype.DType(r.IntN(int(dtype.Float64)))
		pick := func() dtype.DType { // mostly one dtype, so that lanes are narrow at times
			if r.IntN(3) > 0 {
				return first
			}
			return dtype.Bool + dtype.DType(r.IntN(int(dtype.Float64)))
		}
		var regs []kernels.Reg
		for range 1 + r.IntN(1+seed%20) {
			regs = append(regs, b.Input(kernels.In(pick())))
		}
		size := 1 + r.IntN(50)
		for range size {
			if r.IntN(6) == 0 {
				regs = append(regs, b.Cast(regs[r.IntN(len(regs))], pick()))
				continue
			}
			if r.IntN(8) == 0 {
				v := some(r, pick())
				regs = append(regs, b.Const(v))
				continue
			}
			o := ops[r.IntN(len(ops))]
			if o.Family != "arithmetic" && o.Family != "logic" && o.Family != "bits" && o.Family != "rounding" && size > 12 {
				continue
			}
			args := make([]kernels.Reg, o.Arity)
			types := make([]dtype.DType, o.Arity)
			for i := range args {
				args[i] = regs[r.IntN(len(regs))]
				types[i] = b.Type(args[i])
			}
			_, out, err := o.Signature(types)
			if err != nil || out.IsComplex() || o.ID == kernels.OpPower || o.ID == kernels.OpGcd || o.ID == kernels.OpLcm {
				continue
			}
			regs = append(regs, b.Apply(o.ID, args...))
		}
		for range 1 + r.IntN(6) {
			b.Ret(regs[r.IntN(len(regs))])
		}
		b.Ret(regs[len(regs)-1])
		p, err := b.Build()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		same := make([]bool, len(p.In))
		for i := range same {
			same[i] = r.IntN(5) == 0
		}
		for _, n := range []int{r.IntN(40), r.IntN(301)} {
			if check(t, c, p, r, same, n) {
				ran++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d of %d programs have machine code", ran/2, rounds)
}

// TestHalves converts every float16 and bfloat16 to every dtype.
func TestHalves(t *testing.T) { compilers(t, testHalves) }

func testHalves(t *testing.T, c *Compiler) {
	for _, from := range []dtype.DType{dtype.Float16, dtype.BFloat16} {
		for to := dtype.Bool; to <= dtype.Float64; to++ {
			b := kernels.NewBuilder(1)
			b.Ret(b.Cast(b.Input(kernels.In(from)), to))
			p, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.Compile(p, []bool{false}, false)
			if err != nil {
				t.Fatal(err)
			}
			in, out := make([]uint16, 1<<16), make([]byte, 8<<16)
			for i := range in {
				in[i] = uint16(i)
			}
			spill := make([]byte, f.Spill()+1)
			for at := 0; at < len(in); at += 1 << 10 {
				f.Run([]unsafe.Pointer{unsafe.Pointer(&out[at*to.Size()]), unsafe.Pointer(&in[at])}, 1<<10, unsafe.Pointer(&spill[0]), nil)
			}
			for i := range in {
				want, err := p.EvalLane([]kernels.Const{{DType: from, Bits: uint64(i)}})
				if err != nil {
					t.Fatal(err)
				}
				got := kernels.Const{DType: to}
				for k := range to.Size() {
					got.Bits |= uint64(out[i*to.Size()+k]) << (8 * k)
				}
				if got.Bits != want[0].Bits && !(got.IsNaN() && want[0].IsNaN()) {
					t.Fatalf("%v %#x as %v: got %v, want %v", from, i, to, got, want[0])
				}
			}
		}
	}
}

// TestFillValues compares packed integers with a constant beside their decoding.
func TestFillValues(t *testing.T) { compilers(t, testFillValues) }

func testFillValues(t *testing.T, c *Compiler) {
	for d := dtype.Int8; d <= dtype.Uint32; d++ {
		for _, to := range []dtype.DType{dtype.Float32, dtype.Float64, dtype.Int64, dtype.Uint64} {
			for _, fill := range []uint64{1 << (8*d.Size() - 1), 1<<(8*d.Size()) - 1, 7} {
				fill := kernels.Const{DType: d, Bits: fill}
				draw := func(r *rand.Rand, d dtype.DType) kernels.Const {
					if r.IntN(3) == 0 {
						return fill
					}
					return kernels.Const{DType: d, Bits: r.Uint64() >> (64 - 8*d.Size())}
				}
				for _, op := range []kernels.OpID{kernels.OpEqual, kernels.OpNotEqual} {
					b := kernels.NewBuilder(1)
					x := b.Input(kernels.In(d))
					y := b.Cast(x, to)
					b.Ret(b.Apply(kernels.OpWhere, b.Apply(op, x, b.Const(fill)), b.Const(kernels.Const{DType: to, Bits: 3}), b.Apply(kernels.OpMultiply, y, y)))
					p, err := b.Build()
					if err != nil {
						t.Fatal(err)
					}
					r := rand.New(rand.NewPCG(uint64(d), fill.Bits))
					if ok, done := checkWith(t, c, p, r, draw, []bool{false}, 301); !ok || done != 301 {
						t.Errorf("%v to %v: %d of 301 elements, machine code %v", d, to, done, ok)
					}
				}
			}
		}
	}
}
