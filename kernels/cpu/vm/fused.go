// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Assembler makes machine code for the parts of programs that it has forms for.
type Assembler interface {
	// Supports reports whether an instruction of p has a form.
	Supports(p *kernels.Program, in kernels.Inst) bool
	// Assemble returns the code of an elementwise program whose inputs come packed, those of same as one value. With stream it stores
	// results that begin at whole cache lines past the caches.
	Assemble(p *kernels.Program, same []bool, stream bool) (Assembled, error)
	// AssembleColumns returns the code of an elementwise program whose results are summed by columns.
	AssembleColumns(p *kernels.Program, same []bool, sinks []Sink) (Columns, error)
	// Loop returns the code of a fold's loop over a dtype, nil where there is none. Names are sum, nansum, mean, nanmean (sums in
	// float64), prod, nanprod, square, nansquare, min, max, nanmin, nanmax, count, nonzero (lanes count zeros where they are integers'), any,
	// all, argmin, argmax, nanargmin and nanargmax, each followed by a form: " lanes", " rows", " runs", " short1" to " short4" or
	// " panel". "widen lanes" makes float32 of shorter floats.
	// "turn tiles" turns tiles of elements of 4 (Float32) or 8 bytes (Float64).
	// "product tile" is the code of a tile of a product of matrices.
	Loop(name string, d dtype.DType) Loop
	// ProductTile returns the rows and columns of such a tile.
	ProductTile(d dtype.DType) (rows, cols int)
}

// Assembled is machine code for many elements at a time.
type Assembled interface {
	// Run computes rows of n elements, together at most Longest: ptrs holds the addresses of the results, then of the inputs, and has
	// room for one more; rows is nil for one row, as it must be where Rowed is false; spill holds Spill bytes. A return below n
	// means that a lane needs a slow program; what is in the results is then of no use.
	Run(ptrs []unsafe.Pointer, n int, spill unsafe.Pointer, rows *Rows) int
	Rowed() bool
	Spill() int
	Longest() int
}

// Rows tells how the rows of a call of machine code follow each other.
type Rows struct {
	Count int
	Step  [rowOperands]int // bytes from row to row, by operand
}

// rowOperands is how many operands code may have that takes several rows.
const rowOperands = 7

// fuser holds the machine code of a code: one variant for each choice of inputs that have one value.
type fuser struct {
	asm      Assembler
	slot     []int // slot of a step's register among the fuser's own
	slots    int
	spill    int   // bytes of scratch for spills; a variant that needs more has its own
	base     int64 // where the fuser's scratch begins
	each     int64 // bytes of a slot
	mu       sync.Mutex
	variants map[string]*variant
	whole    *variant // nothing but constants has one value
	note     string   // what does not run as machine code, and why
}

// variant is the machine code for one choice of registers that have one value. Parts run in order.
type variant struct {
	parts  []part
	spill  int
	direct bool // one part whose results all go to outputs: boxes may be of any size
	mixed  bool // some steps but positions run on the block machine
	stream bool // results are stored past the caches
}

// part is machine code, or a step of the block machine where run is nil.
type part struct {
	run  Assembled
	step int
	outs []kernels.Reg
	ins  []kernels.Reg
	regs []kernels.Reg // outs, then ins
	size []int         // bytes between elements of regs (0: one value)
}

// spillSlack is room beyond what the variant without single values spills, in bytes.
const spillSlack = 512

// fuse gives c machine code where asm has forms. It never fails: what has no code runs on the block machine.
func (c *code) fuse(asm Assembler) {
	c.turns = findTurns(asm)
	if asm == nil {
		return
	}
	for _, s := range c.slow {
		s.fuse(asm)
	}
	f := &fuser{asm: asm, slot: make([]int, c.regs), variants: map[string]*variant{}}
	same := make([]bool, c.regs)
	for i := range c.p.Consts {
		same[len(c.p.In)+i] = true
	}
	v, err := c.assemble(f, same, false)
	if err != nil {
		c.how = err.Error()
		return
	}
	if v == nil {
		c.how = "nothing to compute"
		return
	}
	// Only registers that some part keeps need memory.
	for i := range f.slot {
		f.slot[i] = -1
	}
	f.slots = 0
	var rest []string
	for _, p := range v.parts {
		for _, r := range p.outs {
			f.slot[r] = f.slots
			f.slots++
		}
		if p.run == nil {
			s := &c.steps[p.step]
			f.slot[s.d] = f.slots
			f.slots++
			if name := fmt.Sprintf("%v(%v)", s.op, c.p.RegType(s.d)); s.op != kernels.OpIndex && !slices.Contains(rest, name) {
				rest = append(rest, name)
			}
		}
	}
	f.spill = v.spill + spillSlack
	if len(rest) > 0 {
		f.note = "block machine for " + strings.Join(rest, ", ")
	}
	f.variants[string(keyOf(same, false, nil))] = v
	f.whole = v
	f.base, f.each = (c.plainScratch()+63)/64*64, c.slotBytes()
	c.fused = f
}

// keyOf packs flags.
func keyOf(same []bool, stream bool, b []byte) []byte {
	b = b[:0]
	if stream {
		b = append(b, 1)
	}
	for i, s := range same {
		if i%8 == 0 {
			b = append(b, 0)
		}
		if s {
			b[i/8] |= 1 << (i % 8)
		}
	}
	return b
}

// scratchBytes is what the fuser adds to a code's scratch.
func (f *fuser) scratchBytes() int64 {
	if f == nil {
		return 0
	}
	return 64 + int64(f.spill) + int64(f.slots)*f.each
}

// variant returns the machine code for the registers in same, nil where there is none; one that streams only where nothing but
// results is stored.
func (c *code) variant(same []bool, stream bool, key []byte) *variant {
	f := c.fused
	f.mu.Lock()
	defer f.mu.Unlock()
	v, ok := f.variants[string(key)]
	if !ok {
		v, _ = c.assemble(f, same, stream) // what fails runs on the block machine
		if v != nil && (!f.holds(c, v) || stream && !v.direct) {
			v = nil
		}
		f.variants[string(key)] = v
	}
	return v
}

// holds reports whether every register that v keeps has a slot.
func (f *fuser) holds(c *code, v *variant) bool {
	for _, p := range v.parts {
		for _, r := range p.outs {
			if f.slot[r] < 0 {
				return false
			}
		}
		if p.run == nil && f.slot[c.steps[p.step].d] < 0 {
			return false
		}
	}
	return true
}

// levels cuts the steps into parts: a step without a form runs after the code that makes its operands and
// before the code that uses it. It returns each step's level, -1 for steps that have one value, and how many there are.
func (c *code) levels(f *fuser, same []bool) (level []int, native []bool, top int) {
	level, native = make([]int, len(c.steps)), make([]bool, len(c.steps))
	of := make([]int, c.regs) // level of a register
	from := make([]bool, c.regs)
	for r := range of {
		of[r] = -1
	}
	first := len(c.p.In) + len(c.p.Consts)
	for i, s := range c.steps {
		if same[s.d] {
			level[i] = -1
			continue
		}
		native[i] = f.asm.Supports(c.p, c.p.Body[int(s.d)-first])
		n := -1
		for _, r := range s.args {
			if r < 0 || same[r] {
				continue
			}
			k := of[r]
			if native[i] && from[r] {
				k++ // behind a step of the block machine
			}
			n = max(n, k)
		}
		if native[i] {
			n = max(n, 0)
		}
		level[i], of[s.d], from[s.d] = n, n, !native[i]
		top = max(top, n+1)
	}
	return level, native, top
}

// assemble makes the parts of a variant; same tells by register what has one value. Constants are in same.
func (c *code) assemble(f *fuser, same []bool, stream bool) (*variant, error) {
	level, native, top := c.levels(f, same)
	v := &variant{stream: stream}
	codes := 0
	for n := -1; n < top; n++ {
		seg := &segment{c: c, same: same, level: level, native: native, at: n, to: map[kernels.Reg]kernels.Reg{}}
		if n >= 0 {
			p, flags := seg.program()
			if len(p.Ret) > 0 {
				run, err := f.asm.Assemble(p, flags, stream)
				if err != nil {
					return nil, err
				}
				q := part{run: run, outs: seg.outs, ins: seg.ins, regs: slices.Concat(seg.outs, seg.ins)}
				for _, r := range p.Ret {
					q.size = append(q.size, p.RegType(r).Size())
				}
				for i, in := range p.In {
					s := in.DType.Size()
					if flags[i] {
						s = 0
					}
					q.size = append(q.size, s)
				}
				v.parts = append(v.parts, q)
				v.spill = max(v.spill, run.Spill())
				codes++
			}
		}
		for i := range c.steps {
			if level[i] == n && !native[i] && !same[c.steps[i].d] {
				v.parts = append(v.parts, part{step: i})
				v.mixed = v.mixed || c.steps[i].op != kernels.OpIndex
			}
		}
	}
	if codes == 0 {
		return nil, nil
	}
	v.direct = len(v.parts) == 1
	for _, r := range v.parts[0].outs {
		v.direct = v.direct && c.ret[r] >= 0
	}
	return v, nil
}

// segment builds the program of one level.
type segment struct {
	c      *code
	same   []bool
	level  []int
	native []bool
	at     int
	p      *kernels.Program
	to     map[kernels.Reg]kernels.Reg // registers of the code to numbers in consts, ins or body, see place
	ins    []kernels.Reg
	outs   []kernels.Reg
	consts []kernels.Reg
	body   []kernels.Inst
	def    []kernels.Reg // of the body
}

// program returns the segment's program and which of its inputs have one value.
func (s *segment) program() (*kernels.Program, []bool) {
	c := s.c
	mine := map[kernels.Reg]bool{}
	for i, st := range c.steps {
		if s.native[i] && s.level[i] == s.at && !s.same[st.d] {
			mine[st.d] = true
		}
	}
	// What others read must be stored.
	wanted := map[kernels.Reg]bool{}
	for _, st := range c.steps {
		if s.same[st.d] || mine[st.d] {
			continue
		}
		for _, r := range st.args {
			wanted[r] = r >= 0
		}
	}
	for _, r := range c.p.Ret {
		wanted[c.root[r]] = true
	}
	for _, f := range c.p.Folds {
		for _, r := range f.Args {
			wanted[c.root[r]] = true
		}
	}
	s.p = &kernels.Program{Slow: c.p.Slow}
	for _, st := range c.steps {
		if mine[st.d] {
			s.visit(st.d, mine)
			if wanted[st.d] {
				s.outs = append(s.outs, st.d)
			}
		}
	}
	// Number: inputs, constants, instructions.
	n := map[kernels.Reg]kernels.Reg{}
	flags := make([]bool, len(s.ins))
	for i, r := range s.ins {
		n[r] = kernels.Reg(i)
		s.p.In = append(s.p.In, kernels.In(c.p.RegType(r)))
		flags[i] = s.same[r]
	}
	for i, r := range s.consts {
		n[r] = kernels.Reg(len(s.ins) + i)
		s.p.Consts = append(s.p.Consts, c.p.Consts[int(r)-len(c.p.In)])
	}
	for i, in := range s.body {
		for k, r := range in.Args {
			if r >= 0 {
				in.Args[k] = n[r]
			}
		}
		s.p.Body = append(s.p.Body, in)
		n[s.def[i]] = kernels.Reg(len(s.ins) + len(s.consts) + i)
	}
	for _, r := range s.outs {
		s.p.Ret = append(s.p.Ret, n[r])
	}
	return s.p, flags
}

// visit adds what register r needs, and r.
func (s *segment) visit(r kernels.Reg, mine map[kernels.Reg]bool) {
	if _, ok := s.to[r]; ok {
		return
	}
	c := s.c
	s.to[r] = r
	first := len(c.p.In) + len(c.p.Consts)
	root := c.root[r]
	switch {
	case r == root && int(r) >= len(c.p.In) && int(r) < first:
		s.consts = append(s.consts, r)
	case r == root && !mine[r]:
		s.ins = append(s.ins, r)
	default: // an instruction of this part, or a bitcast of whatever
		in := c.p.Body[int(r)-first]
		for _, a := range in.Args {
			if a >= 0 {
				s.visit(a, mine)
			}
		}
		s.body = append(s.body, in)
		s.def = append(s.def, r)
	}
}
