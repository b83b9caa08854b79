// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math"
	"math/big"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// dtypes are the functions that ask what dtypes are and hold.
var dtypes = map[string]function{
	"astype":      {"a dtype copy=", astypeFunction},
	"cast":        {"a dtype", astypeFunction},
	"dtype":       {"a", func(b params) (value, error) { return dtypeOf(b.vals["a"], "dtype") }},
	"result_type": {"*a", resultType},
	"can_cast":    {"a to casting=", canCast},
	"isdtype":     {"a kind", isDType},
	"finfo":       {"a", floatInfo},
	"iinfo":       {"a", integerInfo},
}

func astypeFunction(b params) (value, error) {
	d, err := dtypeOf(b.vals["dtype"], b.fn)
	if err != nil {
		return nil, err
	}
	return astype(b.vals["a"], d)
}

// typeOf returns the dtype of an array, or one that is named.
func typeOf(v value, what string) (dtype.DType, error) {
	switch v.(type) {
	case string, dtype.DType:
		return dtypeOf(v, what)
	}
	a, err := asArray(v, what)
	if err == nil {
		err = a.Err()
	}
	return a.DType(), err
}

func resultType(b params) (value, error) {
	if len(b.rest) == 0 {
		return nil, fmt.Errorf("result_type: got no arrays, want at least one array or dtype")
	}
	return commonType(b.rest, b.fn)
}

// commonType returns the dtype that values have together: literal numbers are weak.
func commonType(items []value, fn string) (dtype.DType, error) {
	out, weakest := dtype.Invalid, -1
	for _, v := range items {
		if r := rank(v); r > 0 {
			weakest = max(weakest, r)
			continue
		}
		d, err := typeOf(v, fn)
		if err != nil {
			return out, err
		}
		if out == dtype.Invalid {
			out = d
			continue
		}
		if out, err = dtype.Promote(out, d); err != nil {
			return out, fmt.Errorf("%s: %w", fn, err)
		}
	}
	kind := out.Kind()
	switch {
	case weakest == 1 && (out == dtype.Invalid || kind == dtype.KindBool):
		return dtype.Int64, nil
	case weakest == 2 && !out.IsFloat() && !out.IsComplex():
		return dtype.Float64, nil
	case weakest == 3 && out.IsFloat() && out.Size() <= 4:
		return dtype.Complex64, nil
	case weakest == 3 && !out.IsComplex():
		return dtype.Complex128, nil
	}
	return out, nil
}

// castRules are NumPy's names of what a cast may lose.
var castRules = map[string]func(from, to dtype.DType) bool{
	"no":    func(from, to dtype.DType) bool { return from == to },
	"equiv": func(from, to dtype.DType) bool { return from == to },
	"safe":  isSafe,
	"same_kind": func(from, to dtype.DType) bool {
		order := map[dtype.Kind]int{dtype.KindBool: 0, dtype.KindUint: 1, dtype.KindInt: 2, dtype.KindFloat: 3, dtype.KindComplex: 4}
		return isSafe(from, to) || order[from.Kind()] <= order[to.Kind()]
	},
	"unsafe": func(dtype.DType, dtype.DType) bool { return true },
}

// isSafe reports whether every value of from is one of to, as NumPy sees it.
func isSafe(from, to dtype.DType) bool {
	d, err := dtype.Promote(from, to)
	return err == nil && d == to
}

func canCast(b params) (value, error) {
	if isNumber(b.vals["a"]) {
		return nil, fmt.Errorf("can_cast: got the number %s, want an array or a dtype", describe(b.vals["a"]))
	}
	from, err := typeOf(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	to, err := dtypeOf(b.vals["to"], b.fn+": to")
	if err != nil {
		return nil, err
	}
	rule, err := b.text("casting")
	if err != nil {
		return nil, err
	}
	if rule == "" {
		rule = "safe"
	}
	f, ok := castRules[rule]
	if !ok {
		return nil, fmt.Errorf("can_cast: casting: got %q, want 'no', 'equiv', 'safe', 'same_kind' or 'unsafe'", rule)
	}
	return f(from, to), nil
}

// kindsOf are the array API's names of kinds.
var kindsOf = map[string]func(d dtype.DType) bool{
	"bool":             func(d dtype.DType) bool { return d == dtype.Bool },
	"signed integer":   func(d dtype.DType) bool { return d.Kind() == dtype.KindInt },
	"unsigned integer": func(d dtype.DType) bool { return d.Kind() == dtype.KindUint },
	"integral":         dtype.DType.IsInteger,
	"real floating":    dtype.DType.IsFloat,
	"complex floating": dtype.DType.IsComplex,
	"numeric":          func(d dtype.DType) bool { return d.IsInteger() || d.IsFloat() || d.IsComplex() },
}

func isDType(b params) (value, error) {
	d, err := dtypeOf(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	kinds := []value{b.vals["kind"]}
	if t, ok := b.vals["kind"].(tuple); ok {
		kinds = t
	}
	is := false
	for _, k := range kinds {
		if s, ok := k.(string); ok && kindsOf[s] != nil {
			is = is || kindsOf[s](d)
			continue
		}
		x, isType := k.(dtype.DType)
		if !isType {
			return nil, fmt.Errorf("isdtype: kind: got %s, want a dtype, 'bool', 'signed integer', 'unsigned integer', 'integral', 'real floating', 'complex floating' or 'numeric'", describe(k))
		}
		is = is || x == d
	}
	return is, nil
}

// facts are named values, read as attributes.
type facts struct {
	kind string
	vals map[string]value
}

// get returns a fact by name.
func (f facts) get(name string) (value, error) {
	if v, ok := f.vals[name]; ok {
		return v, nil
	}
	names := make([]string, 0, len(f.vals))
	for n := range f.vals {
		names = append(names, n)
	}
	return nil, fmt.Errorf("%s has no attribute %q%s", f.kind, name, suggest(name, names))
}

// floatInfo is what a dtype of floats, or of complex numbers made of them, holds.
func floatInfo(b params) (value, error) {
	d, err := typeOf(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	d = d.Part()
	rules := map[dtype.DType]struct{ mantissa, least int }{
		dtype.Float16: {10, -14}, dtype.BFloat16: {7, -126}, dtype.Float32: {23, -126}, dtype.Float64: {52, -1022},
	}
	r, ok := rules[d]
	if !ok {
		return nil, fmt.Errorf("finfo: got %v, want a dtype of floats or complex numbers; iinfo is that of integers", d)
	}
	eps := math.Ldexp(1, -r.mantissa)
	most := math.Ldexp(2-eps, 1-r.least)
	normal := math.Ldexp(1, r.least)
	return facts{"finfo", map[string]value{
		"bits": big.NewInt(int64(8 * d.Size())), "dtype": d, "eps": eps, "epsneg": eps / 2, "max": most, "min": -most, "smallest_normal": normal, "tiny": normal,
		"smallest_subnormal": math.Ldexp(1, r.least-r.mantissa), "nmant": big.NewInt(int64(r.mantissa)),
	}}, nil
}

// integerInfo is what a dtype of integers holds.
func integerInfo(b params) (value, error) {
	d, err := typeOf(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	lo, ok := integerEnd(d, true)
	if !ok {
		return nil, fmt.Errorf("iinfo: got %v, want a dtype of integers; finfo is that of floats", d)
	}
	hi, _ := integerEnd(d, false)
	return facts{"iinfo", map[string]value{"bits": big.NewInt(int64(8 * d.Size())), "dtype": d, "min": lo, "max": hi}}, nil
}
