// SPDX-License-Identifier: BSD-3-Clause

package kernels

// specialOps: functions of distributions, which NumPy lacks and SciPy has. Integers compute as the float of their size; shorter floats compute in float64 and round once.
var specialOps = []Op{
	{ID: OpNdtri, Name: "ndtri", Arity: 1, Family: "special", NumPy: "scipy.special.ndtri(x)", Unit: UnitOne, Ulp: 4,
		Doc:  "the number that a standard normal one is below with probability x; -inf at 0, inf at 1, NaN outside",
		rule: ruleReFloat, lower: unary(ndtri64), via64: true},
}
