// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "math"

// roundOps: whole numbers near x. Integers are returned as they are (rint makes them floats).
var roundOps = []Op{
	{ID: OpFloor, Name: "floor", Arity: 1, Family: "rounding", NumPy: "np.floor(x)", Unit: UnitKeep,
		Doc:  "largest whole number not above x; integers and bool stay",
		Prim: tFloat, rule: ruleAny, lower: lowerFirst, eval: roundEval(math.Floor)},
	{ID: OpCeil, Name: "ceil", Arity: 1, Family: "rounding", NumPy: "np.ceil(x)", Unit: UnitKeep,
		Doc:  "smallest whole number not below x; integers and bool stay",
		Prim: tFloat, rule: ruleAny, lower: lowerFirst, eval: roundEval(math.Ceil)},
	{ID: OpTrunc, Name: "trunc", Aliases: []string{"fix"}, Arity: 1, Family: "rounding", NumPy: "np.trunc(x)", Unit: UnitKeep,
		Doc:  "x without its fraction; integers and bool stay",
		Prim: tFloat, rule: ruleAny, lower: lowerFirst, eval: roundEval(math.Trunc)},
	{ID: OpRint, Name: "rint", Arity: 1, Family: "rounding", NumPy: "np.rint(x)", Unit: UnitKeep,
		Doc:  "nearest whole number, ties to even, as a float",
		Prim: tFloat, rule: ruleFloat, eval: roundEval(math.RoundToEven)},
	{ID: OpRound, Name: "round", Aliases: []string{"around"}, Arity: 1, Family: "rounding", NumPy: "np.round(x)", Unit: UnitKeep,
		Doc:  "nearest whole number, ties to even; integers stay",
		rule: ruleRound, lower: lowerRound},
}

func roundEval(f func(float64) float64) evaluator {
	return arith(nil, nil, func(a, _ float32) float32 { return float32(f(float64(a))) }, func(a, _ float64) float64 { return f(a) })
}
