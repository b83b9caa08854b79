// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// index evaluates x[...].
func (e *evaluator) index(v value, x *Index) (value, error) {
	items := make([]value, len(x.Items))
	for i, it := range x.Items {
		s, ok := it.(*Slice)
		if !ok {
			w, err := e.eval(it)
			if err != nil {
				return nil, err
			}
			items[i] = w
			continue
		}
		var part slice
		for _, p := range []struct {
			n   Node
			out *value
		}{{s.Lo, &part.lo}, {s.Hi, &part.hi}, {s.Step, &part.step}} {
			*p.out = none{}
			if p.n == nil {
				continue
			}
			w, err := e.eval(p.n)
			if err != nil {
				return nil, err
			}
			*p.out = w
		}
		items[i] = part
	}
	if len(items) == 1 && !x.IsTuple {
		if t, ok := items[0].(tuple); ok {
			items = t
		}
	}
	return indexValue(v, items)
}

func indexValue(v value, items []value) (value, error) {
	switch x := v.(type) {
	case *ndarray.Dataset:
		if len(items) == 1 {
			if s, ok := items[0].(string); ok {
				return member(x, s)
			}
		}
		return nil, fmt.Errorf("a data set is indexed by the name of a variable: ds['name']; it has %s", x)
	case ndarray.Table:
		if len(items) == 1 {
			if s, ok := items[0].(string); ok {
				return x.Column(s), nil
			}
			if names, ok := textsOf(items[0]); ok {
				return x.Select(names...), nil
			}
		}
		return nil, fmt.Errorf("a table is indexed by names of columns: t['area'], t[['label', 'area']]")
	case ndarray.Variable:
		if len(items) == 1 {
			if s, ok := items[0].(string); ok {
				return x.Coord(s), nil
			}
		}
		return indexVariable(x, items)
	case list:
		w, err := indexSequence(x, items)
		if l, ok := w.([]value); ok {
			return list(l), err
		}
		return w, err
	case record:
		return indexValue(x.tuple, items)
	case tuple:
		w, err := indexSequence(x, items)
		if l, ok := w.([]value); ok {
			return tuple(l), err
		}
		return w, err
	case ndarray.Array:
		return indexArray(x, items)
	}
	return nil, fmt.Errorf("%s cannot be indexed", describe(v))
}

// member returns a variable of a data set: an Array where the file names no dimensions.
func member(ds *ndarray.Dataset, name string) (value, error) {
	if !ds.Has(name) {
		return nil, fmt.Errorf("no variable %q in the %s%s", name, ds, suggest(name, ds.Names()))
	}
	v := ds.Var(name)
	if ds.IsPlain(name) {
		return v.Array(), nil
	}
	return v, nil
}

// indexSequence indexes a list or tuple with one integer or slice.
func indexSequence(l []value, items []value) (value, error) {
	if len(items) != 1 {
		return nil, fmt.Errorf("a list takes one index: got %d", len(items))
	}
	n := int64(len(l))
	if s, ok := items[0].(slice); ok {
		lo, hi, step, err := s.ints()
		if err != nil {
			return nil, err
		}
		r := ndarray.Range{Lo: lo, Hi: hi, Step: 1}
		if step != nil {
			if r.Step = *step; r.Step == 0 {
				return nil, fmt.Errorf("the step of a slice is 0; want another number")
			}
		}
		out := []value{}
		for _, i := range r.Positions(n) {
			out = append(out, l[i])
		}
		return out, nil
	}
	i, err := intOf(items[0], "index")
	if err != nil {
		return nil, err
	}
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return nil, fmt.Errorf("index %s is outside a sequence of %d", describe(items[0]), n)
	}
	return l[i], nil
}

// ints returns the parts of a slice of positions.
func (s slice) ints() (lo, hi, step *int64, err error) {
	for _, p := range []struct {
		v   value
		out **int64
	}{{s.lo, &lo}, {s.hi, &hi}, {s.step, &step}} {
		if _, ok := p.v.(none); ok || p.v == nil {
			continue
		}
		n, err := bound(p.v)
		if err != nil {
			return nil, nil, nil, err
		}
		*p.out = &n
	}
	return lo, hi, step, nil
}

// bound returns a slice's part; an integer of any size is as good as the nearest int64.
func bound(v value) (int64, error) {
	if b, ok := v.(*big.Int); ok && !b.IsInt64() {
		if b.Sign() < 0 {
			return -1 << 62, nil
		}
		return 1 << 62, nil
	}
	return intOf(v, "slice")
}

// indexOf returns one item as an Index of an array.
func indexOf(v value) (ndarray.Index, error) {
	switch x := v.(type) {
	case none:
		return ndarray.NewAxis(), nil
	case ellipsis:
		return ndarray.Ellipsis(), nil
	case bool:
		return ndarray.Index{}, fmt.Errorf("True and False are not indices; use a list or an array of them")
	case *big.Int:
		i, err := intOf(x, "index")
		return ndarray.At(i), err
	case slice:
		lo, hi, step, err := x.ints()
		if step != nil && *step == 0 {
			err = fmt.Errorf("the step of a slice is 0; want another number")
		}
		return ndarray.Slice(lo, hi, step), err
	case list, tuple:
		return listIndex(x)
	case ndarray.Array:
		return arrayIndex(x)
	case ndarray.Variable:
		return arrayIndex(x.Array())
	case string:
		return ndarray.Index{}, fmt.Errorf("the index %q is a text: only data sets and variables have names", x)
	}
	return ndarray.Index{}, fmt.Errorf("%s is not an index: want an integer, a slice, a list, None, ... or a mask", describe(v))
}

// listIndex is a list of integers (positions) or of bools (a mask).
func listIndex(v value) (ndarray.Index, error) {
	var l list
	switch x := v.(type) {
	case list:
		l = x
	case tuple:
		l = list(x)
	}
	bools := make([]bool, 0, len(l))
	for _, x := range l {
		if b, ok := x.(bool); ok {
			bools = append(bools, b)
		}
	}
	if len(l) > 0 && len(bools) == len(l) {
		return ndarray.Mask(ndarray.FromSlice(bools)), nil
	}
	for _, x := range l {
		if _, ok := x.(list); ok {
			return ndarray.Index{}, fmt.Errorf("nested lists are not an index: lists select along one axis each; vindex(a, i, j) picks points")
		}
	}
	ids, _, err := intsOf(l, "index")
	return ndarray.Take(ids), err
}

// arrayIndex is a mask, or integers in memory.
func arrayIndex(a ndarray.Array) (ndarray.Index, error) {
	if a.DType() == dtype.Bool {
		return ndarray.Mask(a), nil
	}
	if a.DType().IsInteger() {
		if ids, ok := ndarray.HostInts(a); ok && a.Rank() <= 1 {
			if a.Rank() == 0 {
				return ndarray.At(ids[0]), nil
			}
			return ndarray.Take(ids), nil
		}
		return ndarray.Index{}, fmt.Errorf("an index array of shape %v is the result of a computation: positions must be known before running; want a list of integers or a mask", a.Shape())
	}
	return ndarray.Index{}, fmt.Errorf("an array of %v is not an index: want integers or bool", a.DType())
}

func indexArray(a ndarray.Array, items []value) (value, error) {
	idx := make([]ndarray.Index, len(items))
	for i, it := range items {
		x, err := indexOf(it)
		if err != nil {
			return nil, err
		}
		idx[i] = x
	}
	return a.Index(idx...), nil
}

// indexVariable indexes by position and keeps the names of the dimensions that stay.
func indexVariable(v ndarray.Variable, items []value) (value, error) {
	rank := v.Rank()
	if len(items) == 1 {
		if m, ok := items[0].(ndarray.Variable); ok && m.DType() == dtype.Bool && m.Rank() > 1 {
			return nil, fmt.Errorf("a mask of %d dimensions gives points without labels; use a.where(mask), or a.data[mask.data]", m.Rank())
		}
	}
	given := 0
	for _, it := range items {
		if _, ok := it.(ellipsis); !ok {
			given++
		}
	}
	if given > rank {
		return nil, fmt.Errorf("%d indices for a variable of %d dimensions", given, rank)
	}
	dims := v.Dims()
	axis := 0
	for _, it := range items {
		switch x := it.(type) {
		case ellipsis:
			axis += rank - given
			continue
		case none:
			return nil, fmt.Errorf("a new axis needs a name: use a.expand_dims('name')")
		default:
			w, err := selectPositions(v, dims[axis], x)
			if err != nil {
				return nil, err
			}
			v = w
		}
		axis++
	}
	return v, nil
}

// selectPositions is v.isel(dim=x).
func selectPositions(v ndarray.Variable, dim string, x value) (ndarray.Variable, error) {
	switch y := x.(type) {
	case slice:
		lo, hi, step, err := y.ints()
		if err != nil {
			return v, err
		}
		r := ndarray.Range{Lo: lo, Hi: hi, Step: 1}
		if step != nil {
			if r.Step = *step; r.Step == 0 {
				return v, fmt.Errorf("the step of a slice is 0; want another number")
			}
		}
		return v.ISel(dim, r), nil
	case ndarray.Array, ndarray.Variable:
		a, err := asArray(y, "index")
		if err != nil {
			return v, err
		}
		if a.DType() == dtype.Bool {
			ids, err := ndarray.MaskPositions(a)
			if err != nil {
				return v, err
			}
			if n := v.Shape(); a.Rank() == 1 && a.Shape()[0] != n[indexOfDim(v, dim)] {
				return v, fmt.Errorf("mask of length %d for dimension %q of length %d", a.Shape()[0], dim, n[indexOfDim(v, dim)])
			}
			return v.ISel(dim, ids), nil
		}
		if ids, ok := ndarray.HostInts(a); ok {
			return v.ISel(dim, ids), nil
		}
		return v, fmt.Errorf("positions along %q must be known before running: want a list of integers", dim)
	case list:
		if len(y) > 0 {
			if _, ok := y[0].(bool); ok {
				a, err := asArray(y, "index")
				if err != nil {
					return v, err
				}
				return selectPositions(v, dim, a)
			}
		}
		ids, _, err := intsOf(y, "index")
		if err != nil {
			return v, err
		}
		return v.ISel(dim, ids), nil
	}
	i, err := intOf(x, "index")
	if err != nil {
		return v, err
	}
	return v.ISel(dim, i), nil
}

func indexOfDim(v ndarray.Variable, dim string) int {
	for i, d := range v.Dims() {
		if d == dim {
			return i
		}
	}
	return 0
}
