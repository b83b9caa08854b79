// SPDX-License-Identifier: BSD-3-Clause

package jit

import "slices"

// pinned are the constants and single values of a graph that stay in registers as long as the loop runs: those it uses most, as many as there are
// registers for, at most most. Processors load fewer operands in a cycle than they multiply. Sums by columns pin constants only: a single
// value is one for each row.
func (e *emitter) pinned(g *graph, most int) []val {
	trial := func(pins []val) *emitter {
		t := &emitter{coder: coder{width: e.width}, outs: e.outs, ptrs: e.ptrs, pins: pins, taken: e.taken}
		t.body(g)
		return t
	}
	base := trial(nil)
	var pins []val
	for i := range g.nodes {
		if k := g.nodes[i].kind; (k == nodeConst || k == nodeSplat && e.toSink == nil) && len(base.uses[i]) > 0 {
			pins = append(pins, val(i))
		}
	}
	slices.SortStableFunc(pins, func(x, y val) int { return len(base.uses[y]) - len(base.uses[x]) })
	pins = pins[:min(len(pins), most)]
	for len(pins) > 0 && trial(pins).moves > base.moves {
		pins = pins[:len(pins)-1]
	}
	return pins
}

// pin is the register of a pin: the last ones that bodies have.
func (e *emitter) pin(k int) int { return e.vectors - e.taken - 1 - k }

// isPinned reports whether register r holds one of the pins.
func (e *emitter) isPinned(r int) bool {
	return r >= e.vectors-e.taken-len(e.pins) && r < e.vectors-e.taken
}

// remakePins puts the pins of a graph, at most most, into their registers.
func (e *emitter) remakePins(g *graph, most int) {
	e.pins = e.pinned(g, most)
	e.findUses(g)
	for k, x := range e.pins {
		e.remake(x, e.pin(k))
	}
}
