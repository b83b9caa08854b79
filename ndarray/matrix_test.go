// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// einsumOf is the definition of Einsum for two operands whose axes have letters.
func einsumOf(left, right, result string, size map[rune]int64, x, y []complex128) []complex128 {
	all := []rune(result)
	for _, l := range left + right {
		if !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	place := func(of string, at map[rune]int64) (n int64) {
		for _, l := range of {
			n = n*size[l] + at[l]
		}
		return n
	}
	n := int64(1)
	for _, l := range result {
		n *= size[l]
	}
	out := make([]complex128, n)
	at := map[rune]int64{}
	var walk func(k int)
	walk = func(k int) {
		if k == len(all) {
			out[place(result, at)] += x[place(left, at)] * y[place(right, at)]
			return
		}
		for i := range size[all[k]] {
			at[all[k]] = i
			walk(k + 1)
		}
	}
	walk(0)
	return out
}

// TestProductsOfMatrices compares sums of products of small whole numbers, which are exact in every dtype, with their definition: for any order of
// axes, several axes of each kind, sums long enough to be cut, chunks of any length.
func TestProductsOfMatrices(t *testing.T) {
	eng := newEngine(t)
	r := rand.New(rand.NewPCG(1, 8))
	for n, form := range []string{
		"ik,kj->ij", "ki,kj->ij", "ik,jk->ji", "bik,bkj->bij", "bik,kj->bij", "ik,bkj->bij", "bik,bkj->ibj", "aibk,bkja->jbia",
		"ikl,lkj->ij", "kil,jlk->ji", "ik,kj->ij", "klmi,jklm->ij", "ik,k->i", "ihk,kgj->gihj", "ikl,kj->ij",
	} {
		left, rest, _ := strings.Cut(form, ",")
		right, result, _ := strings.Cut(rest, "->")
		size := map[rune]int64{}
		for _, l := range form {
			size[l] = 2 + r.Int64N(6)
		}
		size['i'], size['j'], size['k'] = 4+r.Int64N(30), 4+r.Int64N(40), 30+r.Int64N(80)
		switch {
		case n == 10 || n == 11:
			size['i'], size['j'] = 5, 6
			size['k'] = map[int]int64{10: 9001, 11: 37}[n]
			size['l'], size['m'] = 31, 17
		case n > 6:
			size['k'] = 2 + r.Int64N(30)
		}
		for k, d := range []dtype.DType{dtype.Float32, dtype.Float64, dtype.Complex64, dtype.Complex128, dtype.Float16} {
			operand := func(axes string) (ndarray.Array, []complex128) {
				shape, steps := chunk.Shape{}, []int64{}
				for _, l := range axes {
					shape = append(shape, size[l])
					steps = append(steps, 1+r.Int64N(max(size[l], 1)))
				}
				re, im := make([]float64, shape.Size()), make([]float64, shape.Size())
				z := make([]complex128, len(re))
				for i := range re {
					re[i] = float64(r.IntN(3) - 1)
					if d.IsComplex() {
						im[i] = float64(r.IntN(3) - 1)
					}
					z[i] = complex(re[i], im[i])
				}
				a := ndarray.FromSlice(re, shape...).Rechunk(steps...)
				if d.IsComplex() {
					a = ndarray.Apply("complex", a, ndarray.FromSlice(im, shape...).Rechunk(steps...))
				}
				return a.AsType(d), z
			}
			x, xs := operand(left)
			y, ys := operand(right)
			p := ndarray.Einsum(form, x, y)
			if p.DType() != d {
				t.Errorf("%s of %v: got %v", form, d, p.DType())
			}
			got, err := ndarray.Values[complex128](context.Background(), eng, p.AsType(dtype.Complex128))
			if err != nil {
				t.Fatalf("%s of %v, sizes %v: %v", form, d, size, err)
			}
			if want := einsumOf(left, right, result, size, xs, ys); !slices.Equal(got, want) {
				t.Errorf("%s of %v, sizes %v, case %d: other values", form, d, size, k)
			}
		}
	}
}

// TestPowersOfMatrices squares a permutation again and again: each product is computed once, in a small budget.
func TestPowersOfMatrices(t *testing.T) {
	eng, err := sched.New(sched.Options{Memory: 32 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	const n, times = 17, 20 // 17 is prime: powers of one cycle are cycles
	x, want := make([]float64, n*n), make([]float64, n*n)
	step := 1
	for range times {
		step = step * 2 % n
	}
	for i := range n {
		x[i*n+(i+1)%n] = 1
		want[i*n+(i+step)%n] = 1
	}
	a := ndarray.FromSlice(x, n, n)
	for range times {
		a = ndarray.MatMul(a, a)
	}
	got, err := ndarray.Values[float64](context.Background(), eng, a)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Error("other values")
	}
}

// TestProductsKeepBits computes products with sums that are cut in several budgets, with one worker and with several, from operands in other
// chunks: the bits are the same.
func TestProductsKeepBits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 8))
	x, y := make([]float32, 150*9000), make([]float32, 9000*170)
	for _, v := range [][]float32{x, y} {
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
	}
	var want []float32
	for i, o := range []sched.Options{{}, {Memory: 24 << 20, Workers: 1}, {Memory: 40 << 20, Workers: 3}} {
		t.Run(fmt.Sprintf("%d MiB", o.Memory>>20), func(t *testing.T) {
			eng, err := sched.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer eng.Close()
			a := ndarray.FromSlice(x, 150, 9000).Rechunk(int64(150-40*i), int64(9000/(1+2*i)))
			b := ndarray.FromSlice(y, 9000, 170).Rechunk(int64(9000/(1+i)), int64(170-50*i))
			got, err := ndarray.Values[float32](context.Background(), eng, ndarray.MatMul(a, b))
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = got
			}
			if !slices.Equal(got, want) {
				t.Error("other bits")
			}
		})
	}
}
