// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// TestComplexSumsAreTwo compares sums and means of complex numbers with ref's of the real and of the imaginary parts, which lie two apart:
// addition has no other order.
func TestComplexSumsAreTwo(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	devices := executors(t)
	for _, c := range []struct {
		shape chunk.Shape
		axes  kernels.AxisSet
	}{
		{chunk.Shape{9000}, kernels.Axes(0)}, {chunk.Shape{5, 700}, kernels.Axes(1)}, {chunk.Shape{3, 61}, kernels.Axes(1)}, {chunk.Shape{61, 8}, kernels.Axes(1)},
		{chunk.Shape{300, 71}, kernels.Axes(0)}, {chunk.Shape{9, 3}, kernels.Axes(0)}, {chunk.Shape{3, 23, 40}, kernels.Axes(1)}, {chunk.Shape{7, 5, 90}, kernels.Axes(0, 2)},
	} {
		for _, name := range []string{"sum", "mean"} {
			red, _ := kernels.ReductionByName(name)
			for _, d := range []dtype.DType{dtype.Complex64, dtype.Complex128} {
				r := rand.New(rand.NewPCG(uint64(c.shape[0]), uint64(d)))
				part := dtype.Float64
				if d == dtype.Complex64 {
					part = dtype.Float32
				}
				x := view(r, d, c.shape, false)
				raw := x.Block.Bytes()
				for i := 0; i < len(raw); i += part.Size() { // of all sizes, zeros of both signs among them
					v := math.Copysign(math.Ldexp(r.Float64(), r.IntN(40)), float64(r.IntN(2))-0.5)
					if r.IntN(9) == 0 {
						v *= 0
					}
					put(raw[i:], part, v)
				}
				build := func(d dtype.DType) *kernels.Program {
					b := kernels.NewBuilder(len(c.shape))
					b.Fold(kernels.Fold{Op: red.ID, Args: []kernels.Reg{b.Input(kernels.In(d))}, Axes: c.axes, Group: -1})
					p, err := b.Build()
					if err != nil {
						t.Fatal(err)
					}
					return p
				}
				halves := build(part)
				var want [2][]*chunk.Chunk
				for k := range want {
					y := *x
					y.DType, y.ItemBytes, y.Offset, y.Strides = part, int32(part.Size()), 2*x.Offset+int64(k), slices.Clone(x.Strides)
					for i := range y.Strides {
						y.Strides[i] *= 2
					}
					want[k] = foldStates(halves, c.shape, c.axes)
					if err := run(oracle, halves, kernels.Call{In: []*chunk.Chunk{&y}, Out: want[k], Shape: c.shape, Origin: make(chunk.Shape, len(c.shape))}); err != nil {
						t.Fatal(err)
					}
				}
				p := build(d)
				for _, dev := range devices {
					got := foldStates(p, c.shape, c.axes)
					if err := run(dev, p, kernels.Call{In: []*chunk.Chunk{x}, Out: got, Shape: c.shape, Origin: make(chunk.Shape, len(c.shape))}); err != nil {
						t.Fatal(err)
					}
					for i, z := range chunk.Slice[complex128](got[0]) {
						re, im := chunk.Slice[float64](want[0][0])[i], chunk.Slice[float64](want[1][0])[i]
						if math.Float64bits(real(z)) != math.Float64bits(re) || math.Float64bits(imag(z)) != math.Float64bits(im) {
							t.Fatalf("%s: %s(%v) over axes %b of %v: element %d is %v, want %v", dev.Name(), name, d, c.axes, c.shape, i, z, complex(re, im))
						}
					}
				}
			}
		}
	}
}

// TestComplexProductsAlike compares the executors on products of complex numbers, along runs and by columns: ref folds none.
func TestComplexProductsAlike(t *testing.T) {
	devices := executors(t)
	red, _ := kernels.ReductionByName("prod")
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 3))
		d := dtype.Complex64 + dtype.DType(seed%2)
		shape := []chunk.Shape{{1 + r.Int64N(9000)}, {1 + r.Int64N(9), 1 + r.Int64N(600)}, {1 + r.Int64N(600), 1 + r.Int64N(70)}}[r.IntN(3)]
		axes := kernels.Axes(r.IntN(len(shape)))
		b := kernels.NewBuilder(len(shape))
		b.Fold(kernels.Fold{Op: red.ID, Args: []kernels.Reg{b.Input(kernels.In(d))}, Axes: axes, Group: -1})
		p, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		x := view(r, d, shape, false)
		part := map[dtype.DType]dtype.DType{dtype.Complex64: dtype.Float32, dtype.Complex128: dtype.Float64}[d]
		raw := x.Block.Bytes()
		for i := 0; i < len(raw); i += part.Size() {
			put(raw[i:], part, 1.6*r.Float64()-0.8)
		}
		var want []*chunk.Chunk
		for _, dev := range devices {
			got := foldStates(p, shape, axes)
			if err := run(dev, p, kernels.Call{In: []*chunk.Chunk{x}, Out: got, Shape: shape, Origin: make(chunk.Shape, len(shape))}); err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			same(t, fmt.Sprintf("%s: prod(%v) over axes %b of %v, seed %d", dev.Name(), d, axes, shape, seed), got[0], want[0])
		}
	}
}

// put writes a value of a float dtype.
func put(b []byte, d dtype.DType, v float64) {
	bits := math.Float64bits(v)
	if d == dtype.Float32 {
		bits = uint64(math.Float32bits(float32(v)))
	}
	for i := range d.Size() {
		b[i] = byte(bits >> (8 * i))
	}
}
