// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// extent is the range of the elements of an array that are finite numbers.
type extent[T float] struct {
	mu     sync.Mutex
	any    bool // there is an element
	finite bool // all are
	lo, hi T
}

// extentSweep finds the range of one array: *extent.
func extentSweep[T float]() *graph.Sweep {
	return &graph.Sweep{Key: "range", Begin: func([]dtype.DType, chunk.Shape, int64) graph.Sweeper {
		return &extent[T]{finite: true, lo: T(math.Inf(1)), hi: T(math.Inf(-1))}
	}}
}

// Add looks at the elements of a region.
func (e *extent[T]) Add(_ chunk.Region, c []*chunk.Chunk) error {
	lo, hi, finite := T(math.Inf(1)), T(math.Inf(-1)), true
	eachLine(c[0], func(line []T) {
		for _, x := range line {
			if x < lo {
				lo = x
			}
			if x > hi {
				hi = x
			}
			finite = finite && x-x == 0
		}
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.any = e.any || c[0].Shape.Size() > 0
	e.finite = e.finite && finite
	e.lo, e.hi = min(e.lo, lo), max(e.hi, hi)
	return nil
}

// Found returns the range.
func (e *extent[T]) Found() (any, error) { return e, nil }

// eachLine calls f with the elements of each line of a chunk along its last axis, which it may not keep.
func eachLine[T float](c *chunk.Chunk, f func(line []T)) {
	src := chunk.Elems[T](c.Block)
	var room []T
	eachRow(chunk.Whole(c.Shape), func(pos []int64, n int64) {
		from, step := c.Offset, int64(1)
		for k, p := range pos {
			from += p * c.Strides[k]
			step = c.Strides[k]
		}
		if step == 1 {
			f(src[from:][:n])
			return
		}
		room = room[:0]
		for i := range n {
			room = append(room, src[from+i*step])
		}
		f(room)
	})
}

// evenEdges returns the edges of n bins of one width, as NumPy's linspace computes them.
func evenEdges[T float](lo, hi T, n int64) []T {
	edges := make([]T, n+1)
	step := (hi - lo) / T(n)
	for i := range edges {
		edges[i] = T(T(i)*step) + lo
	}
	edges[n] = hi
	return edges
}

// binSweep counts the elements of one array, which all lie between the first and the last edge, in bins of about one width: []int64.
func binSweep[T float](edges []T) *graph.Sweep {
	n := len(edges) - 1
	return &graph.Sweep{Key: fmt.Sprintf("%d bins from %v to %v", n, edges[0], edges[n]), Begin: func([]dtype.DType, chunk.Shape, int64) graph.Sweeper {
		return &binCounter[T]{edges: edges, scale: float64(n) / (float64(edges[n]) - float64(edges[0])), counts: make([]int64, n)}
	}}
}

// binCounter counts elements in bins: a graph.Sweeper.
type binCounter[T float] struct {
	edges  []T
	scale  float64
	mu     sync.Mutex
	counts []int64
	spare  [][]int64
}

// Add counts the elements of a region.
func (b *binCounter[T]) Add(_ chunk.Region, c []*chunk.Chunk) error {
	b.mu.Lock()
	var counts []int64
	if n := len(b.spare); n > 0 {
		counts, b.spare = b.spare[n-1], b.spare[:n-1]
	} else {
		counts = make([]int64, len(b.counts))
	}
	b.mu.Unlock()
	edges, lo, scale, last := b.edges, float64(b.edges[0]), b.scale, len(b.counts)-1
	eachLine(c[0], func(line []T) {
		for _, x := range line {
			// Near an edge the bin that the width says may be the one beside it.
			i := min(int((float64(x)-lo)*scale), last)
			for x < edges[i] {
				i--
			}
			for i < last && x >= edges[i+1] {
				i++
			}
			counts[i]++
		}
	})
	b.mu.Lock()
	b.spare = append(b.spare, counts)
	b.mu.Unlock()
	return nil
}

// Found adds up the counts.
func (b *binCounter[T]) Found() (any, error) {
	for _, counts := range b.spare {
		for i, n := range counts {
			b.counts[i] += n
		}
	}
	return b.counts, nil
}
