// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"errors"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// TestReductionTable walks the table and names what a row lacks.
func TestReductionTable(t *testing.T) {
	seen := map[string]bool{}
	for i, r := range AllReductions() {
		if r.ID != ReductionID(i+1) || ReductionOf(r.ID) != r {
			t.Errorf("%s: ID %d at place %d; IDs are positions, add rows at the end", r.Name, r.ID, i+1)
		}
		for _, n := range append([]string{r.Name}, r.Aliases...) {
			if seen[n] {
				t.Errorf("%s: the name %q is taken; choose another", r.Name, n)
			}
			seen[n] = true
			if got, ok := ReductionByName(n); !ok || got != r {
				t.Errorf("ReductionByName(%q) = %v, want %s", n, got, r.Name)
			}
		}
		if int(r.Algebra) >= len(algebras) || algebras[r.Algebra].result == nil || len(algebras[r.Algebra].state) == 0 {
			t.Errorf("%s: algebra %d has no row in algebras", r.Name, r.Algebra)
			continue
		}
		if r.Doc == "" || r.NumPy == "" {
			t.Errorf("%s: give Doc and NumPy", r.Name)
		}
		w := r.TwinOf()
		switch {
		case w == nil:
			t.Errorf("%s: twin %q is not in the table", r.Name, r.Twin)
		case w.TwinOf() != r:
			t.Errorf("%s: its twin %s has the twin %s", r.Name, w.Name, w.Twin)
		case w != r && (w.Algebra != r.Algebra || w.SkipNaN == r.SkipNaN || w.Sqrt != r.Sqrt || w.Indexed != r.Indexed):
			t.Errorf("%s and its twin %s differ in more than NaN", r.Name, w.Name)
		case w != r && r.SkipNaN && r.Name != "nan"+w.Name:
			t.Errorf("%s: the form that leaves NaN out of %s is named nan%s", r.Name, w.Name, w.Name)
		}
	}
}

// TestReductionStates checks that states, identities and aggregates of every dtype fit together.
func TestReductionStates(t *testing.T) {
	for _, r := range AllReductions() {
		for d := dtype.Bool; d <= dtype.Complex128; d++ {
			out, err := r.Result(d)
			if err != nil {
				if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), r.Name) {
					t.Errorf("%s.Result(%v): %v, want an error that names it and wraps ErrUnsupported", r.Name, d, err)
				}
				continue
			}
			state, id := r.State(d), r.Identity(d)
			if len(state) != len(id) {
				t.Fatalf("%s of %v: %d components, %d identities", r.Name, d, len(state), len(id))
			}
			b := NewBuilder(1)
			var regs []Reg
			for i, s := range state {
				if id[i].DType != s.DType {
					t.Errorf("%s of %v: identity %d is %v, want %v", r.Name, d, i, id[i].DType, s.DType)
				}
				regs = append(regs, b.Input(In(s.DType)))
			}
			if d.IsComplex() {
				continue
			}
			b.Ret(r.Aggregate(b, regs, d, Params{}))
			p, err := b.Build()
			if err != nil {
				t.Errorf("%s of %v: %v", r.Name, d, err)
				continue
			}
			if got := p.RegType(p.Ret[0]); got != out {
				t.Errorf("%s of %v: aggregate is %v, want %v", r.Name, d, got, out)
			}
		}
	}
	for _, d := range []dtype.DType{dtype.Raw, dtype.String} {
		r, _ := ReductionByName("sum")
		if _, err := r.Result(d); !errors.Is(err, ErrUnsupported) {
			t.Errorf("sum of %v: error %v, want one that wraps ErrUnsupported", d, err)
		}
	}
}

// TestEmptyFolds aggregates the identity: what a fold of no elements gives.
func TestEmptyFolds(t *testing.T) {
	for _, c := range []struct {
		op   string
		dt   dtype.DType
		want string // "" where Empty is an error
	}{
		{"sum", dtype.Float32, "0"}, {"sum", dtype.Int8, "0"}, {"nansum", dtype.Float64, "0"}, {"prod", dtype.Float64, "1"}, {"prod", dtype.Uint8, "1"},
		{"mean", dtype.Float32, "nan"}, {"mean", dtype.Int32, "nan"}, {"nanmean", dtype.Float64, "nan"}, {"var", dtype.Float64, "nan"}, {"nanstd", dtype.Float32, "nan"},
		{"any", dtype.Int8, "false"}, {"all", dtype.Float64, "true"}, {"count", dtype.Float32, "0"}, {"count_nonzero", dtype.Bool, "0"},
		{"min", dtype.Float64, ""}, {"max", dtype.Int8, ""}, {"argmin", dtype.Float32, ""}, {"nanargmax", dtype.Float32, ""}, {"first", dtype.Int8, ""},
	} {
		r, _ := ReductionByName(c.op)
		if err := r.Empty(c.dt); (err != nil) != (c.want == "") {
			t.Errorf("%s.Empty(%v) = %v", c.op, c.dt, err)
		}
		if c.want == "" {
			continue
		}
		b := NewBuilder(0)
		var regs []Reg
		for _, k := range r.Identity(c.dt) {
			regs = append(regs, b.Const(k))
		}
		got, ok := b.ConstValue(r.Aggregate(b, regs, c.dt, Params{}))
		text := got.String()
		if got.IsNaN() {
			text = "nan"
		}
		if !ok || text != c.want {
			t.Errorf("%s of no %v = %v, want %s", c.op, c.dt, text, c.want)
		}
	}
}

func TestCombineText(t *testing.T) {
	r, _ := ReductionByName("nanmean")
	c := CombineOf(r.ID, r.State(dtype.Float32))
	if got, want := c.String(), "combine nanmean(sum float64, count int64)"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if c.Hash() == CombineOf(r.ID, r.State(dtype.Complex64)).Hash() {
		t.Error("states of different dtypes have one hash")
	}
}
