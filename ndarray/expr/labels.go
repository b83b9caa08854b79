// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// method is a row of the tables of methods of labelled values.
type method struct {
	sig string // parameters after the receiver; "" takes anything
	run func(recv value, a args, b params) (value, error)
}

// methodTables maps functions of one labelled value to the method of the name that does the work.
var methodTables = map[string]string{"fillna": "fillna", "ffill": "ffill", "bfill": "bfill", "sel": "sel", "isel": "isel", "groupby": "groupby", "groupby_bins": "groupby_bins", "weighted": "weighted"}

// methods is the table of methods. It is filled when the package starts: rows call what looks rows up.
var methods map[string]method

func init() {
	methods = map[string]method{
		"sel":            {"", sel},
		"isel":           {"", isel},
		"groupby":        {"group", groupBy},
		"groupby_bins":   {"group bins right= labels= include_lowest=", groupByBins},
		"weighted":       {"weights", weighted},
		"where":          {"cond other= drop=", whereMethod},
		"fillna":         {"value", fillNA},
		"ffill":          {"dim limit=", fillAlong(false)},
		"bfill":          {"dim limit=", fillAlong(true)},
		"rename":         {"", rename},
		"assign_coords":  {"", assignCoords},
		"sum_of_weights": {"dim=", sumOfWeights},
		"compute":        {"", func(recv value, _ args, _ params) (value, error) { return recv, nil }},
		"load":           {"", func(recv value, _ args, _ params) (value, error) { return recv, nil }},
		"copy":           {"", func(recv value, _ args, _ params) (value, error) { return recv, nil }},
		"item":           {"", func(recv value, _ args, _ params) (value, error) { return recv, nil }},
		"map":            {"", later("map: functions cannot be passed; apply the operation to the data set itself")},
	}
	maps.Copy(methods, windowMethods)
	maps.Copy(methods, orderMethods)
	maps.Copy(methods, analysisMethods)
	maps.Copy(methods, regridMethods)
}

// later is a method that says what to use in its place.
func later(text string) func(value, args, params) (value, error) {
	return func(value, args, params) (value, error) { return nil, fmt.Errorf("%s", text) }
}

// callMethod calls a method: one of the table, or a function with the receiver as its first argument.
func callMethod(recv value, a args) (value, error) {
	if g, isGenerator := recv.(generator); isGenerator {
		return g.method(a)
	}
	m, ok := methods[a.fn]
	if _, isGroups := recv.(ndarray.GroupBy); isGroups && periodMethods[a.fn].run != nil {
		m, ok = periodMethods[a.fn], true
	}
	if ok {
		_, isParts := recv.(timeParts)
		_, isEach := recv.(perVariable)
		if !isParts && !isEach {
			var b params
			if m.sig != "" {
				var err error
				if b, err = a.bind(m.sig); err != nil {
					return nil, err
				}
			}
			return m.run(recv, a, b)
		}
	}
	switch x := recv.(type) {
	case timeParts:
		return nil, fmt.Errorf("%s is an attribute of dt, not a method", a.fn)
	case perVariable:
		return x.call(a)
	case string:
		return nil, fmt.Errorf("texts have no method %q", a.fn)
	case ndarray.GroupBy:
		if a.fn == "count" || a.fn == "mean" || isFunction(a.fn) {
			break
		}
		return nil, fmt.Errorf("groups have no method %q; they have mean, sum, min, max, std, var, median, quantile, count, first, last, any and all, those of periods asfreq, ffill, bfill, nearest and interpolate too", a.fn)
	case ndarray.Rolling, ndarray.Coarsen:
		if !isFunction(a.fn) {
			return nil, fmt.Errorf("windows have no method %q; they have mean, sum, min, max, std, var, median, prod and count", a.fn)
		}
	case *ndarray.Dataset:
		// A variable cannot be called: a name in call position is a function.
		if !isFunction(a.fn) && x.Has(a.fn) {
			return nil, fmt.Errorf("%q is a variable of the data set, not a function", a.fn)
		}
	}
	if !isFunction(a.fn) {
		return nil, fmt.Errorf("%s has no method %q%s", describe(recv), a.fn, suggest(a.fn, functionNames()))
	}
	a.pos = append([]value{recv}, a.pos...)
	return callFunction(a)
}

// onVariables calls f for a variable, or for each variable of a data set that has one of the dimensions.
func onVariables(recv value, fn string, dims []string, f func(v ndarray.Variable) (ndarray.Variable, error)) (value, error) {
	switch x := recv.(type) {
	case ndarray.Variable:
		return f(x)
	case *ndarray.Dataset:
		if err := someHas(x, fn, dims); err != nil {
			return nil, err
		}
		var bad error
		out := x.Map(func(v ndarray.Variable) (ndarray.Variable, bool) {
			if len(dims) > 0 && len(ownDims(v, dims)) == 0 {
				return v, true
			}
			w, err := f(v)
			if err == nil {
				err = w.Err()
			}
			if err != nil && bad == nil {
				bad = err
			}
			return w, true
		})
		return out, bad
	}
	return nil, fmt.Errorf("%s: %s has no dimension names", fn, describe(recv))
}

// groupBy groups a variable by "time.month", a coordinate's name or another variable.
func groupBy(recv value, a args, b params) (value, error) {
	if ds, ok := recv.(*ndarray.Dataset); ok {
		return eachOf(ds, "groupby", func(v ndarray.Variable) (value, error) { return groupBy(v, a, b) })
	}
	v, ok := recv.(ndarray.Variable)
	if !ok {
		return nil, fmt.Errorf("groupby: %s is not a variable with dimension names; name one: ds.tas.groupby(...)", describe(recv))
	}
	switch k := b.vals["group"].(type) {
	case string:
		return v.GroupBy(k), nil
	case ndarray.Variable:
		return v.GroupByValues(k), nil
	}
	return nil, fmt.Errorf("groupby: got %s, want a name such as 'time.month' or a variable", describe(b.vals["group"]))
}

func groupByBins(recv value, a args, b params) (value, error) {
	if ds, ok := recv.(*ndarray.Dataset); ok {
		return eachOf(ds, "groupby_bins", func(v ndarray.Variable) (value, error) { return groupByBins(v, a, b) })
	}
	v, ok := recv.(ndarray.Variable)
	if !ok {
		return nil, fmt.Errorf("groupby_bins: %s is not a variable with dimension names", describe(recv))
	}
	right, err := b.bool("right", true)
	if err != nil {
		return nil, err
	}
	lowest, err := b.bool("include_lowest", false)
	if err != nil {
		return nil, err
	}
	bins := ndarray.Bins{Left: !right, Lowest: lowest}
	key, isName := b.vals["group"].(string)
	if n, ok := b.vals["bins"].(*big.Int); ok {
		if !isName || !n.IsInt64() || n.Int64() > 1<<20 {
			return nil, fmt.Errorf("groupby_bins: a number of bins needs the name of a coordinate; give the edges")
		}
		e, err := v.EvenBins(key, int(n.Int64()))
		if err != nil {
			return nil, err
		}
		bins.Edges = e.Edges
	} else {
		if bins.Edges, err = edgesOf(b.vals["bins"]); err != nil {
			return nil, err
		}
	}
	if b.has("labels") {
		if bins.Labels, _, err = floatsOf(b.vals["labels"], "groupby_bins: labels"); err != nil {
			return nil, err
		}
	}
	if isName {
		return v.GroupByBins(key, bins), nil
	}
	k, ok := b.vals["group"].(ndarray.Variable)
	if !ok {
		return nil, fmt.Errorf("groupby_bins: got %s, want the name of a coordinate or a variable", describe(b.vals["group"]))
	}
	return v.GroupByValueBins(k, bins), nil
}

// edgesOf returns bin edges given as a list or as an array in memory (arange, linspace).
func edgesOf(v value) ([]float64, error) {
	if a, ok := v.(ndarray.Array); ok {
		if f, ok := ndarray.HostFloats(a); ok && a.Rank() == 1 {
			return f, nil
		}
		return nil, fmt.Errorf("groupby_bins: the edges must be known before running: want a list of numbers")
	}
	f, isList, err := floatsOf(v, "groupby_bins: bins")
	if err == nil && !isList {
		err = fmt.Errorf("groupby_bins: bins: got a number with a fraction, want a list of edges")
	}
	return f, err
}

func weighted(recv value, a args, b params) (value, error) {
	if ds, ok := recv.(*ndarray.Dataset); ok {
		return eachOf(ds, "weighted", func(v ndarray.Variable) (value, error) { return weighted(v, a, b) })
	}
	v, ok := recv.(ndarray.Variable)
	if !ok {
		return nil, fmt.Errorf("weighted: %s is not a variable with dimension names", describe(recv))
	}
	w, ok := b.vals["weights"].(ndarray.Variable)
	if !ok {
		return nil, fmt.Errorf("weighted: got %s, want a variable of weights such as cos(deg2rad(a.lat))", describe(b.vals["weights"]))
	}
	return v.Weighted(w), nil
}

func sumOfWeights(recv value, _ args, b params) (value, error) {
	w, ok := recv.(ndarray.Weighted)
	if !ok {
		return nil, fmt.Errorf("sum_of_weights: %s is not weighted", describe(recv))
	}
	var dims []string
	if b.has("dim") {
		if dims, ok = textsOf(b.vals["dim"]); !ok {
			return nil, fmt.Errorf("sum_of_weights: dim: got %s, want names", describe(b.vals["dim"]))
		}
	}
	return w.SumOfWeights(dims...), nil
}

// whereMethod is a.where(c) and a.where(c, x).
func whereMethod(recv value, _ args, b params) (value, error) {
	if b.has("drop") {
		if d, _ := b.vals["drop"].(bool); d {
			return nil, fmt.Errorf("where: drop=True is not supported; use sel")
		}
	}
	c, err := operand(b.vals["cond"])
	if err != nil {
		return nil, fmt.Errorf("where: %w", err)
	}
	var other []any
	if b.has("other") {
		x, err := operand(b.vals["other"])
		if err != nil {
			return nil, fmt.Errorf("where: %w", err)
		}
		if n, ok := x.(*big.Int); ok {
			return nil, fmt.Errorf("where: the integer of %d bits does not fit int64 or uint64", n.BitLen())
		}
		other = append(other, x)
	}
	switch x := recv.(type) {
	case ndarray.Variable:
		return x.Where(c, other...), nil
	case *ndarray.Dataset:
		ops := append([]any{x, c}, other...)
		return eachVariable(x, ops, func(ops []any) ndarray.Variable {
			return ops[0].(ndarray.Variable).Where(ops[1], ops[2:]...)
		})
	}
	a, err := asArray(recv, "where")
	if err != nil {
		return nil, err
	}
	if other == nil {
		if cv, ok := c.(ndarray.Variable); ok {
			c = cv.Array()
		}
		if !a.DType().IsFloat() && !a.DType().IsComplex() {
			a = a.AsType(dtype.Float64)
		}
		return elementwise("where", c, a, constants["nan"])
	}
	return elementwise("where", c, a, other[0])
}

func fillNA(recv value, _ args, b params) (value, error) {
	x := b.vals["value"]
	if v, ok := recv.(ndarray.Variable); ok {
		y, err := operand(x)
		if err != nil {
			return nil, fmt.Errorf("fillna: %w", err)
		}
		return v.FillNA(y), nil
	}
	if ds, ok := recv.(*ndarray.Dataset); ok {
		y, err := operand(x)
		if err != nil {
			return nil, fmt.Errorf("fillna: %w", err)
		}
		return eachVariable(ds, []any{ds, y}, func(ops []any) ndarray.Variable { return ops[0].(ndarray.Variable).FillNA(ops[1]) })
	}
	null, err := elementwise("isnull", recv)
	if err != nil {
		return nil, err
	}
	return elementwise("where", null, x, recv)
}

// rename is rename('name') and rename(old='new', ...).
func rename(recv value, a args, _ params) (value, error) {
	v, ok := recv.(ndarray.Variable)
	if !ok {
		return nil, fmt.Errorf("rename: %s is not a variable", describe(recv))
	}
	if len(a.pos) > 1 {
		return nil, fmt.Errorf("rename: got %d arguments, want a name or dimension=name", len(a.pos))
	}
	if len(a.pos) == 1 {
		s, ok := a.pos[0].(string)
		if !ok {
			return nil, fmt.Errorf("rename: got %s, want a name", describe(a.pos[0]))
		}
		v = v.Rename(s)
	}
	var names []string
	for k := range a.kw {
		names = append(names, k)
	}
	slices.Sort(names)
	var pairs []string
	for _, k := range names {
		s, ok := a.kw[k].(string)
		if !ok {
			return nil, fmt.Errorf("rename: got %s for %q, want a name", describe(a.kw[k]), k)
		}
		pairs = append(pairs, k, s)
	}
	return v.RenameDims(pairs...), nil
}

// assignCoords is assign_coords(name=('dim', [1, 2])), or the values of a dimension: assign_coords(lat=[10, 20]).
func assignCoords(recv value, a args, _ params) (value, error) {
	v, ok := recv.(ndarray.Variable)
	if !ok {
		return nil, fmt.Errorf("assign_coords: %s is not a variable", describe(recv))
	}
	var names []string
	for k := range a.kw {
		names = append(names, k)
	}
	slices.Sort(names)
	for _, k := range names {
		x := a.kw[k]
		if c, ok := x.(ndarray.Variable); ok {
			v = v.WithCoord(c.Rename(k))
			continue
		}
		dims := []string{k}
		if t, ok := x.(tuple); ok && len(t) == 2 {
			if d, ok := textsOf(t[0]); ok {
				dims, x = d, t[1]
			}
		}
		if texts, ok := textsOf(x); ok {
			if _, one := x.(string); one {
				return nil, fmt.Errorf("assign_coords: got the text %s for %q, want a list", describe(x), k)
			}
			v = v.WithCoord(ndarray.TextVariable(k, texts, dims[0]))
			continue
		}
		arr, err := asArray(x, "assign_coords")
		if err != nil {
			return nil, err
		}
		if arr.Rank() == 0 {
			dims = nil
		}
		v = v.WithCoord(ndarray.NewVariable(k, arr, dims, nil))
		if v.Err() != nil {
			return v, nil
		}
	}
	return v, nil
}
