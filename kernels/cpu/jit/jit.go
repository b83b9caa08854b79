// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Compiler makes machine code and keeps it: equal programs are compiled once. It is
// safe for concurrent use.
type Compiler struct {
	bytes   int // of a vector of programs and columns
	mu      sync.Mutex
	mem     arena
	funcs   map[string]*Func
	loops   map[loopKey]*Loop
	columns map[string]*Columns
	err     error // executable memory was refused, or the compiler is closed
}

// New returns a compiler whose programs work on vectors of 32 bytes (AVX2), or 64 (AVX-512), or an error when this machine cannot run its
// code or forbids it.
func New(bytes int) (*Compiler, error) {
	if err := Available(bytes); err != nil {
		return nil, err
	}
	c := &Compiler{bytes: bytes, funcs: map[string]*Func{}, loops: map[loopKey]*Loop{}, columns: map[string]*Columns{}}
	if err := c.try(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// try compiles and runs a program of one copy: the system may forbid executable memory.
func (c *Compiler) try() error {
	p := &kernels.Program{In: []kernels.Port{kernels.In(dtype.Int64)}, Ret: []kernels.Reg{0}}
	f, err := c.Compile(p, []bool{false}, false)
	if err != nil {
		return err
	}
	from, to := [8]int64{1, 2, 3, 4, 5, 6, 7, 8}, [8]int64{}
	f.Run([]unsafe.Pointer{unsafe.Pointer(&to), unsafe.Pointer(&from)}, len(from), nil, nil)
	if to != from {
		return fmt.Errorf("kernels/cpu/jit: a trial copied %v as %v: %w", from, to, kernels.ErrUnsupported)
	}
	return nil
}

// Close gives the memory of all code back. None of it may be running, or be run again.
func (c *Compiler) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mem.free()
	c.funcs, c.loops, c.columns = nil, nil, nil
	c.err = fmt.Errorf("kernels/cpu/jit: the compiler is closed: %w", kernels.ErrUnsupported)
}

// Func is a program as machine code. It stays valid until its compiler is closed.
type Func struct {
	entry  uintptr
	args   int // pointers
	outs   int
	lanes  int
	spill  int // bytes
	size   []int
	code   []byte // for tests and tools: a copy
	length int    // of the code without its constants
	most   int    // elements of a call
}

// Compile returns the code of an elementwise program: its inputs are read one element after another, those
// that same names have one value. Rank, folds, gathers and positions play no part. A program with an instruction
// that has no form gives an error wrapping kernels.ErrUnsupported. With stream results go past the caches wherever all of them begin
// at whole vectors: quicker where they are too many to be kept there, slower where they are read again.
func (c *Compiler) Compile(p *kernels.Program, same []bool, stream bool) (*Func, error) {
	key := p.Key() + fmt.Sprint(same, stream)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	if f := c.funcs[key]; f != nil {
		return f, nil
	}
	g, err := lower(p, same, c.bytes)
	if err != nil {
		return nil, err
	}
	f := &Func{args: len(p.Ret) + len(p.In), outs: len(p.Ret), lanes: g.v, most: longest(g)}
	for _, r := range p.Ret {
		f.size = append(f.size, p.RegType(r).Size())
	}
	for i, in := range p.In {
		if same[i] {
			f.size = append(f.size, 0)
		} else {
			f.size = append(f.size, in.DType.Size())
		}
	}
	f.code, f.length, f.spill = emit(g, len(p.Ret), len(p.In), stream)
	if f.entry, err = c.install(f.code); err != nil {
		return nil, err
	}
	c.funcs[key] = f
	return f, nil
}

// install makes code executable. When that fails once, nothing is compiled any more.
func (c *Compiler) install(code []byte) (uintptr, error) {
	at, err := c.mem.install(code)
	if err != nil {
		c.err = err
	}
	return at, err
}

// longest bounds the elements of a call, so that it takes about 100 microseconds at most: machine code cannot be
// interrupted by the scheduler or by the garbage collector.
func longest(g *graph) int {
	const budget = 60_000 // nanoseconds
	cost := 4             // tenths of nanoseconds for a vector
	for i := range g.nodes {
		switch n := &g.nodes[i]; {
		case n.kind == nodeConst:
		case n.kind == nodeLoad || n.kind == nodeStore:
			cost += 20
		case n.op == vdivpd || n.op == vsqrtpd:
			cost += 50
		case n.op == vdivps || n.op == vsqrtps:
			cost += 25
		default:
			cost += 4
		}
	}
	n := budget * 10 / cost * g.v
	return max(min(n, 1<<16), 1024) &^ (cacheLine - 1) // whole cache lines of bytes
}

// Spill returns the bytes of the spill area a call needs.
func (f *Func) Spill() int { return f.spill }

// Longest returns how many elements one call may have at most.
func (f *Func) Longest() int { return f.most }

// Code returns the machine code, for a disassembler.
func (f *Func) Code() []byte { return f.code[:f.length] }

// Rows tells how the rows of a call follow each other.
type Rows struct {
	Count int
	Step  [len(pointerRegs)]int // bytes from row to row: of the results, then of the operands
}

// oneRow is a call of one row.
var oneRow = Rows{Count: 1}

// Rowed reports whether calls may have several rows.
func (f *Func) Rowed() bool { return f.args <= len(pointerRegs) }

// Run computes rows of n elements, together at most Longest; rows is nil for one. ptrs holds the addresses of the results, then of the
// inputs, which no result may share memory with, and has room for one more. spill holds Spill bytes. It returns n, or
// less where a lane of a cold instruction needs its slow program: of one row, the number of an element before which all are
// computed.
func (f *Func) Run(ptrs []unsafe.Pointer, n int, spill unsafe.Pointer, rows *Rows) int {
	if rows == nil {
		rows = &oneRow
	}
	if n < f.lanes {
		return f.few(ptrs, n, spill, rows)
	}
	ptrs = append(ptrs, unsafe.Pointer(rows))
	return enter(f.entry, &ptrs[0], n, spill)
}
