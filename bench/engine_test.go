// SPDX-License-Identifier: BSD-3-Clause

package bench_test

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// TestMain sets a memory limit as a program does whose own arrays are on the
// Go heap: the engine leaves a limit that is set alone.
func TestMain(m *testing.M) {
	debug.SetMemoryLimit(4 << 30)
	os.Exit(m.Run())
}

func engine(b *testing.B, cpu string) *sched.Engine {
	b.Helper()
	e, err := sched.New(sched.Options{Memory: 1 << 30, CPU: cpu})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	return e
}

// modes are how the CPU may run programs: as machine code, and by the portable block machine.
var modes = []string{"auto", "generic"}

// compute runs a and drops its values.
func compute(b *testing.B, e *sched.Engine, a ndarray.Array) {
	b.Helper()
	drop := func(chunk.Region, *chunk.Chunk) error { return nil }
	if err := e.Run(context.Background(), []ndarray.Output{{Array: a, Name: "result", Each: drop}}); err != nil {
		b.Fatal(err)
	}
}

func ramp(n int, scale float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(i%1000) * scale
	}
	return out
}

// BenchmarkFused is a five operation float32 expression over arrays in memory;
// the suite compares it with its peers.
func BenchmarkFused(b *testing.B) {
	const n = 64 << 20
	x := ndarray.FromSlice(ramp(n, 0.5), n)
	y := ndarray.FromSlice(ramp(n, 0.25), n)
	for _, cpu := range modes {
		b.Run(fmt.Sprintf("op=muladdsubdivmax/dtype=float32/n=%d/cpu=%s", n, cpu), func(b *testing.B) {
			e := engine(b, cpu)
			b.SetBytes(n * 4)
			b.ReportAllocs()
			for b.Loop() {
				compute(b, e, ndarray.Apply("maximum", x.Mul(y).Add(x).Sub(1.5).Div(3.0), y))
			}
		})
	}
}

// BenchmarkSum is a whole sum of float32 in float64.
func BenchmarkSum(b *testing.B) {
	const n = 64 << 20
	x := ndarray.FromSlice(ramp(n, 0.5), n/1024, 1024)
	for _, c := range []struct {
		name string
		axes []int
	}{{"all", nil}, {"first", []int{0}}, {"last", []int{1}}} {
		for _, cpu := range modes {
			b.Run(fmt.Sprintf("op=sum/axes=%s/dtype=float32/n=%d/cpu=%s", c.name, n, cpu), func(b *testing.B) {
				e := engine(b, cpu)
				b.SetBytes(n * 4)
				b.ReportAllocs()
				for b.Loop() {
					compute(b, e, x.Sum(c.axes...))
				}
			})
		}
	}
}

// BenchmarkChunks is the cost of a chunk: 97,969 of them with 1024 elements each.
func BenchmarkChunks(b *testing.B) {
	e := engine(b, "auto")
	x := ndarray.Ones(chunk.Shape{10000, 10000}, dtype.Float64, ndarray.Chunked(32, 32))
	b.Run("op=ones+1.sum/chunks=97969", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			compute(b, e, x.Add(1.0).Sum())
		}
	})
	b.Run("op=window10x10/chunks=40000", func(b *testing.B) {
		y := ndarray.Ones(chunk.Shape{20000, 20000}, dtype.Float64, ndarray.Chunked(100, 100)).Add(1.0)
		b.ReportAllocs()
		for b.Loop() {
			compute(b, e, y.Index(ndarray.Span(5000, 5010), ndarray.Span(7000, 7010)))
		}
	})
}
