// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"

	"github.com/arrayrun/arrayrun/ndarray"
)

// shaping are the functions that move elements and change none.
var shaping = map[string]function{
	"transpose":        {"a *axes", transpose},
	"permute_dims":     {"a axes", transpose},
	"matrix_transpose": {"a", plainly(func(a ndarray.Array, _ params) (value, error) { return a.MatrixTranspose(), nil })},
	"moveaxis":         {"a source destination", moveAxis},
	"swapaxes":         {"a axis1 axis2", swapAxes},
	"expand_dims":      {"a axis= dim=", expandDims},
	"squeeze":          {"a axis= dim=", squeeze},
	"broadcast_to":     {"a shape", plainly(broadcastTo)},
	"broadcast_arrays": {"*arrays", broadcastArrays},
	"meshgrid":         {"*arrays indexing=", meshgrid},
	"reshape":          {"a *shape", reshape},
	"ravel":            {"a", plainly(func(a ndarray.Array, _ params) (value, error) { return a.Ravel(), nil })},
	"flatten":          {"a", plainly(func(a ndarray.Array, _ params) (value, error) { return a.Ravel(), nil })},
	"concat":           {"arrays axis= dim=", concat},
	"concatenate":      {"arrays axis= dim=", concat},
	"stack":            {"arrays axis=", stack},
	"flip":             {"a axis=", plainly(flip)},
	"fliplr":           {"a", plainly(func(a ndarray.Array, _ params) (value, error) { return a.Flip(1), nil })},
	"flipud":           {"a", plainly(func(a ndarray.Array, _ params) (value, error) { return a.Flip(0), nil })},
	"roll":             {"a shift axis=", plainly(roll)},
	"repeat":           {"a repeats axis=", plainly(repeat)},
	"tile":             {"a reps", plainly(tile)},
	"take":             {"a indices axis=", take},
	"vindex":           {"a *indices", vindex},
	"rechunk":          {"a *chunks", rechunk},
	"chunk":            {"a *chunks", rechunk},
	"compress":         {"condition a axis=", compress},
}

// plainly wraps a function of one array without names.
func plainly(f func(a ndarray.Array, b params) (value, error)) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, err := asPlain(b.vals["a"], b.fn)
		if err != nil {
			return nil, err
		}
		return f(a, b)
	}
}

// transpose takes axes or names of dimensions; without any it reverses.
func transpose(b params) (value, error) {
	ax := b.spread("axes")
	if v, ok := b.vals["a"].(ndarray.Variable); ok {
		if ax == nil {
			return v.Transpose(), nil
		}
		items := []value{ax}
		if t, ok := ax.(tuple); ok {
			items = t
		} else if l, ok := ax.(list); ok {
			items = l
		}
		names := make([]string, len(items))
		dims := v.Dims()
		for i, it := range items {
			switch x := it.(type) {
			case string:
				names[i] = x
			case ellipsis:
				names[i] = "..."
			default:
				n, err := intOf(x, b.fn)
				if err != nil {
					return nil, err
				}
				if n < 0 {
					n += int64(len(dims))
				}
				if n < 0 || n >= int64(len(dims)) {
					return nil, fmt.Errorf("%s: axis %d is outside rank %d", b.fn, n, len(dims))
				}
				names[i] = dims[n]
			}
		}
		return v.Transpose(names...), nil
	}
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	axes, err := axesOf(ax, b.fn)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return a.Transpose(), nil
	}
	return a.PermuteDims(axes...), nil
}

func moveAxis(b params) (value, error) {
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	from, err := axesOf(b.vals["source"], b.fn+": source")
	if err != nil {
		return nil, err
	}
	to, err := axesOf(b.vals["destination"], b.fn+": destination")
	if err != nil {
		return nil, err
	}
	if len(from) != len(to) {
		return nil, fmt.Errorf("moveaxis: got %d sources and %d destinations", len(from), len(to))
	}
	rank := a.Rank()
	order := make([]int, rank)
	for i := range order {
		order[i] = -1
	}
	used := make([]bool, rank)
	for i := range from {
		f, t := from[i], to[i]
		if f < 0 {
			f += rank
		}
		if t < 0 {
			t += rank
		}
		if f < 0 || f >= rank || t < 0 || t >= rank || used[f] || order[t] >= 0 {
			return nil, fmt.Errorf("moveaxis: axes %v to %v do not fit rank %d", from, to, rank)
		}
		order[t], used[f] = f, true
	}
	next := 0
	for i := range order {
		if order[i] >= 0 {
			continue
		}
		for used[next] {
			next++
		}
		order[i] = next
		next++
	}
	return a.PermuteDims(order...), nil
}

func swapAxes(b params) (value, error) {
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	i, err := b.int("axis1", 0)
	if err != nil {
		return nil, err
	}
	j, err := b.int("axis2", 0)
	if err != nil {
		return nil, err
	}
	return a.SwapAxes(int(i), int(j)), nil
}

func expandDims(b params) (value, error) {
	ax, ok := b.vals["axis"]
	if !ok {
		ax = b.vals["dim"]
	}
	if v, isVar := b.vals["a"].(ndarray.Variable); isVar {
		names, ok := textsOf(ax)
		if !ok {
			return nil, fmt.Errorf("expand_dims: a variable needs the name of the new dimension: a.expand_dims('name')")
		}
		return v.ExpandDims(names...), nil
	}
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	axes, err := axesOf(ax, b.fn+": axis")
	if err != nil {
		return nil, err
	}
	if axes == nil {
		axes = []int{0}
	}
	return a.ExpandDims(axes...), nil
}

func squeeze(b params) (value, error) {
	ax, ok := b.vals["axis"]
	if !ok {
		ax = b.vals["dim"]
	}
	if v, isVar := b.vals["a"].(ndarray.Variable); isVar {
		if names, ok := textsOf(ax); ok {
			return v.Squeeze(names...), nil
		}
		axes, err := axesOf(ax, b.fn+": axis")
		if err != nil {
			return nil, err
		}
		dims := v.Dims()
		var names []string
		for _, x := range axes {
			if x < 0 {
				x += len(dims)
			}
			if x < 0 || x >= len(dims) {
				return nil, fmt.Errorf("squeeze: axis %d is outside rank %d", x, len(dims))
			}
			names = append(names, dims[x])
		}
		return v.Squeeze(names...), nil
	}
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	axes, err := axesOf(ax, b.fn+": axis")
	if err != nil {
		return nil, err
	}
	return a.Squeeze(axes...), nil
}

func broadcastTo(a ndarray.Array, b params) (value, error) {
	s, err := shapeOf(b.vals["shape"], b.fn+": shape")
	if err != nil {
		return nil, err
	}
	return a.BroadcastTo(s...), nil
}

func plainArrays(list []value, fn string) ([]ndarray.Array, error) {
	out := make([]ndarray.Array, len(list))
	for i, v := range list {
		a, err := asPlain(v, fn)
		if err != nil {
			return nil, err
		}
		if a.Err() != nil {
			return nil, a.Err()
		}
		out[i] = a
	}
	return out, nil
}

func arrayTuple(list []ndarray.Array) tuple {
	out := make(tuple, len(list))
	for i, a := range list {
		out[i] = a
	}
	return out
}

func broadcastArrays(b params) (value, error) {
	arrays, err := plainArrays(b.rest, b.fn)
	if err != nil {
		return nil, err
	}
	return arrayTuple(ndarray.Broadcast(arrays...)), nil
}

func meshgrid(b params) (value, error) {
	arrays, err := plainArrays(b.rest, b.fn)
	if err != nil {
		return nil, err
	}
	grids := ndarray.Meshgrid(arrays...)
	if b.vals["indexing"] != "ij" && len(grids) > 1 {
		for i := range grids {
			grids[i] = grids[i].SwapAxes(0, 1) // NumPy's "xy"
		}
	}
	return arrayTuple(grids), nil
}

func reshape(b params) (value, error) {
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	if b.spread("shape") == nil {
		return nil, fmt.Errorf("reshape: a shape is missing")
	}
	s, err := shapeOf(b.spread("shape"), b.fn+": shape")
	if err != nil {
		return nil, err
	}
	return a.Reshape(s...), nil
}

// sequenceOf returns the arrays of concat((a, b)) and concat([a, b]).
func sequenceOf(v value, fn string) ([]value, error) {
	switch x := v.(type) {
	case list:
		return x, nil
	case tuple:
		return x, nil
	}
	return nil, fmt.Errorf("%s: got %s, want a list of arrays: %s([a, b])", fn, describe(v), fn)
}

func concat(b params) (value, error) {
	l, err := sequenceOf(b.vals["arrays"], b.fn)
	if err != nil {
		return nil, err
	}
	if len(l) > 0 {
		if _, ok := l[0].(ndarray.Variable); ok {
			return concatVariables(b, l)
		}
	}
	arrays, err := plainArrays(l, b.fn)
	if err != nil {
		return nil, err
	}
	if v, given := b.vals["axis"]; given {
		if _, flat := v.(none); flat {
			for i := range arrays {
				arrays[i] = arrays[i].Ravel()
			}
		}
	}
	axis, err := b.int("axis", 0)
	if err != nil {
		return nil, err
	}
	return ndarray.Concat(int(axis), arrays...), nil
}

func concatVariables(b params, l []value) (value, error) {
	dim, _ := b.vals["dim"].(string)
	if s, ok := b.vals["axis"].(string); ok {
		dim = s
	}
	vars := make([]ndarray.Variable, len(l))
	for i, x := range l {
		v, ok := x.(ndarray.Variable)
		if !ok {
			return nil, fmt.Errorf("%s: got %s among variables", b.fn, describe(x))
		}
		vars[i] = v
	}
	if dim == "" {
		n, err := b.int("axis", 0)
		if err != nil {
			return nil, err
		}
		dims := vars[0].Dims()
		if n < 0 {
			n += int64(len(dims))
		}
		if n < 0 || n >= int64(len(dims)) {
			return nil, fmt.Errorf("%s: axis %d is outside rank %d", b.fn, n, len(dims))
		}
		dim = dims[n]
	}
	return ndarray.ConcatVariables(dim, vars...), nil
}

func stack(b params) (value, error) {
	l, err := sequenceOf(b.vals["arrays"], b.fn)
	if err != nil {
		return nil, err
	}
	arrays, err := plainArrays(l, b.fn)
	if err != nil {
		return nil, err
	}
	axis, err := b.int("axis", 0)
	if err != nil {
		return nil, err
	}
	return ndarray.Stack(int(axis), arrays...), nil
}

func flip(a ndarray.Array, b params) (value, error) {
	axes, err := axesOf(b.vals["axis"], b.fn+": axis")
	if err != nil {
		return nil, err
	}
	return a.Flip(axes...), nil
}

func roll(a ndarray.Array, b params) (value, error) {
	shifts, _, err := intsOf(b.vals["shift"], b.fn+": shift")
	if err != nil {
		return nil, err
	}
	axes, err := axesOf(b.vals["axis"], b.fn+": axis")
	if err != nil {
		return nil, err
	}
	if axes == nil {
		shape := a.Shape()
		if len(shifts) != 1 {
			return nil, fmt.Errorf("roll: got %d shifts without axes", len(shifts))
		}
		return a.Ravel().Roll(shifts[0], 0).Reshape(shape...), nil
	}
	if len(shifts) == 1 {
		for len(shifts) < len(axes) {
			shifts = append(shifts, shifts[0])
		}
	}
	if len(axes) == 1 {
		for len(axes) < len(shifts) {
			axes = append(axes, axes[0])
		}
	}
	if len(shifts) != len(axes) {
		return nil, fmt.Errorf("roll: got %d shifts for %d axes", len(shifts), len(axes))
	}
	for i := range axes {
		a = a.Roll(shifts[i], axes[i])
	}
	return a, nil
}

func repeat(a ndarray.Array, b params) (value, error) {
	n, err := b.int("repeats", 1)
	if err != nil {
		return nil, err
	}
	if !b.has("axis") {
		return a.Ravel().Repeat(n, 0), nil
	}
	axis, err := b.int("axis", 0)
	if err != nil {
		return nil, err
	}
	return a.Repeat(n, int(axis)), nil
}

func tile(a ndarray.Array, b params) (value, error) {
	reps, _, err := intsOf(b.vals["reps"], b.fn+": reps")
	if err != nil {
		return nil, err
	}
	return a.Tile(reps...), nil
}
