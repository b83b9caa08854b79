// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"slices"
	"unsafe"

	"github.com/arrayrun/arrayrun/kernels"
)

// The boxes of folds whose operands are copied first, in elements: few rows of cache lines that are read whole.
const (
	packCells = 8192 // of a box
	packRun   = 512  // along a reduced last axis
	packRow   = 128  // along a kept last axis, of operands whose lines lie along another one
	packWide  = 1024 // along a kept last axis, of others
	packLines = 16   // along the axis of cache lines
)

// packing is what foldRun needs to copy operands.
type packing struct {
	turner turner
	tiles  [maxFolds][2][]byte
	stride [maxFolds + 1][2][kernels.MaxAxes + 1]int // of the sources themselves
}

// packs reports whether operands lie so that runs along the last axis cannot be read in place; k is an axis along which one of
// them lies side by side, and turned is set, else the last but one, if there is one.
func (r *foldRun) packs() (k int, turned, yes bool) {
	g := &r.geo
	last := g.n - 1
	if g.dim[last] == 1 || last == 0 && !g.inner || slices.Contains(g.dim[:g.n], 0) {
		return -1, false, false
	}
	k = last - 1
	for i := range r.folds {
		for a := range r.folds[i].nargs {
			s := &r.folds[i].src[a]
			if s.stride[last] == 1 || s.stride[last] == 0 {
				continue
			}
			yes = true
			for x := range last {
				if s.stride[x] == 1 && g.dim[x] > 1 {
					k, turned = x, true
				}
			}
		}
	}
	return k, turned, yes
}

// packExtent sets the extents of boxes and reports whether the numbers of a kept element fall into several boxes that hold more than
// one kept run.
func (r *foldRun) packExtent(k int, turned bool) (spread bool) {
	g := &r.geo
	last := g.n - 1
	for i := range g.n {
		r.dim[i] = 1
	}
	switch {
	case g.inner && turned && g.kept[k]:
		r.dim[last], r.dim[k] = min(g.dim[last], packRun), min(g.dim[k], packLines)
	case g.inner: // numbers are in order only if rows are whole
		r.dim[last] = min(g.dim[last], packCells)
		if r.dim[last] == g.dim[last] && k == last-1 && k >= 0 {
			r.dim[k] = min(g.dim[k], max(1, packCells/g.dim[last]))
		}
	default:
		r.dim[last] = min(g.dim[last], packRow)
		switch {
		case !turned:
			r.dim[last] = evenTiles(g.dim[last], packWide)
		case g.kept[k]:
			r.dim[k] = min(g.dim[k], packLines)
		}
		if n := len(g.order) - 1; n >= g.nkept { // as many rows as there is room for, along the innermost reduced axis
			red := g.order[n]
			r.dim[red] = min(g.dim[red], max(1, packCells/(r.dim[last]*r.dim[k])))
		}
	}
	for i := range g.n {
		spread = spread || !g.kept[i] && r.dim[i] < g.dim[i]
	}
	return spread
}

// packed is direct for operands that are copied box by box to packed memory.
func (r *foldRun) packed(g *foldGroup, c *kernels.Call, k int, turned bool) {
	spread := r.packExtent(k, turned)
	slots := 1
	for i := range r.geo.n - 1 {
		if spread && r.geo.kept[i] {
			slots *= r.dim[i]
		}
	}
	r.bind(g, c, slots)
	r.mark()
	p := &r.packing
	for i := range r.folds {
		for a := range r.folds[i].nargs {
			p.stride[i][a] = r.folds[i].src[a].stride
		}
	}
	_ = r.geo.boxes(&r.dim, func(b *box) error { // never fails
		for i := range r.folds {
			for a := range r.folds[i].nargs {
				r.folds[i].src[a].stride = p.stride[i][a]
			}
		}
		r.move(b)
		r.pack(b)
		r.feed(g, b, c, 0, spread)
		return nil
	})
}

// pack copies the operands of a box that cannot be read in place, and points their sources at the copies.
func (r *foldRun) pack(b *box) {
	p := &r.packing
	n := 1
	for i := range r.geo.n {
		n *= b.dim[i]
	}
	here := *b // the sources stand at the box's first element
	here.lo = [kernels.MaxAxes + 1]int{}
	last := r.geo.n - 1
	for i := range r.folds {
		for a := range r.folds[i].nargs {
			s := &r.folds[i].src[a]
			if s.stride[last] == 1 || s.stride[last] == 0 {
				continue
			}
			if need := n * s.size; len(p.tiles[i][a]) < need {
				p.tiles[i][a] = make([]byte, need)
			}
			to := unsafe.Pointer(unsafe.SliceData(p.tiles[i][a]))
			p.turner.pack(s, &r.geo, &here, to)
			s.base, s.stable = to, false
			step := 1
			for x := last; x >= 0; x-- {
				s.stride[x] = step
				step *= b.dim[x]
			}
		}
	}
}
