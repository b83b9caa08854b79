// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// BenchmarkMemory times programs over arrays far beyond the caches, by two goroutines that take tiles of 1 MiB elements,
// against two plain sweeps of the same bytes made in turn with them: a sum of float64 (for folds) and a*b + c of float32.
func BenchmarkMemory(b *testing.B) {
	const n = 1 << 24
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	type fn = func(ap func(string, ...kernels.Reg) kernels.Reg, num func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg
	one := func(name string) fn {
		return func(ap func(string, ...kernels.Reg) kernels.Reg, _ func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
			return ap(name, x...)
		}
	}
	fma := func(ap func(string, ...kernels.Reg) kernels.Reg, _ func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
		return ap("add", ap("multiply", x[0], x[1]), x[2])
	}
	gauss := func(ap func(string, ...kernels.Reg) kernels.Reg, num func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
		return ap("exp", ap("multiply", ap("multiply", x[0], x[0]), num(-0.5)))
	}
	five := func(ap func(string, ...kernels.Reg) kernels.Reg, num func(float64) kernels.Reg, x []kernels.Reg) kernels.Reg {
		return ap("sqrt", ap("add", ap("multiply", x[0], x[1]), ap("where", ap("greater", x[2], num(0.5)), x[2], num(0))))
	}
	read := newSweepOver(b, dev, foldProgram(b, dtype.Float64, "sum", false), n/2)
	write := newSweepOver(b, dev, expr(b, dtype.Float32, 3, fma), n)
	run := func(name string, base *sweepOver, s *sweepOver) {
		b.Run(name, func(b *testing.B) {
			var ours, theirs []float64
			for b.Loop() {
				theirs = append(theirs, base.rate(b))
				ours = append(ours, s.rate(b))
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			b.ReportMetric(ours[len(ours)/2], "GB/s")
			b.ReportMetric(ours[len(ours)/2]/theirs[len(theirs)/2]*100, "%-of-sweep")
			b.ReportMetric(ours[len(ours)-1]/theirs[len(theirs)-1]*100, "%-of-sweep-best")
		})
	}
	for _, d := range []dtype.DType{dtype.Float32, dtype.Float64} {
		for _, c := range []struct {
			name string
			n    int
			f    fn
		}{{"fma", 3, fma}, {"hypot", 2, one("hypot")}, {"fused5", 3, five}, {"gauss", 1, gauss}, {"sin", 1, one("sin")}, {"exp", 1, one("exp")}, {"log", 1, one("log")}} {
			run(fmt.Sprintf("op=%s/dtype=%v", c.name, d), write, newSweepOver(b, dev, expr(b, d, c.n, c.f), n*4/d.Size()))
		}
	}
	for _, op := range []string{"sum", "nansum", "nanmean", "var"} {
		run(fmt.Sprintf("op=%s/dtype=float32", op), read, newSweepOver(b, dev, foldProgram(b, dtype.Float32, op, false), n))
	}
	run("op=decode/dtype=float32", write, newSweepOver(b, dev, foldProgram(b, dtype.Float32, "", true), n))
	run("op=decode+nanmean/dtype=float32", read, newSweepOver(b, dev, foldProgram(b, dtype.Float32, "nanmean", true), 2*n))
	const rows = 100
	over := foldProgram(b, dtype.Float32, "sum", false, rows)
	run("op=sum0/dtype=float32", read, newSweepOver(b, dev, over, n))
	run("op=decode+nanmean0/dtype=float32", read, newSweepOver(b, dev, foldProgram(b, dtype.Float32, "nanmean", true, rows), 2*n))
	const wide = 65536 // columns: rows a power of two apart
	run("op=sum0-wide/dtype=float32", read, newSweep(b, dev, over, n, chunk.Shape{16, wide}))
	run("op=decode+nanmean0-wide/dtype=float32", read, newSweep(b, dev, foldProgram(b, dtype.Float32, "nanmean", true, rows), 2*n, chunk.Shape{32, wide}))
}

// foldProgram is a fold of all elements, or with rows of the first of two axes, of values or of packed int16 that are decoded first.
func foldProgram(b *testing.B, d dtype.DType, op string, packed bool, rows ...int) *kernels.Program {
	bl := kernels.NewBuilder(1 + len(rows))
	ap := func(name string, a ...kernels.Reg) kernels.Reg {
		o, _ := kernels.OpByName(name)
		return bl.Apply(o.ID, a...)
	}
	num := func(d dtype.DType, v any) kernels.Reg {
		c, err := kernels.ConstOf(d, v)
		if err != nil {
			b.Fatal(err)
		}
		return bl.Const(c)
	}
	var x kernels.Reg
	if packed {
		i := bl.Input(kernels.In(dtype.Int16))
		y := ap("add", ap("multiply", bl.Cast(i, d), num(d, 0.01)), num(d, 273.15))
		x = ap("where", ap("equal", i, num(dtype.Int16, -32768)), num(d, math.NaN()), y)
	} else {
		x = bl.Input(kernels.In(d))
	}
	if op == "" {
		bl.Ret(x)
	} else {
		r, _ := kernels.ReductionByName(op)
		bl.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: kernels.Axes(0), Group: -1})
	}
	p, err := bl.Build()
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// sweepOver is a program with the memory it works on, cut into calls.
type sweepOver struct {
	k     kernels.Kernel
	calls []kernels.Call
	bytes int64
}

func newSweepOver(b *testing.B, dev kernels.Device, p *kernels.Program, n int) *sweepOver {
	const rows = 100
	shape := chunk.Shape{int64(min(n, 1<<20))}
	if p.Rank == 2 {
		shape = chunk.Shape{rows, shape[0] / rows}
	}
	return newSweep(b, dev, p, n, shape)
}

// newSweep is a program over n elements, and in each call those of a shape.
func newSweep(b *testing.B, dev kernels.Device, p *kernels.Program, n int, shape chunk.Shape) *sweepOver {
	k, err := dev.Compile(context.Background(), p)
	if err != nil {
		b.Fatal(err)
	}
	s := &sweepOver{k: k}
	fill := func(c *chunk.Chunk) {
		switch c.DType {
		case dtype.Float32:
			for i, x := range chunk.Slice[float32](c) {
				_ = x
				chunk.Slice[float32](c)[i] = float32(i%1000)/100 + 0.5
			}
		case dtype.Float64:
			for i := range chunk.Slice[float64](c) {
				chunk.Slice[float64](c)[i] = float64(i%1000)/100 + 0.5
			}
		default:
			for i := range chunk.Slice[int16](c) {
				chunk.Slice[int16](c)[i] = int16(i % 2000)
			}
		}
	}
	at := func(d dtype.DType, shape chunk.Shape, full bool) *chunk.Chunk {
		c, err := chunk.New(dev.Allocator(), d, 0, shape)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(c.Release)
		if full {
			fill(c)
		} else {
			clear(c.Bytes())
		}
		return c
	}
	for done := 0; done < n; done += int(shape.Size()) {
		c := kernels.Call{Shape: shape, Origin: make(chunk.Shape, len(shape)), Scratch: mem.Wrap(make([]byte, k.Scratch(shape)+64))}
		for _, in := range p.In {
			c.In = append(c.In, at(in.DType, shape, true))
			s.bytes += shape.Size() * int64(in.DType.Size())
		}
		for _, r := range p.Ret {
			c.Out = append(c.Out, at(p.RegType(r), shape, false))
			s.bytes += shape.Size() * int64(p.RegType(r).Size())
		}
		for _, f := range p.Folds {
			out := append(chunk.Shape{kernels.FoldBlocks(shape, f.Axes)}, shape[1:]...)
			for _, t := range kernels.ReductionOf(f.Op).State(p.RegType(f.Args[0])) {
				c.Out = append(c.Out, at(t.DType, out, false))
			}
		}
		s.calls = append(s.calls, c)
	}
	return s
}

// rate runs all calls by two goroutines and returns the bytes a nanosecond, of processor time where the system tells it: others
// who use the machine take less from it.
func (s *sweepOver) rate(b *testing.B) float64 {
	t := processorTime()
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := w; i < len(s.calls); i += 2 {
				if err := s.k.Run(context.Background(), &s.calls[i]); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	return float64(s.bytes) / float64((processorTime() - t).Nanoseconds()) * 2
}
