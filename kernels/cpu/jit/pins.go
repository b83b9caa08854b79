// SPDX-License-Identifier: BSD-3-Clause

package jit

import "slices"

// pinned are the constants and single values of a graph that stay in registers as long as the loop runs: those it uses most, as many as there are
// registers for. Processors load fewer operands in a cycle than they multiply.
func (e *emitter) pinned(g *graph) []val {
	trial := func(pins []val) *emitter {
		t := &emitter{coder: coder{width: e.width}, outs: e.outs, ptrs: e.ptrs, pins: pins}
		t.body(g)
		return t
	}
	base := trial(nil)
	var pins []val
	for i := range g.nodes {
		if k := g.nodes[i].kind; (k == nodeConst || k == nodeSplat) && len(base.uses[i]) > 0 {
			pins = append(pins, val(i))
		}
	}
	slices.SortStableFunc(pins, func(x, y val) int { return len(base.uses[y]) - len(base.uses[x]) })
	pins = pins[:min(len(pins), e.vectors/2)]
	for len(pins) > 0 && trial(pins).moves > base.moves {
		pins = pins[:len(pins)-1]
	}
	return pins
}

// isPinned reports whether register r holds one of the pins.
func (e *emitter) isPinned(r int) bool { return r >= e.vectors-len(e.pins) }
