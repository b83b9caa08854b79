// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// accumulator writes the statements of one fold: its state is in the variables a<n>_0, a<n>_1 ...
type accumulator struct {
	w     *writer
	n     int
	r     *kernels.Reduction
	in    dtype.DType
	state []kernels.StateType
	typ   []string // C types of the variables: a float16 or bfloat16 value is kept as float32
	mode  mode
}

func newAccumulator(w *writer, n int, r *kernels.Reduction, in dtype.DType, m mode) *accumulator {
	a := &accumulator{w: w, n: n, r: r, in: in, state: r.State(in), mode: m}
	for _, c := range a.state {
		a.typ = append(a.typ, accumulatorType(c.DType))
	}
	return a
}

func accumulatorType(d dtype.DType) string {
	if d == dtype.Float16 || d == dtype.BFloat16 {
		return "f32"
	}
	return ctype[d]
}

// variable returns the name of a component.
func (a *accumulator) variable(k int) string { return fmt.Sprintf("a%d_%d", a.n, k) }

// twice reports whether the fold needs a second pass over the elements.
func (a *accumulator) twice() bool { return a.r.Algebra == kernels.FoldMoments }

// resume declares the state that the outputs hold at t.
func (a *accumulator) resume() {
	if a.in.IsComplex() {
		a.w.use("fold_c")
	}
	for k, c := range a.state {
		a.w.printf("\t\t%s %s = %s;\n", a.typ[k], a.variable(k), a.w.widen(c.DType, fmt.Sprintf("out%d_%d[t]", a.n, k)))
	}
	if a.twice() && (a.mode.sweep == sumSweep || !a.mode.resumes) { // the sum is where the mean will be
		a.w.printf("\t\tf64 sum%d = %s;\n", a.n, a.variable(1))
	}
}

// begin declares the state of no elements.
func (a *accumulator) begin() {
	for k, c := range a.r.Identity(a.in) {
		if c.DType.IsComplex() { // the bits are the real part's
			a.w.use("fold_c")
			a.w.printf("\t\tc128 %s = {%s, 0};\n", a.variable(k), a.w.literal(kernels.Const{DType: dtype.Float64, Bits: c.Bits}))
			continue
		}
		a.w.printf("\t\t%s %s = %s;\n", a.typ[k], a.variable(k), a.w.widen(c.DType, a.w.literal(c)))
	}
	if a.twice() {
		a.w.printf("\t\tf64 sum%d = 0;\n", a.n)
	}
}

// add feeds the registers of one element.
func (a *accumulator) add(args []kernels.Reg, pass int) {
	w := a.w
	v, typ := w.widen(a.in, fmt.Sprintf("r%d", args[0])), accumulatorType(a.in)
	skip := a.r.SkipNaN && (a.in.IsFloat() || a.in.IsComplex())
	x := fmt.Sprintf("v%d", a.n)
	number, set := fmt.Sprintf("%s == %s", x, x), x+" != 0"
	if a.in.IsComplex() {
		w.use("fold_c")
		typ = "c128"
		v = fmt.Sprintf("wide_c(r%d)", args[0])
		number, set = fmt.Sprintf("is_number(%s)", x), fmt.Sprintf("not_zero(%s)", x)
	}
	w.printf("\t\t\t{\n\t\t\tconst %s %s = %s;\n", typ, x, v)
	into := a.variable(0)
	guard := ""
	if skip {
		guard = "if (" + number + ") "
	}
	switch a.r.Algebra {
	case kernels.FoldSum, kernels.FoldProd:
		sign := "+"
		if a.r.Algebra == kernels.FoldProd {
			sign = "*"
		}
		w.printf("\t\t\t%s%s;\n", guard, a.arith(into, sign, fmt.Sprintf("(%s)%s", a.typ[0], x)))
	case kernels.FoldMean:
		if !a.in.IsComplex() {
			x = "(f64)" + x
		}
		w.printf("\t\t\t%s{ %s; %s++; }\n", guard, a.arith(into, "+", x), a.variable(1))
	case kernels.FoldMoments:
		if pass == 0 {
			w.printf("\t\t\t%s{ sum%d = sum%d + (f64)%s; %s++; }\n", guard, a.n, a.n, x, into)
			break
		}
		w.printf("\t\t\t%s{ const f64 d = (f64)%s - %s; %s = %s + d * d; }\n", guard, x, a.variable(1), a.variable(2), a.variable(2))
	case kernels.FoldMin, kernels.FoldMax:
		w.printf("\t\t\t%s;\n", a.extreme(into, x))
	case kernels.FoldAny:
		w.printf("\t\t\t%s |= (u8)(%s);\n", into, set)
	case kernels.FoldAll:
		w.printf("\t\t\t%s &= (u8)(%s);\n", into, set)
	case kernels.FoldCount:
		w.printf("\t\t\t%s += %s;\n", into, number)
	case kernels.FoldNonzero:
		w.printf("\t\t\t%s += %s;\n", into, set)
	default:
		w.printf("\t\t\t%s%s;\n", guard, a.position(x, fmt.Sprintf("r%d", args[1])))
	}
	w.printf("\t\t\t}\n")
}

// arith returns into = into sign x, integers wrapping.
func (a *accumulator) arith(into, sign, x string) string {
	switch {
	case a.typ[0] == "c128" && sign == "*":
		return fmt.Sprintf("%s = mul_c(%s, %s)", into, into, x)
	case a.typ[0] == "c128":
		return fmt.Sprintf("%s = add_c(%s, %s)", into, into, x)
	case a.typ[0] == "i64":
		return fmt.Sprintf("%s = (i64)((u64)%s %s (u64)%s)", into, into, sign, x)
	}
	return fmt.Sprintf("%s = %s %s %s", into, into, sign, x)
}

func (a *accumulator) extreme(into, x string) string {
	return fmt.Sprintf("%s<%t, %t, %s>(%s, %s)", a.w.use("join_extreme"), a.r.Algebra == kernels.FoldMin, a.r.SkipNaN, a.typ[0], into, x)
}

// position returns the join of a value and its position into the state.
func (a *accumulator) position(x, at string) string {
	f, first := "join_arg", a.r.Algebra == kernels.FoldArgMin
	if a.r.Algebra == kernels.FoldFirst || a.r.Algebra == kernels.FoldLast {
		f, first = "join_end", a.r.Algebra == kernels.FoldLast
	}
	return fmt.Sprintf("%s<%t, %s>(%s, %s, %s, %s)", a.w.use(f), first, a.typ[0], a.variable(0), a.variable(1), x, at)
}

// between makes the mean of the first pass, in all lanes of a cell; it reports whether there is a second pass.
func (a *accumulator) between(lanes bool) bool {
	if !a.twice() {
		return false
	}
	w, count, mean := a.w, a.variable(0), a.variable(1)
	if lanes {
		w.use("down")
		w.printf("\t\tfor (u32 h = width_ >> 1; h > 0; h >>= 1) {\n")
		w.printf("\t\t\tsum%d = sum%d + down(sum%d, h);\n\t\t\t%s = %s + down(%s, h);\n\t\t}\n", a.n, a.n, a.n, count, count, count)
		l := w.use("lane")
		w.printf("\t\tsum%d = %s(sum%d, threadIdx.x & 31 & ~(width_ - 1));\n\t\t%s = %s(%s, threadIdx.x & 31 & ~(width_ - 1));\n", a.n, l, a.n, count, l, count)
	}
	w.printf("\t\tif (%s != 0) %s = sum%d / (f64)%s;\n", count, mean, a.n, count)
	return true
}

// halve joins the lanes of a cell.
func (a *accumulator) halve() {
	w := a.w
	w.use("down")
	w.printf("\t\tfor (u32 h = width_ >> 1; h > 0; h >>= 1) {\n")
	if a.twice() { // count and mean are in all lanes
		w.printf("\t\t\t%s = %s + down(%s, h);\n\t\t}\n", a.variable(2), a.variable(2), a.variable(2))
		return
	}
	var other []string
	for k, t := range a.typ {
		name := fmt.Sprintf("b%d", k)
		w.printf("\t\t\tconst %s %s = down(%s, h);\n", t, name, a.variable(k))
		other = append(other, name)
	}
	w.printf("\t\t\t%s;\n\t\t}\n", a.join(other))
}

// join returns the statements that join another state into the state, which is the earlier one.
func (a *accumulator) join(other []string) string {
	into := a.variable(0)
	switch a.r.Algebra {
	case kernels.FoldSum, kernels.FoldCount, kernels.FoldNonzero:
		return a.arith(into, "+", other[0])
	case kernels.FoldProd:
		return a.arith(into, "*", other[0])
	case kernels.FoldMean:
		return fmt.Sprintf("%s; %s = %s + %s", a.arith(into, "+", other[0]), a.variable(1), a.variable(1), other[1])
	case kernels.FoldMoments:
		return fmt.Sprintf("%s(%s, %s, %s, %s)", a.w.use("join_moments"), into, a.variable(1), a.variable(2), strings.Join(other, ", "))
	case kernels.FoldMin, kernels.FoldMax:
		return a.extreme(into, other[0])
	case kernels.FoldAny:
		return into + " |= " + other[0]
	case kernels.FoldAll:
		return into + " &= " + other[0]
	}
	return a.position(other[0], other[1])
}

// store writes the state to the outputs at t.
func (a *accumulator) store() {
	for k, c := range a.state {
		x := a.variable(k)
		if k == 1 && a.twice() && a.mode.sweep == sumSweep {
			x = fmt.Sprintf("sum%d", a.n)
		}
		a.w.printf("\t\t\tout%d_%d[t] = %s;\n", a.n, k, a.w.narrow(c.DType, x))
	}
}
