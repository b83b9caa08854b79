// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"slices"
)

// WithArray returns v with other values of the same rank: names, coordinates and attributes stay.
func (v Variable) WithArray(a Array) Variable {
	if a.Err() == nil && a.Rank() != len(v.dims) {
		return v.fail("ndarray: %s: got an array of rank %d, want %d", v.label(), a.Rank(), len(v.dims))
	}
	v.array, v.host, v.values = a, nil, nil
	return v
}

// WithLines returns v with other values of the same rank, which stand for something else along dims: coordinates along those go, as do units and
// standard name.
func (v Variable) WithLines(a Array, dims ...string) Variable {
	out := v.WithArray(a)
	if out.Err() != nil {
		return out
	}
	out.attrs = v.attrs.Without("units", "standard_name")
	out.coords = dropCoords(v.coords, dims)
	for _, d := range dims {
		out.unlimited = without(out.unlimited, d)
	}
	return out
}

// TextVariable returns a one-dimensional variable of texts, for coordinates.
func TextVariable(name string, texts []string, dim string) Variable {
	l := textLabels(slices.Clone(texts))
	return Variable{name: name, dims: []string{dim}, array: l.Array(), host: l}
}

// Values returns v's values where they are in host memory already (coordinates, parts of a time), nil otherwise.
func (v Variable) Values() *Labels {
	if v.host != nil || v.Err() != nil {
		return v.host
	}
	if c := v.asCoord(); c.host != nil {
		return c.host
	}
	return nil
}

// Value returns value i as a Go string, int64 or float64.
func (l *Labels) Value(i int) any {
	switch {
	case l.Str != nil:
		return l.Str[i]
	case l.Float != nil:
		return l.Float[i]
	}
	return l.Int[i]
}

// ExpandDims returns v with new first dimensions of length 1.
func (v Variable) ExpandDims(dims ...string) Variable {
	for i := len(dims) - 1; i >= 0; i-- {
		if v.Err() != nil {
			return v
		}
		if v.axis(dims[i]) >= 0 {
			return v.fail("ndarray: expand_dims: %s has a dimension %q already", v.label(), dims[i])
		}
		out := v
		out.array, out.host, out.values = v.array.ExpandDims(0), nil, nil
		out.dims = append([]string{dims[i]}, v.dims...)
		out.coords = slices.Clone(v.coords)
		for k, c := range out.coords {
			if c.name == dims[i] && len(c.dims) == 0 && c.host != nil {
				h := *c.host
				h.Shape = []int64{1}
				out.coords[k] = newCoord(c.name, []string{c.name}, c.attrs, &h)
			}
		}
		v = out
	}
	return v
}

// Squeeze returns v without the named dimensions, which must have length 1; without all of length 1 when none
// is named. Their labels stay as scalars.
func (v Variable) Squeeze(dims ...string) Variable {
	if v.Err() != nil {
		return v
	}
	if len(dims) == 0 {
		for i, d := range v.dims {
			if v.Shape()[i] == 1 {
				dims = append(dims, d)
			}
		}
	}
	for _, d := range dims {
		switch n := v.dimLen(d); {
		case n < 0:
			return v.noDim("squeeze", d)
		case n != 1:
			return v.fail("ndarray: squeeze: dimension %q of %s has length %d, want 1", d, v.label(), n)
		}
		v = v.at(d, 0)
	}
	return v
}

// ConcatVariables returns the variables joined along a dimension that all have. Other dimensions must hold the same labels;
// name and attributes are the first's.
func ConcatVariables(dim string, vars ...Variable) Variable {
	if len(vars) == 0 {
		return Variable{}.fail("ndarray: concat: no variables: got 0, want at least 1")
	}
	arrays := make([]Array, len(vars))
	first := vars[0]
	for i, v := range vars {
		if v.Err() != nil {
			return v
		}
		if v.axis(dim) < 0 {
			return v.noDim("concat", dim)
		}
		if !slices.Equal(v.dims, first.dims) {
			return v.fail("ndarray: concat: %s and %s have other dimensions", first.label(), v.label())
		}
		w := v
		w.dims = slices.Clone(v.dims)
		w.coords = slices.DeleteFunc(slices.Clone(v.coords), func(c *Coord) bool { return slices.Contains(c.dims, dim) })
		a := first
		a.coords = slices.DeleteFunc(slices.Clone(first.coords), func(c *Coord) bool { return slices.Contains(c.dims, dim) })
		w.dims[w.axis(dim)] = "\x00joined"
		m, bad := w.matched([]Variable{a})
		if bad != nil {
			return *bad
		}
		arrays[i] = m.array
	}
	out := first
	out.array, out.host, out.values = Concat(first.axis(dim), arrays...), nil, nil
	out.coords = dropCoords(first.coords, []string{dim})
	if c := joinedLabels(dim, vars); c != nil {
		out.coords = append(out.coords, c)
	}
	return out
}

// joinedLabels returns the joined dimension coordinate, nil where one variable lacks it or the kinds differ.
func joinedLabels(dim string, vars []Variable) *Coord {
	var out *Labels
	var first *Coord
	for _, v := range vars {
		c := v.CoordOf(dim)
		if c == nil || c.host == nil {
			return nil
		}
		if out == nil {
			h := *c.host
			out, first = &h, c
			out.Float, out.Int, out.Str = slices.Clone(h.Float), slices.Clone(h.Int), slices.Clone(h.Str)
			continue
		}
		if c.host.DType != out.DType {
			return nil
		}
		out.Float = append(out.Float, c.host.Float...)
		out.Int = append(out.Int, c.host.Int...)
		out.Str = append(out.Str, c.host.Str...)
		out.Shape = []int64{out.Shape[0] + c.host.Shape[0]}
	}
	return newCoord(dim, []string{dim}, first.attrs.Without("bounds", "climatology"), out)
}
