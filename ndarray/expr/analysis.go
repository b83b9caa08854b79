// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"errors"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/ndarray"
)

// analysisMethods are the rows of the table of methods for what neighbours along a coordinate tell.
var analysisMethods = map[string]method{
	"pad":                  {"", padMethod},
	"differentiate":        {"coord edge_order= datetime_unit=", differentiate},
	"integrate":            {"coord datetime_unit=", integrated(ndarray.Variable.Integrate)},
	"cumulative_integrate": {"coord datetime_unit=", integrated(ndarray.Variable.CumulativeIntegrate)},
	"interp":               {"", interpMethod},
	"interp_like":          {"other method= assume_sorted=", interpLike},
	"polyfit":              {"dim deg skipna=", polyFit},
	"interpolate_na":       {"dim= method= limit= use_coordinate= keep_attrs=", interpolateNA},
}

// periodMethods fill the periods of resample that have no steps.
var periodMethods = map[string]method{
	"asfreq":      {" ", func(recv value, _ args, _ params) (value, error) { return recv.(ndarray.GroupBy).AsFreq(), nil }},
	"ffill":       {"tolerance=", fillPeriods("ffill")},
	"pad":         {"tolerance=", fillPeriods("ffill")},
	"bfill":       {"tolerance=", fillPeriods("bfill")},
	"backfill":    {"tolerance=", fillPeriods("bfill")},
	"nearest":     {"tolerance=", fillPeriods("nearest")},
	"interpolate": {"kind=", interpolatePeriods},
}

func fillPeriods(how string) func(recv value, a args, b params) (value, error) {
	return func(recv value, _ args, b params) (value, error) {
		tolerance, err := b.text("tolerance")
		if err != nil {
			return nil, err
		}
		return recv.(ndarray.GroupBy).FillPeriods(how, tolerance), nil
	}
}

func interpolatePeriods(recv value, _ args, b params) (value, error) {
	kind, err := b.text("kind")
	if err != nil {
		return nil, err
	}
	return recv.(ndarray.GroupBy).Interpolate(kind), nil
}

// plainCall calls the function of the name for an array without dimension names.
func plainCall(recv value, a args) (v value, plain bool, err error) {
	switch recv.(type) {
	case ndarray.Variable, *ndarray.Dataset:
		return nil, false, nil
	}
	a.pos = append([]value{recv}, a.pos...)
	v, err = callFunction(a)
	return v, true, err
}

// padMethod is pad(lat=1, lon=(2, 3), mode='wrap', constant_values=0) of variables; of plain arrays it is NumPy's.
func padMethod(recv value, a args, _ params) (value, error) {
	if v, plain, err := plainCall(recv, a); plain {
		return v, err
	}
	b, dims, err := a.dimOptions("mode constant_values keep_attrs")
	if err != nil {
		return nil, err
	}
	if len(dims) == 0 {
		return nil, fmt.Errorf("pad: no dimension is named; want for instance pad(lat=1)")
	}
	return asDataset(withDims(recv, a.fn, dims, func(v ndarray.Variable, dims []string) value {
		o, err := padOptions(b, v.Rank())
		widths := map[string][2]int64{}
		for _, d := range dims {
			var w [][2]int64
			if err == nil {
				w, err = widthsOf(a.kw[d], 1, "pad: "+d)
			}
			if err == nil {
				widths[d] = w[0]
			}
		}
		if err != nil {
			return v.WithArray(ndarray.Failed(err, ""))
		}
		return v.Pad(widths, o)
	}))
}

func differentiate(recv value, a args, b params) (value, error) {
	coord, err := b.text("coord")
	if err != nil {
		return nil, err
	}
	order, err := b.int("edge_order", 1)
	if err != nil {
		return nil, err
	}
	unit, err := b.text("datetime_unit")
	if err != nil {
		return nil, err
	}
	return onVariables(recv, a.fn, []string{coord}, func(v ndarray.Variable) (ndarray.Variable, error) { return v.Differentiate(coord, order, unit), nil })
}

// integrated is integrate and cumulative_integrate along one coordinate or several.
func integrated(f func(v ndarray.Variable, unit string, coords ...string) ndarray.Variable) func(recv value, a args, b params) (value, error) {
	return func(recv value, a args, b params) (value, error) {
		coords, ok := textsOf(b.vals["coord"])
		if !ok {
			return nil, fmt.Errorf("%s: coord: got %s, want the name of a coordinate, or several", a.fn, describe(b.vals["coord"]))
		}
		unit, err := b.text("datetime_unit")
		if err != nil {
			return nil, err
		}
		_, isData := recv.(*ndarray.Dataset)
		return onVariables(recv, a.fn, coords, func(v ndarray.Variable) (ndarray.Variable, error) {
			own := coords
			if isData {
				own = ownDims(v, coords)
			}
			return f(v, unit, own...), nil
		})
	}
}

// interpMethod is interp(lat=[10, 20], time='2001-03-01', method='nearest') of variables; of plain arrays it is NumPy's.
func interpMethod(recv value, a args, _ params) (value, error) {
	if v, plain, err := plainCall(recv, a); plain {
		return v, err
	}
	b, dims, err := a.dimOptions("method assume_sorted")
	if err != nil {
		return nil, err
	}
	how, err := b.text("method")
	if err != nil {
		return nil, err
	}
	if len(dims) == 0 {
		return nil, fmt.Errorf("interp: no dimension is named; want for instance interp(lat=[10, 20])")
	}
	return asDataset(withDims(recv, a.fn, dims, func(v ndarray.Variable, dims []string) value {
		for _, d := range dims {
			labels, isList, err := labelsOf(d, a.kw[d])
			switch {
			case err != nil:
				return v.WithArray(ndarray.Failed(err, ""))
			case isList:
				v = v.Interp(d, how, labels...)
				// Places that have labels of their own keep them, as in xarray.
				if x, ok := a.kw[d].(ndarray.Variable); ok && x.HasCoord(d) {
					v = v.WithCoord(x.Coord(d))
				}
			default:
				v = v.InterpAt(d, how, labels[0])
			}
		}
		return v
	}))
}

// labelsOf returns one label of a dimension, or a list of them: literals, or an array or coordinate in memory.
func labelsOf(dim string, v value) (out []any, isList bool, err error) {
	switch x := v.(type) {
	case ndarray.Array:
		if x.DType().IsInteger() {
			if ids, ok := ndarray.HostInts(x); ok && x.Rank() <= 1 {
				for _, i := range ids {
					out = append(out, i)
				}
				return out, x.Rank() == 1, nil
			}
		}
		f, ok := ndarray.HostFloats(x)
		if !ok || x.Rank() > 1 {
			return nil, false, fmt.Errorf("interp: labels along %q must be one number or a vector that is known before running: got %s", dim, describe(v))
		}
		for _, y := range f {
			out = append(out, y)
		}
		return out, x.Rank() == 1, nil
	case ndarray.Variable:
		if x.Rank() > 1 || x.Rank() == 1 && x.Dims()[0] != dim {
			return nil, false, fmt.Errorf("interp: labels along %q: got %s, want one number or values of that dimension; interp_like takes those of a variable", dim, describe(v))
		}
		l := x.Values()
		if l == nil {
			return labelsOf(dim, x.Array())
		}
		for i := range l.Len() {
			out = append(out, l.Value(i))
		}
		return out, x.Rank() == 1, nil
	}
	items, isList := itemsOf(v)
	if !isList {
		items = []value{v}
	}
	for _, it := range items {
		l, err := labelOf(dim, it)
		if err != nil || l == nil {
			return nil, false, fmt.Errorf("interp: %s is not a label of %q: want a number or a date", describe(it), dim)
		}
		out = append(out, l)
	}
	return out, isList, nil
}

func interpLike(recv value, a args, b params) (value, error) {
	how, err := b.text("method")
	if err != nil {
		return nil, err
	}
	other, ok := b.vals["other"].(ndarray.Variable)
	if ds, isData := b.vals["other"].(*ndarray.Dataset); isData && len(ds.Vars()) > 0 {
		other, ok = ds.Var(ds.Vars()[0]), true
	}
	if !ok {
		return nil, fmt.Errorf("interp_like: got %s, want a variable with dimension names", describe(b.vals["other"]))
	}
	return onVariables(recv, a.fn, nil, func(v ndarray.Variable) (ndarray.Variable, error) { return v.InterpLike(other, how), nil })
}

func interpolateNA(recv value, a args, b params) (value, error) {
	dim, err := b.text("dim")
	if err != nil {
		return nil, err
	}
	how, err := b.text("method")
	if err != nil {
		return nil, err
	}
	if how != "" && how != "linear" {
		return nil, fmt.Errorf("interpolate_na: method: got %q, want 'linear'", how)
	}
	limit, err := b.int("limit", 0)
	if err != nil {
		return nil, err
	}
	if b.has("limit") && limit < 1 {
		return nil, fmt.Errorf("interpolate_na: limit: got %d, want 1 or more, or None", limit)
	}
	coord, err := b.bool("use_coordinate", true)
	if err != nil {
		return nil, err
	}
	if dim == "" {
		return nil, fmt.Errorf("interpolate_na: dim: name the dimension: interpolate_na('time')")
	}
	return onVariables(recv, a.fn, []string{dim}, func(v ndarray.Variable) (ndarray.Variable, error) { return v.InterpolateNA(dim, limit, coord), nil })
}

// polyFit is polyfit('time', 1): a data set of the coefficients of a variable, or of each variable that has the dimension.
func polyFit(recv value, a args, b params) (value, error) {
	dim, err := b.text("dim")
	if err != nil {
		return nil, err
	}
	deg, err := b.int("deg", 0)
	if err != nil {
		return nil, err
	}
	if skip, err := b.bool("skipna", true); err != nil || !skip {
		return nil, errors.Join(err, fmt.Errorf("polyfit: skipna=False is not supported: missing values are left out"))
	}
	switch x := recv.(type) {
	case ndarray.Variable:
		fit := x.PolyFit(dim, deg)
		if fit.Err() != nil {
			return nil, fit.Err()
		}
		return ndarray.NewDataset(nil, fit), nil
	case *ndarray.Dataset:
		if err := someHas(x, a.fn, []string{dim}); err != nil {
			return nil, err
		}
		out := []ndarray.Variable{}
		for _, n := range x.Vars() {
			if v := x.Var(n); slices.Contains(v.Dims(), dim) {
				fit := v.PolyFit(dim, deg)
				out = append(out, fit.Rename(n+"_"+fit.Name()))
			}
		}
		ds := ndarray.NewDataset(nil, out...)
		return ds, datasetErr(ds)
	}
	return nil, fmt.Errorf("polyfit: %s has no dimension names", describe(recv))
}

// covariance is xarray's cov and corr of two variables by name.
func covariance(b params, x, y ndarray.Variable) (value, error) {
	// NumPy's third and fourth parameters stand where xarray has these.
	for name, plain := range map[string]string{"dim": "rowvar", "ddof": "bias"} {
		if b.has(plain) && !b.has(name) {
			b.vals[name] = b.vals[plain]
		}
	}
	var dims []string
	if b.has("dim") {
		var ok bool
		if dims, ok = textsOf(b.vals["dim"]); !ok {
			return nil, fmt.Errorf("%s: dim: got %s, want names of dimensions", b.fn, describe(b.vals["dim"]))
		}
		for _, d := range dims {
			if !slices.Contains(x.Dims(), d) && !slices.Contains(y.Dims(), d) {
				return nil, fmt.Errorf("%s: neither variable has dimension %q", b.fn, d)
			}
		}
	}
	if b.fn == "corr" {
		return x.Corr(y, dims...), nil
	}
	ddof, err := b.float("ddof", 1)
	if err != nil {
		return nil, err
	}
	return x.Cov(y, ddof, dims...), nil
}
