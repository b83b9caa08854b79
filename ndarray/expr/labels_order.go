// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/ndarray"
)

// orderMethods are the methods that put labelled values in order or leave some out.
var orderMethods = map[string]method{
	"sortby": {"variables ascending=", sortBy},
	"dropna": {"dim how= thresh=", dropNA},
	"rank":   {"dim pct=", rankAlong},
}

// sortBy is sortby('time'), sortby(['a', 'b']) or sortby(variable).
func sortBy(recv value, a args, b params) (value, error) {
	ascending, err := b.bool("ascending", true)
	if err != nil {
		return nil, err
	}
	items := []value{b.vals["variables"]}
	if l, err := sequenceOf(b.vals["variables"], a.fn); err == nil {
		items = l
	}
	var keys []ndarray.Variable
	for _, x := range items {
		switch k := x.(type) {
		case string:
			v, err := memberOf(recv, k)
			if err != nil {
				return nil, fmt.Errorf("sortby: %w", err)
			}
			keys = append(keys, v)
		case ndarray.Variable:
			keys = append(keys, k)
		default:
			return nil, fmt.Errorf("sortby: got %s, want a name, a variable or a list of them", describe(x))
		}
	}
	var dims []string
	for _, k := range keys {
		if k.Err() != nil {
			return k, nil
		}
		dims = append(dims, k.Dims()...)
	}
	return onVariables(recv, a.fn, dims, func(v ndarray.Variable) (ndarray.Variable, error) { return v.SortBy(ascending, keys...), nil })
}

// memberOf returns the variable or coordinate of a name.
func memberOf(recv value, name string) (ndarray.Variable, error) {
	switch x := recv.(type) {
	case ndarray.Variable:
		return x.Coord(name), nil
	case *ndarray.Dataset:
		m, err := member(x, name)
		if v, ok := m.(ndarray.Variable); ok {
			return v, err
		}
		return ndarray.Variable{}, err
	}
	return ndarray.Variable{}, fmt.Errorf("%s has no dimension names", describe(recv))
}

// dropNA leaves out the positions of a dimension where values are missing.
func dropNA(recv value, a args, b params) (value, error) {
	dim, ok := b.vals["dim"].(string)
	if !ok {
		return nil, fmt.Errorf("dropna: dim: got %s, want the name of a dimension", describe(b.vals["dim"]))
	}
	how, ok := b.vals["how"].(string)
	if b.has("how") && (!ok || how != "any" && how != "all") {
		return nil, fmt.Errorf("dropna: how: got %s, want 'any' or 'all'", describe(b.vals["how"]))
	}
	thresh, err := b.int("thresh", 0)
	if err != nil {
		return nil, err
	}
	var list []ndarray.Variable
	switch x := recv.(type) {
	case ndarray.Variable:
		list = append(list, x)
	case *ndarray.Dataset:
		for _, n := range x.Vars() {
			if v := x.Var(n); slices.Contains(v.Dims(), dim) {
				list = append(list, v)
			}
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("dropna: no variable of the data set has dimension %q", dim)
		}
	default:
		return nil, fmt.Errorf("dropna: %s has no dimension names", describe(recv))
	}
	var present []int64
	all := int64(0)
	for i, v := range list {
		counts, n, err := v.Present(dim)
		if err != nil {
			return nil, err
		}
		all += n
		if i == 0 {
			present = counts
			continue
		}
		for k, c := range counts {
			present[k] += c
		}
	}
	least := all
	switch {
	case b.has("thresh"):
		least = thresh
	case how == "all":
		least = 1
	}
	keep := []int64{}
	for k, c := range present {
		if c >= least {
			keep = append(keep, int64(k))
		}
	}
	return onVariables(recv, a.fn, []string{dim}, func(v ndarray.Variable) (ndarray.Variable, error) { return v.ISel(dim, keep), nil })
}

// rankAlong is rank.
func rankAlong(recv value, a args, b params) (value, error) {
	dim, ok := b.vals["dim"].(string)
	if !ok {
		return nil, fmt.Errorf("rank: dim: got %s, want the name of a dimension", describe(b.vals["dim"]))
	}
	pct, err := b.bool("pct", false)
	if err != nil {
		return nil, err
	}
	return onVariables(recv, a.fn, []string{dim}, func(v ndarray.Variable) (ndarray.Variable, error) { return v.Ranks(dim, pct), nil })
}
