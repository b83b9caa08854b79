// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// rearranging are the functions that join arrays, cut them apart and put elements in or out.
var rearranging = map[string]function{
	"pad":          {"a pad_width mode= constant_values=", plainly(pad)},
	"rot90":        {"a k= axes=", plainly(rot90)},
	"unstack":      {"a axis=", plainly(unstack)},
	"split":        {"a indices_or_sections axis=", plainly(splitting(0, true))},
	"array_split":  {"a indices_or_sections axis=", plainly(splitting(0, false))},
	"vsplit":       {"a indices_or_sections", plainly(splitting(0, true))},
	"hsplit":       {"a indices_or_sections", plainly(splitting(1, true))},
	"dsplit":       {"a indices_or_sections", plainly(splitting(2, true))},
	"vstack":       {"arrays", joined(2, 0)},
	"row_stack":    {"arrays", joined(2, 0)},
	"hstack":       {"arrays", joined(1, 1)},
	"dstack":       {"arrays", joined(3, 2)},
	"column_stack": {"arrays", columnStack},
	"block":        {"arrays", block},
	"atleast_1d":   {"*arrays", raised(1)},
	"atleast_2d":   {"*arrays", raised(2)},
	"atleast_3d":   {"*arrays", raised(3)},
	"append":       {"a values axis=", plainly(appendTo)},
	"delete":       {"a obj axis=", plainly(deleteFrom)},
	"insert":       {"a obj values axis=", plainly(insertInto)},
}

// pairsOf reads one number, a pair for all axes, or a pair for each axis (one number in place of a pair is both), as NumPy broadcasts them.
func pairsOf(v value, rank int, what string) ([][2]value, error) {
	out := make([][2]value, rank)
	items, isList := itemsOf(v)
	pair := func(v value) ([2]value, error) {
		items, isList := itemsOf(v)
		switch {
		case !isList:
			return [2]value{v, v}, nil
		case len(items) == 1:
			return [2]value{items[0], items[0]}, nil
		case len(items) == 2:
			return [2]value{items[0], items[1]}, nil
		}
		return [2]value{}, fmt.Errorf("%s: got %s, want (before, after)", what, describe(v))
	}
	nested := isList && len(items) > 0
	if nested {
		_, nested = itemsOf(items[0])
	}
	if nested && len(items) != 1 {
		if len(items) != rank {
			return nil, fmt.Errorf("%s: got pairs of %d axes for an array of rank %d", what, len(items), rank)
		}
		for i, it := range items {
			var err error
			if out[i], err = pair(it); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	if nested {
		v = items[0]
	}
	all, err := pair(v)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i] = all
	}
	return out, nil
}

// itemsOf returns the items of a list or a tuple.
func itemsOf(v value) ([]value, bool) {
	switch x := v.(type) {
	case list:
		return x, true
	case tuple:
		return x, true
	}
	return nil, false
}

// pad reads widths and what stands in the new places.
func pad(a ndarray.Array, b params) (value, error) {
	widths, err := widthsOf(b.vals["pad_width"], a.Rank(), b.fn+": pad_width")
	if err != nil {
		return nil, err
	}
	o, err := padOptions(b, a.Rank())
	if err != nil {
		return nil, err
	}
	return a.Pad(widths, o), nil
}

func widthsOf(v value, rank int, what string) ([][2]int64, error) {
	pairs, err := pairsOf(v, rank, what)
	if err != nil {
		return nil, err
	}
	out := make([][2]int64, rank)
	for i, p := range pairs {
		for k := range p {
			if out[i][k], err = intOf(p[k], what); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// padOptions reads mode and constant_values.
func padOptions(b params, rank int) (o ndarray.PadOptions, err error) {
	if o.Mode, err = b.text("mode"); err != nil || !b.has("constant_values") {
		return o, err
	}
	if o.Mode != "" && o.Mode != "constant" {
		return o, fmt.Errorf("%s: constant_values: got mode %q, want \"constant\"", b.fn, o.Mode)
	}
	pairs, err := pairsOf(b.vals["constant_values"], rank, b.fn+": constant_values")
	if err != nil {
		return o, err
	}
	o.Values = make([][2]any, rank)
	for i, p := range pairs {
		for k := range p {
			w, ok := weak(p[k])
			if !ok || !isNumber(p[k]) {
				return o, fmt.Errorf("%s: constant_values: got %s, want numbers", b.fn, describe(p[k]))
			}
			o.Values[i][k] = w
		}
	}
	return o, nil
}

func rot90(a ndarray.Array, b params) (value, error) {
	k, err := b.int("k", 1)
	if err != nil {
		return nil, err
	}
	axes, err := axesOf(b.vals["axes"], b.fn+": axes")
	if err != nil {
		return nil, err
	}
	if axes == nil {
		axes = []int{0, 1}
	}
	if len(axes) != 2 {
		return nil, fmt.Errorf("rot90: axes: got %v, want two", axes)
	}
	return a.Rot90(k, axes[0], axes[1]), nil
}

func unstack(a ndarray.Array, b params) (value, error) {
	axis, err := b.axis("axis", 0)
	if err != nil {
		return nil, err
	}
	return checkedTuple(a.Unstack(axis))
}

// checkedTuple returns arrays as a tuple, or the error of one.
func checkedTuple(list []ndarray.Array) (value, error) {
	for _, a := range list {
		if a.Err() != nil {
			return nil, a.Err()
		}
	}
	return arrayTuple(list), nil
}

// splitting cuts along an axis, at positions or into a number of parts, of one length if even. hsplit cuts vectors along their only axis.
func splitting(def int, even bool) func(a ndarray.Array, b params) (value, error) {
	return func(a ndarray.Array, b params) (value, error) {
		least := max(def+1, 1)
		if b.fn == "hsplit" {
			least = 1
		}
		if b.fn == "vsplit" {
			least = 2
		}
		if a.Rank() < least {
			return nil, fmt.Errorf("%s: got an array of rank %d, want at least %d", b.fn, a.Rank(), least)
		}
		axis, err := b.axis("axis", min(def, a.Rank()-1))
		if err != nil {
			return nil, err
		}
		at := b.vals["indices_or_sections"]
		ids, isList, err := positionsOf(at, b.fn+": indices_or_sections")
		if err != nil {
			return nil, err
		}
		if isList {
			return checkedTuple(a.SplitAt(axis, ids...))
		}
		if k := axis + a.Rank(); even && k >= 0 && axis < a.Rank() && ids[0] > 0 && a.Shape()[k%a.Rank()]%ids[0] != 0 {
			return nil, fmt.Errorf("%s: axis %d of shape %v is not cut evenly by %d; array_split gives parts that differ by one", b.fn, axis, a.Shape(), ids[0])
		}
		return checkedTuple(a.Split(axis, ids[0]))
	}
}

// positionsOf returns an integer, or a list of them: a literal, or an array in memory.
func positionsOf(v value, what string) (ids []int64, isList bool, err error) {
	a, isArray := v.(ndarray.Array)
	if !isArray {
		return intsOf(v, what)
	}
	ids, ok := ndarray.HostInts(a)
	if !ok || a.Rank() > 1 {
		return nil, false, fmt.Errorf("%s: positions must be known before running: want a list of integers", what)
	}
	return ids, a.Rank() == 1, nil
}

// arraysOf returns the arrays of vstack([a, b]) with at least so many axes, as atleast_1d and its siblings add them.
func arraysOf(b params, rank int) ([]ndarray.Array, error) {
	l, err := sequenceOf(b.vals["arrays"], b.fn)
	if err != nil {
		return nil, err
	}
	arrays, err := plainArrays(l, b.fn)
	if err != nil {
		return nil, err
	}
	if len(arrays) == 0 {
		return nil, fmt.Errorf("%s: got no arrays, want at least one", b.fn)
	}
	for i := range arrays {
		arrays[i] = atLeast(arrays[i], rank)
	}
	return arrays, nil
}

// atLeast returns a with at least n axes: in front, but for three, where a vector is the middle axis and a matrix the first two.
func atLeast(a ndarray.Array, n int) ndarray.Array {
	switch {
	case n == 3 && a.Rank() == 1:
		return a.ExpandDims(0, 2)
	case n == 3 && a.Rank() == 2:
		return a.ExpandDims(2)
	}
	for a.Err() == nil && a.Rank() < n {
		a = a.ExpandDims(0)
	}
	return a
}

// joined joins arrays of at least so many axes along one, vectors along their only axis.
func joined(rank, axis int) func(b params) (value, error) {
	return func(b params) (value, error) {
		arrays, err := arraysOf(b, rank)
		if err != nil {
			return nil, err
		}
		return ndarray.Concat(min(axis, arrays[0].Rank()-1), arrays...), nil
	}
}

// columnStack takes vectors as columns.
func columnStack(b params) (value, error) {
	arrays, err := arraysOf(b, 1)
	if err != nil {
		return nil, err
	}
	for i, a := range arrays {
		if a.Rank() == 1 {
			arrays[i] = a.ExpandDims(1)
		}
	}
	return ndarray.Concat(1, arrays...), nil
}

// raised are atleast_1d and its siblings: of one array an array, of several a tuple.
func raised(rank int) func(b params) (value, error) {
	return func(b params) (value, error) {
		arrays, err := plainArrays(b.rest, b.fn)
		if err != nil {
			return nil, err
		}
		for i := range arrays {
			arrays[i] = atLeast(arrays[i], rank)
		}
		if len(arrays) == 1 {
			return arrays[0], nil
		}
		return arrayTuple(arrays), nil
	}
}

// block joins nested lists: the innermost along the last axis, each level outside along the axis before.
func block(b params) (value, error) {
	v := b.vals["arrays"]
	depth := 0
	for x := v; ; depth++ {
		l, ok := x.(list)
		if !ok {
			break
		}
		if len(l) == 0 {
			return nil, fmt.Errorf("block: got an empty list, want at least one array")
		}
		x = l[0]
	}
	rank := depth
	var leaves func(v value, level int) error
	leaves = func(v value, level int) error {
		if l, ok := v.(list); ok {
			for _, x := range l {
				if err := leaves(x, level+1); err != nil {
					return err
				}
			}
			return nil
		}
		if level != depth {
			return fmt.Errorf("block: lists are nested %d deep and %d deep: want one depth", depth, level)
		}
		a, err := asPlain(v, b.fn)
		rank = max(rank, a.Rank())
		return err
	}
	if err := leaves(v, 0); err != nil {
		return nil, err
	}
	var join func(v value, level int) (ndarray.Array, error)
	join = func(v value, level int) (ndarray.Array, error) {
		l, ok := v.(list)
		if !ok {
			a, err := asPlain(v, b.fn)
			for err == nil && a.Err() == nil && a.Rank() < rank {
				a = a.ExpandDims(0)
			}
			return a, err
		}
		parts := make([]ndarray.Array, len(l))
		for i, x := range l {
			var err error
			if parts[i], err = join(x, level+1); err != nil {
				return parts[i], err
			}
		}
		return ndarray.Concat(level-depth, parts...), nil
	}
	return join(v, 0)
}

// flatUnless returns a and the axis that a call names, or a as one axis.
func flatUnless(a ndarray.Array, b params) (ndarray.Array, int, error) {
	if !b.has("axis") {
		return a.Ravel(), 0, nil
	}
	axis, err := b.axis("axis", 0)
	return a, axis, err
}

func appendTo(a ndarray.Array, b params) (value, error) {
	x, err := asPlain(b.vals["values"], b.fn)
	if err != nil {
		return nil, err
	}
	a, axis, err := flatUnless(a, b)
	if err != nil {
		return nil, err
	}
	if !b.has("axis") {
		x = x.Ravel()
	}
	return ndarray.Concat(axis, a, x), nil
}

// edited returns the positions along an axis that delete and insert name: an integer, a list, a slice, or a mask.
func edited(a ndarray.Array, axis int, v value, what string) (ids []int64, isList bool, err error) {
	n := int64(-1)
	if k := axis + a.Rank(); k >= 0 && axis < a.Rank() {
		n = a.Shape()[k%a.Rank()]
	}
	switch x := v.(type) {
	case slice:
		lo, hi, step, err := x.ints()
		if err != nil || n < 0 {
			return nil, true, err
		}
		r := ndarray.Range{Lo: lo, Hi: hi, Step: 1}
		if step != nil {
			r.Step = *step
		}
		return r.Positions(n), true, nil
	case list:
		if len(x) > 0 {
			if _, ok := x[0].(bool); ok {
				m, err := asArray(x, what)
				if err != nil {
					return nil, true, err
				}
				return edited(a, axis, m, what)
			}
		}
	case ndarray.Array:
		if x.DType() == dtype.Bool {
			ids, err := ndarray.MaskPositions(x)
			if err == nil && n >= 0 && x.Shape()[0] != n {
				err = fmt.Errorf("%s: a mask of length %d for an axis of length %d", what, x.Shape()[0], n)
			}
			return ids, true, err
		}
	}
	return positionsOf(v, what)
}

func deleteFrom(a ndarray.Array, b params) (value, error) {
	a, axis, err := flatUnless(a, b)
	if err != nil {
		return nil, err
	}
	ids, _, err := edited(a, axis, b.vals["obj"], b.fn+": obj")
	if err != nil {
		return nil, err
	}
	return a.Delete(axis, ids...), nil
}

// insertInto inserts values before positions. Before one position that is given as a number there may be several, along the values' first axis.
func insertInto(a ndarray.Array, b params) (value, error) {
	a, axis, err := flatUnless(a, b)
	if err != nil || a.Err() != nil {
		return a, err
	}
	if axis < -a.Rank() || axis >= a.Rank() {
		return nil, fmt.Errorf("insert: axis %d is outside rank %d", axis, a.Rank())
	}
	axis = (axis + a.Rank()) % a.Rank()
	ids, isList, err := edited(a, axis, b.vals["obj"], b.fn+": obj")
	if err != nil {
		return nil, err
	}
	x, err := asPlain(b.vals["values"], b.fn)
	if err != nil {
		return nil, err
	}
	if len(ids) == 1 {
		for x.Err() == nil && x.Rank() < a.Rank() {
			x = x.ExpandDims(0)
		}
		if !isList {
			x = x.MoveAxis(0, axis)
		}
		if x.Err() != nil {
			return x, nil
		}
		if n := x.Shape(); len(n) == a.Rank() {
			if n[axis] > 1<<16 {
				return nil, fmt.Errorf("insert: got %d values for one position, want at most %d; concat joins arrays", n[axis], 1<<16)
			}
			ids = slices.Repeat(ids, int(n[axis]))
		}
	}
	if x.Rank() > a.Rank() {
		return nil, fmt.Errorf("insert: values of shape %v do not fit an array of shape %v: %w", x.Shape(), a.Shape(), chunk.ErrShape)
	}
	return a.Insert(axis, ids, x), nil
}
