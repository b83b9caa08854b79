// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// ctype is the C type of a register: float16 and bfloat16 are their bits, bool is 0 or 1.
var ctype = [dtype.Count]string{
	dtype.Bool: "u8", dtype.Int8: "i8", dtype.Int16: "i16", dtype.Int32: "i32", dtype.Int64: "i64",
	dtype.Uint8: "u8", dtype.Uint16: "u16", dtype.Uint32: "u32", dtype.Uint64: "u64",
	dtype.Float16: "u16", dtype.BFloat16: "u16", dtype.Float32: "f32", dtype.Float64: "f64",
	dtype.Complex64: "c64", dtype.Complex128: "c128",
}

// unsignedOf is the unsigned type in which integers of a dtype wrap: C promotes the short ones to int, whose
// overflow is undefined.
func unsignedOf(d dtype.DType) string {
	if d.Size() == 8 {
		return "u64"
	}
	return "u32"
}

// wideOf is the 64-bit type of d's signedness.
func wideOf(d dtype.DType) string {
	if d.Kind() == dtype.KindInt {
		return "i64"
	}
	return "u64"
}

// use notes that the source needs a helper and returns its name.
func (w *writer) use(name string) string {
	w.used[name] = true
	return name
}

// inst returns the C expression of an instruction; a holds the names of its operands.
// index and cold are the caller's.
func (w *writer) inst(p *kernels.Program, in kernels.Inst, a []string) (string, error) {
	d := in.DType
	from := p.RegType(in.Args[0])
	switch in.Op {
	case kernels.OpAdd, kernels.OpSubtract, kernels.OpMultiply:
		return wrapping(d, map[kernels.OpID]string{kernels.OpAdd: "+", kernels.OpSubtract: "-", kernels.OpMultiply: "*"}[in.Op], a), nil
	case kernels.OpDivide:
		return a[0] + " / " + a[1], nil
	case kernels.OpFloorDivide:
		return w.division("quo", d, a), nil
	case kernels.OpRemainder:
		return w.division("mod", d, a), nil
	case kernels.OpFmod:
		if d.IsFloat() {
			return w.floatCall("fmod", d, a...), nil
		}
		return w.division("rem", d, a), nil
	case kernels.OpNegative:
		if d.IsFloat() {
			return "-" + a[0], nil
		}
		return fmt.Sprintf("(%s)(0 - (%s)%s)", ctype[d], unsignedOf(d), a[0]), nil
	case kernels.OpAbsolute:
		switch d {
		case dtype.Float32:
			return fmt.Sprintf("%s(%s(%s) & 0x7fffffffu)", w.use("as_f32"), w.use("as_u32"), a[0]), nil
		case dtype.Float64:
			return fmt.Sprintf("%s(%s(%s) & 0x7fffffffffffffffull)", w.use("as_f64"), w.use("as_u64"), a[0]), nil
		}
		return fmt.Sprintf("(%s)%s(%s)", ctype[d], w.use("size_of"), a[0]), nil
	case kernels.OpSqrt:
		return w.floatCall("sqrt", d, a...), nil
	case kernels.OpFma:
		return w.floatCall("fma", d, a...), nil
	case kernels.OpFloor, kernels.OpCeil, kernels.OpTrunc, kernels.OpRint:
		return w.floatCall(in.Op.String(), d, a...), nil
	case kernels.OpPower:
		return w.power(d, p.RegType(in.Args[1]), a), nil
	case kernels.OpMinimum, kernels.OpMaximum:
		f := "low"
		if in.Op == kernels.OpMaximum {
			f = "high"
		}
		return fmt.Sprintf("%s<%s>(%s, %s)", w.use(f), ctype[d], a[0], a[1]), nil
	case kernels.OpGcd, kernels.OpLcm:
		if d.Kind() == dtype.KindInt {
			w.use("size_of")
			return fmt.Sprintf("(%s)%s(size_of(%s), size_of(%s))", ctype[d], w.use(in.Op.String()), a[0], a[1]), nil
		}
		return fmt.Sprintf("(%s)%s(%s, %s)", ctype[d], w.use(in.Op.String()), a[0], a[1]), nil
	case kernels.OpEqual, kernels.OpNotEqual, kernels.OpLess, kernels.OpLessEqual:
		sign := map[kernels.OpID]string{kernels.OpEqual: "==", kernels.OpNotEqual: "!=", kernels.OpLess: "<", kernels.OpLessEqual: "<="}[in.Op]
		return fmt.Sprintf("(u8)(%s %s %s)", w.comparable(from, a[0]), sign, w.comparable(from, a[1])), nil
	case kernels.OpWhere:
		return fmt.Sprintf("%s ? %s : %s", a[0], a[1], a[2]), nil
	case kernels.OpBitwiseAnd, kernels.OpBitwiseOr, kernels.OpBitwiseXor:
		sign := map[kernels.OpID]string{kernels.OpBitwiseAnd: "&", kernels.OpBitwiseOr: "|", kernels.OpBitwiseXor: "^"}[in.Op]
		return fmt.Sprintf("(%s)(%s %s %s)", ctype[d], a[0], sign, a[1]), nil
	case kernels.OpInvert:
		if d == dtype.Bool {
			return fmt.Sprintf("(u8)(%s ^ 1)", a[0]), nil
		}
		return fmt.Sprintf("(%s)~%s", ctype[d], a[0]), nil
	case kernels.OpLeftShift:
		n := fmt.Sprintf("(u64)(%s)%s", wideOf(p.RegType(in.Args[1])), a[1])
		return fmt.Sprintf("%s >= %d ? (%s)0 : (%s)((u64)%s << (%s & 63))", n, 8*d.Size(), ctype[d], ctype[d], a[0], n), nil
	case kernels.OpRightShift:
		n := fmt.Sprintf("(u64)(%s)%s", wideOf(p.RegType(in.Args[1])), a[1])
		if d.Kind() == dtype.KindInt {
			return fmt.Sprintf("(%s)((i64)%s >> (%s > 63 ? 63 : %s))", ctype[d], a[0], n, n), nil
		}
		return fmt.Sprintf("%s > 63 ? (%s)0 : (%s)((u64)%s >> (%s & 63))", n, ctype[d], ctype[d], a[0], n), nil
	case kernels.OpBitwiseCount:
		if from.Kind() == dtype.KindInt {
			return fmt.Sprintf("%s(%s(%s))", w.use("ones"), w.use("size_of"), a[0]), nil
		}
		return fmt.Sprintf("%s(%s)", w.use("ones"), a[0]), nil
	case kernels.OpCast:
		return w.cast(a[0], from, d), nil
	case kernels.OpBitcast:
		return w.bitcast(a[0], from, d), nil
	case kernels.OpReal:
		return a[0] + ".re", nil
	case kernels.OpImag:
		return a[0] + ".im", nil
	case kernels.OpLookup:
		return fmt.Sprintf("%s[%s & 15]", w.use(tableName(in.Aux)), a[0]), nil
	case kernels.OpExponent, kernels.OpSignificand:
		return fmt.Sprintf("%s(%s)", w.use(in.Op.String()), a[0]), nil
	case kernels.OpComplex:
		return fmt.Sprintf("{%s, %s}", a[0], a[1]), nil
	}
	return "", fmt.Errorf("cuda: render: no CUDA text for %v of %v: %w", in.Op, from, kernels.ErrUnsupported)
}

// wrapping returns a sign b, integers wrapping.
func wrapping(d dtype.DType, sign string, a []string) string {
	if d.IsFloat() {
		return a[0] + " " + sign + " " + a[1]
	}
	u := unsignedOf(d)
	return fmt.Sprintf("(%s)((%s)%s %s (%s)%s)", ctype[d], u, a[0], sign, u, a[1])
}

// division returns a call of quo, mod or rem in 32 or 64 bits.
func (w *writer) division(name string, d dtype.DType, a []string) string {
	t := wideOf(d)
	if d.Size() < 8 {
		t = t[:1] + "32"
	}
	return fmt.Sprintf("(%s)%s<%s>(%s, %s)", ctype[d], w.use(name), t, a[0], a[1])
}

// floatCall returns a call of a function of float or double.
func (w *writer) floatCall(name string, d dtype.DType, a ...string) string {
	if d == dtype.Float32 {
		name += "f"
	}
	s := name + "("
	for i, x := range a {
		if i > 0 {
			s += ", "
		}
		s += x
	}
	return s + ")"
}

// power returns an integer power; a negative exponent sets the call's flag.
func (w *writer) power(d, exp dtype.DType, a []string) string {
	w.flag = true
	call := fmt.Sprintf("(%s)%s((u64)(%s)%s, (u64)%s)", ctype[d], w.use("ipow"), wideOf(d), a[0], a[1])
	if exp.Kind() != dtype.KindInt {
		return call
	}
	return fmt.Sprintf("%s < 0 ? (*flag = 1, (%s)0) : %s", a[1], ctype[d], call)
}

// comparable returns x in a type that C compares by value.
func (w *writer) comparable(d dtype.DType, x string) string {
	if d == dtype.Float16 || d == dtype.BFloat16 {
		return w.widen(d, x)
	}
	return x
}

// widen returns a float16 or bfloat16 as float32, exactly, and anything else as it is.
func (w *writer) widen(d dtype.DType, x string) string {
	switch d {
	case dtype.Float16:
		return w.use("f16_f32") + "(" + x + ")"
	case dtype.BFloat16:
		return w.use("bf16_f32") + "(" + x + ")"
	}
	return x
}

// narrow returns a float32 that a float16 or bfloat16 is made of, rounded, and anything else as it is.
func (w *writer) narrow(d dtype.DType, x string) string {
	switch d {
	case dtype.Float16:
		return w.use("f32_f16") + "(" + x + ")"
	case dtype.BFloat16:
		return w.use("f32_bf16") + "(" + x + ")"
	}
	return x
}

// bitcast returns the bits of x as another dtype of its size.
func (w *writer) bitcast(x string, from, to dtype.DType) string {
	switch from {
	case dtype.Float32:
		x = w.use("as_u32") + "(" + x + ")"
	case dtype.Float64:
		x = w.use("as_u64") + "(" + x + ")"
	}
	switch to {
	case dtype.Float32:
		return w.use("as_f32") + "((u32)" + x + ")"
	case dtype.Float64:
		return w.use("as_f64") + "((u64)" + x + ")"
	}
	return "(" + ctype[to] + ")" + x
}

// cast returns x converted as the operation table says: floats round once, to integers what
// is out of range gives the nearest end and NaN 0, bool is "not zero".
func (w *writer) cast(x string, from, to dtype.DType) string {
	switch {
	case from == to:
		return x
	case to == dtype.Bool && (from == dtype.Float16 || from == dtype.BFloat16):
		return fmt.Sprintf("(u8)((%s & 0x7fff) != 0)", x)
	case to == dtype.Bool:
		return fmt.Sprintf("(u8)(%s != 0)", x)
	case to == dtype.Float16 || to == dtype.BFloat16:
		return w.narrow(to, w.toFloat32(w.widen(from, x), from))
	case to.IsFloat():
		return fmt.Sprintf("(%s)%s", ctype[to], w.widen(from, x))
	case from.IsFloat():
		return floatToInt(w.widen(from, x), to)
	}
	return saturate(x, from, to)
}

// toFloat32 returns x, which is a float32 if from is a half, as a float32 from which rounding to a half is right.
func (w *writer) toFloat32(x string, from dtype.DType) string {
	switch {
	case from == dtype.Float64:
		return w.use("odd_f32") + "(" + x + ")"
	case from == dtype.Int64:
		return w.use("odd_f32") + "(" + w.use("odd_i64") + "(" + x + "))"
	case from == dtype.Uint64:
		return w.use("odd_f32") + "(" + w.use("odd_u64") + "(" + x + "))"
	case from.Size() == 4 && from.IsInteger():
		return w.use("odd_f32") + "((f64)" + x + ")"
	}
	return "(f32)" + x
}

// floatToInt returns the whole part of x, saturating. The ends are powers of two: exact in float32 and float64.
func floatToInt(x string, to dtype.DType) string {
	bits := 8 * to.Size()
	t := ctype[to]
	if to.Kind() == dtype.KindInt {
		end := pow2(bits - 1)
		return fmt.Sprintf("%s != %s ? (%s)0 : %s <= -%s ? (%s)%s : %s >= %s ? (%s)%s : (%s)%s", x, x, t, x, end, t, lowest(bits), x, end, t, highest(to), t, x)
	}
	return fmt.Sprintf("!(%s > 0) ? (%s)0 : %s >= %s ? (%s)%s : (%s)%s", x, t, x, pow2(bits), t, highest(to), t, x)
}

// pow2 returns 2^n as a float literal, which is exact.
func pow2(n int) string {
	return map[int]string{7: "128.0f", 8: "256.0f", 15: "32768.0f", 16: "65536.0f", 31: "2147483648.0f", 32: "4294967296.0f",
		63: "9223372036854775808.0f", 64: "18446744073709551616.0f"}[n]
}

// lowest is the lowest signed integer of so many bits; the literal of int64's has no direct form.
func lowest(bits int) string {
	if bits == 64 {
		return "(-9223372036854775807ll - 1)"
	}
	return fmt.Sprintf("(%d)", -(int64(1) << (bits - 1)))
}

// highest is the highest integer of a dtype.
func highest(d dtype.DType) string {
	bits := uint(8 * d.Size())
	if d.Kind() == dtype.KindInt {
		return fmt.Sprintf("%dll", uint64(1)<<(bits-1)-1)
	}
	return fmt.Sprintf("%dull", ^uint64(0)>>(64-bits))
}

// saturate returns an integer or bool as another integer, out of range as the nearest end.
func saturate(x string, from, to dtype.DType) string {
	signed := from.Kind() == dtype.KindInt
	have, want := 8*from.Size(), 8*to.Size()
	if signed {
		have-- // bits of magnitude
	}
	if from == dtype.Bool {
		have = 1
	}
	lo := "0"
	if to.Kind() == dtype.KindInt {
		want--
		lo = lowest(8 * to.Size())
	}
	t := ctype[to]
	s := fmt.Sprintf("(%s)%s", t, x)
	if have > want {
		s = fmt.Sprintf("%s > (%s)%s ? (%s)%s : %s", x, ctype[from], highest(to), t, highest(to), s)
	}
	if signed && (to.Kind() != dtype.KindInt || have > want) {
		s = fmt.Sprintf("%s < (%s)%s ? (%s)%s : %s", x, ctype[from], lo, t, lo, s)
	}
	return s
}
