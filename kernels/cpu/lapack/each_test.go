// SPDX-License-Identifier: BSD-3-Clause

package lapack

import (
	"context"
	"errors"
	"math/cmplx"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

func newChunk(t *testing.T, pool mem.Allocator, dt dtype.DType, shape ...int64) *chunk.Chunk {
	t.Helper()
	c, err := chunk.New(pool, dt, dt.Size(), shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	return c
}

// TestEach inverts matrices that lie in memory by columns, twice: what comes back is what was there.
func TestEach(t *testing.T) {
	pool := mem.NewPool()
	rng := rand.New(rand.NewPCG(1, 2))
	for n := int64(1); n < 7; n++ {
		in, out := newChunk(t, pool, dtype.Complex128, 3, n, n), newChunk(t, pool, dtype.Complex64, 3, n, n)
		for i := range chunk.Slice[complex128](in) {
			chunk.Slice[complex128](in)[i] = complex(rng.NormFloat64(), rng.NormFloat64())
		}
		in.Strides[1], in.Strides[2] = 1, n
		at := chunk.Region{Lo: chunk.Shape{4, 0, 0}, Hi: chunk.Shape{7, n, n}}
		back := newChunk(t, pool, dtype.Complex128, 3, n, n)
		r := ComplexInverse(int(n), false)
		if err := Each(context.Background(), r, at, 2, out, []*chunk.Chunk{in}, pool); err != nil {
			t.Fatal(err)
		}
		if err := Each(context.Background(), r, at, 2, back, []*chunk.Chunk{out}, pool); err != nil {
			t.Fatal(err)
		}
		for k := range int64(3) {
			for i := range n {
				for j := range n {
					x, y := chunk.View[complex128](back).At(k, i, j), chunk.View[complex128](in).At(k, i, j)
					if cmplx.Abs(x-y) > 1e-3 {
						t.Fatalf("n=%d: element (%d, %d, %d) came back as %v, was %v", n, k, i, j, x, y)
					}
				}
			}
		}
	}
}

// TestEachNamesMatrices: an error tells the position in the array; what a silent routine finds no inverse of is NaN; dtypes that do not fit are errors.
func TestEachNamesMatrices(t *testing.T) {
	pool := mem.NewPool()
	in, out := newChunk(t, pool, dtype.Float64, 2, 3, 2, 2), newChunk(t, pool, dtype.Float64, 2, 3, 2, 2)
	for i := range chunk.Slice[float64](in) {
		chunk.Slice[float64](in)[i] = map[bool]float64{true: 1}[i%4 == 0 || i%4 == 3]
	}
	chunk.View[float64](in).Set(0, 1, 2, 0, 0)
	at := chunk.Region{Lo: chunk.Shape{10, 20, 0, 0}, Hi: chunk.Shape{12, 23, 2, 2}}
	err := Each(context.Background(), Inverse(2, false), at, 2, out, []*chunk.Chunk{in}, pool)
	if !errors.Is(err, ErrSingular) || !strings.Contains(err.Error(), "matrix (11, 22)") {
		t.Errorf("got error %v, want matrix (11, 22) is singular", err)
	}
	if err := Each(context.Background(), Inverse(2, true), at, 2, out, []*chunk.Chunk{in}, pool); err != nil {
		t.Fatal(err)
	}
	if v := chunk.View[float64](out); v.At(1, 2, 0, 0) == v.At(1, 2, 0, 0) || v.At(1, 1, 0, 0) != 1 {
		t.Errorf("got %v for a matrix without an inverse and %v for the one before, want NaN and 1", v.At(1, 2, 0, 0), v.At(1, 1, 0, 0))
	}
	if err := Each(context.Background(), ComplexInverse(2, false), at, 2, out, []*chunk.Chunk{in}, pool); !errors.Is(err, dtype.ErrPromote) {
		t.Errorf("a real operand of a complex routine: got error %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Each(ctx, Inverse(2, false), at, 2, out, []*chunk.Chunk{in}, pool); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}

// TestAllAtOnce: a call takes as much for many matrices as for few.
func TestAllAtOnce(t *testing.T) {
	pool := mem.NewPool()
	in, out := newChunk(t, pool, dtype.Float64, 500, 4, 4), newChunk(t, pool, dtype.Float64, 500, 4, 4)
	for i := range chunk.Slice[float64](in) {
		chunk.Slice[float64](in)[i] = float64(i*7%13) + map[bool]float64{true: 40}[i%5 == 0]
	}
	r := Inverse(4, false)
	at := chunk.Region{Lo: chunk.Shape{0, 0, 0}, Hi: in.Shape}
	if n := testing.AllocsPerRun(10, func() {
		if err := Each(context.Background(), r, at, 2, out, []*chunk.Chunk{in}, pool); err != nil {
			t.Fatal(err)
		}
	}); n > 30 {
		t.Errorf("%v allocations for 500 matrices, want 30 at most", n)
	}
}
