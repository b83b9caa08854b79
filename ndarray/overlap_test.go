// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// beyond is what stands at position i of an axis of n elements, from the pictures of the boundaries: -1 is the constant.
func beyond(b ndarray.Boundary, i, n int) int {
	for i < 0 || i >= n {
		switch b {
		case ndarray.Constant:
			return -1
		case ndarray.Edge:
			i = min(max(i, 0), n-1)
		case ndarray.Periodic:
			i += map[bool]int{true: n, false: -n}[i < 0]
		case ndarray.Mirror:
			if n == 1 {
				return 0
			}
			if i < 0 {
				i = -i
			} else {
				i = 2*(n-1) - i
			}
		default:
			if i < 0 {
				i = -1 - i
			} else {
				i = 2*n - 1 - i
			}
		}
	}
	return i
}

// TestMapOverlapBoundaries compares the whole halo, as functions of chunks see it, with the pictures of the boundaries: for every boundary,
// depths up to several times the array, several chunks and two operands.
func TestMapOverlapBoundaries(t *testing.T) {
	eng := newEngine(t)
	r := rand.New(rand.NewPCG(4, 5))
	for n := range 120 {
		b := ndarray.Boundary(n % 5)
		shape := chunk.Shape{1 + r.Int64N(6), 1 + r.Int64N(7)}
		dy, dx := r.Int64N(9), r.Int64N(4)
		x := make([]int32, shape.Size())
		for i := range x {
			x[i] = int32(i + 1)
		}
		y := make([]float64, shape.Size())
		for i := range y {
			y[i] = float64(-i)
		}
		steps := []int64{1 + r.Int64N(3), 1 + r.Int64N(4)}
		u := ndarray.NewVariable("u", ndarray.FromSlice(x, shape...).Rechunk(steps...), []string{"y", "x"}, nil)
		w := ndarray.NewVariable("w", ndarray.FromSlice(y, shape...).Rechunk(3, 3), []string{"y", "x"}, nil)
		f := ndarray.ChunkFunc{
			Name: "weigh the halo", DType: dtype.Float64, Depth: ndarray.Depth{"y": dy, "x": dx}, Boundary: b, Fill: 77,
			Run: func(_ context.Context, at chunk.Region, out *chunk.Chunk, in []*chunk.Chunk) error {
				s, q, d := chunk.View[int32](in[0]), chunk.View[float64](in[1]), chunk.View[float64](out)
				if want := (chunk.Shape{out.Shape[0] + 2*dy, out.Shape[1] + 2*dx}); !in[0].Shape.Equal(want) || !in[1].Shape.Equal(want) {
					return errors.New("the halo has other lengths")
				}
				for i := range out.Shape[0] {
					for j := range out.Shape[1] {
						sum := 0.0
						for k := range 2*dy + 1 {
							for l := range 2*dx + 1 {
								sum += float64(k*3+l+1) * (float64(s.At(i+k, j+l)) + q.At(i+k, j+l)/8)
							}
						}
						d.Set(sum, i, j)
					}
				}
				return nil
			},
		}
		got := floats(t, eng, ndarray.MapOverlap(f, u, w).Array())
		for p := range got {
			i, j := p/int(shape[1]), p%int(shape[1])
			want := 0.0
			for k := range int(2*dy + 1) {
				for l := range int(2*dx + 1) {
					a, c := beyond(b, i+k-int(dy), int(shape[0])), beyond(b, j+l-int(dx), int(shape[1]))
					v := 77 + 77.0/8
					if a >= 0 && c >= 0 {
						at := a*int(shape[1]) + c
						v = float64(x[at]) + y[at]/8
					}
					want += float64(k*3+l+1) * v
				}
			}
			if got[p] != want {
				t.Fatalf("boundary %d of %v in chunks of %v, depth (%d, %d): element (%d, %d) is %v, want %v", b, shape, steps, dy, dx, i, j, got[p], want)
			}
		}
	}
}

func TestMapOverlapErrors(t *testing.T) {
	eng := newEngine(t)
	v := ndarray.NewVariable("v", ndarray.FromSlice(make([]int16, 12), 3, 4), []string{"y", "x"}, nil)
	run := func(context.Context, chunk.Region, *chunk.Chunk, []*chunk.Chunk) error {
		return errors.New("no reason")
	}
	for _, c := range []struct {
		f    ndarray.ChunkFunc
		in   []ndarray.Variable
		want string
	}{
		{ndarray.ChunkFunc{Name: "f", DType: dtype.Int16, Run: run}, nil, "one variable at least"},
		{ndarray.ChunkFunc{DType: dtype.Int16, Run: run}, []ndarray.Variable{v}, "want Name and Run set"},
		{ndarray.ChunkFunc{Name: "f", DType: dtype.Int16, Run: run, Depth: ndarray.Depth{"z": 1}}, []ndarray.Variable{v}, `no dimension "z"`},
		{ndarray.ChunkFunc{Name: "f", DType: dtype.Int16, Run: run, Depth: ndarray.Depth{"x": -1}}, []ndarray.Variable{v}, "got -1, want 0 or more"},
		{ndarray.ChunkFunc{Name: "f", DType: dtype.Int16, Run: run, Fill: 0.5}, []ndarray.Variable{v}, "fill"},
		{ndarray.ChunkFunc{Name: "f", DType: dtype.Int16, Run: run}, []ndarray.Variable{v, v.Transpose("x", "y")}, "transpose it"},
		{ndarray.ChunkFunc{Name: "f", Run: run}, []ndarray.Variable{v}, "not a dtype"},
		{ndarray.ChunkFunc{Name: "f", DType: dtype.Int16, Run: run}, []ndarray.Variable{v}, "no reason"},
	} {
		out := ndarray.MapOverlap(c.f, c.in...)
		err := out.Err()
		if err == nil {
			_, err = ndarray.Values[int16](context.Background(), eng, out.Array())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || c.want == "no reason" && !strings.Contains(err.Error(), `"f"`) {
			t.Errorf("%+v of %d variables: got %v, want an error with %q", c.f.Name, len(c.in), err, c.want)
		}
	}
	empty := ndarray.NewVariable("v", ndarray.FromSlice([]int16{}, 0, 4), []string{"y", "x"}, nil)
	out := ndarray.MapOverlap(ndarray.ChunkFunc{Name: "f", DType: dtype.Int16, Depth: ndarray.Depth{"y": 2}, Boundary: ndarray.Periodic, Run: run}, empty)
	if x, err := ndarray.Values[int16](context.Background(), eng, out.Array()); err != nil || len(x) != 0 {
		t.Errorf("of no elements: got %v, %v", slices.Clip(x), err)
	}
}
