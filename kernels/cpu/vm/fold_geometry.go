// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// tileMax is how many kept elements a row of a box has at most: their accumulators stay in L2, and runs along memory are long (RATIONALE.md).
// The numbers of moments are read twice and stay there too; lumps of short rows are kept in L1.
const (
	tileMax       = 8192
	tileMaxMoment = 1024
	tileMaxShort  = 2048
)

// evenTiles is the extent of boxes of at most most elements along an axis of n, none of them much smaller than the others.
func evenTiles(n, most int) int {
	if n <= most {
		return n
	}
	k := (n + most - 1) / most
	return min(most, ((n+k-1)/k+15)&^15)
}

// operand is where the elements of one input lie along the axes of the call.
type operand struct {
	src    *source
	stride []int64
}

// set prepares g for the loop of a call reduced over axes, and the strides of the operands' sources for g's
// axes. Axes of length 1 are left out and neighbours of one class that all operands step through evenly
// are joined, so that short inner axes cost nothing. whole says which axes may not be joined.
func (g *geometry) set(shape chunk.Shape, axes kernels.AxisSet, ops []operand, whole kernels.AxisSet) {
	g.n = 0
	last := len(shape) - 1
	g.inner = last >= 0 && axes.Has(last)
	for i, d := range shape {
		kept := !axes.Has(i)
		if d == 1 && i != last {
			continue
		}
		if g.n > 0 && g.kept[g.n-1] == kept {
			switch {
			case d == 1:
				continue
			case !whole.Has(i) && !whole.Has(g.from[g.n-1]) && even(g.n-1, i, d, ops):
				g.dim[g.n-1] *= int(d)
				for _, o := range ops {
					o.src.stride[g.n-1] = int(o.stride[i])
				}
				continue
			}
		}
		g.dim[g.n], g.kept[g.n], g.from[g.n] = int(d), kept, i
		for _, o := range ops {
			o.src.stride[g.n] = int(o.stride[i])
		}
		g.n++
	}
	if g.n == 0 { // a scalar: one kept element, one number
		g.dim[0], g.kept[0], g.from[0] = 1, true, 0
		for _, o := range ops {
			o.src.stride[0] = 0
		}
		g.n = 1
	}
	g.number()
}

// even reports whether all operands step from g's axis k to the call's axis i, of length d, evenly.
func even(k, i int, d int64, ops []operand) bool {
	for _, o := range ops {
		if int64(o.src.stride[k]) != o.stride[i]*d {
			return false
		}
	}
	return true
}

// number sets the weights, counts and order of the axes.
func (g *geometry) number() {
	g.keep, g.count = 1, 1
	for i := g.n - 1; i >= 0; i-- {
		if g.kept[i] {
			g.weight[i] = g.keep
			g.keep *= g.dim[i]
		} else {
			g.weight[i] = g.count
			g.count *= g.dim[i]
		}
	}
	g.order = g.order[:0]
	for i := range g.n - 1 {
		if g.kept[i] {
			g.order = append(g.order, i)
		}
	}
	g.nkept = len(g.order)
	for i := range g.n - 1 {
		if !g.kept[i] {
			g.order = append(g.order, i)
		}
	}
}

// boxes calls do for the boxes of extent dim (the last ones shorter) that cover the loop: kept axes
// outside, reduced ones inside and ascending. do may not call boxes of the same geometry.
func (g *geometry) boxes(dim *[kernels.MaxAxes + 1]int, do func(b *box) error) error {
	for i := range g.n {
		if g.dim[i] == 0 {
			return nil
		}
	}
	b := &g.at
	*b = box{}
	cut := func(i int) { b.dim[i] = min(dim[i], g.dim[i]-b.lo[i]) }
	for i := range g.n {
		cut(i)
	}
	last := g.n - 1
	for {
		if err := do(b); err != nil {
			return err
		}
		moved := false
		step := func(i int) bool {
			b.lo[i] += dim[i]
			if b.lo[i] >= g.dim[i] {
				b.lo[i] = 0
			}
			cut(i)
			return b.lo[i] != 0
		}
		// From the innermost: reduced axes, last to first, then kept ones.
		if g.inner {
			moved = step(last)
		}
		for k := len(g.order) - 1; k >= g.nkept && !moved; k-- {
			moved = step(g.order[k])
		}
		if !g.inner && !moved {
			moved = step(last)
		}
		for k := g.nkept - 1; k >= 0 && !moved; k-- {
			moved = step(g.order[k])
		}
		if !moved {
			return nil
		}
	}
}

// extent sets dim to the extents of boxes of at most cells elements. Boxes grow from the last axis on. spread
// reports whether the numbers of a kept element fall into several boxes that hold more than one kept run.
func (g *geometry) extent(dim *[kernels.MaxAxes + 1]int, cells, slots int) (spread bool) {
	room, runs := cells, slots
	for i := g.n - 1; i >= 0; i-- {
		d := min(g.dim[i], max(room, 1))
		if g.kept[i] && i < g.n-1 {
			d = min(d, max(runs, 1))
			runs /= max(d, 1)
		}
		if d < g.dim[i] {
			room = 0
		} else {
			room /= max(d, 1)
		}
		dim[i] = d
	}
	for i := range g.n {
		spread = spread || !g.kept[i] && dim[i] < g.dim[i]
	}
	return spread
}
