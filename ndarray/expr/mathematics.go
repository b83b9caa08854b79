// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math"
	"math/big"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// quantileSig are the parameters of the quantiles.
const quantileSig = "a q axis= dim= keepdims= method= interpolation= skipna= out="

// mathematics are the functions with parameters that the kernels tables do not have.
var mathematics = map[string]function{
	"clip":          {"a min= max= a_min= a_max=", clip},
	"round":         {"a decimals= ndigits=", round},
	"around":        {"a decimals=", round},
	"quantile":      {quantileSig, func(b params) (value, error) { return quantileOf(b, b.vals["q"], false, false) }},
	"nanquantile":   {quantileSig, func(b params) (value, error) { return quantileOf(b, b.vals["q"], false, true) }},
	"percentile":    {quantileSig, func(b params) (value, error) { return quantileOf(b, b.vals["q"], true, false) }},
	"nanpercentile": {quantileSig, func(b params) (value, error) { return quantileOf(b, b.vals["q"], true, true) }},
	"median":        {"a axis= dim= keepdims= skipna= out=", func(b params) (value, error) { return medianOf(b, false) }},
	"nanmedian":     {"a axis= dim= keepdims= skipna= out=", func(b params) (value, error) { return medianOf(b, true) }},
	"ptp":           {"a axis= dim= keepdims=", ptp},
	"isin":          {"a test_elements", isin},
	"diff":          {"a n= axis=", diff},
	"nan_to_num":    {"a nan= posinf= neginf=", nanToNum},
	"where":         {"c x= y=", whereFunction},
	"allclose":      {"a b rtol= atol= equal_nan=", func(b params) (value, error) { return isClose(b, true) }},
	"isclose":       {"a b rtol= atol= equal_nan=", func(b params) (value, error) { return isClose(b, false) }},
	"abs":           {"a", func(b params) (value, error) { return elementwise("absolute", b.vals["a"]) }},
}

// clip has bounds that may be None.
func clip(b params) (value, error) {
	pick := func(names ...string) value {
		for _, n := range names {
			if b.has(n) {
				return b.vals[n]
			}
		}
		return nil
	}
	lo, hi := pick("min", "a_min"), pick("max", "a_max")
	switch {
	case lo == nil && hi == nil:
		return elementwise("positive", b.vals["a"])
	case lo == nil || hi == nil:
		// One bound: clip by it and the dtype's own end, so that a large bound saturates.
		a, err := operand(b.vals["a"])
		if err != nil {
			return nil, err
		}
		end, ok := ends(a, lo == nil)
		if !ok {
			op, bound := "maximum", lo
			if lo == nil {
				op, bound = "minimum", hi
			}
			return elementwise(op, b.vals["a"], bound)
		}
		if lo == nil {
			lo = end
		} else {
			hi = end
		}
	}
	return elementwise("clip", b.vals["a"], lo, hi)
}

// ends returns the lowest or highest value of an integer array's dtype.
func ends(a any, lowest bool) (value, bool) {
	t, ok := a.(interface{ DType() dtype.DType })
	if !ok {
		return nil, false
	}
	return integerEnd(t.DType(), lowest)
}

// integerEnd returns the lowest or highest value of an integer dtype, ok false for others.
func integerEnd(d dtype.DType, lowest bool) (value, bool) {
	if !d.IsInteger() {
		return nil, false
	}
	bits := uint(8 * d.Size())
	one := big.NewInt(1)
	if d.Kind() == dtype.KindUint {
		if lowest {
			return new(big.Int), true
		}
		return new(big.Int).Sub(new(big.Int).Lsh(one, bits), one), true
	}
	half := new(big.Int).Lsh(one, bits-1)
	if lowest {
		return half.Neg(half), true
	}
	return half.Sub(half, one), true
}

// round is rint(a * 10**n) / 10**n; integers stay where n >= 0.
func round(b params) (value, error) {
	n, err := b.int("decimals", 0)
	if err != nil {
		return nil, err
	}
	if b.has("ndigits") {
		if n, err = b.int("ndigits", 0); err != nil {
			return nil, err
		}
	}
	return keeping(b.vals["a"], func(a value) (value, error) { return roundTo(a, n) })
}

// keeping calls f on the values of a variable, or of each of a data set, and keeps names and attributes: for functions made
// of operations, some of which alone would drop the unit.
func keeping(a value, f func(a value) (value, error)) (value, error) {
	one := func(v ndarray.Variable) (ndarray.Variable, error) {
		r, err := f(v.Array())
		if err != nil {
			return v, err
		}
		return v.WithArray(r.(ndarray.Array)), nil
	}
	switch x := a.(type) {
	case ndarray.Variable:
		return one(x)
	case *ndarray.Dataset:
		return onVariables(x, "", nil, one)
	}
	return f(a)
}

// roundTo is round for numbers and arrays.
func roundTo(a value, n int64) (value, error) {
	x, err := operand(a)
	if err != nil {
		return nil, err
	}
	isInt := false
	if t, ok := x.(interface{ DType() dtype.DType }); ok {
		isInt = t.DType().IsInteger()
	} else if isNumber(a) {
		isInt = rank(a) == 1
	}
	switch {
	case n == 0 || isInt && n > 0:
		return elementwise("round", a)
	case n > 308 || n < -308:
		return nil, fmt.Errorf("round: decimals is %d, want -308 to 308", n)
	case isInt:
		p := pow(10, float64(-n))
		q, err := elementwise("divide", a, p)
		if err != nil {
			return nil, err
		}
		if q, err = elementwise("rint", q); err != nil {
			return nil, err
		}
		if q, err = elementwise("multiply", q, p); err != nil {
			return nil, err
		}
		if t, ok := x.(interface{ DType() dtype.DType }); ok {
			return astype(q, t.DType())
		}
		return astype(q, dtype.Int64)
	}
	up, down := "multiply", "divide"
	if n < 0 {
		up, down, n = down, up, -n
	}
	p := pow(10, float64(n))
	q, err := elementwise(up, a, p)
	if err != nil {
		return nil, err
	}
	if q, err = elementwise("rint", q); err != nil {
		return nil, err
	}
	return elementwise(down, q, p)
}

// ptp is the largest less the smallest element.
func ptp(b params) (value, error) {
	sub := args{fn: b.fn, pos: []value{b.vals["a"]}, kw: map[string]value{}}
	for _, k := range []string{"axis", "dim", "keepdims"} {
		if v, ok := b.vals[k]; ok {
			sub.kw[k] = v
		}
	}
	sub.fn = "max"
	hi, err := callFunction(sub)
	if err != nil {
		return nil, err
	}
	sub.fn = "min"
	lo, err := callFunction(sub)
	if err != nil {
		return nil, err
	}
	return elementwise("subtract", hi, lo)
}

// isin tests each element against a list.
func isin(b params) (value, error) {
	l, err := sequenceOf(b.vals["test_elements"], b.fn)
	if err != nil {
		return nil, err
	}
	if v, ok := b.vals["a"].(ndarray.Variable); ok && len(l) > 0 {
		if _, isText := l[0].(string); isText {
			var out value
			for _, x := range l {
				s, ok := x.(string)
				if !ok {
					return nil, fmt.Errorf("isin: got %s among texts", describe(x))
				}
				eq := v.EqualText(s, false)
				if out == nil {
					out = eq
				} else if out, err = elementwise("logical_or", out, eq); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
	}
	out, err := elementwise("not_equal", b.vals["a"], b.vals["a"])
	if err != nil {
		return nil, err
	}
	if out, err = elementwise("logical_and", out, false); err != nil {
		return nil, err
	}
	for _, x := range l {
		eq, err := elementwise("equal", b.vals["a"], x)
		if err != nil {
			return nil, err
		}
		if out, err = elementwise("logical_or", out, eq); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// diff subtracts each element from its successor, n times.
func diff(b params) (value, error) {
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	n, err := b.int("n", 1)
	if err != nil {
		return nil, err
	}
	axis, err := b.int("axis", -1)
	if err != nil {
		return nil, err
	}
	if axis < 0 {
		axis += int64(a.Rank())
	}
	if axis < 0 || axis >= int64(a.Rank()) || n < 0 || n > 64 {
		return nil, fmt.Errorf("diff: axis %d of rank %d, n = %d: want an axis of the array and n from 0 to 64", axis, a.Rank(), n)
	}
	op := "subtract"
	if a.DType() == dtype.Bool {
		op = "not_equal"
	}
	one, minus := int64(1), int64(-1)
	for range n {
		hi := make([]ndarray.Index, axis+1)
		lo := make([]ndarray.Index, axis+1)
		for i := range hi {
			hi[i], lo[i] = ndarray.All(), ndarray.All()
		}
		hi[axis], lo[axis] = ndarray.Slice(&one, nil, nil), ndarray.Slice(nil, &minus, nil)
		a = ndarray.Apply(op, a.Index(hi...), a.Index(lo...))
	}
	return a, nil
}

// nanToNum replaces NaN and infinities.
func nanToNum(b params) (value, error) {
	a := b.vals["a"]
	x, err := operand(a)
	if err != nil {
		return nil, err
	}
	t, ok := x.(interface{ DType() dtype.DType })
	if !ok || !t.DType().IsFloat() {
		return elementwise("positive", a)
	}
	most := map[dtype.DType]float64{dtype.Float64: math.MaxFloat64, dtype.Float32: math.MaxFloat32, dtype.Float16: 65504, dtype.BFloat16: 3.3895313892515355e38}[t.DType()]
	for _, r := range []struct {
		name, test string
		def        float64
	}{{"nan", "isnan", 0}, {"posinf", "isposinf", most}, {"neginf", "isneginf", -most}} {
		f, err := b.float(r.name, r.def)
		if err != nil {
			return nil, err
		}
		is, err := elementwise(r.test, a)
		if err != nil {
			return nil, err
		}
		if a, err = elementwise("where", is, f, a); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func whereFunction(b params) (value, error) {
	_, okX := b.vals["x"]
	_, okY := b.vals["y"]
	if !okX || !okY {
		return nil, fmt.Errorf("where: got %d values beside the condition, want 2: where(condition, a, b)", len(b.vals)-1)
	}
	return elementwise("where", b.vals["c"], b.vals["x"], b.vals["y"])
}

// isClose is |a - b| <= atol + rtol * |b|.
func isClose(b params, all bool) (value, error) {
	rtol, err := b.float("rtol", 1e-5)
	if err != nil {
		return nil, err
	}
	atol, err := b.float("atol", 1e-8)
	if err != nil {
		return nil, err
	}
	equalNaN, err := b.bool("equal_nan", false)
	if err != nil {
		return nil, err
	}
	x, y := b.vals["a"], b.vals["b"]
	step := func(op string, a ...value) value {
		if err != nil {
			return nil
		}
		var v value
		v, err = elementwise(op, a...)
		return v
	}
	far := step("absolute", step("subtract", x, y))
	bound := step("add", step("multiply", step("absolute", y), rtol), atol)
	near := step("less_equal", far, bound)
	near = step("logical_or", step("logical_and", near, step("isfinite", y)), step("equal", x, y))
	if equalNaN {
		near = step("logical_or", near, step("logical_and", step("isnan", x), step("isnan", y)))
	}
	if err != nil {
		return nil, err
	}
	if all {
		return callFunction(args{fn: "all", pos: []value{near}, kw: map[string]value{}})
	}
	return near, nil
}
