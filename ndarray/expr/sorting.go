// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/ndarray"
)

// sorting are the functions that sort, search and find.
var sorting = map[string]function{
	"sort":            {"a axis= kind= order= descending= stable=", sorted(ndarray.Array.Sort)},
	"argsort":         {"a axis= kind= order= descending= stable=", argSort},
	"lexsort":         {"keys axis=", lexSort},
	"partition":       {"a kth axis= kind= order=", partition(ndarray.Array.Sort)},
	"argpartition":    {"a kth axis= kind= order=", partition(ndarray.Array.ArgSort)},
	"searchsorted":    {"x1 x2 side= sorter=", searchSorted},
	"digitize":        {"x bins right=", digitize},
	"nonzero":         {"a", nonZero},
	"argwhere":        {"a", onValues(ndarray.Array.ArgWhere)},
	"flatnonzero":     {"a", onValues(ndarray.Array.FlatNonZero)},
	"take_along_axis": {"a indices axis=", takeAlongAxis},
	"array_equal":     {"a b equal_nan=", arrayEqual},
}

// record is a tuple whose items have names, too.
type record struct {
	tuple
	names []string
}

// field returns the item with a name.
func (r record) field(name string) (value, error) {
	if i := slices.Index(r.names, name); i >= 0 {
		return r.tuple[i], nil
	}
	return nil, fmt.Errorf("the result has no field %q%s; it has %s", name, suggest(name, r.names), strings.Join(r.names, ", "))
}

// onValues wraps a method of arrays that makes no use of names.
func onValues(f func(a ndarray.Array) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, err := asArray(b.vals["a"], b.fn)
		if err != nil {
			return nil, err
		}
		return f(a), nil
	}
}

// kinds are the ways to sort that NumPy knows: one result, for the sort is stable in any case.
var kinds = []string{"quicksort", "mergesort", "heapsort", "stable"}

// sortArgs reads what sorts have in common: the operand, flat and along axis 0 where axis is None, and the direction.
func sortArgs(b params, x ndarray.Array) (a ndarray.Array, axis int, descending bool, err error) {
	if b.has("order") {
		return x, 0, false, fmt.Errorf("%s: order is for records, which are not sorted", b.fn)
	}
	if k, ok := b.vals["kind"]; ok && b.has("kind") {
		name, _ := k.(string)
		if !slices.Contains(kinds, name) && name != "introselect" {
			return x, 0, false, fmt.Errorf("%s: kind: got %s, want one of %s", b.fn, describe(k), strings.Join(kinds, ", "))
		}
	}
	if descending, err = b.bool("descending", false); err != nil {
		return x, 0, false, err
	}
	if _, err = b.bool("stable", true); err != nil {
		return x, 0, false, err
	}
	if _, given := b.vals["axis"]; given && !b.has("axis") { // None
		return x.Ravel(), 0, descending, nil
	}
	n, err := b.int("axis", -1)
	return x, int(n), descending, err
}

// sorted is sort.
func sorted(f func(a ndarray.Array, axis int, descending bool) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		x, err := asArray(b.vals["a"], b.fn)
		if err != nil || x.Err() != nil {
			return x, err
		}
		x, axis, descending, err := sortArgs(b, x)
		if err != nil {
			return nil, err
		}
		return f(x, axis, descending), nil
	}
}

// argSort keeps the names of a variable, and makes one axis of a number, as NumPy does.
func argSort(b params) (value, error) {
	if v, ok := b.vals["a"].(ndarray.Variable); ok && v.Rank() > 0 {
		if _, given := b.vals["axis"]; !given || b.has("axis") {
			x, axis, descending, err := sortArgs(b, v.Array())
			if err != nil {
				return nil, err
			}
			return v.WithArray(x.ArgSort(axis, descending)).WithAttrs(v.Attrs().Without("units", "standard_name")), nil
		}
	}
	return sorted(func(a ndarray.Array, axis int, descending bool) ndarray.Array {
		if a.Err() == nil && a.Rank() == 0 {
			a = a.Reshape(1)
		}
		return a.ArgSort(axis, descending)
	})(b)
}

// partition is a whole sort: what NumPy says of the rest of the order is that nothing is said.
func partition(f func(a ndarray.Array, axis int, descending bool) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		x, err := asArray(b.vals["a"], b.fn)
		if err != nil || x.Err() != nil {
			return x, err
		}
		kth, _, err := intsOf(b.vals["kth"], b.fn+": kth")
		if err != nil {
			return nil, err
		}
		x, axis, _, err := sortArgs(b, x)
		if err != nil {
			return nil, err
		}
		out := f(x, axis, false)
		if out.Err() != nil {
			return out, nil
		}
		if axis < 0 {
			axis += x.Rank()
		}
		for _, k := range kth {
			if n := x.Shape()[axis]; n >= 0 && (k >= n || k < -n) {
				return nil, fmt.Errorf("%s: kth: got %d, want -%d to %d", b.fn, k, n, n-1)
			}
		}
		return out, nil
	}
}

func lexSort(b params) (value, error) {
	axis, err := b.int("axis", -1)
	if err != nil {
		return nil, err
	}
	var keys []ndarray.Array
	if items, err := sequenceOf(b.vals["keys"], b.fn); err == nil {
		for _, x := range items {
			a, err := asArray(x, b.fn)
			if err != nil || a.Err() != nil {
				return a, err
			}
			keys = append(keys, a)
		}
	} else {
		a, err := asArray(b.vals["keys"], b.fn)
		if err != nil || a.Err() != nil {
			return a, err
		}
		if a.Rank() == 0 {
			return nil, fmt.Errorf("lexsort: keys: got a number, want a list of arrays or an array of rows")
		}
		for i := range a.Shape()[0] {
			keys = append(keys, a.Index(ndarray.At(i)))
		}
	}
	if len(keys) > 0 && keys[0].Rank() == 0 {
		return ndarray.Scalar(int64(0)), nil
	}
	return ndarray.LexSort(keys, int(axis)), nil
}

func searchSorted(b params) (value, error) {
	table, err := asArray(b.vals["x1"], b.fn)
	if err != nil {
		return nil, err
	}
	x, err := asArray(b.vals["x2"], b.fn)
	if err != nil {
		return nil, err
	}
	o := ndarray.SearchOptions{}
	if b.has("side") {
		switch b.vals["side"] {
		case "left":
		case "right":
			o.Right = true
		default:
			return nil, fmt.Errorf("%s: side: got %s, want 'left' or 'right'", b.fn, describe(b.vals["side"]))
		}
	}
	if b.has("sorter") {
		s, err := asArray(b.vals["sorter"], b.fn+": sorter")
		if err != nil {
			return nil, err
		}
		o.Sorter = &s
	}
	return table.SearchSorted(x, o), nil
}

func digitize(b params) (value, error) {
	x, err := asArray(b.vals["x"], b.fn)
	if err != nil {
		return nil, err
	}
	bins, err := asArray(b.vals["bins"], b.fn+": bins")
	if err != nil {
		return nil, err
	}
	right, err := b.bool("right", false)
	if err != nil {
		return nil, err
	}
	out := x.Digitize(bins, right)
	if v, ok := b.vals["x"].(ndarray.Variable); ok && out.Err() == nil {
		return v.WithArray(out).WithAttrs(v.Attrs().Without("units", "standard_name")), nil
	}
	return out, nil
}

func nonZero(b params) (value, error) {
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil || a.Err() != nil {
		return a, err
	}
	list := a.NonZero()
	for _, x := range list {
		if x.Err() != nil {
			return x, nil
		}
	}
	return arrayTuple(list), nil
}

func takeAlongAxis(b params) (value, error) {
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil || a.Err() != nil {
		return a, err
	}
	ids, err := asArray(b.vals["indices"], b.fn+": indices")
	if err != nil {
		return nil, err
	}
	if _, given := b.vals["axis"]; given && !b.has("axis") {
		return a.Ravel().TakeAlongAxis(ids, 0), nil
	}
	axis, err := b.int("axis", -1)
	if err != nil {
		return nil, err
	}
	return a.TakeAlongAxis(ids, int(axis)), nil
}

func arrayEqual(b params) (value, error) {
	x, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	y, err := asArray(b.vals["b"], b.fn)
	if err != nil {
		return nil, err
	}
	nan, err := b.bool("equal_nan", false)
	if err != nil {
		return nil, err
	}
	return ndarray.ArrayEqual(x, y, nan), nil
}
