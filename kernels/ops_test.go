// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// TestTable walks the operation table and says what a row lacks.
func TestTable(t *testing.T) {
	names := map[string]OpID{}
	for id := OpID(1); id < opCount; id++ {
		o := OpOf(id)
		if o == nil {
			t.Errorf("operation %d has no row; add one to the ops_*.go file of its family", id)
			continue
		}
		fail := func(what string) { t.Errorf("%s (row of %s operations): %s", o.Name, o.Family, what) }
		if o.Doc == "" || o.NumPy == "" || o.Family == "" || o.rule == nil {
			fail("needs Doc, NumPy, Family and rule")
		}
		if strings.HasSuffix(o.Doc, ".") {
			fail("Doc is one sentence without a full stop")
		}
		if moves := o.Prim == tComplex || o.ID == OpComplex; !o.Internal && o.Prim != 0 && o.eval == nil && !moves {
			fail("is primitive: needs eval, its meaning")
		}
		if o.Prim == 0 && o.lower == nil {
			fail("is neither primitive nor lowered")
		}
		for _, n := range append([]string{o.Name}, o.Aliases...) {
			if other, ok := names[n]; ok {
				fail("shares the name " + n + " with " + other.String())
			}
			names[n] = id
			if got, ok := OpByName(n); !o.Internal && (!ok || got != o) {
				fail("is not found by name " + n)
			}
		}
	}
	if n := len(AllOps()); n != int(opCount)-1 {
		t.Errorf("AllOps has %d rows, want %d", n, opCount-1)
	}
}

// TestTableBuilds applies every operation to every dtype its signature takes:
// each must lower to a program that verifies and has the promised dtype.
func TestTableBuilds(t *testing.T) {
	for _, o := range AllOps() {
		if o.Internal || o.ID == OpCast || o.ID == OpBitcast {
			continue
		}
		for d := dtype.Bool; d <= dtype.Complex128; d++ {
			in := repeat(d, o.Arity)
			args, out, err := o.Signature(in)
			if err != nil {
				continue
			}
			b := NewBuilder(1)
			regs := make([]Reg, o.Arity)
			for i := range regs {
				regs[i] = b.Input(In(args[i]))
			}
			r := b.Apply(o.ID, regs...)
			if got := b.Type(r); got != out {
				t.Errorf("%s of %v: result %v, signature says %v", o.Name, d, got, out)
			}
			b.Ret(r)
			if _, err := b.Build(); err != nil {
				t.Errorf("%s of %v: %v", o.Name, d, err)
			}
		}
	}
}
