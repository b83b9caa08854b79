// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// expr builds a program over n inputs of dtype d.
func expr(b *testing.B, d dtype.DType, n int, f func(ap func(name string, a ...kernels.Reg) kernels.Reg, num func(v float64) kernels.Reg, x []kernels.Reg) kernels.Reg) *kernels.Program {
	p := kernels.NewBuilder(1)
	x := make([]kernels.Reg, n)
	for i := range x {
		x[i] = p.Input(kernels.In(d))
	}
	ap := func(name string, a ...kernels.Reg) kernels.Reg {
		o, ok := kernels.OpByName(name)
		if !ok {
			b.Fatal(name)
		}
		return p.Apply(o.ID, a...)
	}
	num := func(v float64) kernels.Reg {
		c, err := kernels.ConstOf(d, v)
		if err != nil {
			b.Fatal(err)
		}
		return p.Const(c)
	}
	p.Ret(f(ap, num, x))
	q, err := p.Build()
	if err != nil {
		b.Fatal(err)
	}
	return q
}

func benchProgram(b *testing.B, mode string, p *kernels.Program, n int64) {
	dev := cpu.New(cpu.Options{Mode: mode})
	defer dev.Close()
	k, err := dev.Compile(ctx, p)
	if err != nil {
		b.Fatal(err)
	}
	c := kernels.Call{Shape: chunk.Shape{n}, Origin: chunk.Shape{0}, Scratch: mem.Wrap(make([]byte, k.Scratch(chunk.Shape{n})))}
	bytes := int64(0)
	for i, in := range p.In {
		x, err := chunk.New(dev.Allocator(), in.DType, 0, chunk.Shape{n})
		if err != nil {
			b.Fatal(err)
		}
		defer x.Release()
		for j := range n {
			v := float64(j%1000)/100 + 0.5 + float64(i)
			if in.DType == dtype.Float32 {
				chunk.Slice[float32](x)[j] = float32(v)
			} else {
				chunk.Slice[float64](x)[j] = v
			}
		}
		c.In = append(c.In, x)
		bytes += n * int64(in.DType.Size())
	}
	for _, r := range p.Ret {
		x, err := chunk.New(dev.Allocator(), p.RegType(r), 0, chunk.Shape{n})
		if err != nil {
			b.Fatal(err)
		}
		defer x.Release()
		c.Out = append(c.Out, x)
		bytes += n * int64(x.ItemBytes)
	}
	b.SetBytes(bytes)
	b.ReportAllocs()
	loop(b, n, func() error { return k.Run(ctx, &c) })
}

// loop runs a benchmark and reports the time of an element: the mean and, as other work on the machine makes that
// jump about, the best of all rounds.
func loop(b *testing.B, elements int64, run func() error) {
	best := time.Duration(math.MaxInt64)
	for b.Loop() {
		t := time.Now()
		if err := run(); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(t))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(elements), "ns/element")
	b.ReportMetric(float64(best.Nanoseconds())/float64(elements), "best-ns/element")
}

// BenchmarkProgram times programs over blocks that stay in the caches and over long arrays.
func BenchmarkProgram(b *testing.B) {
	for _, d := range []dtype.DType{dtype.Float32, dtype.Float64} {
		for _, n := range []int64{16384, 1 << 20} {
			run := func(name string, p *kernels.Program) {
				for _, mode := range modes {
					b.Run(fmt.Sprintf("op=%s/dtype=%v/n=%d/device=%s", name, d, n, mode), func(b *testing.B) { benchProgram(b, mode, p, n) })
				}
			}
			run("add", expr(b, d, 2, func(ap func(string, ...kernels.Reg) kernels.Reg, _ func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
				return ap("add", x[0], x[1])
			}))
			run("fused5", expr(b, d, 3, func(ap func(string, ...kernels.Reg) kernels.Reg, num func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
				return ap("sqrt", ap("add", ap("multiply", x[0], x[1]), ap("where", ap("greater", x[2], num(0.5)), x[2], num(0))))
			}))
			run("fused9", expr(b, d, 3, func(ap func(string, ...kernels.Reg) kernels.Reg, num func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
				h := ap("sqrt", ap("add", ap("multiply", x[0], x[0]), ap("multiply", x[1], x[1])))
				return ap("subtract", ap("add", ap("multiply", num(2), x[0]), ap("multiply", num(3), x[1])), ap("where", ap("greater", x[2], num(0.5)), h, num(0)))
			}))
			for _, f := range []string{"exp", "exp2", "expm1", "log", "log2", "log1p", "sin", "tan", "arcsin", "arctan", "sinh", "tanh", "arcsinh", "arctanh", "cbrt", "isnan", "floor"} {
				run(f, expr(b, d, 1, func(ap func(string, ...kernels.Reg) kernels.Reg, _ func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
					return ap(f, x[0])
				}))
			}
			for _, f := range []string{"power", "hypot", "floor_divide", "arctan2"} {
				run(f, expr(b, d, 2, func(ap func(string, ...kernels.Reg) kernels.Reg, _ func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
					return ap(f, x[0], x[1])
				}))
			}
		}
	}
}

// BenchmarkCall times what a call costs beside its elements.
func BenchmarkCall(b *testing.B) {
	for _, n := range []int64{1, 64, 1024} {
		p := expr(b, dtype.Float32, 3, func(ap func(string, ...kernels.Reg) kernels.Reg, num func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
			return ap("sqrt", ap("add", ap("multiply", x[0], x[1]), ap("where", ap("greater", x[2], num(0.5)), x[2], num(0))))
		})
		for _, mode := range modes {
			b.Run(fmt.Sprintf("op=fused5/dtype=float32/n=%d/device=%s", n, mode), func(b *testing.B) { benchProgram(b, mode, p, n) })
		}
	}
}

// BenchmarkCompile times building and compiling a program of one function.
func BenchmarkCompile(b *testing.B) {
	for _, name := range []string{"add", "exp", "sin", "power"} {
		b.Run("op="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p := expr(b, dtype.Float64, 2, func(ap func(string, ...kernels.Reg) kernels.Reg, _ func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
					if o, _ := kernels.OpByName(name); o.Arity == 2 {
						return ap(name, x[0], x[1])
					}
					return ap(name, x[0])
				})
				dev := cpu.New(cpu.Options{Allocator: ref.New().Allocator()})
				if _, err := dev.Compile(ctx, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
