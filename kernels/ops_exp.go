// SPDX-License-Identifier: BSD-3-Clause

package kernels

// expOps: exponentials and logarithms. Integers compute as the float of their size; shorter floats
// compute in float64 and round once, or have a form of their own in float32.
var expOps = []Op{
	{ID: OpExp, Name: "exp", Arity: 1, Family: "exponential", NumPy: "np.exp(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "e to the power of x",
		rule: ruleFloat, lower: unary(exp64), lower32: unary32(exp32), cplx: complexOf(expComplex)},
	{ID: OpExp2, Name: "exp2", Arity: 1, Family: "exponential", NumPy: "np.exp2(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "2 to the power of x",
		rule: ruleFloat, lower: unary(exp2of64), lower32: unary32(exp2of32)},
	{ID: OpExpm1, Name: "expm1", Arity: 1, Family: "exponential", NumPy: "np.expm1(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "exp(x) - 1, exact near 0",
		rule: ruleFloat, lower: unary(expm1of64), lower32: unary32(expm1of32)},
	{ID: OpLog, Name: "log", Arity: 1, Family: "exponential", NumPy: "np.log(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "natural logarithm; -inf at 0, NaN below",
		rule: ruleFloat, lower: unary(log64), lower32: unary32(log32), cplx: complexOf(logComplex)},
	{ID: OpLog2, Name: "log2", Arity: 1, Family: "exponential", NumPy: "np.log2(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "logarithm to base 2; -inf at 0, NaN below",
		rule: ruleFloat, lower: unary(log2of64), lower32: unary32(log2of32)},
	{ID: OpLog10, Name: "log10", Arity: 1, Family: "exponential", NumPy: "np.log10(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "logarithm to base 10; -inf at 0, NaN below",
		rule: ruleFloat, lower: unary(log10of64), lower32: unary32(log10of32)},
	{ID: OpLog1p, Name: "log1p", Arity: 1, Family: "exponential", NumPy: "np.log1p(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "log(1 + x), exact near 0; -inf at -1, NaN below",
		rule: ruleFloat, lower: unary(log1pOf64), lower32: unary32(log1pOf32)},
	{ID: OpLogaddexp, Name: "logaddexp", Arity: 2, Family: "exponential", NumPy: "np.logaddexp(x, y)", Unit: UnitOne, Ulp: 4, Commutes: true,
		Doc:  "log(exp(x) + exp(y)) without overflow; where the sum of the exponentials is near 1 only the absolute error is small",
		rule: ruleReFloat, lower: binary(logaddexp64), via64: true},
	{ID: OpLogaddexp2, Name: "logaddexp2", Arity: 2, Family: "exponential", NumPy: "np.logaddexp2(x, y)", Unit: UnitOne, Ulp: 4, Commutes: true,
		Doc:  "log2(2**x + 2**y) without overflow; where the sum of the powers is near 1 only the absolute error is small",
		rule: ruleReFloat, lower: binary(logaddexp2of64), via64: true},
	{ID: OpCbrt, Name: "cbrt", Arity: 1, Family: "exponential", NumPy: "np.cbrt(x)", Unit: UnitDrop, Ulp: 4,
		Doc:  "cube root, of x's sign",
		rule: ruleReFloat, lower: unary(cbrt64), lower32: unary32(cbrt32)},
}
