// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	. "github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// TestCountErrors: what is wrong with the operands is said when the array is made.
func TestCountErrors(t *testing.T) {
	a, n := FromSlice([]float64{3, 1, 2}), FromSlice([]int64{3, 1, 2})
	z := FromSlice([]complex128{1})
	histogram := func(a Array, o BinOptions) Array { c, _ := a.Histogram(o); return c }
	two, square := FromSlice([]float64{1, 2}), FromSlice([]float64{1, 2, 3, 4}, 2, 2)
	yes := FromSlice([]bool{true, false, true})
	for name, c := range map[string]struct {
		a    Array
		want string
	}{
		"unique complex":     {z.Unique(true).Values, "unique: operand: got complex128"},
		"histogram complex":  {histogram(z, BinOptions{}), "histogram: operand: got complex128"},
		"bins":               {histogram(a, BinOptions{Bins: -1}), "bins: got -1, want 1 to"},
		"edges":              {histogram(a, BinOptions{Edges: &square}), "bins: got float64[2 2], want edges along one axis"},
		"range":              {histogram(a, BinOptions{Range: &[2]float64{2, 1}}), "range: got 2 to 1"},
		"endless range":      {histogram(a, BinOptions{Range: &[2]float64{2, math.Inf(1)}}), "range: got 2 to +Inf"},
		"weights":            {histogram(a, BinOptions{Weights: &two}), "weights: got shape [2], want [3]"},
		"truths as weights":  {histogram(a, BinOptions{Weights: &yes}), "weights: got bool, want numbers"},
		"bincount of floats": {a.BinCount(nil, 0), "bincount: operand: got float64, want integers"},
		"bincount rank":      {n.Reshape(3, 1).BinCount(nil, 0), "got shape [3 1], want one axis"},
		"minlength":          {n.BinCount(nil, -1), "minlength: got -1"},
		"bincount weights":   {n.BinCount(&two, 0), "weights: got shape [2], want [3]"},
		"complex weights":    {n.BinCount(&z, 0), "weights: got complex128"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.a.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestCountRunErrors: what only the elements tell is an error of the run.
func TestCountRunErrors(t *testing.T) {
	eng := sortEngine(t, 64<<20)
	down := FromSlice([]float64{3, 1})
	missing := FromSlice([]float64{1, math.NaN()})
	backwards, _ := down.Histogram(BinOptions{Edges: &down})
	counts, edges := missing.Histogram(BinOptions{})
	wide := FromSlice([]float32{1, math.Nextafter32(1, 2)})
	narrow, _ := wide.Histogram(BinOptions{Bins: 100})
	for name, c := range map[string]struct {
		a    Array
		want string
	}{
		"edges":    {backwards, "bins must ascend: edge 1 is below edge 0"},
		"counts":   {counts, "the range of the elements is not finite"},
		"of edges": {edges, "the range of the elements is not finite"},
		"narrow":   {narrow, "too many bins"},
		"negative": {FromSlice([]int8{1, -2}).BinCount(nil, 0), "got numbers from -2 to 1"},
		"large":    {FromSlice([]uint64{1 << 63}).BinCount(nil, 0), "got numbers from"},
	} {
		if _, err := Compute(context.Background(), eng, c.a); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

// TestUniqueBudget: the distinct elements of an array that the budget does not hold are found where they are few, and refused where they are not;
// so are counts.
func TestUniqueBudget(t *testing.T) {
	const n = 4 << 20 // 32 MiB
	r := rand.New(rand.NewPCG(3, 4))
	data := make([]float64, n)
	want := make([]int64, 50)
	for i := range data {
		k := r.IntN(len(want))
		data[i] = float64(k)
		want[k]++
	}
	a := FromSliceOn(data, chunk.Regular(chunk.Shape{n}, 1<<18)).Mul(0.5)
	eng := sortEngine(t, 24<<20)
	u := a.Unique(true)
	got, err := Values[int64](context.Background(), eng, u.Counts)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("counts of distinct elements: got %v, %v, want %v", got, err, want)
	}
	seen := int64(0)
	inverse := Output{Array: u.Inverse, Name: "inverse", Each: func(at chunk.Region, c *chunk.Chunk) error {
		v := chunk.View[int64](c)
		for i := range c.Shape[0] {
			if x := v.At(i); float64(x) != data[at.Lo[0]+i] {
				t.Fatalf("inverse %d: got %d, want %v", at.Lo[0]+i, x, data[at.Lo[0]+i])
			}
		}
		seen += c.Shape[0]
		return nil
	}}
	if err := eng.Run(context.Background(), []Output{inverse}); err != nil || seen != n {
		t.Errorf("inverse: got %d elements, %v, want %d", seen, err, n)
	}
	edges := Arange(-0.25, 25, 0.5, a.DType())
	bins, _ := a.Histogram(BinOptions{Edges: &edges})
	if got, err := Values[int64](context.Background(), eng, bins); err != nil || !slices.Equal(got, want) {
		t.Errorf("histogram: got %v, %v, want %v", got, err, want)
	}
	whole := a.Mul(2).AsType(u.Counts.DType())
	if got, err := Values[int64](context.Background(), eng, whole.BinCount(nil, 0)); err != nil || !slices.Equal(got, want) {
		t.Errorf("bincount: got %v, %v, want %v", got, err, want)
	}
	all := Arange(0, n, 1, a.DType()).Add(0.5)
	if _, err := Values[float64](context.Background(), eng, all.Unique(true).Values); !errors.Is(err, sched.ErrBudget) || !strings.Contains(err.Error(), "distinct elements") {
		t.Errorf("32 MiB of distinct elements in 24 MiB: got %v, want an error of the budget", err)
	}
}

// TestUniqueParts: the parts of one set fit each other: NaN are values of their own, in the order of their positions, and the first zero counts.
func TestUniqueParts(t *testing.T) {
	eng := sortEngine(t, 64<<20)
	a := FromSlice([]float64{2, math.NaN(), 0, math.Copysign(0, -1), math.NaN(), 2})
	u := a.Unique(false)
	list, err := eng.Resolve(context.Background(), u.Values, u.Indices, u.Inverse, u.Counts)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float64{{0, 2, math.NaN(), math.NaN()}, {2, 0, 1, 4}, {1, 2, 0, 0, 3, 1}, {2, 2, 1, 1}} {
		got, err := Values[float64](context.Background(), eng, list[i])
		if err != nil || !slices.EqualFunc(got, want, func(x, y float64) bool { return x == y || x != x && y != y }) {
			t.Errorf("result %d: got %v, %v, want %v", i, got, err, want)
		}
	}
}
