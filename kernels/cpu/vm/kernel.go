// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// Compile returns the kernel of a program, a combine or a scan, or an error wrapping kernels.ErrUnsupported.
func Compile(u kernels.Unit) (kernels.Kernel, error) { return CompileWith(u, nil) }

// CompileWith is Compile with machine code from asm, unless it is nil, for all that asm has forms for.
func CompileWith(u kernels.Unit, asm Assembler) (kernels.Kernel, error) {
	switch u := u.(type) {
	case *kernels.Program:
		return compileProgram(u, asm)
	case *kernels.Combine:
		return compileCombine(u)
	case *kernels.Scan:
		return compileScan(u, asm)
	case *kernels.Product:
		return compileProduct(u, asm)
	}
	return nil, fmt.Errorf("kernels/cpu: compile: %T: %w", u, kernels.ErrUnsupported)
}

func compileProgram(p *kernels.Program, asm Assembler) (kernels.Kernel, error) {
	if err := p.Verify(); err != nil {
		return nil, fmt.Errorf("kernels/cpu: compile: %w", err)
	}
	c, err := compile(p)
	if err != nil {
		return nil, err
	}
	c.fuse(asm)
	k := &kernel{p: p, code: c, outs: len(p.Ret), need: c.scratch()}
	if len(p.Folds) > 0 {
		if k.folds, err = planFolds(p, asm); err != nil {
			return nil, err
		}
		k.need = max(k.need, k.folds.scratch())
	}
	for _, f := range p.Folds {
		k.outs += len(kernels.ReductionOf(f.Op).State(p.RegType(f.Args[0])))
	}
	k.runs.New = func() any { return &run{exec: newExec(c)} }
	return k, nil
}

// kernel is a compiled program.
type kernel struct {
	p     *kernels.Program
	code  *code
	folds *foldPlan // nil without folds
	outs  int       // outputs of a call
	need  int64     // bytes of scratch
	runs  sync.Pool // *run
}

// run is the state of one call, reused between calls.
type run struct {
	exec *exec
	geo  geometry
	ops  []operand
	dim  [kernels.MaxAxes + 1]int
}

// Executor tells what runs the program's body, "machine code" or "block machine", and why not or what else: see kernels.Explained.
func (k *kernel) Executor() string {
	codes := []*code{k.code}
	if k.folds != nil && k.folds.storesResults() {
		codes = codes[:0]
	}
	if k.folds != nil {
		codes = append(codes, k.folds.codes...)
	}
	var said []string
	for _, c := range codes {
		if c == nil || len(c.steps) == 0 {
			continue
		}
		what := "block machine"
		switch {
		case c.fused != nil && c.fused.note != "":
			what = "machine code, " + c.fused.note
		case c.fused != nil:
			what = "machine code"
		case c.how != "":
			what += ": " + c.how
		}
		if !slices.Contains(said, what) {
			said = append(said, what)
		}
	}
	if len(said) == 0 {
		return "block machine: nothing to compute"
	}
	return strings.Join(said, "; ")
}

// Scratch returns the bytes of scratch a call needs, whatever its shape.
func (k *kernel) Scratch(chunk.Shape) int64 { return k.need }

// Run computes the call. The inputs may not share memory with the outputs.
func (k *kernel) Run(ctx context.Context, c *kernels.Call) error {
	if err := k.check(c); err != nil {
		return err
	}
	if len(k.p.Ret) > 0 && (k.folds == nil || !k.folds.storesResults()) {
		if err := k.elementwise(ctx, c); err != nil {
			return err
		}
	}
	if k.folds == nil {
		return nil
	}
	return k.folds.run(c, scratch(c))
}

// check reports a call that does not fit the program.
func (k *kernel) check(c *kernels.Call) error {
	if len(c.Shape) != k.p.Rank || len(c.In) != len(k.p.In) || len(c.Out) != k.outs {
		return fmt.Errorf("kernels/cpu: run: got rank %d, %d inputs, %d outputs, want %d, %d, %d", len(c.Shape), len(c.In), len(c.Out), k.p.Rank, len(k.p.In), k.outs)
	}
	for i, in := range c.In {
		if in.DType != k.p.In[i].DType || len(in.Shape) != k.p.Rank {
			return fmt.Errorf("kernels/cpu: run: input %d: got %v of rank %d, want %v of rank %d", i, in.DType, len(in.Shape), k.p.In[i].DType, k.p.Rank)
		}
	}
	for i, r := range k.p.Ret {
		if o := c.Out[i]; o.DType != k.p.RegType(r) || !o.Shape.Equal(c.Shape) {
			return fmt.Errorf("kernels/cpu: run: output %d: got %v %v, want %v %v", i, o.DType, o.Shape, k.p.RegType(r), c.Shape)
		}
	}
	if err := c.CheckContinue(k.p); err != nil {
		return fmt.Errorf("kernels/cpu: %w", err)
	}
	if k.need > 0 && (c.Scratch == nil || c.Scratch.Len() < k.need) {
		return fmt.Errorf("kernels/cpu: run: scratch: got less than the %d bytes Scratch asks for", k.need)
	}
	return nil
}

// scratch returns the call's scratch bytes.
func scratch(c *kernels.Call) []byte {
	if c.Scratch == nil {
		return nil
	}
	return c.Scratch.Bytes()
}

// watch is how many boxes run between two looks at the context.
const watch = 256

// elementwise computes the results box by box.
func (k *kernel) elementwise(ctx context.Context, c *kernels.Call) error {
	r := k.runs.Get().(*run)
	defer k.runs.Put(r)
	defer r.exec.forget()
	r.ops = r.exec.operands(r.ops[:0], c, true)
	r.geo.set(c.Shape, 0, r.ops, k.code.whole)
	r.exec.fused.alone = true
	if err := r.exec.bind(c, &r.geo, scratch(c), true); err != nil {
		return err
	}
	r.exec.extent(&r.dim)
	count := 0
	return r.geo.boxes(&r.dim, func(b *box) error {
		if count++; count%watch == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		return r.exec.box(b, true)
	})
}
