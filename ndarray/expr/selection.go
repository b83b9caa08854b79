// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// sel selects by label: sel(time='2001', lat=slice(-30, 30), method='nearest', tolerance=1).
func sel(recv value, a args, _ params) (value, error) {
	if len(a.pos) > 0 {
		return nil, fmt.Errorf("sel: labels are given by dimension name: a.sel(time='2001-03')")
	}
	nearest, tolerance := false, -1.0
	var dims []string
	for k, v := range a.kw {
		switch k {
		case "method":
			switch v {
			case "nearest":
				nearest = true
			case none{}:
			default:
				return nil, fmt.Errorf("sel: method: got %s, want 'nearest'", describe(v))
			}
		case "tolerance":
			if _, ok := v.(none); ok {
				continue
			}
			t, err := floatOf(v, "sel: tolerance")
			if err != nil {
				return nil, err
			}
			tolerance = t
		case "drop":
		default:
			dims = append(dims, k)
		}
	}
	slices.Sort(dims)
	return onVariables(recv, "sel", dims, func(v ndarray.Variable) (ndarray.Variable, error) {
		for _, d := range dims {
			x := a.kw[d]
			if _, isData := recv.(*ndarray.Dataset); isData && !slices.Contains(v.Dims(), d) {
				continue
			}
			if m, ok := asMask(x); ok {
				w, err := selectPositions(v, d, m)
				if err != nil {
					return v, err
				}
				v = w
				continue
			}
			s, err := selector(d, x)
			if err != nil {
				return v, err
			}
			if nearest {
				s = s.WithNearest(tolerance)
			}
			if v = v.Sel(s); v.Err() != nil {
				return v, nil
			}
		}
		return v, nil
	})
}

// asMask returns a bool array or variable.
func asMask(v value) (value, bool) {
	switch x := v.(type) {
	case ndarray.Array:
		return x, x.DType() == dtype.Bool
	case ndarray.Variable:
		return x, x.DType() == dtype.Bool
	}
	return nil, false
}

// selector returns the selector of a label, a list of labels or a slice.
func selector(dim string, v value) (ndarray.Selector, error) {
	switch x := v.(type) {
	case slice:
		if _, ok := x.step.(none); !ok && x.step != nil {
			return ndarray.Selector{}, fmt.Errorf("sel: a slice of labels has no step: use isel for steps")
		}
		lo, err := labelOf(dim, x.lo)
		if err != nil {
			return ndarray.Selector{}, err
		}
		hi, err := labelOf(dim, x.hi)
		return ndarray.Between(dim, lo, hi), err
	case list:
		return labelList(dim, x)
	case tuple:
		return labelList(dim, x)
	case ndarray.Variable:
		l := x.Values()
		if l == nil {
			return ndarray.Selector{}, fmt.Errorf("sel: labels along %q must be known before running: %s is the result of a computation", dim, describe(x))
		}
		var items []any
		for i := range l.Len() {
			items = append(items, l.Value(i))
		}
		if x.Rank() == 0 {
			return ndarray.Label(dim, items[0]), nil
		}
		return ndarray.AnyLabel(dim, items...), nil
	}
	l, err := labelOf(dim, v)
	return ndarray.Label(dim, l), err
}

func labelList(dim string, items []value) (ndarray.Selector, error) {
	out := make([]any, len(items))
	for i, it := range items {
		l, err := labelOf(dim, it)
		if err != nil {
			return ndarray.Selector{}, err
		}
		out[i] = l
	}
	return ndarray.AnyLabel(dim, out...), nil
}

// labelOf returns a literal as a label: a number, a text, nil for None.
func labelOf(dim string, v value) (any, error) {
	switch x := v.(type) {
	case nil, none:
		return nil, nil
	case string, float64, bool:
		return x, nil
	case *big.Int:
		if w, ok := weak(x); ok {
			return w, nil
		}
	}
	return nil, fmt.Errorf("sel: %s is not a label of %q: want a number, a text, a list or a slice", describe(v), dim)
}

// isel selects by position: isel(time=0, lat=slice(0, 10)).
func isel(recv value, a args, _ params) (value, error) {
	if len(a.pos) > 0 {
		return nil, fmt.Errorf("isel: positions are given by dimension name: a.isel(time=0)")
	}
	var dims []string
	for k := range a.kw {
		if k != "drop" {
			dims = append(dims, k)
		}
	}
	slices.Sort(dims)
	return onVariables(recv, "isel", dims, func(v ndarray.Variable) (ndarray.Variable, error) {
		for _, d := range dims {
			if _, isData := recv.(*ndarray.Dataset); isData && !slices.Contains(v.Dims(), d) {
				continue
			}
			if !slices.Contains(v.Dims(), d) {
				return v.ISel(d, 0), nil // says which dimensions there are
			}
			w, err := selectPositions(v, d, a.kw[d])
			if err != nil {
				return v, fmt.Errorf("isel: %w", err)
			}
			v = w
		}
		return v, nil
	})
}
