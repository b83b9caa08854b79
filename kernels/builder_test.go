// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

func mustConst(t *testing.T, d dtype.DType, v any) Const {
	t.Helper()
	c, err := ConstOf(d, v)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustBuild(t *testing.T, b *Builder) *Program {
	t.Helper()
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestBuilderText pins the canonical text, and with it CSE, folding, dead code and numbering.
func TestBuilderText(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(b *Builder)
		want  string
	}{
		{"shared values are made once", func(b *Builder) {
			x, y := b.Input(In(dtype.Float32)), b.Input(In(dtype.Float32))
			s, r := b.Apply(OpAdd, x, y), b.Apply(OpAdd, y, x)
			b.Ret(b.Apply(OpMultiply, s, r))
		}, `program rank=1
  %0 = in float32
  %1 = in float32
  %2 = add float32 %0 %1
  %3 = multiply float32 %2 %2
  ret %3
`},
		{"known bits take no instruction", func(b *Builder) {
			x, y := b.Input(In(dtype.Uint8)), b.Input(In(dtype.Uint8))
			less := b.Apply(OpLess, x, y)
			zero := b.Const(mustConst(t, dtype.Uint8, 0))
			b.Ret(b.Apply(OpBitwiseAnd, less, b.truth(true)))
			b.Ret(b.Apply(OpBitwiseOr, b.truth(true), less))
			b.Ret(b.Apply(OpBitwiseOr, less, b.truth(false)))
			b.Ret(b.Apply(OpBitwiseAnd, b.truth(false), less))
			b.Ret(b.Apply(OpBitwiseXor, x, zero))
			b.Ret(b.Apply(OpBitwiseAnd, zero, x))
		}, `program rank=1
  %0 = in uint8
  %1 = in uint8
  %2 = const uint8 0
  %3 = const bool true
  %4 = const bool false
  %5 = less bool %0 %1
  ret %5 %3 %5 %4 %0 %2
`},
		{"constants fold, through macros too", func(b *Builder) {
			x := b.Input(In(dtype.Float64))
			two := b.Const(mustConst(t, dtype.Float64, 2.0))
			k := b.Apply(OpExp, b.Apply(OpSubtract, two, two))
			b.Ret(b.Apply(OpAdd, k, x))
		}, `program rank=1
  %0 = in float64
  %1 = const float64 1
  %2 = add float64 %0 %1
  ret %2
`},
		{"what no result needs is dropped, inputs stay", func(b *Builder) {
			x := b.Input(Port{DType: dtype.Int16, Access: Contiguous, Gather: -1})
			b.Input(Port{DType: dtype.Int32, Access: Broadcast, Gather: -1})
			b.Apply(OpNegative, x)
			b.Const(Const{dtype.Int16, 5})
			b.Ret(b.Index(0))
			b.Ret(x)
		}, `program rank=1
  %0 = in int16 contiguous
  %1 = in int32 broadcast
  %2 = index int64 axis=0
  ret %2 %0
`},
		{"operands are cast to the signature's dtypes, halves widened", func(b *Builder) {
			x := b.Input(In(dtype.Float16))
			y := b.Input(In(dtype.Int8))
			b.Ret(b.Apply(OpAdd, x, y))
		}, `program rank=1
  %0 = in float16
  %1 = in int8
  %2 = cast float16 %1
  %3 = cast float32 %0
  %4 = cast float32 %2
  %5 = add float32 %3 %4
  %6 = cast float16 %5
  ret %6
`},
		{"powers with small constant exponents", func(b *Builder) {
			x := b.Input(In(dtype.Float32))
			b.Ret(b.Apply(OpPower, x, b.Const(mustConst(t, dtype.Float32, 2.0))))
			b.Ret(b.Apply(OpPower, x, b.Const(mustConst(t, dtype.Float32, 0.5))))
		}, `program rank=1
  %0 = in float32
  %1 = multiply float32 %0 %0
  %2 = sqrt float32 %0
  ret %1 %2
`},
		{"complex numbers are taken apart and put together at the edges", func(b *Builder) {
			x, y := b.Input(In(dtype.Complex128)), b.Input(In(dtype.Complex128))
			b.Ret(b.Apply(OpReal, b.Apply(OpAdd, x, y)))
			b.Ret(b.Apply(OpNegative, b.Apply(OpConjugate, x)))
		}, `program rank=1
  %0 = in complex128
  %1 = in complex128
  %2 = real float64 %0
  %3 = imag float64 %0
  %4 = real float64 %1
  %5 = add float64 %2 %4
  %6 = negative float64 %3
  %7 = negative float64 %2
  %8 = negative float64 %6
  %9 = complex complex128 %7 %8
  ret %5 %9
`},
		{"folds and gathers", func(b *Builder) {
			ids := b.Input(In(dtype.Int32))
			x := b.Input(Port{DType: dtype.Float64, Gather: 0, GatherIDs: 0})
			r, _ := ReductionByName("sum")
			b.Fold(Fold{Op: r.ID, Args: []Reg{b.Apply(OpSquare, x)}, Axes: Axes(0), Group: int16(ids)})
		}, `program rank=1
  %0 = in int32
  %1 = in float64 gather=0 ids=%0
  %2 = multiply float64 %1 %1
  fold sum %2 axes=0 group=%0
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := NewBuilder(1)
			c.build(b)
			p := mustBuild(t, b)
			if got := p.String(); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			again := NewBuilder(1)
			c.build(again)
			if q := mustBuild(t, again); q.Key() != p.Key() || q.Hash() != p.Hash() {
				t.Error("the same program has another key or hash")
			}
		})
	}
}

// TestKeys: keys and hashes tell programs apart as texts do.
func TestKeys(t *testing.T) {
	texts, hashes := map[string]string{}, map[uint64]string{}
	note := func(p *Program) {
		text := p.String()
		if other, ok := texts[p.Key()]; ok && other != text {
			t.Errorf("one key for\n%sand\n%s", other, text)
		}
		texts[p.Key()] = text
		if other, ok := hashes[p.Hash()]; ok && other != text {
			t.Errorf("one hash for\n%sand\n%s", other, text)
		}
		hashes[p.Hash()] = text
	}
	programs := map[string]bool{}
	for _, op := range AllOps() {
		for d := range dtype.DType(dtype.Count) {
			b := NewBuilder(1)
			args := make([]Reg, op.Arity)
			for i := range args {
				args[i] = b.Input(In(d))
			}
			b.Ret(b.Apply(op.ID, args...))
			if p, err := b.Build(); err == nil {
				note(p)
				programs[p.String()] = true
			}
		}
	}
	x := In(dtype.Float32)
	for _, q := range []*Program{
		{}, {Rank: 1}, {In: []Port{x}}, {In: []Port{x, x}}, {In: []Port{x}, Ret: []Reg{0}}, {In: []Port{x}, Ret: []Reg{0, 0}},
		{In: []Port{{DType: dtype.Float32, Access: Contiguous, Gather: -1}}}, {In: []Port{{DType: dtype.Float32, Gather: 0, GatherIDs: 1}}},
		{In: []Port{{DType: dtype.Float32, Gather: 1, GatherIDs: 0}}}, {Consts: []Const{{dtype.Float32, 0}}}, {Consts: []Const{{dtype.Float64, 0}}},
		{Consts: []Const{{dtype.Float32, 1 << 31}}}, {Body: []Inst{{Op: OpIndex, DType: dtype.Int64, Args: [3]Reg{NoReg, NoReg, NoReg}}}},
		{Body: []Inst{{Op: OpIndex, DType: dtype.Int64, Args: [3]Reg{NoReg, NoReg, NoReg}, Aux: 1}}}, {Slow: []*Program{{}}}, {Slow: []*Program{{Rank: 1}}},
		{Slow: []*Program{{}, {}}}, {Slow: []*Program{{Slow: []*Program{{}}}}},
		{Folds: []Fold{{Op: 0, Args: []Reg{0}, Axes: Axes(0), Group: -1}}}, {Folds: []Fold{{Op: 1, Args: []Reg{0}, Axes: Axes(0), Group: -1}}},
		{Folds: []Fold{{Op: 0, Args: []Reg{0}, Axes: Axes(1), Group: -1}}}, {Folds: []Fold{{Op: 0, Args: []Reg{0}, Axes: Axes(0), Group: 0}}},
	} {
		note(q)
		programs[q.String()] = true
	}
	if len(texts) < len(programs) || len(programs) < 500 {
		t.Errorf("%d keys of %d programs", len(texts), len(programs))
	}
}

func TestBuilderErrors(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(b *Builder)
		is    error
		text  string
	}{
		{"bool subtract", func(b *Builder) { x := b.Input(In(dtype.Bool)); b.Ret(b.Apply(OpSubtract, x, x)) }, dtype.ErrPromote, "subtract"},
		{"float bits", func(b *Builder) { x := b.Input(In(dtype.Float32)); b.Ret(b.Apply(OpBitwiseAnd, x, x)) }, dtype.ErrPromote, "bitwise_and"},
		{"complex", func(b *Builder) { x := b.Input(In(dtype.Complex64)); b.Ret(b.Apply(OpTan, x)) }, ErrUnsupported, "complex64"},
		{"text cast", func(b *Builder) { b.Ret(b.Cast(b.Input(In(dtype.Int8)), dtype.String)) }, dtype.ErrPromote, "str"},
		{"complex order", func(b *Builder) { x := b.Input(In(dtype.Complex64)); b.Ret(b.Apply(OpLess, x, x)) }, dtype.ErrPromote, "less"},
		{"arity", func(b *Builder) { b.Ret(b.Apply(OpAdd, b.Input(In(dtype.Int8)))) }, dtype.ErrPromote, "want 2"},
		{"bitcast size", func(b *Builder) { b.Ret(b.Bitcast(b.Input(In(dtype.Int8)), dtype.Float32)) }, dtype.ErrPromote, "one size"},
		{"index axis", func(b *Builder) { b.Ret(b.Index(3)) }, nil, "axis"},
		{"foreign register", func(b *Builder) { b.Ret(7) }, nil, "not a register"},
		{"gather ids", func(b *Builder) {
			b.Ret(b.Input(Port{DType: dtype.Int8, Gather: 0, GatherIDs: 0}))
		}, nil, "int32"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := NewBuilder(1)
			c.build(b)
			_, err := b.Build()
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error %v, want one about %q wrapping %v", err, c.text, c.is)
			}
		})
	}
}

// TestVerify breaks a legal program in every way and wants the reason.
func TestVerify(t *testing.T) {
	legal := func() *Program {
		return &Program{Rank: 1, In: []Port{In(dtype.Float32)}, Consts: []Const{{dtype.Float32, 0}},
			Body: []Inst{{Op: OpAdd, DType: dtype.Float32, Args: [3]Reg{0, 1, NoReg}}}, Ret: []Reg{2}}
	}
	if err := legal().Verify(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text  string
		spoil func(p *Program)
	}{
		{"rank", func(p *Program) { p.Rank = 99 }},
		{"not defined before", func(p *Program) { p.Body[0].Args[1] = 2 }},
		{"operands", func(p *Program) { p.Body[0].Args[1] = NoReg }},
		{"no such operation", func(p *Program) { p.Body[0].Op = 60000 }},
		{"result", func(p *Program) { p.Body[0].DType = dtype.Float64 }},
		{"is not primitive", func(p *Program) { p.Body[0].Op = OpHypot }},
		{"operands", func(p *Program) { p.Consts[0].DType = dtype.Int32 }},
		{"bits", func(p *Program) { p.Consts[0].Bits = 1 << 40 }},
		{"not a register", func(p *Program) { p.Ret[0] = 3 }},
		{"dtype", func(p *Program) { p.In[0].DType = dtype.String }},
		{"access", func(p *Program) { p.In[0].Access = 9 }},
		{"gather axis", func(p *Program) { p.In[0].Gather = 1 }},
		{"reduction", func(p *Program) { p.Folds = []Fold{{Op: 9999, Args: []Reg{0}, Group: -1}} }},
		{"axes", func(p *Program) { p.Folds = []Fold{{Op: 1, Args: []Reg{0}, Axes: 4, Group: -1}} }},
		{"arguments", func(p *Program) { p.Folds = []Fold{{Op: 1, Args: []Reg{0, 0}, Axes: 1, Group: -1}} }},
		{"group", func(p *Program) { p.Folds = []Fold{{Op: 1, Args: []Reg{0}, Axes: 1, Group: 0}} }},
	} {
		p := legal()
		c.spoil(p)
		if err := p.Verify(); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v: error %v, want one about %q", p, err, c.text)
		}
	}
}

func TestConstOf(t *testing.T) {
	for _, c := range []struct {
		d    dtype.DType
		v    any
		bits uint64
		ok   bool
	}{
		{dtype.Int8, -1, 0xff, true}, {dtype.Int8, 128, 0, false}, {dtype.Uint8, 255, 0xff, true}, {dtype.Uint8, -1, 0, false},
		{dtype.Int64, uint64(math.MaxUint64), 0, false}, {dtype.Uint64, uint64(math.MaxUint64), math.MaxUint64, true},
		{dtype.Int32, 2.5, 0, false}, {dtype.Int32, 2.0, 2, true}, {dtype.Int64, 0x1p63, 0, false}, {dtype.Uint64, 0x1p64, 0, false},
		{dtype.Int32, math.NaN(), 0, false}, {dtype.Int8, math.Copysign(0, -1), 0, true},
		{dtype.Float16, 65520.0, 0x7c00, true}, {dtype.BFloat16, 1.0, 0x3f80, true}, {dtype.Float32, 0.1, 0x3dcccccd, true},
		{dtype.Complex64, 2.5, 0x40200000, true}, {dtype.Complex128, -2, math.Float64bits(-2), true}, {dtype.Complex64, "x", 0, false},
		{dtype.Bool, true, 1, true}, {dtype.Float64, int64(1), math.Float64bits(1), true}, {dtype.String, 1, 0, false}, {dtype.Int8, "x", 0, false},
	} {
		got, err := ConstOf(c.d, c.v)
		if (err == nil) != c.ok || err == nil && got.Bits != c.bits || err != nil && !errors.Is(err, dtype.ErrPromote) {
			t.Errorf("ConstOf(%v, %v) = %#x, %v, want %#x, ok %v", c.d, c.v, got.Bits, err, c.bits, c.ok)
		}
	}
}

// TestMixedComparisons compares int64 with uint64 by value.
func TestMixedComparisons(t *testing.T) {
	ints := []int64{math.MinInt64, -1, 0, 1, math.MaxInt64}
	uns := []uint64{0, 1, math.MaxInt64, 1 << 63, math.MaxUint64}
	for _, op := range []OpID{OpEqual, OpNotEqual, OpLess, OpLessEqual, OpGreater, OpGreaterEqual} {
		for _, i := range ints {
			for _, u := range uns {
				cmp := new(big.Int).SetInt64(i).Cmp(new(big.Int).SetUint64(u))
				for _, swap := range []bool{false, true} {
					a, b := Const{dtype.Int64, uint64(i)}, Const{dtype.Uint64, u}
					if swap {
						a, b, cmp = b, a, -cmp
					}
					want := map[OpID]bool{OpEqual: cmp == 0, OpNotEqual: cmp != 0, OpLess: cmp < 0, OpLessEqual: cmp <= 0, OpGreater: cmp > 0, OpGreaterEqual: cmp >= 0}[op]
					if got, err := EvalConst(op, dtype.Bool, a, b); err != nil || (got.Bits == 1) != want {
						t.Errorf("%v(%v, %v) = %v, %v, want %v", op, a, b, got, err, want)
					}
				}
			}
		}
	}
}

// TestFmaRoundsOnce compares fma of every float with the exact result rounded by big.Float.
func TestFmaRoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, d := range []struct {
		dt   dtype.DType
		prec uint
	}{{dtype.Float16, 11}, {dtype.BFloat16, 8}, {dtype.Float32, 24}} {
		for range 20000 {
			var c [3]Const
			for i := range c {
				c[i] = mustConst(t, d.dt, r.NormFloat64()*math.Ldexp(1, r.IntN(10)-5))
			}
			if r.IntN(3) == 0 { // near a tie: z is half a step of the product and a little
				p := math.Abs(c[0].Float64() * c[1].Float64())
				c[2] = mustConst(t, d.dt, math.Ldexp(p, -int(d.prec)-r.IntN(40)))
			}
			exact := new(big.Float).SetPrec(2000)
			exact.Mul(big.NewFloat(c[0].Float64()), big.NewFloat(c[1].Float64()))
			exact.SetPrec(2000).Add(exact, big.NewFloat(c[2].Float64()))
			want, _ := new(big.Float).SetPrec(d.prec).SetMode(big.ToNearestEven).Set(exact).Float64()
			if want != 0 && math.Abs(want) < 0x1p-10 { // subnormals of the short types have fewer bits
				continue
			}
			got, err := EvalConst(OpFma, d.dt, c[0], c[1], c[2])
			if err != nil || got.Float64() != want {
				t.Fatalf("fma(%v, %v, %v) of %v = %v, %v, want %v", c[0], c[1], c[2], d.dt, got, err, want)
			}
		}
	}
}

// TestCold runs the slow program for large angles and leaves it out for small ones.
func TestCold(t *testing.T) {
	b := NewBuilder(1)
	x := b.Input(In(dtype.Float64))
	b.Ret(b.Apply(OpSin, x))
	b.Ret(b.Apply(OpSin, b.Apply(OpNegative, x)))
	p := mustBuild(t, b)
	if len(p.Slow) != 1 {
		t.Errorf("%d slow programs, want one that both sines share", len(p.Slow))
	}
	out, err := p.EvalLane([]Const{mustConst(t, dtype.Float64, 1e22)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := out[0].Float64(), -0.8522008497671888; got != want {
		t.Errorf("sin(1e22) = %v, want %v", got, want)
	}
}
