// SPDX-License-Identifier: BSD-3-Clause

package jit

// emit returns the machine code of loops over g, for every row and every vector of it, with its pool behind it. With stream
// results whose vectors are aligned are stored past the caches.
func emit(g *graph, outs, operands int, stream bool) (code []byte, length, spillBytes int) {
	e := &emitter{coder: coder{width: widthOf(g.bytes)}, outs: outs, ptrs: outs + operands}
	e.b = append(e.b, 0x45, 0x31, 0xFF) // xor r15d, r15d
	nextRow := len(e.b)
	// A pointer is where the operand begins and as many steps as rows are done.
	e.load(rTemp, memAt(rArgs, int32(8*e.ptrs)))
	for k := range min(e.ptrs, len(pointerRegs)) {
		e.load(pointerRegs[k], memAt(rTemp, int32(8+8*k)))
		e.imul(pointerRegs[k], rTurn)
		e.gpr(0x03, pointerRegs[k], memAt(rArgs, int32(8*k))) // add
	}
	e.zero(rIndex)
	unroll, round := e.unroll(g)
	if unroll > 1 || stream {
		toSingle := []int{e.jumpUnlessRoom(unroll * g.v)}
		if stream {
			for k := range outs {
				e.test(e.pointer(k), uint32(e.bytes-1))
				toSingle = append(toSingle, e.jump(ifNotZero))
			}
		}
		e.remakePins(round, e.vectors/2)
		e.align(32)
		top := len(e.b)
		e.past = stream
		e.askAhead(round)
		e.body(round)
		e.past, e.pins = false, nil
		e.lea(rIndex, memAt(rIndex, int32(unroll*g.v)))
		e.lea(rTemp, memAt(rIndex, int32(unroll*g.v)))
		e.cmp(rTemp, rCount)
		e.to(e.jump(ifNotAbove), top)
		for _, x := range toSingle {
			e.land(x)
		}
	}
	// One vector at a time; what is left behind the last whole one is done again from n - v on.
	toTail := e.jumpUnlessRoom(g.v)
	e.align(32)
	top := len(e.b)
	e.body(g)
	e.lea(rIndex, memAt(rIndex, int32(g.v)))
	e.lea(rTemp, memAt(rIndex, int32(g.v)))
	e.cmp(rTemp, rCount)
	e.to(e.jump(ifNotAbove), top)
	e.land(toTail)
	e.cmp(rIndex, rCount)
	done := e.jump(ifNotBelow)
	e.lea(rIndex, memAt(rCount, int32(-g.v)))
	e.to(e.jump(always), top)
	e.land(done)
	e.load(rTemp, memAt(rArgs, int32(8*e.ptrs)))
	e.lea(rTurn, memAt(rTurn, 1))
	e.gpr(0x3B, rTurn, memAt(rTemp, 0)) // cmp
	e.to(e.jump(ifBelow), nextRow)
	e.lea(rTemp, memAt(rCount, 0))
	e.leave(stream)
	for _, x := range e.exits { // a cold lane: the index, of the first vector of a round, is the answer
		e.land(x)
	}
	if len(e.exits) > 0 {
		e.lea(rTemp, memAt(rIndex, 0))
		e.leave(stream)
	}
	length = e.finish(g.pool)
	return e.b, length, int(e.most) * e.bytes
}

func (e *emitter) leave(stream bool) {
	if stream {
		e.sfence()
	}
	e.ret()
}

// askAhead asks for what the loop will come to: for the results that go through the caches, which are slow to be written where they are
// not, and for the operands of long computations, behind which the processor does not see them.
func (e *emitter) askAhead(round *graph) {
	loads, ops := 0, 0
	for i := range round.nodes {
		switch round.nodes[i].kind {
		case nodeLoad:
			loads++
		case nodeOp:
			ops++
		}
	}
	long := ops > 4*loads
	for i := range round.nodes {
		n := &round.nodes[i]
		k := int(n.arg)
		switch {
		case n.kind == nodeLoad && long:
			k += e.outs
		case n.kind == nodeStore && !e.past:
		default:
			continue
		}
		if k >= len(pointerRegs) || (n.shift*int32(n.size)+int32(int(n.half)*n.stored(round.v)))%cacheLine != 0 {
			continue
		}
		at := e.element(k, n)
		at.disp += farAhead
		if n.kind == nodeLoad {
			e.prefetch(2, at)
		} else {
			e.prefetchToWrite(at)
		}
	}
}

// jumpUnlessRoom jumps when fewer than k elements are left.
func (e *emitter) jumpUnlessRoom(k int) int {
	e.lea(rTemp, memAt(rIndex, int32(k)))
	e.cmp(rTemp, rCount)
	return e.jump(ifAbove)
}

// unroll is how many vectors a round of the loop does, and their graph: short bodies hide the loop's own
// instructions, of long ones two at a time keep more units busy unless that takes too many registers.
func (e *emitter) unroll(g *graph) (int, *graph) {
	work := 0
	for i := range g.nodes {
		if k := g.nodes[i].kind; k != nodeConst && k != nodeDead {
			work++
		}
	}
	if work <= 12 {
		return 4, g.times(4)
	}
	two := g.times(2)
	trial := &emitter{coder: coder{width: e.width}, outs: e.outs, ptrs: e.ptrs}
	trial.body(two)
	if trial.moves > work/3 {
		return 1, g
	}
	return 2, two
}
