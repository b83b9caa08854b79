// SPDX-License-Identifier: BSD-3-Clause

package cpu

import (
	"context"
	"fmt"
	"sync"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu/jit"
	"github.com/arrayrun/arrayrun/kernels/cpu/vm"
)

// Options choose how programs run.
type Options struct {
	// Mode is "auto" (or empty: the fastest executor this machine has), "avx512", "avx2" or "generic".
	// On a machine that cannot run a mode's code, or forbids it, the next one runs; Name tells which.
	Mode string
	// Allocator is where scratch and results come from; nil makes a pool that Close closes.
	Allocator mem.Allocator
}

// New returns the CPU device. An unknown mode gives an error from Compile.
func New(o Options) kernels.Device {
	d := &device{mode: o.Mode, alloc: o.Allocator, kernels: map[string]kernels.Kernel{}}
	if d.alloc == nil {
		d.own = mem.NewPool()
		d.alloc = d.own
	}
	if o.Mode == "avx512" || d.isAuto() && jit.Prefers64() {
		d.code, d.reason = jit.New(64)
		d.wide = d.code != nil
	}
	if o.Mode != "generic" && d.code == nil {
		var err error
		if d.code, err = jit.New(32); err != nil {
			d.reason = err
		}
	}
	return d
}

type device struct {
	mode    string
	alloc   mem.Allocator
	own     *mem.Pool     // nil: the caller's
	code    *jit.Compiler // nil: the block machine runs everything
	wide    bool          // code has vectors of 64 bytes
	reason  error         // why code is nil, or not wide
	mu      sync.Mutex
	kernels map[string]kernels.Kernel // by key: a hash alone could collide
}

// modes are the legal values of Options.Mode.
var modes = map[string]bool{"": true, "auto": true, "avx512": true, "avx2": true, "generic": true}

func (d *device) isAuto() bool { return d.mode == "" || d.mode == "auto" }

// Name is "jit-avx512", "jit-avx2" or "vm-generic".
func (d *device) Name() string {
	if d.wide {
		return "jit-avx512"
	}
	if d.code != nil {
		return "jit-avx2"
	}
	return "vm-generic"
}

// Executor is Name, with the reason when it is not the one that the mode asks for.
func (d *device) Executor() string {
	if d.reason != nil {
		return d.Name() + ": " + d.reason.Error()
	}
	return d.Name()
}

func (d *device) Allocator() mem.Allocator { return d.alloc }

// Close releases the device's own pool and its machine code. Blocks still in use stay valid, kernels do not.
func (d *device) Close() error {
	if d.code != nil {
		d.code.Close()
	}
	if d.own != nil {
		d.own.Close()
	}
	return nil
}

// Compile returns the kernel of a unit, made once for each key.
func (d *device) Compile(_ context.Context, u kernels.Unit) (kernels.Kernel, error) {
	if !modes[d.mode] {
		return nil, fmt.Errorf("kernels/cpu: mode %q, want auto, avx512, avx2 or generic: %w", d.mode, kernels.ErrUnsupported)
	}
	key := u.Key()
	d.mu.Lock()
	k := d.kernels[key]
	d.mu.Unlock()
	if k != nil {
		return k, nil
	}
	k, err := vm.CompileWith(u, d.assembler())
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if other := d.kernels[key]; other != nil {
		return other, nil
	}
	d.kernels[key] = k
	return k, nil
}

// assembler lets the block machine use the machine code compiler.
func (d *device) assembler() vm.Assembler {
	if d.code == nil {
		return nil
	}
	return assembler{d.code}
}

type assembler struct{ *jit.Compiler }

func (assembler) Supports(p *kernels.Program, in kernels.Inst) bool { return jit.Supports(p, in) }

func (a assembler) Assemble(p *kernels.Program, same []bool, stream bool) (vm.Assembled, error) {
	f, err := a.Compile(p, same, stream)
	if err != nil {
		return nil, err
	}
	return assembled{f}, nil
}

func (a assembler) AssembleColumns(p *kernels.Program, same []bool, sinks []vm.Sink) (vm.Columns, error) {
	to := make([]jit.Sink, len(sinks))
	for i, s := range sinks {
		to[i] = jit.Sink(s)
	}
	f, err := a.CompileColumns(p, same, to)
	if err != nil {
		return nil, err
	}
	return columns{f}, nil
}

type columns struct{ *jit.Columns }

func (c columns) Run(ptrs []unsafe.Pointer, n int, rows *vm.Rows) {
	c.Columns.Run(ptrs, n, (*jit.Rows)(rows))
}

type assembled struct{ *jit.Func }

func (a assembled) Run(ptrs []unsafe.Pointer, n int, spill unsafe.Pointer, rows *vm.Rows) int {
	return a.Func.Run(ptrs, n, spill, (*jit.Rows)(rows))
}

func (a assembler) Loop(name string, d dtype.DType) vm.Loop {
	if l := a.Compiler.Loop(name, d); l != nil {
		return l
	}
	return nil
}

// Copy copies src's elements to dst, which has its dtype and shape; any strides.
func (d *device) Copy(_ context.Context, dst, src *chunk.Chunk) error {
	if dst.DType != src.DType || dst.ItemBytes != src.ItemBytes || !dst.Shape.Equal(src.Shape) {
		return fmt.Errorf("kernels/cpu: copy: got %v %v, want %v %v: %w", dst.DType, dst.Shape, src.DType, src.Shape, chunk.ErrShape)
	}
	return vm.Copy(dst, src)
}
