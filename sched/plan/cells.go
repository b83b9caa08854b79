// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// Cells says how a fold's operand is cut into the pieces that fix the order of
// the fold: one cell is one chunk of the operand along the reduced axes, or several joined.
// It depends on the operand's grid alone, never on budgets or tiles.
type Cells struct {
	Set   kernels.AxisSet
	Axes  []chunk.Axis // of the operand; those in Set are the cells' cuts
	last  bool         // the last axis is reduced
	table []int64      // first block of each cell, for irregular cuts; else nil
	total int64
}

// cellsOf returns the cells of a fold of an operand cut by g.
//
// For folds without groups whose last axis is kept, and where every reduced axis but
// the first has a single chunk, consecutive chunks along the first are joined while a
// cell has at most kernels.OuterBlock reduced elements.
func cellsOf(g chunk.Grid, axes []int, grouped bool) *Cells {
	c := &Cells{Set: kernels.Axes(axes...), Axes: append([]chunk.Axis(nil), g.Axes...)}
	rank := len(g.Axes)
	c.last = rank > 0 && c.Set.Has(rank-1)
	if !grouped && !c.last && len(axes) > 0 {
		c.join(axes)
	}
	c.total = c.count()
	return c
}

// join merges short chunks along the first reduced axis.
func (c *Cells) join(axes []int) {
	rest := int64(1)
	for _, a := range axes[1:] {
		if c.Axes[a].Count() != 1 {
			return
		}
		rest *= c.Axes[a].Len
	}
	first := c.Axes[axes[0]]
	if rest == 0 || first.Count() <= 1 {
		return
	}
	most := kernels.OuterBlock / rest // elements of the first axis a cell may have
	if first.Edges == nil {
		k, n := most/first.Step, first.Count() // k: full chunks a cell has room for
		short := first.Len - (n-1)*first.Step
		// Where the short last chunk would be alone but fits behind a full cell, the cuts are not regular.
		if k < 1 || (n-1)%k != 0 || k*first.Step+short > most {
			if k > 1 {
				c.Axes[axes[0]] = chunk.Axis{Len: first.Len, Step: min(first.Step*k, first.Len)}
			}
			return
		}
	}
	edges := []int64{0}
	for k := range first.Count() {
		_, hi := first.Bounds(k)
		lo, _ := first.Bounds(k)
		if lo > edges[len(edges)-1] && hi-edges[len(edges)-1] > most {
			edges = append(edges, lo)
		}
	}
	c.Axes[axes[0]] = chunk.Axis{Len: first.Len, Edges: append(edges, first.Len)}
}

// count returns the number of blocks of all cells and fills the table where
// the closed form does not apply.
func (c *Cells) count() int64 {
	irregular := false
	for i, a := range c.Axes {
		irregular = irregular || c.Set.Has(i) && a.Edges != nil
	}
	counts := c.Counts()
	if !irregular {
		return c.before(counts, nil)
	}
	n := counts.Size()
	c.table = make([]int64, n)
	k := make(chunk.Key, len(counts))
	total := int64(0)
	for i := range n {
		c.table[i] = total
		total += c.Blocks(c.key(i, counts, k))
	}
	return total
}

// Counts returns the number of cells along each axis: 1 along kept axes.
func (c *Cells) Counts() chunk.Shape {
	s := make(chunk.Shape, len(c.Axes))
	for i, a := range c.Axes {
		s[i] = 1
		if c.Set.Has(i) {
			s[i] = a.Count()
		}
	}
	return s
}

// Len returns the number of cells for each kept position.
func (c *Cells) Len() int64 { return c.Counts().Size() }

// Total returns the number of blocks of all cells together.
func (c *Cells) Total() int64 { return c.total }

func (c *Cells) key(i int64, counts chunk.Shape, k chunk.Key) chunk.Key {
	for j := len(counts) - 1; j >= 0; j-- {
		k[j] = i % counts[j]
		i /= counts[j]
	}
	return k
}

// Linear returns the row-major number of the cell at k, whose kept entries are ignored.
func (c *Cells) Linear(k chunk.Key) int64 {
	n := int64(0)
	for i, a := range c.Axes {
		if c.Set.Has(i) {
			n = n*a.Count() + k[i]
		}
	}
	return n
}

// Largest returns the reduced elements of the largest cell.
func (c *Cells) Largest() int64 {
	n := int64(1)
	for i, a := range c.Axes {
		if c.Set.Has(i) {
			n *= a.Max()
		}
	}
	return n
}

// first returns the first reduced axis, -1 where there is none.
func (c *Cells) first() int {
	for i := range c.Axes {
		if c.Set.Has(i) {
			return i
		}
	}
	return -1
}

// Blocks returns the number of blocks of the cell at k.
func (c *Cells) Blocks(k chunk.Key) int64 {
	n := int64(1)
	for i, a := range c.Axes {
		if c.Set.Has(i) {
			lo, hi := a.Bounds(k[i])
			n *= hi - lo
		}
	}
	return c.blocks(n)
}

func (c *Cells) blocks(n int64) int64 {
	b := int64(kernels.OuterBlock)
	if c.last {
		b = kernels.InnerBlock
	}
	return (n + b - 1) / b
}

// First returns the number of the first block of the cell at k.
func (c *Cells) First(k chunk.Key) int64 {
	if c.table != nil {
		return c.table[c.Linear(k)]
	}
	return c.before(nil, k)
}

// before returns how many blocks the cells before k have (all cells when k is
// nil), for regular cuts: cells that agree with k up to an axis and are lower there come in at
// most two lengths for each further axis.
func (c *Cells) before(counts chunk.Shape, k chunk.Key) int64 {
	if k == nil {
		return c.spread(0, 1, 1)
	}
	total, size := int64(0), int64(1)
	for i, a := range c.Axes {
		if !c.Set.Has(i) {
			continue
		}
		// Only the last chunk of an axis is short, and it is never below k here.
		if k[i] > 0 {
			total += c.spread(i+1, size*min(a.Step, a.Len), k[i])
		}
		lo, hi := a.Bounds(k[i])
		size *= hi - lo
	}
	return total
}

// spread returns the blocks of times * all cells of the axes from i on, each of them with size elements along the axes before.
func (c *Cells) spread(i int, size, times int64) int64 {
	for i < len(c.Axes) && !c.Set.Has(i) {
		i++
	}
	if i >= len(c.Axes) {
		return times * c.blocks(size)
	}
	a := c.Axes[i]
	n := a.Count()
	if n == 0 {
		return 0
	}
	lo, hi := a.Bounds(n - 1)
	total := c.spread(i+1, size*(hi-lo), times)
	if n > 1 {
		total += c.spread(i+1, size*a.Step, times*(n-1))
	}
	return total
}

// agree reports whether one sweep over c's cells is a sweep over d's: the axes
// both reduce are cut at the same places.
func (c *Cells) agree(d *Cells) bool {
	for i := range c.Axes {
		if c.Set.Has(i) && d.Set.Has(i) && !c.Axes[i].Equal(d.Axes[i]) {
			return false
		}
	}
	return true
}
