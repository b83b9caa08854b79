// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// complexProgram is op of two complex128 whose parts are four float64 inputs; it returns both parts.
func complexProgram(t *testing.T, op OpID) *Program {
	b := NewBuilder(0)
	var in [4]Reg
	for i := range in {
		in[i] = b.Input(In(dtype.Float64))
	}
	z := b.Apply(op, b.Apply(OpComplex, in[0], in[1]), b.Apply(OpComplex, in[2], in[3]))
	b.Ret(b.Apply(OpReal, z))
	b.Ret(b.Apply(OpImag, z))
	return mustBuild(t, b)
}

// TestComplexProducts compares both parts of products and quotients with exact ones,
// near cancellation and near the ends of the range too.
func TestComplexProducts(t *testing.T) {
	const prec = 3000
	f := func(x float64) *big.Float { return new(big.Float).SetPrec(prec).SetFloat64(x) }
	n := func() *big.Float { return new(big.Float).SetPrec(prec) }
	ulps := func(got float64, want *big.Float) float64 {
		w, _ := want.Float64()
		if got == w {
			return 0
		}
		if math.IsInf(w, 0) || math.IsInf(got, 0) || math.IsNaN(got) {
			return math.Inf(1)
		}
		step := math.Max(math.Nextafter(math.Abs(w), math.Inf(1))-math.Abs(w), math.SmallestNonzeroFloat64)
		return math.Abs(got-w) / step
	}
	mul, div := complexProgram(t, OpMultiply), complexProgram(t, OpDivide)
	r := rand.New(rand.NewPCG(4, 4))
	worst := 0.0
	for i := range 4000 {
		v := [4]float64{r.NormFloat64(), r.NormFloat64(), r.NormFloat64(), r.NormFloat64()}
		scale := 0
		if i%4 == 1 { // one part of the product nearly cancels
			v[3] = v[0] * v[2] / v[1] * (1 + float64(r.IntN(8)-4)*0x1p-52)
		}
		if i%4 == 2 {
			scale = r.IntN(900) - 450
		}
		var in []Const
		for k, x := range v {
			v[k] = math.Ldexp(x, scale)
			in = append(in, mustConst(t, dtype.Float64, v[k]))
		}
		a, b, c, d := f(v[0]), f(v[1]), f(v[2]), f(v[3])
		den := n().Add(n().Mul(c, c), n().Mul(d, d))
		for _, k := range []struct {
			p      *Program
			re, im *big.Float
		}{
			{mul, n().Sub(n().Mul(a, c), n().Mul(b, d)), n().Add(n().Mul(a, d), n().Mul(b, c))},
			{div, n().Quo(n().Add(n().Mul(a, c), n().Mul(b, d)), den), n().Quo(n().Sub(n().Mul(b, c), n().Mul(a, d)), den)},
		} {
			got, err := k.p.EvalLane(in)
			if err != nil {
				t.Fatal(err)
			}
			e := math.Max(ulps(got[0].Float64(), k.re), ulps(got[1].Float64(), k.im))
			worst = math.Max(worst, e)
			if e > 4 {
				t.Fatalf("%v: got %v, %v, want %v, %v: %g ulp", v, got[0], got[1], k.re.Text('g', 20), k.im.Text('g', 20), e)
			}
		}
	}
	t.Logf("at most %g ulp", worst)
}
