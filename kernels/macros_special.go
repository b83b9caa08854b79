// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// The rational functions of ndtri64, constants first: in (p-1/2)^2 near the middle, in sqrt(-log(p)) less 1.6 in the tails and less 5 far out in them.
// Source: Wichura (1988), Algorithm AS 241: the percentage points of the normal distribution, Applied Statistics 37, PPND16, doi:10.2307/2347330.
var (
	ndtriMiddle = [2][]float64{
		{3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4,
			4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3},
		{1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3,
			2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}}
	ndtriTail = [2][]float64{
		{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
			1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4},
		{1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
			1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}}
	ndtriFar = [2][]float64{
		{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
			2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7},
		{1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
			7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}}
)

// ndtri64 is in the middle, 0.425 on both sides of 1/2, a rational function times p-1/2, and in the tails one of the root of a logarithm; far ones are rare and computed apart.
func ndtri64(m mb, p Reg) Reg {
	q := m.sub(p, m.c(0.5))
	middle := m.le(m.abs(q), m.c(0.425))
	near := m.fma(m.neg(q), q, m.c(0.425*0.425))
	root := m.tailRoot(p, q)
	tail := m.sub(root, m.c(1.6))
	num := m.sel(middle, m.mul(q, m.poly(near, ndtriMiddle[0]...)), m.poly(tail, ndtriTail[0]...))
	den := m.sel(middle, m.poly(near, ndtriMiddle[1]...), m.poly(tail, ndtriTail[1]...))
	z := m.div(num, den)
	z = m.sel(middle, z, m.withSign(z, m.signOf(q)))
	return m.cold(m.lt(m.c(5), root), z, p, m.ndtriFarProgram())
}

// tailRoot is sqrt(-log(p)), of 1-p above 1/2, where it is exact.
func (m mb) tailRoot(p, q Reg) Reg {
	return m.sqrt(m.neg(log64(m, m.sel(m.lt(q, m.c(0)), p, m.sub(m.c(1), p)))))
}

// ndtriSlow is the program of the far tails, made once.
var ndtriSlow struct {
	once sync.Once
	p    *Program
	err  error
}

// ndtriFarProgram returns ndtri where the root is above 5: p or 1-p below 2e-11.
func (m mb) ndtriFarProgram() *Program {
	ndtriSlow.once.Do(func() {
		s := mb{NewBuilder(0)}
		p := s.Input(In(dtype.Float64))
		q := s.sub(p, s.c(0.5))
		root := s.tailRoot(p, q)
		r := s.sub(root, s.c(5))
		z := s.div(s.poly(r, ndtriFar[0]...), s.poly(r, ndtriFar[1]...))
		s.Ret(s.withSign(s.sel(s.lt(root, s.c(math.Inf(1))), z, root), s.signOf(q)))
		ndtriSlow.p, ndtriSlow.err = s.Build()
	})
	if ndtriSlow.err != nil {
		m.fail(ndtriSlow.err)
	}
	return ndtriSlow.p
}
