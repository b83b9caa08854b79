// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// The block lengths: (temporaries + inputs) of a block stay in L1.
const (
	wideBlock   = 1024 // elements of 8 bytes
	narrowBlock = 2048 // elements of at most 4
)

// cellBytes is the room of a uniform value.
const cellBytes = 16

// code is a program's elementwise part, compiled: what does not depend on a call.
type code struct {
	p       *kernels.Program
	regs    int
	block   int           // most elements of a box
	size    []int         // bytes of an element, by register
	steps   []step        // in program order
	slots   int           // blocks of scratch that registers share
	slotAt  []int         // slot of an instruction's or copied input's register, -1: none
	root    []kernels.Reg // the register whose memory a register shares: bitcasts are free
	used    []bool        // inputs that steps or results read
	whole   kernels.AxisSet
	gathers bool  // some input is gathered
	ret     []int // for each register the result it is written to directly, or -1
	slow    []*code
	cold    []int  // slots for the lanes of each slow program: operand and result
	fused   *fuser // machine code, or nil
	how     string // why there is no machine code
	turns   *turnLoops
}

// step is an instruction.
type step struct {
	loop    loop
	op      kernels.OpID
	d       kernels.Reg
	args    [3]kernels.Reg // roots
	aux     int
	powSign dtype.DType // power of a signed integer: its exponents are checked
}

// slotBytes is the room of one slot.
func (c *code) slotBytes() int64 {
	m := 1
	for _, s := range c.size {
		m = max(m, s)
	}
	return int64(c.block * m)
}

// scratch is the bytes of scratch that an exec of c needs.
func (c *code) scratch() int64 { return c.plainScratch() + c.fused.scratchBytes() }

// plainScratch is what it needs without machine code.
func (c *code) plainScratch() int64 {
	n := int64(c.slots)*c.slotBytes() + int64(c.regs)*cellBytes
	for _, s := range c.slow {
		n += s.scratch()
	}
	return n
}

// compile makes the code of p's body. A program that has no folds and results is legal too.
func compile(p *kernels.Program) (*code, error) {
	n := len(p.In) + len(p.Consts) + len(p.Body)
	c := &code{p: p, regs: n, size: make([]int, n), slotAt: make([]int, n), root: make([]kernels.Reg, n), used: make([]bool, len(p.In)), ret: make([]int, n)}
	widest := 1
	for r := range n {
		c.size[r] = p.RegType(kernels.Reg(r)).Size()
		c.root[r] = kernels.Reg(r)
		c.slotAt[r], c.ret[r] = -1, -1
		widest = max(widest, c.size[r])
	}
	c.block = narrowBlock
	if widest > 4 {
		c.block = wideBlock
	}
	for _, q := range p.Slow {
		s, err := compile(q)
		if err != nil {
			return nil, err
		}
		s.block = c.block
		c.slow = append(c.slow, s)
	}
	first := kernels.Reg(len(p.In) + len(p.Consts))
	for i, in := range p.Body {
		if err := c.addStep(in, first+kernels.Reg(i)); err != nil {
			return nil, err
		}
	}
	for i, r := range p.Ret {
		r = c.root[r]
		c.use(r)
		if r >= first && c.ret[r] < 0 && c.size[r] == p.RegType(p.Ret[i]).Size() {
			c.ret[r] = i
		}
	}
	for _, f := range p.Folds {
		for _, r := range f.Args {
			c.use(c.root[r])
		}
	}
	for _, in := range p.In {
		if in.Gather >= 0 {
			c.whole |= kernels.Axes(int(in.Gather))
			c.gathers = true
		}
	}
	c.assign()
	return c, nil
}

func (c *code) use(r kernels.Reg) {
	if int(r) < len(c.p.In) {
		c.used[r] = true
	}
}

func (c *code) addStep(in kernels.Inst, d kernels.Reg) error {
	if in.Op == kernels.OpBitcast {
		c.root[d] = c.root[in.Args[0]]
		return nil
	}
	s := step{op: in.Op, d: d, args: in.Args, aux: int(in.Aux)}
	for i, r := range s.args {
		if r >= 0 {
			s.args[i] = c.root[r]
			c.use(s.args[i])
		}
	}
	switch in.Op {
	case kernels.OpIndex:
		c.whole |= kernels.Axes(s.aux)
	case kernels.OpCold:
	case kernels.OpLookup:
		s.loop = lookupLoop[uint64](kernels.Table(in.Aux))
		if in.DType == dtype.Uint32 {
			s.loop = lookupLoop[uint32](kernels.Table(in.Aux))
		}
	default:
		t := c.p.RegType(in.Args[0])
		if s.loop = loopOf(in.Op, t, in.DType); s.loop == nil {
			return fmt.Errorf("kernels/cpu: %v of %v to %v: %w", in.Op, t, in.DType, kernels.ErrUnsupported)
		}
		if in.Op == kernels.OpPower && t.Kind() == dtype.KindInt {
			s.powSign = t
		}
	}
	c.steps = append(c.steps, s)
	return nil
}

// assign gives every register that needs memory a slot, and slots back after
// their last use. A result takes over the slot of an operand that dies when their elements have one size.
func (c *code) assign() {
	last := make([]int, c.regs) // the last step that reads a register
	for r := range last {
		last[r] = -1
	}
	for i, s := range c.steps {
		for _, r := range s.args {
			if r >= 0 {
				last[r] = i
			}
		}
	}
	keep := func(r kernels.Reg) { last[c.root[r]] = len(c.steps) }
	for _, r := range c.p.Ret {
		keep(r)
	}
	for _, f := range c.p.Folds {
		for _, r := range f.Args {
			keep(r)
		}
	}
	var free []int
	take := func() int {
		if n := len(free); n > 0 {
			s := free[n-1]
			free = free[:n-1]
			return s
		}
		c.slots++
		return c.slots - 1
	}
	for r := range c.used {
		if c.used[r] {
			c.slotAt[r] = take() // used when the input cannot be read in place
		}
	}
	for range c.slow {
		c.cold = append(c.cold, c.slots, c.slots+1)
		c.slots += 2
	}
	for i, s := range c.steps {
		order := s.args
		if s.op == kernels.OpCold { // its result starts as a copy of the fast one
			order = [3]kernels.Reg{s.args[1], kernels.NoReg, kernels.NoReg}
		}
		for _, r := range order {
			if r >= 0 && last[r] == i && c.slotAt[r] >= 0 && c.size[r] == c.size[s.d] {
				c.slotAt[s.d] = c.slotAt[r]
				last[r] = -2 // handed over
				break
			}
		}
		if c.slotAt[s.d] < 0 {
			c.slotAt[s.d] = take()
		}
		for _, r := range s.args {
			if r >= 0 && last[r] == i && c.slotAt[r] >= 0 {
				free = append(free, c.slotAt[r])
				last[r] = -2
			}
		}
	}
}
