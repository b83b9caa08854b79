// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// numeric are the dtypes that programs compute with.
var numeric = dtype.Reals()

// opProgram returns out = op(inputs) over a loop of rank axes, nil where the operation does not take the dtype.
func opProgram(t *testing.T, o *kernels.Op, d dtype.DType, rank int) *kernels.Program {
	t.Helper()
	in := make([]dtype.DType, o.Arity)
	for i := range in {
		in[i] = d
	}
	if o.ID == kernels.OpWhere {
		in[0] = dtype.Bool
	}
	if _, _, err := o.Signature(in); err != nil {
		return nil
	}
	b := kernels.NewBuilder(rank)
	args := make([]kernels.Reg, len(in))
	for i, d := range in {
		args[i] = b.Input(kernels.In(d))
	}
	b.Ret(b.Apply(o.ID, args...))
	return build(t, b)
}

func build(t *testing.T, b *kernels.Builder) *kernels.Program {
	t.Helper()
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The ways inputs lie, for the access classes.
var layouts = map[string]func(shape chunk.Shape) []int64{
	"plain": func(s chunk.Shape) []int64 { return s.RowMajor() },
	"one":   func(s chunk.Shape) []int64 { return make([]int64, len(s)) },
	"turned": func(s chunk.Shape) []int64 {
		out, n := make([]int64, len(s)), int64(1)
		for i, d := range s {
			out[i] = n
			n *= d
		}
		return out
	},
	"padded": func(s chunk.Shape) []int64 {
		out := s.RowMajor()
		for i := range len(out) - 1 {
			out[i] += 3
		}
		return out
	},
}

// stepsOf returns the steps of a program over a shape with all inputs in a layout.
func stepsOf(t *testing.T, p *kernels.Program, shape chunk.Shape, layout string) []*step {
	t.Helper()
	var in []*chunk.Chunk
	for _, port := range p.In {
		c := &chunk.Chunk{DType: port.DType, ItemBytes: int32(port.DType.Size()), Shape: shape.Clone(), Strides: layouts[layout](shape)}
		in = append(in, c)
	}
	var steps []*step
	for _, q := range partsOf(p) {
		if err := q.check(); err != nil {
			t.Fatalf("%v\n%v", err, p)
		}
		steps = append(steps, stepOf(q, shape, in, 3))
	}
	return steps
}

// sources renders every step of a program.
func sources(t *testing.T, p *kernels.Program, shape chunk.Shape, layout string) []*Source {
	t.Helper()
	var out []*Source
	for _, s := range stepsOf(t, p, shape, layout) {
		src, err := s.render()
		if err != nil {
			t.Fatalf("%v\n%v", err, p)
		}
		out = append(out, src)
	}
	return out
}

// Shapes whose joined axes give the narrow and the wide forms.
var (
	small  = chunk.Shape{5, 70, 40}
	square = chunk.Shape{50, 7, 40} // turned, whose first axis is long enough for squares
	large  = chunk.Shape{3, 1 << 16, 1 << 16}
	broad  = chunk.Shape{33, 1 << 16, 1 << 16} // large, and long enough for squares
)

// everySource returns the sources of every row of the operation and reduction tables, each dtype and access
// class, and of count random programs, each text once.
func everySource(t *testing.T, random int) map[string]string {
	t.Helper()
	all := map[string]string{}
	add := func(what string, p *kernels.Program, shape chunk.Shape, layout string) {
		for _, s := range sources(t, p, shape, layout) {
			if all[s.Text] == "" {
				all[s.Text] = what + ", " + layout + ": " + s.What
			}
		}
	}
	for _, o := range kernels.AllOps() {
		if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast {
			continue
		}
		for _, d := range append(numeric, dtype.Complex64, dtype.Complex128) {
			p := opProgram(t, o, d, 3)
			if p == nil {
				continue
			}
			for layout := range layouts {
				add(o.Name+" "+d.String(), p, small, layout)
			}
			add(o.Name+" "+d.String()+" wide", p, large, "padded")
			add("squares of "+o.Name+" "+d.String(), p, square, "turned")
			add("squares of "+o.Name+" "+d.String()+" wide", p, broad, "turned")
			p = gathered(t, o, p.In)
			add("gathered "+o.Name+" "+d.String(), p, small, "plain")
			add("gathered "+o.Name+" "+d.String()+" wide", p, large, "turned")
		}
	}
	for _, from := range numeric {
		for _, to := range numeric {
			b := kernels.NewBuilder(1)
			x := b.Input(kernels.In(from))
			b.Ret(b.Cast(x, to))
			if from.Size() == to.Size() && from != dtype.Bool && to != dtype.Bool {
				b.Ret(b.Bitcast(x, to))
			}
			add("cast "+from.String()+" "+to.String(), build(t, b), chunk.Shape{100}, "plain")
		}
	}
	for _, r := range kernels.AllReductions() {
		for _, d := range append(numeric, dtype.Complex64, dtype.Complex128) {
			if _, err := r.Result(d); d.IsComplex() && err != nil {
				continue
			}
			for i, axes := range []kernels.AxisSet{kernels.Axes(2), kernels.Axes(0), kernels.Axes(0, 2), kernels.Axes(1)} {
				p := foldProgram(t, r, d, axes, i == 3)
				add(r.Name+" "+d.String(), p, small, "padded")
				if i < 2 {
					add(r.Name+" "+d.String()+" wide", p, large, "plain")
				}
				for _, m := range modes(r, i) {
					for _, st := range stepsOf(t, p, small, "padded") {
						st.mode = m
						if m.sweep == squareSweep {
							st.part = st.part.twice()
						}
						s, err := st.render()
						if err != nil {
							t.Fatalf("%v\n%v", err, p)
						}
						kind := "pieces of "
						if i == 1 && m.resumes {
							kind = "resumed "
						}
						if all[s.Text] == "" {
							all[s.Text] = kind + r.Name + " " + d.String() + ": " + s.What
						}
					}
				}
			}
			u := kernels.CombineOf(r.ID, r.State(d))
			s, err := renderCombine(u)
			if err != nil {
				t.Fatal(err)
			}
			all[s.Text] = u.String()
		}
	}
	for _, o := range kernels.AllScans() {
		for _, d := range append(numeric, dtype.Complex64, dtype.Complex128) {
			if out, err := o.Result(d); err != nil || out != d {
				continue
			}
			for axis := range 3 {
				for _, shape := range []chunk.Shape{small, large} {
					for _, continues := range []bool{false, true} {
						u := &kernels.Scan{Op: o.ID, DType: d, Rank: 3, Axis: axis}
						f, err := newScanForm(u)
						if err != nil {
							t.Fatal(err)
						}
						in := &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Shape: shape, Strides: layouts["padded"](shape)}
						s, err := f.steps(f.whole(&kernels.Call{Shape: shape, Continue: continues}), []*chunk.Chunk{in})[0].render()
						if err != nil {
							t.Fatal(err)
						}
						all[s.Text] = "scans: " + u.String() + ": " + s.What
					}
				}
			}
		}
	}
	for _, d := range []dtype.DType{dtype.Float32, dtype.Float64} {
		for _, u := range []*kernels.Product{{Rows: 1, Sums: 1, Cols: 1}, {Batch: 1, Rows: 1, Sums: 1, Cols: 1}, {Batch: 1, Rows: 2, Sums: 2, Cols: 2}, {Sums: 1, Cols: 1}, {Rows: 1, Sums: 1}} {
			for _, n := range []int64{70, 3_000} { // positions of 32 and of 64 bits
				u.DType = d
				shape := make(chunk.Shape, u.Batch+u.Rows+u.Sums+u.Cols)
				for i := range shape {
					shape[i] = n
				}
				f, err := newProductForm(u)
				if err != nil {
					t.Fatal(err)
				}
				steps, err := f.example(shape, 0)
				if err != nil {
					t.Fatal(err)
				}
				s, err := steps[0].render()
				if err != nil {
					t.Fatal(err)
				}
				all[s.Text] = "products: " + u.String()
			}
		}
	}
	for _, shape := range []chunk.Shape{small, large} {
		for _, item := range []int{1, 2, 4, 8, 16} {
			for packing := Plain; packing <= Shuffled && (packing == Plain || item <= 8); packing++ {
				s, err := renderMove(newGeometry(shape, 0, 0, []*chunk.Chunk{
					{Shape: shape, Strides: layouts["padded"](shape)}, {Shape: shape, Strides: shape.RowMajor()}}, []bool{true, true}), item, packing)
				if err != nil {
					t.Fatal(err)
				}
				all[s.Text] = fmt.Sprintf("%s, packing %d", s.What, packing)
			}
		}
	}
	for seed := range random {
		rng := rand.New(rand.NewPCG(uint64(seed), 5))
		add("random program", randomProgram(t, rng), small, []string{"plain", "turned", "padded"}[rng.IntN(3)])
	}
	return all
}

// modes returns how else than with all numbers in one launch the folds of everySource run: the i-th of a reduction.
func modes(r *kernels.Reduction, i int) []mode {
	switch {
	case i == 1 && r.Continues(): // the others cannot go on from a state
		return []mode{{resumes: true}, {skips: true}, {skips: true, lone: true}}
	case i < 2:
		return []mode{{skips: true}, {skips: true, lone: true}}
	case i == 3 && r.Continues():
		return []mode{{resumes: true}}
	case i == 3:
		return []mode{{sweep: sumSweep}, {sweep: sumSweep, resumes: true}, {sweep: squareSweep}, {sweep: squareSweep, resumes: true}}
	}
	return nil
}

// gathered returns out = op(inputs) over three axes, with each input read at positions along the first that one more input tells.
func gathered(t *testing.T, o *kernels.Op, in []kernels.Port) *kernels.Program {
	t.Helper()
	b := kernels.NewBuilder(3)
	b.Input(kernels.In(dtype.Int32))
	args := make([]kernels.Reg, len(in))
	for i, port := range in {
		port.Gather, port.GatherIDs = 0, 0
		args[i] = b.Input(port)
	}
	b.Ret(b.Apply(o.ID, args...))
	return build(t, b)
}

// foldProgram folds an input, with its position where the reduction wants one, grouped by an input if asked.
func foldProgram(t *testing.T, r *kernels.Reduction, d dtype.DType, axes kernels.AxisSet, grouped bool) *kernels.Program {
	t.Helper()
	b := kernels.NewBuilder(3)
	f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{b.Input(kernels.In(d))}, Axes: axes, Group: -1}
	if r.Indexed {
		f.Args = append(f.Args, b.Index(0))
	}
	if grouped {
		b.Input(kernels.In(dtype.Int32))
		f.Group = 1
	}
	b.Fold(f)
	return build(t, b)
}

// randomProgram returns a program of some operations on some inputs, with results and folds.
func randomProgram(t *testing.T, rng *rand.Rand) *kernels.Program {
	t.Helper()
	b := kernels.NewBuilder(3)
	regs := []kernels.Reg{b.Index(rng.IntN(3))}
	for range 1 + rng.IntN(3) {
		regs = append(regs, b.Input(kernels.In(numeric[rng.IntN(len(numeric))])))
	}
	pick := func() kernels.Reg { return regs[rng.IntN(len(regs))] }
	ops := kernels.AllOps()
	for range 1 + rng.IntN(6) {
		o := ops[rng.IntN(len(ops))]
		if o.Internal || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast {
			regs = append(regs, b.Cast(pick(), numeric[rng.IntN(len(numeric))]))
			continue
		}
		args := make([]kernels.Reg, o.Arity)
		in := make([]dtype.DType, o.Arity)
		for i := range args {
			args[i] = pick()
			if o.ID == kernels.OpWhere && i == 0 {
				args[i] = b.Cast(args[i], dtype.Bool)
			}
			in[i] = b.Type(args[i])
		}
		if _, out, err := o.Signature(in); err != nil || out.IsComplex() {
			continue
		}
		regs = append(regs, b.Apply(o.ID, args...))
	}
	b.Ret(regs[len(regs)-1])
	rs := kernels.AllReductions()
	for range rng.IntN(3) {
		r := rs[rng.IntN(len(rs))]
		f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{pick()}, Axes: kernels.AxisSet(1 + rng.Uint32N(7)), Group: -1}
		if r.Indexed {
			f.Args = append(f.Args, b.Index(rng.IntN(3)))
		}
		b.Fold(f)
	}
	return build(t, b)
}
