// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"github.com/arrayrun/arrayrun/kernels"
)

// Scan returns the running fold along an axis with the name op in the table of scans: "cumulative_sum", "cumulative_prod" (or NumPy's
// cumsum and cumprod), "nancumsum" and "nancumprod", which take NaN for 0 and 1, and "ffill", which replaces NaN by the last element
// before it that is none. The shape stays; integers give int64 or uint64, other dtypes stay. Elements are taken in sequence and each
// step rounds to the result's dtype, as NumPy's do: the same bits.
//
// An unknown op and an axis outside the rank are errors.
func (a Array) Scan(op string, axis int) Array {
	o, skip, ok := kernels.ScanByName(op)
	if !ok {
		return failf("ndarray: %s: no such scan", op)
	}
	if a.Err() != nil {
		return a
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: %s: %w", op, err)
	}
	if skip && (a.DType().IsFloat() || a.DType().IsComplex()) {
		a = Where(a.IsNaN(), o.Missing, a)
	}
	return Array{here().Scan(o.ID, a.Node(), k)}
}

// CumSum returns the sums along an axis up to each element.
func (a Array) CumSum(axis int) Array { return a.Scan("cumulative_sum", axis) }

// CumProd returns the products along an axis up to each element.
func (a Array) CumProd(axis int) Array { return a.Scan("cumulative_prod", axis) }

// Fill returns a with each NaN replaced by the last element before it along axis that is none, or, backwards, by the first behind it.
// With a limit above 0 so many NaN in a row are replaced at most.
func (a Array) Fill(axis int, backwards bool, limit int64) Array {
	if a.Err() != nil || !a.DType().IsFloat() && !a.DType().IsComplex() {
		return a
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: fill: %w", err)
	}
	x := a
	if backwards {
		x = x.Flip(k)
	}
	out := x.Scan("ffill", k)
	if limit > 0 {
		// Where the last value was: positions are exact in float64.
		at := Array{here().Fill(x.Grid(), kernels.Const{}, k)}
		last := Where(x.IsNaN(), nan, at).Scan("ffill", k)
		out = Where(Apply("less_equal", Apply("subtract", at, last), limit), out, x)
	}
	if backwards {
		out = out.Flip(k)
	}
	return out
}

// Scan returns the running fold of the table of scans along dimensions, one after another: all when none is named. NaN counts as 0 in
// sums and as 1 in products unless o.KeepNaN. Dimensions and coordinates stay; products have no units.
func (v Variable) Scan(op string, o Reduction, dims ...string) Variable {
	if v.Err() != nil {
		return v
	}
	s, skip, ok := kernels.ScanByName(op)
	if !ok {
		return v.fail("ndarray: %q is not a scan", op)
	}
	name := s.Name
	if s.Twin != "" && (skip || !o.KeepNaN) {
		name = s.Twin
	}
	_, axes, bad := v.reduced(op, o, dims)
	if bad != nil {
		return *bad
	}
	out := v.array
	for _, k := range axes {
		out = out.Scan(name, k)
	}
	v = v.WithArray(out)
	if !s.KeepsUnits {
		v.attrs = v.attrs.Without("units", "standard_name")
	}
	return v
}

// CumSum returns the sums along dims up to each element, missing values left out.
func (v Variable) CumSum(dims ...string) Variable {
	return v.Scan("cumulative_sum", Reduction{}, dims...)
}

// CumProd returns the products along dims up to each element, missing values left out.
func (v Variable) CumProd(dims ...string) Variable {
	return v.Scan("cumulative_prod", Reduction{}, dims...)
}

// Fill returns v with each missing value replaced by the last one before it along dim that is there, or, backwards, by the first behind
// it. With a limit above 0 so many missing values in a row are replaced at most.
func (v Variable) Fill(dim string, backwards bool, limit int64) Variable {
	if v.Err() != nil {
		return v
	}
	k := v.axis(dim)
	if k < 0 {
		return v.noDim("fill", dim)
	}
	return v.WithArray(v.array.Fill(k, backwards, limit))
}
