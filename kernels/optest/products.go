// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// products compares products of matrices with the oracle, for lengths around those that devices cut at and several axes of each kind.
func (s *suite) products(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	layouts := []layout{{}, {step: 2, lead: 3}, {turned: true}, {reverse: true}, {repeat: kernels.Axes(0)}}
	one := func(d, b, i, k, j int) *kernels.Product {
		return &kernels.Product{DType: []dtype.DType{dtype.Float32, dtype.Float64}[d], Batch: b, Rows: i, Sums: k, Cols: j}
	}
	for i, c := range []struct {
		u     [4]int
		shape chunk.Shape
	}{
		{[4]int{0, 1, 1, 1}, chunk.Shape{1, 1, 1}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{14, 5, 32}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{15, 40, 33}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{7, 256, 17}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{5, 600, 5}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{130, 3, 40}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{2, 4, 1050}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{3, 0, 4}},
		{[4]int{0, 1, 1, 1}, chunk.Shape{0, 3, 4}},
		{[4]int{1, 1, 1, 1}, chunk.Shape{3, 6, 20, 16}},
		{[4]int{2, 1, 2, 1}, chunk.Shape{2, 3, 5, 7, 9, 11}},
		{[4]int{1, 2, 2, 2}, chunk.Shape{2, 3, 5, 2, 130, 2, 3}},
		{[4]int{0, 2, 1, 2}, chunk.Shape{3, 5, 8, 5, 7}},
		{[4]int{0, 0, 1, 1}, chunk.Shape{40, 33}},
		{[4]int{0, 1, 1, 0}, chunk.Shape{33, 300}},
		{[4]int{0, 1, 0, 1}, chunk.Shape{9, 33}},
		{[4]int{0, 0, 0, 0}, chunk.Shape{}},
	} {
		for d := range 2 {
			u := one(d, c.u[0], c.u[1], c.u[2], c.u[3])
			for k := range layouts {
				rng := rand.New(rand.NewPCG(uint64(i), uint64(4*k+d)))
				s.product(t, oracle, u, c.shape, layouts[k], layouts[rng.IntN(len(layouts))], rng)
			}
		}
	}
}

// product compares one product with the oracle.
func (s *suite) product(t *testing.T, oracle kernels.Device, u *kernels.Product, shape chunk.Shape, x, y layout, rng *rand.Rand) {
	t.Helper()
	k := s.compile(t, u, u.String())
	if k == nil {
		return
	}
	o, err := oracle.Compile(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	far := make(chunk.Shape, len(shape))
	for i := range far {
		far[i] = 10_000
	}
	if n := max(k.Scratch(shape), k.Scratch(far)); n > kernels.ProductScratch {
		t.Errorf("%v over %v: %d bytes of scratch, want %d at most", u, shape, n, kernels.ProductScratch)
	}
	l := u.Split(shape)
	operand := func(at layout, parts ...[]int64) *chunk.Chunk {
		var shape chunk.Shape
		for _, p := range parts {
			shape = append(shape, p...)
		}
		if len(shape) == 0 {
			at = layout{}
		}
		return s.guards.place(u.DType, shape, at, func(int64) kernels.Const { return foldValue(rng, u.DType, rng.IntN(6)/3) })
	}
	in := []*chunk.Chunk{operand(x, l.Batch, l.Rows, l.Sums), operand(y, l.Batch, l.Sums, l.Cols)}
	var result chunk.Shape
	for _, p := range [][]int64{l.Batch, l.Rows, l.Cols} {
		result = append(result, p...)
	}
	want, out := []*chunk.Chunk{s.guards.output(u.DType, result)}, []*chunk.Chunk{s.guards.output(u.DType, result)}
	if err := o.Run(context.Background(), &kernels.Call{In: in, Out: want, Shape: shape}); err != nil {
		t.Fatal(err)
	}
	if err := s.run(k, &kernels.Call{In: in, Out: out, Shape: shape}); err != nil {
		t.Fatalf("%v over %v: %v", u, shape, err)
	}
	sameOutputs(t, fmt.Sprintf("over %v, layouts %+v and %+v", shape, x, y), u, out, want)
}
