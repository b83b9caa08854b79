// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Verify reports the first thing that makes p no legal program: an operand that
// is not defined before its use, a dtype an instruction does not take, an operation
// that should have been lowered, a port or fold that names what is not there.
func (p *Program) Verify() error {
	if p.Rank < 0 || p.Rank > MaxAxes {
		return fmt.Errorf("kernels: verify: rank: got %d, want 0 to %d", p.Rank, MaxAxes)
	}
	for i, in := range p.In {
		if err := p.verifyPort(in); err != nil {
			return fmt.Errorf("kernels: verify: input %d: %w", i, err)
		}
	}
	for i, c := range p.Consts {
		if !c.DType.IsNumeric() || c.DType.IsComplex() {
			return fmt.Errorf("kernels: verify: constant %d: dtype %v is not a real number's", i, c.DType)
		}
		if trim(c.DType, c.Bits) != c.Bits || c.DType == dtype.Bool && c.Bits > 1 {
			return fmt.Errorf("kernels: verify: constant %d: bits %#x do not fit %v", i, c.Bits, c.DType)
		}
	}
	first := len(p.In) + len(p.Consts)
	for i, in := range p.Body {
		if err := p.verifyInst(in, Reg(first+i)); err != nil {
			return fmt.Errorf("kernels: verify: %%%d = %v: %w", first+i, in.Op, err)
		}
	}
	for i, r := range p.Ret {
		if p.RegType(r) == dtype.Invalid {
			return fmt.Errorf("kernels: verify: result %d: %%%d is not a register", i, r)
		}
	}
	for i, f := range p.Folds {
		if err := p.verifyFold(f); err != nil {
			return fmt.Errorf("kernels: verify: fold %d: %w", i, err)
		}
	}
	for i, q := range p.Slow {
		if err := q.verifySlow(); err != nil {
			return fmt.Errorf("kernels: verify: slow %d: %w", i, err)
		}
	}
	return nil
}

func (p *Program) verifyPort(in Port) error {
	if !in.DType.IsNumeric() {
		return fmt.Errorf("dtype %v is not a number's: %w", in.DType, ErrUnsupported)
	}
	if int(in.Access) >= len(accessNames) {
		return fmt.Errorf("access class: got %d, want 0 to %d", in.Access, len(accessNames)-1)
	}
	if in.Gather < 0 {
		return nil
	}
	if int(in.Gather) >= p.Rank {
		return fmt.Errorf("gather axis: got %d, want 0 to %d", in.Gather, p.Rank-1)
	}
	if k := int(in.GatherIDs); k < 0 || k >= len(p.In) || p.In[k].DType != dtype.Int32 || p.In[k].Gather >= 0 {
		return fmt.Errorf("gather ids: input %d is not a plain int32 input", k)
	}
	return nil
}

func (p *Program) verifyInst(in Inst, at Reg) error {
	o := OpOf(in.Op)
	if o == nil {
		return fmt.Errorf("no such operation")
	}
	var types []dtype.DType
	for k, r := range in.Args {
		if r < 0 {
			break
		}
		if r >= at {
			return fmt.Errorf("operand %d: %%%d is not defined before", k, r)
		}
		types = append(types, p.RegType(r))
	}
	if len(types) != o.Arity {
		return fmt.Errorf("got %d operands, want %d", len(types), o.Arity)
	}
	switch in.Op {
	case OpIndex:
		if in.Aux < 0 || int(in.Aux) >= p.Rank || in.DType != dtype.Int64 {
			return fmt.Errorf("axis %d as %v, want an axis below %d as int64", in.Aux, in.DType, p.Rank)
		}
		return nil
	case OpCold:
		if in.Aux < 0 || int(in.Aux) >= len(p.Slow) {
			return fmt.Errorf("slow program %d, want below %d", in.Aux, len(p.Slow))
		}
		q := p.Slow[in.Aux]
		if len(q.In) != 1 || len(q.Ret) != 1 || types[0] != dtype.Bool || types[1] != in.DType || q.RegType(q.Ret[0]) != in.DType || q.In[0].DType != types[2] {
			return fmt.Errorf("operands %v do not fit slow program %d", types, in.Aux)
		}
		return nil
	case OpLookup:
		if in.Aux < 0 || int(in.Aux) >= len(tables) || types[0] != in.DType || in.DType != TableType(in.Aux) {
			return fmt.Errorf("table %d at %v as %v, want a table below %d at its own dtype", in.Aux, types[0], in.DType, len(tables))
		}
		return nil
	case OpCast:
		if types[0].IsComplex() || !types[0].IsNumeric() || in.DType.IsComplex() || !in.DType.IsNumeric() {
			return fmt.Errorf("from %v to %v, want real dtypes", types[0], in.DType)
		}
		return nil
	case OpBitcast:
		if types[0].Size() != in.DType.Size() || types[0].IsComplex() || in.DType.IsComplex() || in.DType == dtype.Bool || types[0] == dtype.Bool {
			return fmt.Errorf("from %v to %v, want real dtypes of one size", types[0], in.DType)
		}
		return nil
	}
	want, out, err := o.Signature(types)
	if err != nil {
		return err
	}
	for k, d := range types {
		if d != want[k] {
			return fmt.Errorf("operands %v, want %v", types, want)
		}
	}
	d := types[0]
	if in.Op == OpWhere {
		d = types[1]
	}
	if !o.Prim.Has(d) {
		return fmt.Errorf("is not primitive for %v; build programs with a Builder, which lowers it", d)
	}
	if len(types) == 2 && types[0] != types[1] {
		return fmt.Errorf("operands %v, want one dtype", types)
	}
	if in.DType != out {
		return fmt.Errorf("result %v, want %v", in.DType, out)
	}
	return nil
}

func (p *Program) verifyFold(f Fold) error {
	red := ReductionOf(f.Op)
	if red == nil {
		return fmt.Errorf("no such reduction")
	}
	want := 1
	if red.Indexed {
		want = 2
	}
	if len(f.Args) != want {
		return fmt.Errorf("%s: got %d arguments, want %d", red.Name, len(f.Args), want)
	}
	for i, r := range f.Args {
		d := p.RegType(r)
		if d == dtype.Invalid {
			return fmt.Errorf("%s: argument %d: %%%d is not a register", red.Name, i, r)
		}
		if i == 1 && d != dtype.Int64 {
			return fmt.Errorf("%s: position: got %v, want int64", red.Name, d)
		}
	}
	if f.Axes>>uint(p.Rank) != 0 {
		return fmt.Errorf("%s: axes beyond rank %d", red.Name, p.Rank)
	}
	if f.Group >= 0 && (int(f.Group) >= len(p.In) || p.In[f.Group].DType != dtype.Int32) {
		return fmt.Errorf("%s: group: input %d is not an int32 input", red.Name, f.Group)
	}
	return nil
}

// verifySlow checks a program that runs on single lanes: elementwise, without positions.
func (p *Program) verifySlow() error {
	if len(p.Folds) > 0 || len(p.Slow) > 0 {
		return fmt.Errorf("has folds or slow programs of its own")
	}
	for _, in := range p.Body {
		if in.Op == OpIndex {
			return fmt.Errorf("uses index")
		}
	}
	return p.Verify()
}
