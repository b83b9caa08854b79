// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "math"

// arithOps: results have the operands' dtype; integers wrap, their division by zero gives 0.
var arithOps = []Op{
	{ID: OpAdd, Name: "add", Arity: 2, Family: "arithmetic", NumPy: "np.add(x, y)", Unit: UnitKeep, Commutes: true,
		Doc:  "x + y; on bool it is or",
		Prim: tInts | tFloat, rule: ruleAny, lower: lowerOr, cplx: complexOf(addComplex),
		eval: arith(func(a, b int64) int64 { return a + b }, func(a, b uint64) uint64 { return a + b }, func(a, b float32) float32 { return a + b }, func(a, b float64) float64 { return a + b })},
	{ID: OpSubtract, Name: "subtract", Aliases: []string{"sub"}, Arity: 2, Family: "arithmetic", NumPy: "np.subtract(x, y)", Unit: UnitKeep,
		Doc:  "x - y; bool is an error, use logical_xor",
		Prim: tInts | tFloat, rule: ruleNumber, cplx: complexOf(subComplex),
		eval: arith(func(a, b int64) int64 { return a - b }, func(a, b uint64) uint64 { return a - b }, func(a, b float32) float32 { return a - b }, func(a, b float64) float64 { return a - b })},
	{ID: OpMultiply, Name: "multiply", Aliases: []string{"mul"}, Arity: 2, Family: "arithmetic", NumPy: "np.multiply(x, y)", Unit: UnitProduct, Commutes: true,
		Doc:  "x * y; on bool it is and",
		Prim: tInts | tFloat, rule: ruleAny, lower: lowerAnd, cplx: complexOf(mulComplex),
		eval: arith(func(a, b int64) int64 { return a * b }, func(a, b uint64) uint64 { return a * b }, func(a, b float32) float32 { return a * b }, func(a, b float64) float64 { return a * b })},
	{ID: OpDivide, Name: "divide", Aliases: []string{"true_divide", "div"}, Arity: 2, Family: "arithmetic", NumPy: "np.divide(x, y)", Unit: UnitQuotient,
		Doc:  "x / y; integers and bool divide as float64",
		Prim: tFloat, rule: ruleTrueDiv, cplx: complexOf(divComplex),
		eval: arith(nil, nil, func(a, b float32) float32 { return a / b }, func(a, b float64) float64 { return a / b })},
	{ID: OpFloorDivide, Name: "floor_divide", Arity: 2, Family: "arithmetic", NumPy: "np.floor_divide(x, y)", Unit: UnitQuotient,
		Doc:  "largest whole number not above x / y; floats take the exact remainder first, so 1.0 // 0.1 is 9; an integer over 0 gives 0",
		Prim: tInts, rule: ruleRealInt8, lower: lowerFloorDivide,
		eval: arith(floorDiv, func(a, b uint64) uint64 { return orZero(b, func() uint64 { return a / b }) }, nil, nil)},
	{ID: OpRemainder, Name: "remainder", Aliases: []string{"mod"}, Arity: 2, Family: "arithmetic", NumPy: "np.remainder(x, y)", Unit: UnitFirst,
		Doc:  "x - y*floor(x / y), of y's sign; an integer over 0 gives 0, a float NaN",
		Prim: tInts, rule: ruleRealInt8, lower: lowerRemainder,
		eval: arith(floorMod, func(a, b uint64) uint64 { return orZero(b, func() uint64 { return a % b }) }, nil, nil)},
	{ID: OpFmod, Name: "fmod", Arity: 2, Family: "arithmetic", NumPy: "np.fmod(x, y)", Unit: UnitFirst,
		Doc:  "exact remainder of x / y of x's sign; an integer over 0 gives 0, a float NaN",
		Prim: tInts | tFloat, rule: ruleRealInt8,
		eval: arith(func(a, b int64) int64 { return orZero(b, func() int64 { return a % b }) },
			func(a, b uint64) uint64 { return orZero(b, func() uint64 { return a % b }) },
			func(a, b float32) float32 { return float32(math.Mod(float64(a), float64(b))) }, math.Mod)},
	{ID: OpNegative, Name: "negative", Aliases: []string{"neg"}, Arity: 1, Family: "arithmetic", NumPy: "np.negative(x)", Unit: UnitKeep,
		Doc:  "-x; the lowest integer stays; bool is an error, use logical_not",
		Prim: tInts | tFloat, rule: ruleNumber, cplx: complexOf(negComplex),
		eval: arith(func(a, _ int64) int64 { return -a }, func(a, _ uint64) uint64 { return -a }, func(a, _ float32) float32 { return -a }, func(a, _ float64) float64 { return -a })},
	{ID: OpPositive, Name: "positive", Aliases: []string{"pos"}, Arity: 1, Family: "arithmetic", NumPy: "np.positive(x)", Unit: UnitKeep,
		Doc:  "x itself; bool is an error",
		rule: ruleNumber, lower: lowerFirst, half: true, cplx: lowerFirst},
	{ID: OpAbsolute, Name: "absolute", Aliases: []string{"abs"}, Arity: 1, Family: "arithmetic", NumPy: "np.absolute(x)", Unit: UnitKeep,
		Doc:  "|x|; the lowest integer stays",
		Prim: tSigned | tFloat, rule: ruleAbs, lower: lowerFirst, cplx: realOf(absComplex),
		eval: arith(func(a, _ int64) int64 { return max(a, -a) }, nil,
			func(a, _ float32) float32 { return math.Float32frombits(math.Float32bits(a) &^ (1 << 31)) }, func(a, _ float64) float64 { return math.Abs(a) })},
	{ID: OpFabs, Name: "fabs", Arity: 1, Family: "arithmetic", NumPy: "np.fabs(x)", Unit: UnitKeep,
		Doc:  "|x| as a float",
		rule: ruleReFloat, lower: lowerFabs},
	{ID: OpSign, Name: "sign", Arity: 1, Family: "arithmetic", NumPy: "np.sign(x)", Unit: UnitOne,
		Doc:  "-1, 0 or 1; NaN for NaN",
		rule: ruleNumber, lower: lowerSign, cplx: complexOf(signComplex)},
	{ID: OpSquare, Name: "square", Arity: 1, Family: "arithmetic", NumPy: "np.square(x)", Unit: UnitSquare,
		Doc:  "x * x",
		rule: ruleInt8, lower: lowerSquare, cplx: complexOf(squareComplex)},
	{ID: OpSqrt, Name: "sqrt", Arity: 1, Family: "arithmetic", NumPy: "np.sqrt(x)", Unit: UnitRoot,
		Doc:  "square root, correctly rounded; NaN below 0",
		Prim: tFloat, rule: ruleFloat, cplx: complexOf(sqrtComplex),
		eval: arith(nil, nil, func(a, _ float32) float32 { return float32(math.Sqrt(float64(a))) }, func(a, _ float64) float64 { return math.Sqrt(a) })},
	{ID: OpReciprocal, Name: "reciprocal", Arity: 1, Family: "arithmetic", NumPy: "np.reciprocal(x)", Unit: UnitInverse,
		Doc:  "1 / x; integers give the whole part, 0 for 0",
		rule: ruleInt8, lower: lowerReciprocal, cplx: complexOf(reciprocalComplex)},
	{ID: OpPower, Name: "power", Aliases: []string{"pow"}, Arity: 2, Family: "arithmetic", NumPy: "np.power(x, y)", Unit: UnitPower, Ulp: 4,
		Doc:  "x to the power of y with IEEE 754's special cases; integers wrap, a negative power of an integer is an error",
		Prim: tInts, rule: ruleInt8, simplify: simplePower, lower: binary(pow64), lower32: binary32(pow32), eval: evalPower},
	{ID: OpFloatPower, Name: "float_power", Arity: 2, Family: "arithmetic", NumPy: "np.float_power(x, y)", Unit: UnitPower, Ulp: 4,
		Doc:  "x to the power of y in float64",
		rule: ruleWide, simplify: simplePower, lower: binary(pow64)},
	{ID: OpFma, Name: "fma", Arity: 3, Family: "arithmetic", NumPy: "x*y + z, rounded once", Unit: UnitDrop,
		Doc:  "x*y + z, rounded once; integers wrap",
		Prim: tFloat, rule: ruleNumber, lower: lowerFma, half: true, eval: evalFma},
	{ID: OpHypot, Name: "hypot", Arity: 2, Family: "arithmetic", NumPy: "np.hypot(x, y)", Unit: UnitKeep, Ulp: 4, Commutes: true,
		Doc:  "sqrt(x*x + y*y) without overflow on the way; infinite where one side is",
		rule: ruleReFloat, lower: binary(hypot64), lower32: binary32(hypot32)},
	{ID: OpMinimum, Name: "minimum", Arity: 2, Family: "arithmetic", NumPy: "np.minimum(x, y)", Unit: UnitKeep,
		Doc:  "x < y or x is NaN ? x : y; so NaN where one side is",
		Prim: tInts | tFloat, rule: ruleReal, lower: lowerAnd,
		eval: arith(func(a, b int64) int64 { return min(a, b) }, func(a, b uint64) uint64 { return min(a, b) }, minimum[float32], minimum[float64])},
	{ID: OpMaximum, Name: "maximum", Arity: 2, Family: "arithmetic", NumPy: "np.maximum(x, y)", Unit: UnitKeep,
		Doc:  "x > y or x is NaN ? x : y; so NaN where one side is",
		Prim: tInts | tFloat, rule: ruleReal, lower: lowerOr,
		eval: arith(func(a, b int64) int64 { return max(a, b) }, func(a, b uint64) uint64 { return max(a, b) }, maximum[float32], maximum[float64])},
	{ID: OpFmin, Name: "fmin", Arity: 2, Family: "arithmetic", NumPy: "np.fmin(x, y)", Unit: UnitKeep,
		Doc:  "the smaller; NaN only where both are",
		rule: ruleReal, lower: lowerFmin},
	{ID: OpFmax, Name: "fmax", Arity: 2, Family: "arithmetic", NumPy: "np.fmax(x, y)", Unit: UnitKeep,
		Doc:  "the larger; NaN only where both are",
		rule: ruleReal, lower: lowerFmax},
	{ID: OpClip, Name: "clip", Arity: 3, Family: "arithmetic", NumPy: "np.clip(x, lo, hi)", Unit: UnitKeep,
		Doc:  "minimum(maximum(x, lo), hi); NaN where one is",
		rule: ruleReal, lower: lowerClip},
	{ID: OpHeaviside, Name: "heaviside", Arity: 2, Family: "arithmetic", NumPy: "np.heaviside(x, y)", Unit: UnitOne,
		Doc:  "0 below 0, 1 above, y at 0, NaN for NaN",
		rule: ruleReFloat, lower: lowerHeaviside},
	{ID: OpGcd, Name: "gcd", Arity: 2, Family: "arithmetic", NumPy: "np.gcd(x, y)", Unit: UnitDrop, Commutes: true,
		Doc:  "greatest common divisor of |x| and |y|; gcd(0, y) is |y|",
		Prim: tInts, rule: ruleInts,
		eval: arith(func(a, b int64) int64 { return int64(gcd(absBits(a), absBits(b))) }, gcd, nil, nil)},
	{ID: OpLcm, Name: "lcm", Arity: 2, Family: "arithmetic", NumPy: "np.lcm(x, y)", Unit: UnitDrop, Commutes: true,
		Doc:  "lowest common multiple of |x| and |y|, wrapping; 0 where one is 0",
		Prim: tInts, rule: ruleInts,
		eval: arith(func(a, b int64) int64 { return int64(lcm(absBits(a), absBits(b))) }, lcm, nil, nil)},
}

// orZero returns f(), or 0 for a zero divisor.
func orZero[T int64 | uint64](b T, f func() T) T {
	if b == 0 {
		return 0
	}
	return f()
}

func floorDiv(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	q := a / b
	if q*b != a && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	m := a % b
	if m != 0 && (m < 0) != (b < 0) {
		m += b
	}
	return m
}

func minimum[T float32 | float64](a, b T) T {
	if a < b || a != a {
		return a
	}
	return b
}

func maximum[T float32 | float64](a, b T) T {
	if a > b || a != a {
		return a
	}
	return b
}

func absBits(a int64) uint64 {
	if a < 0 {
		return -uint64(a)
	}
	return uint64(a)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func lcm(a, b uint64) uint64 {
	g := gcd(a, b)
	if g == 0 {
		return 0
	}
	return a / g * b
}
