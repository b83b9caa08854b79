// SPDX-License-Identifier: BSD-3-Clause

package kernels_test

import (
	"context"
	"math"
	"os"
	"runtime"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// references are Go's functions in float64: right to a float64 ulp or two, far closer than a float32 can tell.
var references = map[string]func(float64) float64{
	"exp": math.Exp, "exp2": math.Exp2, "expm1": math.Expm1, "log": math.Log, "log2": log2, "log10": math.Log10, "log1p": math.Log1p, "cbrt": math.Cbrt,
	"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "arcsin": math.Asin, "arccos": math.Acos, "arctan": math.Atan,
	"sinh": math.Sinh, "cosh": math.Cosh, "tanh": math.Tanh, "arcsinh": math.Asinh, "arccosh": math.Acosh, "arctanh": math.Atanh,
	"deg2rad": func(x float64) float64 { return x * (math.Pi / 180) }, "rad2deg": func(x float64) float64 { return x * (180 / math.Pi) },
	"sqrt": math.Sqrt, "reciprocal": func(x float64) float64 { return 1 / x },
}

// log2 is math.Log2 where that loses nothing: near 1 its sum of two parts cancels.
func log2(x float64) float64 {
	if x > 0.5 && x < 2 {
		return math.Log1p(x-1) / math.Ln2
	}
	return math.Log2(x)
}

// longEnv asks for tests that take minutes.
const longEnv = "ARRAYRUN_LONG"

// TestFloat32 compares the functions of one float32 with references: on every float32 when ARRAYRUN_LONG is set (to a name or to
// "all"), else on one in 1009. The same functions of float64, which other tests compare with mpmath, choose what is compared.
func TestFloat32(t *testing.T) {
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	long := os.Getenv(longEnv)
	for _, o := range kernels.AllOps() {
		ref := references[o.Name]
		if ref == nil {
			continue
		}
		step := uint64(1009)
		if testing.Short() {
			step *= 31
		}
		if long == "all" || long == o.Name {
			step = 1
		}
		t.Run(o.Name, func(t *testing.T) {
			worst := sweep32(t, dev, o, ref, step)
			t.Logf("%.3f ulp at %v (%#08x): got %v, want %v", worst.ulps, worst.x, math.Float32bits(worst.x), worst.got, worst.want)
			if !(worst.ulps <= max(o.Ulp, 0.5)) {
				t.Errorf("%s(%v) = %v, want %v: %.2f ulp, at most %v are allowed", o.Name, worst.x, worst.got, worst.want, worst.ulps, o.Ulp)
			}
		})
	}
}

// deviation is how far a result is off.
type deviation struct {
	ulps   float64
	x, got float32
	want   float64
}

// sweep32 returns the worst result of o over every step-th float32.
func sweep32(t *testing.T, dev kernels.Device, o *kernels.Op, ref func(float64) float64, step uint64) deviation {
	t.Helper()
	b := kernels.NewBuilder(1)
	x := b.Input(kernels.In(dtype.Float32))
	b.Ret(b.Apply(o.ID, x))
	b.Ret(b.Apply(o.ID, b.Cast(x, dtype.Float64))) // tells which results may be the worst
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	k, err := dev.Compile(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	const n = 1 << 14
	workers := uint64(runtime.GOMAXPROCS(0))
	worst := make([]deviation, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			shape := chunk.Shape{n}
			in, out, near := heap(dtype.Float32, shape), heap(dtype.Float32, shape), heap(dtype.Float64, shape)
			c := kernels.Call{Shape: shape, Origin: chunk.Shape{0}, In: []*chunk.Chunk{in}, Out: []*chunk.Chunk{out, near}, Scratch: mem.Wrap(make([]byte, k.Scratch(shape)+64))}
			x, y, z := chunk.Slice[float32](in), chunk.Slice[float32](out), chunk.Slice[float64](near)
			for at := w * n * step; at < 1<<32; at += workers * n * step {
				for i := range x {
					x[i] = math.Float32frombits(uint32(at + uint64(i)*step))
				}
				if err := k.Run(context.Background(), &c); err != nil {
					t.Error(err)
					return
				}
				for i, v := range x {
					// What is closer to the function of float64 than the worst so far is passed over, but for one in 64.
					if e := ulps32(y[i], z[i]); i%64 != 0 && e+0.01 < worst[w].ulps {
						continue
					}
					want := ref(float64(v))
					if float64(float32(want)) == float64(y[i]) || want != want && y[i] != y[i] {
						continue
					}
					if e := ulps32(y[i], want); !(e <= worst[w].ulps) {
						worst[w] = deviation{e, v, y[i], want}
					}
				}
			}
		})
	}
	wg.Wait()
	for _, d := range worst[1:] {
		if !(d.ulps <= worst[0].ulps) {
			worst[0] = d
		}
	}
	return worst[0]
}

func heap(d dtype.DType, shape chunk.Shape) *chunk.Chunk {
	return &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape, Strides: []int64{1}, Block: mem.Wrap(make([]byte, int64(d.Size())*shape.Size()))}
}

// ulps32 is the distance of a float32 from a real number in units of the last place there; infinite for NaN in place of a
// number, and the other way round.
func ulps32(got float32, want float64) float64 {
	g := float64(got)
	if (g != g) != (want != want) {
		return math.Inf(1)
	}
	const last = math.MaxFloat32 + 0x1p103 // what rounds to infinity
	if math.IsInf(g, 0) {
		g = math.Copysign(last, g)
	}
	if math.Abs(want) > last {
		want = math.Copysign(last, want)
	}
	e := int(math.Float64bits(want)>>52&0x7ff) - 1022 // as math.Frexp has it; of numbers below all of float32 too
	return math.Abs(g-want) * math.Float64frombits(uint64(1023-max(e-24, -149))<<52)
}
