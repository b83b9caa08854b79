// SPDX-License-Identifier: BSD-3-Clause

package kernels_test

import (
	"context"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// TestPowerFloat32 compares powers of float32 with those of float64: random bases and exponents of all sizes, pairs whose powers are in range, and every
// special value beside every other.
func TestPowerFloat32(t *testing.T) {
	b := kernels.NewBuilder(1)
	b.Ret(b.Apply(kernels.OpPower, b.Input(kernels.In(dtype.Float32)), b.Input(kernels.In(dtype.Float32))))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	k, err := dev.Compile(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	var x, y []float32
	special := []float32{0, 1, 2, 3, 0.5, 1.5, 1 << 22, 1<<23 + 1, 1<<24 - 1, 1 << 24, 0x1p-126, 0x1p-149, 0.99999994, 1.0000001, math.MaxFloat32,
		float32(math.Inf(1)), float32(math.NaN()), 1e30, 3e9, 1.0e-10, 0.96875, 1.0625}
	for _, u := range special {
		for _, v := range special {
			x, y = append(x, u, -u, u, -u), append(y, v, v, -v, -v)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	rounds := 4_000_000
	if testing.Short() {
		rounds /= 40
	}
	for i := range rounds {
		u, v := math.Float32frombits(r.Uint32()), math.Float32frombits(r.Uint32())
		switch i % 4 {
		case 0: // in range
			v = float32((r.Float64()*280 - 150) / math.Log2(math.Abs(float64(u))))
		case 1: // near 1, where the logarithm is short and the exponent large
			u = float32(1 + (r.Float64()-0.4)/6)
			v = float32((r.Float64()*280 - 150) / math.Log2(float64(u)))
		case 2: // whole exponents of either sign
			v = float32(r.IntN(200) - 100)
		}
		x, y = append(x, u), append(y, v)
	}
	shape := chunk.Shape{int64(len(x))}
	in := []*chunk.Chunk{heap(dtype.Float32, shape), heap(dtype.Float32, shape)}
	out := heap(dtype.Float32, shape)
	copy(chunk.Slice[float32](in[0]), x)
	copy(chunk.Slice[float32](in[1]), y)
	c := kernels.Call{Shape: shape, Origin: chunk.Shape{0}, In: in, Out: []*chunk.Chunk{out}, Scratch: mem.Wrap(make([]byte, k.Scratch(shape)))}
	if err := k.Run(context.Background(), &c); err != nil {
		t.Fatal(err)
	}
	worst := deviation{}
	at := 0
	for i, got := range chunk.Slice[float32](out) {
		want := math.Pow(float64(x[i]), float64(y[i]))
		if float64(float32(want)) == float64(got) && math.Signbit(want) == math.Signbit(float64(got)) || want != want && got != got {
			continue
		}
		if e := ulps32(got, want); !(e <= worst.ulps) {
			worst, at = deviation{e, x[i], got, want}, i
		}
	}
	t.Logf("%.3f ulp at %v**%v: got %v, want %v", worst.ulps, worst.x, y[at], worst.got, worst.want)
	if o, _ := kernels.OpByName("power"); !(worst.ulps <= o.Ulp) {
		t.Errorf("%v**%v = %v, want %v: %.2f ulp, at most %v are allowed", worst.x, y[at], worst.got, worst.want, worst.ulps, o.Ulp)
	}
}

// TestLogarithmsOfPowers asks for whole numbers as logarithms of powers of 2 and 10.
func TestLogarithmsOfPowers(t *testing.T) {
	for _, d := range []dtype.DType{dtype.Float64, dtype.Float32} {
		least, most, tens := -1074, 1023, [2]int{-307, 308}
		if d == dtype.Float32 {
			least, most, tens = -149, 127, [2]int{0, 10} // from there on powers are not exact
		}
		var x [2][]float64
		for n := least; n <= most; n++ {
			x[0] = append(x[0], math.Ldexp(1, n))
		}
		for n := tens[0]; n <= tens[1]; n++ {
			v, err := strconv.ParseFloat("1e"+strconv.Itoa(n), 64)
			if err != nil {
				t.Fatal(err)
			}
			x[1] = append(x[1], v)
		}
		for i, name := range []string{"log2", "log10"} {
			o, _ := kernels.OpByName(name)
			got := applyAs(t, d, o, x[i])
			for j, v := range x[i] {
				if want := []int{least, tens[0]}[i] + j; got[j] != float64(want) {
					t.Errorf("%s(%v) of %v = %v, want %v", name, v, d, got[j], want)
				}
			}
		}
	}
}
