// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// numerics are choices between arrays, parts of numbers, and what numerical analysis makes of neighbours.
var numerics = map[string]function{
	"select": {"condlist choicelist default=", selectFunction},
	"choose": {"a choices mode=", chooseFunction},
	"divmod": {"a b", divMod},
	"modf": {"a", plainly(func(a ndarray.Array, _ params) (value, error) {
		x, y := a.ModF()
		return checkedTuple([]ndarray.Array{x, y})
	})},
	"frexp": {"a", plainly(func(a ndarray.Array, _ params) (value, error) {
		x, y := a.FrExp()
		return checkedTuple([]ndarray.Array{x, y})
	})},
	"ldexp":     {"a b", paired(ndarray.Array.LdExp)},
	"gradient":  {"a *spacing axis= edge_order=", plainly(gradient)},
	"trapezoid": {"a x= dx= axis=", plainly(trapezoid)},
	"ediff1d":   {"a to_end= to_begin=", plainly(ediff1d)},
	"interp":    {"a xp fp left= right= period=", plainly(interp)},
	"polyval":   {"p x", polyVal},
	"convolve":  {"a b mode=", sliding(ndarray.Convolve)},
	"correlate": {"a b mode=", sliding(ndarray.Correlate)},
	"cov":       {"a y= rowvar= bias= ddof= dim=", byName(plainly(cov))},
	"corr":      {"a y dim=", byName(nil)},
	"corrcoef":  {"a y= rowvar=", plainly(corrCoef)},
}

// sliding is a function of two vectors that slide over each other.
func sliding(f func(a, v ndarray.Array, mode string) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		mode, err := b.text("mode")
		if err != nil {
			return nil, err
		}
		return paired(func(a, v ndarray.Array) ndarray.Array { return f(a, v, mode) })(b)
	}
}

// selectFunction takes each element from the first choice whose condition holds.
func selectFunction(b params) (value, error) {
	conds, err := sequenceOf(b.vals["condlist"], b.fn)
	if err != nil {
		return nil, err
	}
	choices, err := sequenceOf(b.vals["choicelist"], b.fn)
	if err != nil {
		return nil, err
	}
	if len(conds) != len(choices) || len(conds) == 0 {
		return nil, fmt.Errorf("select: got %d conditions and %d choices, want as many, at least 1", len(conds), len(choices))
	}
	var out value = toInt(false)
	if b.has("default") {
		out = b.vals["default"]
	}
	d, err := commonType(append([]value{out}, choices...), b.fn)
	if err != nil {
		return nil, err
	}
	if out, err = fitted(out, d, b.fn); err != nil {
		return nil, err
	}
	for i := len(conds) - 1; i >= 0; i-- {
		c, err := asArray(conds[i], b.fn)
		if err != nil {
			return nil, err
		}
		if c.Err() == nil && c.DType() != dtype.Bool {
			return nil, fmt.Errorf("select: condition %d: got %v, want bool", i+1, c.DType())
		}
		x, err := fitted(choices[i], d, b.fn)
		if err != nil {
			return nil, err
		}
		if out, err = elementwise("where", conds[i], x, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fitted returns a choice in the dtype of all; an integer that this does not hold is an error.
func fitted(v value, d dtype.DType, fn string) (value, error) {
	lo, isInt := integerEnd(d, true)
	if n := toInt(v); n != nil && isInt {
		hi, _ := integerEnd(d, false)
		if n.Cmp(toInt(lo)) < 0 || n.Cmp(toInt(hi)) > 0 {
			return nil, fmt.Errorf("%s: the integer %v does not fit %v: want %v to %v", fn, n, d, lo, hi)
		}
	}
	return astype(v, d)
}

// chooseFunction takes each element from the choice whose number a has there.
func chooseFunction(b params) (value, error) {
	choices, err := sequenceOf(b.vals["choices"], b.fn)
	if err != nil {
		return nil, err
	}
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil || a.Err() != nil {
		return a, err
	}
	if len(choices) == 0 || !a.DType().IsInteger() && a.DType() != dtype.Bool {
		return nil, fmt.Errorf("choose: got %v and %d choices, want integers and at least 1 choice", a.DType(), len(choices))
	}
	if a.DType() != dtype.Int64 {
		a = a.AsType(dtype.Int64)
	}
	n := int64(len(choices))
	mode, err := b.text("mode")
	if err != nil {
		return nil, err
	}
	switch mode {
	case "wrap":
		a = a.Mod(n)
	case "clip":
		a = a.Clip(0, n-1)
	case "", "raise":
		a = a.Within(n)
	default:
		return nil, fmt.Errorf("choose: mode: got %q, want 'raise', 'wrap' or 'clip'", mode)
	}
	d, err := commonType(choices, b.fn)
	if err != nil {
		return nil, err
	}
	arrays := make([]ndarray.Array, n)
	for i, c := range choices {
		x, err := fitted(c, d, b.fn)
		if err != nil {
			return nil, err
		}
		if arrays[i], err = asPlain(x, b.fn); err != nil {
			return nil, err
		}
	}
	out := arrays[n-1]
	for i := n - 2; i >= 0; i-- {
		out = ndarray.Where(a.Equal(i), arrays[i], out)
	}
	if out.Err() != nil {
		return out, nil
	}
	// One choice, or none of a's shape, still has the shape of all.
	return ndarray.Broadcast(append(arrays, a, out)...)[n+1], nil
}

func divMod(b params) (value, error) {
	q, err := elementwise("floor_divide", b.vals["a"], b.vals["b"])
	if err != nil {
		return nil, err
	}
	r, err := elementwise("remainder", b.vals["a"], b.vals["b"])
	if err != nil {
		return nil, err
	}
	return tuple{q, r}, nil
}

// spacingOf returns a distance or places: a literal number, which is weak, or an array.
func spacingOf(v value, fn string) (any, error) {
	if isNumber(v) && rank(v) < 3 {
		f, ok := toFloat(v)
		if !ok {
			return nil, fmt.Errorf("%s: spacing: the integer is too large to be a float", fn)
		}
		return f, nil
	}
	return asArray(v, fn)
}

// gradient takes distances or places for all axes or for each, and gives the slopes along each axis: one array for one axis, else a tuple.
func gradient(a ndarray.Array, b params) (value, error) {
	axes, err := axesOf(b.vals["axis"], b.fn+": axis")
	if err != nil {
		return nil, err
	}
	if axes == nil {
		for k := range a.Rank() {
			axes = append(axes, k)
		}
	}
	order, err := b.int("edge_order", 1)
	if err != nil {
		return nil, err
	}
	spacing := make([]any, len(axes))
	given := b.rest
	if v, ok := b.vals["spacing"]; ok {
		given = []value{v}
	}
	if len(given) > 1 && len(given) != len(axes) {
		return nil, fmt.Errorf("gradient: got %d spacings for %d axes, want one or as many", len(given), len(axes))
	}
	for i := range spacing {
		if len(given) > 0 {
			if spacing[i], err = spacingOf(given[min(i, len(given)-1)], b.fn); err != nil {
				return nil, err
			}
			if s, ok := spacing[i].(ndarray.Array); ok && s.Rank() > 0 && len(given) == 1 && len(axes) > 1 {
				return nil, fmt.Errorf("gradient: got places of one axis for %d axes, want those of each", len(axes))
			}
		}
	}
	out := make([]ndarray.Array, len(axes))
	for i, k := range axes {
		out[i] = a.Gradient(k, spacing[i], order)
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return checkedTuple(out)
}

func trapezoid(a ndarray.Array, b params) (value, error) {
	axis, err := b.axis("axis", -1)
	if err != nil {
		return nil, err
	}
	spacing := any(1.0)
	for _, n := range []string{"dx", "x"} {
		if b.has(n) {
			if spacing, err = spacingOf(b.vals[n], b.fn); err != nil {
				return nil, err
			}
		}
	}
	return a.Trapezoid(axis, spacing), nil
}

// ediff1d are the differences of neighbours in C order, with values before and behind them.
func ediff1d(a ndarray.Array, b params) (value, error) {
	d, err := diff(params{fn: b.fn, vals: map[string]value{"a": a.Ravel()}})
	if err != nil {
		return nil, err
	}
	parts := []ndarray.Array{d.(ndarray.Array)}
	for _, n := range []string{"to_begin", "to_end"} {
		if !b.has(n) {
			continue
		}
		x, err := asPlain(b.vals[n], b.fn)
		if err != nil || x.Err() != nil {
			return x, err
		}
		if from := x.DType(); !castRules["same_kind"](from, a.DType()) {
			return nil, fmt.Errorf("ediff1d: %s: got %v, which does not fit %v", n, from, a.DType())
		}
		x = x.Ravel().AsType(a.DType())
		if n == "to_begin" {
			parts = append([]ndarray.Array{x}, parts...)
		} else {
			parts = append(parts, x)
		}
	}
	return ndarray.Concat(0, parts...), nil
}

// knownFloats returns a list of numbers, or a vector in memory.
func knownFloats(v value, what string) ([]float64, error) {
	a, err := asArray(v, what)
	if err == nil {
		err = a.Err()
	}
	if err != nil {
		return nil, err
	}
	f, ok := ndarray.HostFloats(a)
	if !ok || a.Rank() != 1 {
		return nil, fmt.Errorf("%s: got %s, want a vector of real numbers that is known before running", what, describe(v))
	}
	return f, nil
}

func interp(a ndarray.Array, b params) (value, error) {
	xp, err := knownFloats(b.vals["xp"], b.fn+": xp")
	if err != nil {
		return nil, err
	}
	fp, err := knownFloats(b.vals["fp"], b.fn+": fp")
	if err != nil {
		return nil, err
	}
	var o ndarray.InterpOptions
	for n, to := range map[string]**float64{"left": &o.Left, "right": &o.Right} {
		if b.has(n) {
			f, err := b.float(n, 0)
			if err != nil {
				return nil, err
			}
			*to = &f
		}
	}
	if o.Period, err = b.float("period", 0); err != nil {
		return nil, err
	}
	if b.has("period") && (o.Period == 0 || math.IsNaN(o.Period) || math.IsInf(o.Period, 0)) {
		return nil, fmt.Errorf("interp: period: got %v, want a number that is not 0", o.Period)
	}
	return a.Interp(xp, fp, o), nil
}

// polyVal is NumPy's: coefficients first, that of the highest power leading; or xarray's, of a coordinate and coefficients by "degree".
func polyVal(b params) (value, error) {
	if at, ok := b.vals["p"].(ndarray.Variable); ok {
		if c, ok := b.vals["x"].(*ndarray.Dataset); ok {
			return onVariables(c, b.fn, []string{"degree"}, func(v ndarray.Variable) (ndarray.Variable, error) { return v.PolyVal(at), nil })
		}
		if c, ok := b.vals["x"].(ndarray.Variable); ok && slices.Contains(c.Dims(), "degree") {
			return c.PolyVal(at), nil
		}
	}
	p, err := asPlain(b.vals["p"], b.fn)
	if err != nil || p.Err() != nil {
		return p, err
	}
	return keeping(b.vals["x"], func(x value) (value, error) {
		a, err := asArray(x, b.fn)
		return a.PolyVal(p), err
	})
}

// observations returns the variables and observations of cov and corrcoef: the rows of a and y, or their columns.
func observations(a ndarray.Array, b params) (ndarray.Array, bool, error) {
	rows, err := b.bool("rowvar", true)
	if err != nil || !b.has("y") {
		return a, rows, err
	}
	y, err := asPlain(b.vals["y"], b.fn)
	if err != nil || y.Err() != nil {
		return y, rows, err
	}
	for i, x := range []*ndarray.Array{&a, &y} {
		if x.Rank() > 2 {
			return a, rows, fmt.Errorf("%s: operand %d: got shape %v, want at most two axes", b.fn, i+1, x.Shape())
		}
		vector := x.Rank() < 2
		*x = atLeast(*x, 2)
		if !rows && !vector && (i == 0 || x.Shape()[0] != 1) {
			*x = x.Transpose()
		}
	}
	return ndarray.Concat(0, a, y), true, nil
}

// byName is xarray's function of two variables with dimension names, or the one for arrays.
func byName(plain func(b params) (value, error)) func(b params) (value, error) {
	return func(b params) (value, error) {
		x, isVar := b.vals["a"].(ndarray.Variable)
		y, both := b.vals["y"].(ndarray.Variable)
		switch {
		case isVar && both && x.Rank()+y.Rank() > 0:
			return covariance(b, x, y)
		case plain == nil || b.has("dim"):
			return nil, fmt.Errorf("%s: got %s and %s, want two variables with dimension names; corrcoef and cov take arrays", b.fn, describe(b.vals["a"]), describe(b.vals["y"]))
		}
		return plain(b)
	}
}

func cov(a ndarray.Array, b params) (value, error) {
	x, rows, err := observations(a, b)
	if err != nil {
		return nil, err
	}
	bias, err := b.bool("bias", false)
	if err != nil {
		return nil, err
	}
	def := 1.0
	if bias {
		def = 0
	}
	ddof, err := b.float("ddof", def)
	if err != nil {
		return nil, err
	}
	return x.Cov(rows, ddof), nil
}

func corrCoef(a ndarray.Array, b params) (value, error) {
	x, rows, err := observations(a, b)
	if err != nil {
		return nil, err
	}
	return x.CorrCoef(rows), nil
}
