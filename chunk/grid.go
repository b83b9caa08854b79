// SPDX-License-Identifier: BSD-3-Clause

package chunk

import (
	"fmt"
	"iter"
	"slices"
	"sort"
)

// Key is the position of a chunk on its grid.
type Key []int64

// Axis says how one axis of a grid is cut. A regular axis has a Step and no
// Edges: chunk k covers [k*Step, min((k+1)*Step, Len)). An irregular axis has
// Edges, ascending from 0 to Len: chunk k covers [Edges[k], Edges[k+1]).
type Axis struct {
	Len   int64
	Step  int64
	Edges []int64
}

// Count returns the number of chunks along the axis; an axis of length 0 has none.
func (a Axis) Count() int64 {
	if a.Edges != nil {
		return int64(len(a.Edges)) - 1
	}
	if a.Len == 0 || a.Step <= 0 {
		return 0
	}
	return (a.Len-1)/a.Step + 1
}

// Bounds returns the half-open range of elements of chunk k.
func (a Axis) Bounds(k int64) (lo, hi int64) {
	if a.Edges != nil {
		return a.Edges[k], a.Edges[k+1]
	}
	lo = k * a.Step
	return lo, min(lo+a.Step, a.Len)
}

// Find returns the chunk that holds element x, 0 <= x < Len.
func (a Axis) Find(x int64) int64 {
	if a.Edges != nil {
		return int64(sort.Search(len(a.Edges), func(i int) bool { return a.Edges[i] > x })) - 1
	}
	return x / a.Step
}

// Max returns the length of the longest chunk.
func (a Axis) Max() int64 {
	if a.Edges == nil {
		return min(a.Step, a.Len)
	}
	m := int64(0)
	for i := 1; i < len(a.Edges); i++ {
		m = max(m, a.Edges[i]-a.Edges[i-1])
	}
	return m
}

// Equal reports whether a and b cut the same length at the same places.
func (a Axis) Equal(b Axis) bool {
	if a.Len != b.Len {
		return false
	}
	if a.Edges == nil && b.Edges == nil {
		return a.Step == b.Step || (a.Step >= a.Len && b.Step >= b.Len)
	}
	if a.Count() != b.Count() {
		return false
	}
	for k := range a.Count() {
		al, ah := a.Bounds(k)
		bl, bh := b.Bounds(k)
		if al != bl || ah != bh {
			return false
		}
	}
	return true
}

// Grid cuts a shape into chunks.
type Grid struct {
	Shape Shape
	Axes  []Axis
}

// Regular returns the grid that cuts shape into steps; a step < 1 or longer
// than its axis takes the whole axis; one of an axis without elements stays, for what will be
// appended. Fewer steps than axes leave the rest whole.
func Regular(shape Shape, steps ...int64) Grid {
	g := Grid{Shape: shape.Clone(), Axes: make([]Axis, len(shape))}
	for i, n := range shape {
		s := n
		if i < len(steps) && steps[i] > 0 && (steps[i] < n || n == 0) {
			s = steps[i]
		}
		g.Axes[i] = Axis{Len: n, Step: max(s, 1)}
	}
	return g
}

// IrregularAxis returns an axis with the given chunk lengths, each >= 1; a
// single length or lengths that a regular axis can express give a regular one.
func IrregularAxis(sizes []int64) (Axis, error) {
	edges := make([]int64, 1, len(sizes)+1)
	for _, s := range sizes {
		if s < 1 {
			return Axis{}, fmt.Errorf("chunk: length %d of a chunk is below 1: %w", s, ErrShape)
		}
		edges = append(edges, edges[len(edges)-1]+s)
	}
	n := edges[len(edges)-1]
	if len(sizes) == 0 {
		return Axis{Len: 0, Step: 1}, nil
	}
	for i, s := range sizes {
		if s != sizes[0] && (i != len(sizes)-1 || s > sizes[0]) {
			return Axis{Len: n, Edges: edges}, nil
		}
	}
	return Axis{Len: n, Step: sizes[0]}, nil
}

// DefaultGrid returns the grid of a source that has no chunks of its own, from
// shape and item size alone: outer slabs of about 4 MiB, so that the order of
// folds (and the bits of a float sum) never depends on a machine.
func DefaultGrid(shape Shape, itemBytes int) Grid {
	const slab = 4 << 20
	steps := make([]int64, len(shape))
	rest := int64(max(itemBytes, 1))
	for i := len(shape) - 1; i >= 0; i-- {
		n := max(shape[i], 1)
		switch {
		case rest >= slab:
			steps[i] = 1
		case rest*n <= slab:
			steps[i] = n
		default:
			steps[i] = max(1, slab/rest)
		}
		rest *= n
	}
	return Regular(shape, steps...)
}

// Counts returns the number of chunks along each axis.
func (g Grid) Counts() Shape {
	c := make(Shape, len(g.Axes))
	for i, a := range g.Axes {
		c[i] = a.Count()
	}
	return c
}

// Len returns the number of chunks: 1 for a scalar.
func (g Grid) Len() int64 { return g.Counts().Size() }

// Region returns the elements chunk k covers.
func (g Grid) Region(k Key) Region {
	r := Region{make(Shape, len(k)), make(Shape, len(k))}
	for i, a := range g.Axes {
		r.Lo[i], r.Hi[i] = a.Bounds(k[i])
	}
	return r
}

// MaxChunk returns the shape of the largest chunk.
func (g Grid) MaxChunk() Shape {
	s := make(Shape, len(g.Axes))
	for i, a := range g.Axes {
		s[i] = a.Max()
	}
	return s
}

// Equal reports whether g and h cut the same shape at the same places.
func (g Grid) Equal(h Grid) bool {
	return slices.EqualFunc(g.Axes, h.Axes, Axis.Equal)
}

// Covering yields the keys of the chunks that share elements with r, row-major,
// so every walk is deterministic. The one Key is reused between steps.
func (g Grid) Covering(r Region) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		n := len(g.Axes)
		lo, hi, k := make(Key, n), make(Key, n), make(Key, n)
		for i, a := range g.Axes {
			if r.Hi[i] <= r.Lo[i] {
				return
			}
			lo[i], hi[i] = a.Find(r.Lo[i]), a.Find(r.Hi[i]-1)
			k[i] = lo[i]
		}
		for {
			if !yield(k) {
				return
			}
			i := n - 1
			for ; i >= 0; i-- {
				k[i]++
				if k[i] <= hi[i] {
					break
				}
				k[i] = lo[i]
			}
			if i < 0 {
				return
			}
		}
	}
}

// Linear returns the row-major number of chunk k on the grid.
func (g Grid) Linear(k Key) int64 {
	n := int64(0)
	for i, a := range g.Axes {
		n = n*a.Count() + k[i]
	}
	return n
}

// At sets k to the chunk whose row-major number is i and returns it; a nil k is allocated.
func (g Grid) At(i int64, k Key) Key {
	if k == nil {
		k = make(Key, len(g.Axes))
	}
	for j := len(g.Axes) - 1; j >= 0; j-- {
		c := g.Axes[j].Count()
		k[j] = i % c
		i /= c
	}
	return k
}
