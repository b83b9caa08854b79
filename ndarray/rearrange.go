// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// plane returns two axes counted from the first, which must not be one.
func (a Array) plane(i, j int) (x, y int, err error) {
	if x, err = axisOf(i, a.Rank()); err == nil {
		y, err = axisOf(j, a.Rank())
	}
	switch {
	case err != nil:
		return 0, 0, fmt.Errorf("shape %v: %w", a.Shape(), err)
	case x == y:
		return 0, 0, fmt.Errorf("axes %d and %d of shape %v are one: want two: %w", i, j, a.Shape(), chunk.ErrShape)
	}
	return x, y, nil
}

// Rot90 returns a turned k times by 90 degrees in the plane of axes i and j, from i towards j. The axes must be two.
func (a Array) Rot90(k int64, i, j int) Array {
	if a.Err() != nil {
		return a
	}
	x, y, err := a.plane(i, j)
	if err != nil {
		return failf("ndarray: rot90: %w", err)
	}
	switch (k%4 + 4) % 4 {
	case 1:
		return a.Flip(y).SwapAxes(x, y)
	case 2:
		return a.Flip(x, y)
	case 3:
		return a.SwapAxes(x, y).Flip(y)
	}
	return a
}

// SplitAt returns the parts of a along an axis between the positions given, one more than there are; positions are read as bounds of
// slices are, so that a part may be empty.
func (a Array) SplitAt(axis int, at ...int64) []Array {
	out := make([]Array, len(at)+1)
	k, err := axisOf(axis, a.Rank())
	if a.Err() == nil && err != nil {
		a = failf("ndarray: split: shape %v: %w", a.Shape(), err)
	}
	for i := range out {
		if out[i] = a; a.Err() != nil {
			continue
		}
		var lo, hi *int64
		if i > 0 {
			lo = &at[i-1]
		}
		if i < len(at) {
			hi = &at[i]
		}
		idx := slices.Repeat([]Index{All()}, k+1)
		idx[k] = Slice(lo, hi, nil)
		out[i] = a.Index(idx...)
	}
	return out
}

// Split returns a cut along an axis into n parts whose lengths differ by at most one, longer ones first.
// n below 1, or above what people list, is an error of each part.
func (a Array) Split(axis int, n int64) []Array {
	k, err := axisOf(axis, a.Rank())
	if a.Err() != nil || err != nil {
		return a.SplitAt(axis)
	}
	size := a.Shape()[k]
	switch {
	case size < 0:
		return []Array{failf("%w", errUnknown("split", a.Shape()))}
	case n < 1 || n > mostListed:
		return []Array{failf("ndarray: split: number of parts: got %d, want 1 to %d", n, mostListed)}
	}
	at := make([]int64, n-1)
	pos := int64(0)
	for i := range at {
		pos += size / n
		if int64(i) < size%n {
			pos++
		}
		at[i] = pos
	}
	return a.SplitAt(axis, at...)
}

// Unstack returns the slices of a at each position of an axis, which goes. An axis longer than 65536 is an error.
func (a Array) Unstack(axis int) []Array {
	k, err := axisOf(axis, a.Rank())
	switch {
	case a.Err() != nil:
		return []Array{a}
	case err != nil:
		return []Array{failf("ndarray: unstack: shape %v: %w", a.Shape(), err)}
	case a.Shape()[k] < 0:
		return []Array{failf("%w", errUnknown("unstack", a.Shape()))}
	case a.Shape()[k] > mostListed:
		return []Array{failf("ndarray: unstack: axis %d has length %d, want at most %d", axis, a.Shape()[k], mostListed)}
	}
	out := make([]Array, a.Shape()[k])
	for i := range out {
		idx := slices.Repeat([]Index{All()}, k+1)
		idx[k] = At(int64(i))
		out[i] = a.Index(idx...)
	}
	return out
}

// Delete returns a without the positions ids of an axis; negative ones count from the end. A position outside the axis is an error.
func (a Array) Delete(axis int, ids ...int64) Array {
	if a.Err() != nil {
		return a
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: delete: shape %v: %w", a.Shape(), err)
	}
	n := a.Shape()[k]
	gone := make([]int64, len(ids))
	for i, p := range ids {
		if gone[i], err = position(p, k, n); err != nil {
			return failf("ndarray: delete: %w", err)
		}
	}
	slices.Sort(gone)
	var parts []Array
	at := int64(0)
	idx := slices.Repeat([]Index{All()}, k+1)
	for _, p := range append(gone, n) {
		if p > at || p == n && parts == nil {
			idx[k] = Span(at, p)
			parts = append(parts, a.Index(idx...))
		}
		at = max(at, p+1)
	}
	return Concat(k, parts...)
}

// Insert returns a with values before the positions ids of an axis, which count in a as it is; negative ones count from the end. values has, along
// axis, one element for each position or one for all, and broadcasts otherwise; it becomes a's dtype.
// Positions outside 0 to the length are errors.
func (a Array) Insert(axis int, ids []int64, values Array) Array {
	if a.Err() != nil {
		return a
	}
	if values.Err() != nil {
		return values
	}
	k, err := axisOf(axis, a.Rank())
	if err != nil {
		return failf("ndarray: insert: shape %v: %w", a.Shape(), err)
	}
	n := a.Shape()[k]
	if n < 0 {
		return failf("%w", errUnknown("insert", a.Shape()))
	}
	order := make([]int, len(ids)) // of insertion: by position, of equal ones the first comes first
	at := make([]int64, len(ids))
	for i, p := range ids {
		order[i], at[i] = i, p
		if p < 0 {
			at[i] += n
		}
		if at[i] < 0 || at[i] > n {
			return failf("ndarray: insert: position %d is outside axis %d of length %d: want %d to %d: %w", p, k, n, -n, n, chunk.ErrShape)
		}
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(min(max(at[i]-at[j], -1), 1)) })
	shape := a.Shape().Clone()
	shape[k] = int64(len(ids))
	values = values.AsType(a.DType()).BroadcastTo(shape...)
	if values.Err() != nil {
		return values
	}
	var parts []Array
	cut := func(x Array, lo, hi int64) {
		if lo < hi {
			idx := slices.Repeat([]Index{All()}, k+1)
			idx[k] = Span(lo, hi)
			parts = append(parts, x.Index(idx...))
		}
	}
	pos := int64(0)
	for _, i := range order {
		cut(a, pos, at[i])
		cut(values, int64(i), int64(i)+1)
		pos = at[i]
	}
	cut(a, pos, n)
	if len(parts) == 0 {
		return a
	}
	return Concat(k, parts...)
}

// Within returns a, of int64, as it is. An element outside 0 to n-1 is an error of the run.
func (a Array) Within(n int64) Array {
	if a.Err() != nil {
		return a
	}
	if a.DType() != dtype.Int64 {
		return failf("ndarray: positions: got %v, want int64: %w", a.DType(), dtype.ErrPromote)
	}
	arg := graph.OpaqueArg{
		Key:     fmt.Sprintf("within %d", n),
		Need:    func(_ int, at chunk.Region) chunk.Region { return at.Clone() },
		Scratch: func(chunk.Shape) int64 { return 0 },
		Run: func(_ context.Context, call graph.OpaqueCall) error {
			out, in := call.Out, call.In
			formats.CopyElems(out, in[0])
			var bad error
			data := chunk.Elems[int64](out.Block)
			step := lastStep(out)
			eachRun(out.Shape, []*chunk.Chunk{out}, func(at []int64, m int64) {
				for i := range m {
					if p := data[at[0]+i*step]; (p < 0 || p >= n) && bad == nil {
						bad = fmt.Errorf("ndarray: position %d is outside %d choices: want 0 to %d: %w", p, n, n-1, chunk.ErrShape)
					}
				}
			})
			return bad
		},
	}
	return Array{here().Opaque(arg, dtype.Int64, a.Grid(), a.Node())}
}
