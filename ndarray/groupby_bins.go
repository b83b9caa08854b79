// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Bins say how GroupByBins cuts numbers into groups.
type Bins struct {
	Edges  []float64 // ascending; n+1 edges make n bins
	Left   bool      // bins include their left edge; by default their right one
	Lowest bool      // the first bin includes its left edge too
	Labels []float64 // labels of the bins; by default their middles
}

// GroupByBins sorts v's positions into bins of a coordinate's values. Every bin is a group, also without
// elements; what lies in none is left out. The dimension of groups is called key + "_bins", labelled by the middles
// of the bins, with the edges as bounds.
func (v Variable) GroupByBins(key string, b Bins) GroupBy {
	if v.Err() != nil {
		return GroupBy{failed: &v}
	}
	c := v.CoordOf(key)
	if c == nil {
		return v.noGroups("ndarray: groupby_bins: %s has no coordinate %q; it has %s", v.label(), key, quoted(v.Coords()))
	}
	return v.groupBins(c, b)
}

// GroupByValueBins is GroupByBins for the values of another variable, which are read now.
func (v Variable) GroupByValueBins(key Variable, b Bins) GroupBy {
	if v.Err() != nil {
		return GroupBy{failed: &v}
	}
	if key.Err() != nil {
		return GroupBy{failed: &key}
	}
	return v.groupBins(key.keyCoord(), b)
}

func (v Variable) groupBins(c *Coord, b Bins) GroupBy {
	n := len(b.Edges) - 1
	if n < 1 || !slices.IsSortedFunc(b.Edges, func(x, y float64) int {
		if x < y {
			return -1
		}
		return 1
	}) {
		return v.noGroups("ndarray: groupby_bins: got edges %v, want two or more that ascend", b.Edges)
	}
	if b.Labels != nil && len(b.Labels) != n {
		return v.noGroups("ndarray: groupby_bins: got %d labels for %d bins", len(b.Labels), n)
	}
	keys, err := c.read()
	if err != nil {
		bad := v.failed(Failed(fmt.Errorf("ndarray: groupby_bins: read %q: %w", c.name, err), string(here())))
		return GroupBy{failed: &bad}
	}
	if keys == nil || keys.Str != nil {
		return v.noGroups("ndarray: groupby_bins: the values of %q are not numbers at hand; group by numbers of a file", c.name)
	}
	for i, d := range c.dims {
		if m := v.dimLen(d); m != c.shape()[i] {
			return v.noGroups("ndarray: groupby_bins: dimension %q of %q has length %d, in %s it has %d", d, c.name, c.shape()[i], v.label(), m)
		}
	}
	g := GroupBy{v: v, name: c.name + "_bins", dims: c.dims, keys: keys, attrs: c.attrs.Without("bounds", "climatology")}
	middles := b.Labels
	edges := make([]float64, 0, 2*n)
	for i := range n {
		edges = append(edges, b.Edges[i], b.Edges[i+1])
		if b.Labels == nil {
			middles = append(middles, (b.Edges[i]+b.Edges[i+1])/2)
		}
	}
	g.labels = floatLabels(middles)
	g.bounds = &Labels{DType: dtype.Float64, Shape: chunk.Shape{int64(n), 2}, Float: edges}
	g.ids = make([]int32, keys.Len())
	for i := range g.ids {
		g.ids[i] = b.find(keys.Number(i))
	}
	g.markEmpty()
	return g
}

// find returns the bin of x, -1 for none.
func (b Bins) find(x float64) int32 {
	n := len(b.Edges) - 1
	if x != x {
		return -1
	}
	if b.Lowest && x == b.Edges[0] {
		return 0
	}
	if b.Lowest && b.Left && x == b.Edges[n] {
		return int32(n - 1)
	}
	lo, hi := 0, n
	for lo < hi {
		m := (lo + hi) / 2
		above := x > b.Edges[m+1]
		if b.Left {
			above = x >= b.Edges[m+1]
		}
		if above {
			lo = m + 1
		} else {
			hi = m
		}
	}
	if lo == n || !b.Left && x <= b.Edges[0] || b.Left && x < b.Edges[0] {
		return -1
	}
	return int32(lo)
}

// EvenBins returns n bins of one width over the numbers of a coordinate, as groupby_bins(key, n) makes them in xarray: the first
// edge is a thousandth of the range lower.
func (v Variable) EvenBins(key string, n int) (Bins, error) {
	c := v.CoordOf(key)
	if c == nil {
		return Bins{}, fmt.Errorf("ndarray: groupby_bins: %s has no coordinate %q", v.label(), key)
	}
	l, err := c.read()
	if err != nil || l == nil || l.Str != nil || n < 1 {
		return Bins{}, fmt.Errorf("ndarray: groupby_bins: the values of %q are not numbers at hand, or %d bins were asked for", key, n)
	}
	lo, hi, any := 0.0, 0.0, false
	for i := range l.Len() {
		x := l.Number(i)
		if x != x {
			continue
		}
		if !any {
			lo, hi, any = x, x, true
		}
		lo, hi = min(lo, x), max(hi, x)
	}
	if lo == hi {
		d := 0.001
		if lo != 0 {
			d = 0.001 * abs(lo)
		}
		lo, hi = lo-d, hi+d
	}
	edges := make([]float64, n+1)
	for i := range edges {
		edges[i] = lo + float64(float64(i)*(hi-lo)/float64(n))
	}
	edges[n] = hi
	edges[0] -= 0.001 * (hi - lo)
	return Bins{Edges: edges}, nil
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}
