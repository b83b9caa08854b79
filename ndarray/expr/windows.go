// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/ndarray"
)

// windowMethods are the rows of the table of methods for time periods, windows and neighbours.
var windowMethods = map[string]method{
	"resample": {"", resample},
	"rolling":  {"", rolling},
	"coarsen":  {"", coarsen},
	"shift":    {"", shift},
	"roll":     {"", rollMethod},
	"diff":     {"", diffMethod},
	"idxmax":   {"dim= skipna= fill_value= keep_attrs= keepdims=", idxExtreme},
	"idxmin":   {"dim= skipna= fill_value= keep_attrs= keepdims=", idxExtreme},
}

// dimOptions sorts the keywords of a call such as rolling(time=3, center=True): options by name, and what is said of dimensions.
func (a args) dimOptions(options string) (b params, dims []string, err error) {
	b = params{fn: a.fn, vals: map[string]value{}}
	if len(a.pos) > 0 {
		return b, nil, fmt.Errorf("%s: dimensions are named: %s(time=...)", a.fn, a.fn)
	}
	known := strings.Fields(options)
	for k, v := range a.kw {
		if slices.Contains(known, k) {
			b.vals[k] = v
		} else {
			dims = append(dims, k)
		}
	}
	slices.Sort(dims)
	return b, dims, nil
}

// counts returns the integers that a call gives by dimension.
func (a args) counts(dims []string) (map[string]int64, error) {
	out := map[string]int64{}
	for _, d := range dims {
		n, err := intOf(a.kw[d], a.fn+": "+d)
		if err != nil {
			return nil, err
		}
		out[d] = n
	}
	return out, nil
}

// text returns a text argument, "" for none.
func (b params) text(name string) (string, error) {
	if !b.has(name) {
		return "", nil
	}
	s, ok := b.vals[name].(string)
	if !ok {
		return "", fmt.Errorf("%s: %s: got %s, want a text", b.fn, name, describe(b.vals[name]))
	}
	return s, nil
}

// withDims applies f to a variable, or to each variable of a data set that has one of the dimensions, with those that it has.
func withDims(recv value, fn string, dims []string, f func(v ndarray.Variable, dims []string) value) (value, error) {
	switch x := recv.(type) {
	case ndarray.Variable:
		return f(x, dims), nil
	case *ndarray.Dataset:
		p := perVariable{x, fn, map[string]value{}}
		if err := someHas(x, fn, dims); err != nil {
			return nil, err
		}
		for _, n := range x.Vars() {
			v := x.Var(n)
			has := ownDims(v, dims)
			if len(has) == 0 && len(dims) > 0 {
				continue
			}
			r := f(v, has)
			if err := errOf(r); err != nil {
				return nil, plainErr(err)
			}
			p.vals[n] = r
		}
		return p, nil
	}
	return nil, fmt.Errorf("%s: %s is not a variable with dimension names", fn, describe(recv))
}

// asDataset returns what withDims made of a data set as one, where each value is a variable already.
func asDataset(v value, err error) (value, error) {
	if p, ok := v.(perVariable); ok && err == nil {
		return p.each(func(g value) (value, error) { return g, nil })
	}
	return v, err
}

// resample is resample(time='MS', closed=, label=, origin=, offset=).
func resample(recv value, a args, _ params) (value, error) {
	b, dims, err := a.dimOptions("closed label origin offset skipna restore_coord_dims")
	if err != nil {
		return nil, err
	}
	if len(dims) != 1 {
		return nil, fmt.Errorf("resample: got %d dimensions, want one with a frequency: resample(time='MS')", len(dims))
	}
	freq, ok := a.kw[dims[0]].(string)
	if !ok {
		return nil, fmt.Errorf("resample: %s: got %s, want a frequency such as 'MS'", dims[0], describe(a.kw[dims[0]]))
	}
	var o ndarray.ResampleOptions
	for name, at := range map[string]*string{"closed": &o.Closed, "label": &o.Label, "origin": &o.Origin, "offset": &o.Offset} {
		if *at, err = b.text(name); err != nil {
			return nil, err
		}
	}
	return withDims(recv, a.fn, dims, func(v ndarray.Variable, dims []string) value { return v.Resample(dims[0], freq, o) })
}

// windowsOf returns the windows of some of the dimensions.
func windowsOf(all map[string]int64, dims []string) ndarray.Windows {
	w := ndarray.Windows{}
	for _, d := range dims {
		w[d] = all[d]
	}
	return w
}

// rolling is rolling(time=31, center=True, min_periods=1).
func rolling(recv value, a args, _ params) (value, error) {
	b, dims, err := a.dimOptions("center min_periods")
	if err != nil {
		return nil, err
	}
	windows, err := a.counts(dims)
	if err != nil {
		return nil, err
	}
	var o ndarray.RollingOptions
	if o.Center, err = b.bool("center", false); err != nil {
		return nil, err
	}
	if o.MinPeriods, err = b.int("min_periods", 0); err != nil {
		return nil, err
	}
	if b.has("min_periods") && o.MinPeriods < 1 {
		return nil, fmt.Errorf("rolling: min_periods: got %d, want 1 or more, or None for the window", o.MinPeriods)
	}
	return withDims(recv, a.fn, dims, func(v ndarray.Variable, dims []string) value { return v.Rolling(windowsOf(windows, dims), o) })
}

// coarsen is coarsen(lat=4, lon=2, boundary='trim', side='left', coord_func='mean').
func coarsen(recv value, a args, _ params) (value, error) {
	b, dims, err := a.dimOptions("boundary side coord_func")
	if err != nil {
		return nil, err
	}
	windows, err := a.counts(dims)
	if err != nil {
		return nil, err
	}
	var o ndarray.CoarsenOptions
	var side string
	for name, at := range map[string]*string{"boundary": &o.Boundary, "side": &side, "coord_func": &o.Coord} {
		if *at, err = b.text(name); err != nil {
			return nil, err
		}
	}
	switch side {
	case "", "left":
	case "right":
		o.Right = true
	default:
		return nil, fmt.Errorf("coarsen: side: got %q, want 'left' or 'right'", side)
	}
	return withDims(recv, a.fn, dims, func(v ndarray.Variable, dims []string) value { return v.Coarsen(windowsOf(windows, dims), o) })
}

// shift is shift(time=1, fill_value=0).
func shift(recv value, a args, _ params) (value, error) {
	b, dims, err := a.dimOptions("fill_value")
	if err != nil {
		return nil, err
	}
	by, err := a.counts(dims)
	if err != nil {
		return nil, err
	}
	var fill any
	if b.has("fill_value") {
		w, ok := weak(b.vals["fill_value"])
		if !ok {
			return nil, fmt.Errorf("shift: fill_value: got %s, want a number", describe(b.vals["fill_value"]))
		}
		fill = w
	}
	return asDataset(withDims(recv, a.fn, dims, func(v ndarray.Variable, dims []string) value {
		for _, d := range dims {
			v = v.Shift(d, by[d], fill)
		}
		return v
	}))
}

// rollMethod is roll(time=1, roll_coords=False) of variables; of plain arrays it is NumPy's roll.
func rollMethod(recv value, a args, _ params) (value, error) {
	if _, plain := recv.(ndarray.Array); plain {
		a.pos = append([]value{recv}, a.pos...)
		return callFunction(a)
	}
	b, dims, err := a.dimOptions("roll_coords")
	if err != nil {
		return nil, err
	}
	by, err := a.counts(dims)
	if err != nil {
		return nil, err
	}
	coords, err := b.bool("roll_coords", false)
	if err != nil {
		return nil, err
	}
	return asDataset(withDims(recv, a.fn, dims, func(v ndarray.Variable, dims []string) value {
		for _, d := range dims {
			v = v.Roll(d, by[d], coords)
		}
		return v
	}))
}

// diffMethod is diff('time', n=1, label='upper') of variables; of plain arrays it is NumPy's diff.
func diffMethod(recv value, a args, _ params) (value, error) {
	if _, plain := recv.(ndarray.Array); plain {
		a.pos = append([]value{recv}, a.pos...)
		return callFunction(a)
	}
	b, err := a.bind("dim n= label=")
	if err != nil {
		return nil, err
	}
	n, err := b.int("n", 1)
	if err != nil {
		return nil, err
	}
	label, err := b.text("label")
	if err != nil {
		return nil, err
	}
	if label != "" && label != "upper" && label != "lower" {
		return nil, fmt.Errorf("diff: label: got %q, want 'upper' or 'lower'", label)
	}
	dim, ok := b.vals["dim"].(string)
	if !ok {
		return nil, fmt.Errorf("diff: dim: got %s, want the name of a dimension", describe(b.vals["dim"]))
	}
	return asDataset(withDims(recv, a.fn, []string{dim}, func(v ndarray.Variable, dims []string) value { return v.Diff(dims[0], n, label == "lower") }))
}

// idxExtreme is idxmax('time') and idxmin('time').
func idxExtreme(recv value, a args, b params) (value, error) {
	if b.has("fill_value") {
		if f, ok := b.vals["fill_value"].(float64); !ok || f == f {
			return nil, fmt.Errorf("%s: fill_value: got %s, want nan; fillna replaces it", a.fn, describe(b.vals["fill_value"]))
		}
	}
	dim, err := b.text("dim")
	if err != nil {
		return nil, err
	}
	if v, ok := recv.(ndarray.Variable); ok && dim == "" {
		if v.Rank() != 1 {
			return nil, fmt.Errorf("%s: name the dimension: %s has %d", a.fn, describe(recv), v.Rank())
		}
		dim = v.Dims()[0]
	}
	if dim == "" {
		return nil, fmt.Errorf("%s: dim: name the dimension: %s('time')", a.fn, a.fn)
	}
	skip, err := b.bool("skipna", true)
	if err != nil {
		return nil, err
	}
	o := ndarray.Reduction{KeepNaN: !skip}
	if o.KeepDims, err = b.bool("keepdims", false); err != nil {
		return nil, err
	}
	return asDataset(withDims(recv, a.fn, []string{dim}, func(v ndarray.Variable, dims []string) value {
		name := v.Name()
		_, isData := recv.(*ndarray.Dataset)
		if a.fn == "idxmax" {
			v = v.IdxMax(dims[0], o)
		} else {
			v = v.IdxMin(dims[0], o)
		}
		if isData {
			v = v.Rename(name)
		}
		return v
	}))
}
