// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"

	"github.com/arrayrun/arrayrun/ndarray"
)

// take picks positions of one axis; without an axis, of the flattened array.
func take(b params) (value, error) {
	ids, isList, err := intsOf(b.vals["indices"], b.fn+": indices")
	if err != nil {
		x, isArray := b.vals["indices"].(ndarray.Array)
		if !isArray {
			return nil, err
		}
		var ok bool
		if ids, ok = ndarray.HostInts(x); !ok || x.Rank() > 1 {
			return nil, fmt.Errorf("take: positions must be known before running: want a list of integers")
		}
		isList = x.Rank() == 1
	}
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	axis := int64(0)
	if b.has("axis") {
		if axis, err = b.int("axis", 0); err != nil {
			return nil, err
		}
	} else if a.Rank() != 1 {
		a = a.Ravel()
	}
	rank := int64(a.Rank())
	if axis < -rank || axis >= rank {
		return nil, fmt.Errorf("take: axis %d is outside rank %d", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	idx := make([]ndarray.Index, axis+1)
	for i := range idx {
		idx[i] = ndarray.All()
	}
	idx[axis] = ndarray.Take(ids)
	if !isList {
		idx[axis] = ndarray.At(ids[0])
	}
	return a.Index(idx...), nil
}

// maxPoints bounds the list of a vindex.
const maxPoints = 4096

// vindex picks points: element k of the result is a[i[k], j[k], ...].
func vindex(b params) (value, error) {
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	if len(b.rest) == 0 || len(b.rest) > a.Rank() {
		return nil, fmt.Errorf("vindex: got %d lists for an array of rank %d", len(b.rest), a.Rank())
	}
	n := -1
	lists := make([][]int64, len(b.rest))
	for i, v := range b.rest {
		ids, isList, err := intsOf(v, "vindex")
		if err != nil {
			return nil, err
		}
		if isList && n >= 0 && len(ids) != n {
			return nil, fmt.Errorf("vindex: lists of %d and %d positions; want one length", n, len(ids))
		}
		if isList {
			n = len(ids)
		}
		lists[i] = ids
	}
	if n < 0 || n > maxPoints {
		return nil, fmt.Errorf("vindex: got %d points, want a list of 1 to %d", max(n, 1), maxPoints)
	}
	points := make([]ndarray.Array, n)
	for k := range points {
		idx := make([]ndarray.Index, len(lists))
		for i, l := range lists {
			idx[i] = ndarray.At(l[min(k, len(l)-1)])
		}
		points[k] = a.Index(idx...)
		if points[k].Err() != nil {
			return points[k], nil
		}
	}
	return ndarray.Stack(0, points...), nil
}

func rechunk(b params) (value, error) {
	if b.spread("chunks") == nil {
		return nil, fmt.Errorf("%s: the chunk lengths are missing", b.fn)
	}
	steps, isList, err := intsOf(b.spread("chunks"), b.fn+": chunks")
	if err != nil {
		return nil, err
	}
	v, isVar := b.vals["a"].(ndarray.Variable)
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	if !isList {
		for len(steps) < a.Rank() {
			steps = append(steps, steps[0])
		}
	}
	if isVar {
		return v.WithArray(a.Rechunk(steps...)), nil
	}
	return a.Rechunk(steps...), nil
}

func compress(b params) (value, error) {
	a, err := asPlain(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	m, err := asPlain(b.vals["condition"], b.fn)
	if err != nil {
		return nil, err
	}
	if !b.has("axis") {
		return a.Ravel().Index(ndarray.Mask(m.Ravel())), nil
	}
	axis, err := b.int("axis", 0)
	if err != nil {
		return nil, err
	}
	if axis < 0 {
		axis += int64(a.Rank())
	}
	if axis < 0 || axis >= int64(a.Rank()) {
		return nil, fmt.Errorf("compress: axis %d is outside rank %d", axis, a.Rank())
	}
	idx := make([]ndarray.Index, axis+1)
	for i := range idx {
		idx[i] = ndarray.All()
	}
	idx[axis] = ndarray.Mask(m)
	return a.Index(idx...), nil
}
