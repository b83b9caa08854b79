// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// SortBy returns v with its dimensions in the order of keys, one-dimensional variables whose values are known before a run (coordinates are): the
// first key counts most, equal ones keep their order, and NaN is last. Not ascending, the whole order is turned around.
//
// Keys of dimensions that v lacks are left out; others than these, and keys of other lengths, are errors.
func (v Variable) SortBy(ascending bool, keys ...Variable) Variable {
	if v.Err() != nil {
		return v
	}
	by := map[string][]*Labels{}
	for _, k := range keys {
		if k.Err() != nil {
			return k
		}
		if len(k.dims) != 1 {
			return v.fail("ndarray: sortby: %s has dimensions %s, want one", k.label(), quoted(k.dims))
		}
		dim := k.dims[0]
		if v.axis(dim) < 0 {
			continue
		}
		l, err := k.keyCoord().read()
		if err != nil {
			return v.fail("ndarray: sortby: %w", err)
		}
		if l == nil {
			return v.fail("ndarray: sortby: the values of %s must be known before running: it is the result of a computation", k.label())
		}
		if n := v.dimLen(dim); int64(l.Len()) != n {
			return v.fail("ndarray: sortby: %s has length %d, %q in %s has %d", k.label(), l.Len(), dim, v.label(), n)
		}
		by[dim] = append(by[dim], l)
	}
	for _, dim := range slices.Clone(v.dims) {
		if list := by[dim]; len(list) > 0 {
			v = v.take(dim, orderOf(list, ascending))
		}
	}
	return v
}

// orderOf returns the positions of labels in their order, the first list counting most.
func orderOf(list []*Labels, ascending bool) []int64 {
	ids := make([]int64, list[0].Len())
	for i := range ids {
		ids[i] = int64(i)
	}
	slices.SortStableFunc(ids, func(a, b int64) int {
		for _, l := range list {
			if c := l.compare(int(a), int(b)); c != 0 {
				return c
			}
		}
		return 0
	})
	if !ascending {
		slices.Reverse(ids)
	}
	return ids
}

// compare returns -1, 0 or 1 as label i is below, equal to or above label j; NaN is above all others.
func (l *Labels) compare(i, j int) int {
	switch {
	case l.Str != nil:
		return cmp.Compare(l.Str[i], l.Str[j])
	case l.Float != nil:
		x, y := l.Float[i], l.Float[j]
		if x != x || y != y {
			return cmp.Compare(l.missing(i), l.missing(j))
		}
		return cmp.Compare(x, y)
	case l.DType == dtype.Uint64:
		return cmp.Compare(uint64(l.Int[i]), uint64(l.Int[j]))
	}
	return cmp.Compare(l.Int[i], l.Int[j])
}

// missing returns 1 where label i is NaN, else 0.
func (l *Labels) missing(i int) int {
	if l.isMissing(i) {
		return 1
	}
	return 0
}

// Present returns, for each position along dim, how many elements of v are not missing, and how many there are. The elements must be known
// before a run: numbers in memory or in files, and what elementwise operations make of them, 4194304 at most.
func (v Variable) Present(dim string) (counts []int64, all int64, err error) {
	k := v.axis(dim)
	if k < 0 {
		return nil, 0, v.noDim("dropna", dim).Err()
	}
	shape := v.Shape()
	counts = make([]int64, shape[k])
	if shape.Size() == 0 {
		return counts, 0, nil
	}
	all = shape.Size() / shape[k]
	if !v.DType().IsFloat() {
		for i := range counts {
			counts[i] = all
		}
		return counts, all, nil
	}
	there, err := Apply("equal", v.array, v.array).hostRead()
	if err != nil {
		return nil, 0, fmt.Errorf("ndarray: dropna: %w", err)
	}
	if there == nil {
		return nil, 0, fmt.Errorf("ndarray: dropna: which elements of %s are missing must be known before running, and of no more than %d of them: use where", v.label(), maxHost)
	}
	stride := shape[k+1:].Size()
	for i, x := range there {
		counts[int64(i)/stride%shape[k]] += int64(x.Bits & 1)
	}
	return counts, all, nil
}

// Ranks returns the ranks along dim, from 1, equal elements all having the mean of theirs: float64. Missing values stay missing and take no part. With
// pct ranks are divided by how many values are not missing. There is no unit.
func (v Variable) Ranks(dim string, pct bool) Variable {
	if v.Err() != nil {
		return v
	}
	k := v.axis(dim)
	if k < 0 {
		return v.noDim("rank", dim)
	}
	out := v.WithArray(v.array.Ranks(k, pct))
	out.attrs = out.attrs.Without("units", "standard_name")
	return out
}
