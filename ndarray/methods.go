// SPDX-License-Identifier: BSD-3-Clause

package ndarray

// The methods below are the operations of the kernels table by their NumPy names;
// the rest are reached through Apply. Operands, broadcasting, dtypes and errors are Apply's.

// Add returns a + b.
func (a Array) Add(b any) Array { return Apply("add", a, b) }

// Sub returns a - b.
func (a Array) Sub(b any) Array { return Apply("subtract", a, b) }

// Mul returns a * b.
func (a Array) Mul(b any) Array { return Apply("multiply", a, b) }

// Div returns a / b, a float64 for integers.
func (a Array) Div(b any) Array { return Apply("divide", a, b) }

// FloorDiv returns the floor of a / b; an integer divided by 0 is 0.
func (a Array) FloorDiv(b any) Array { return Apply("floor_divide", a, b) }

// Mod returns the remainder of FloorDiv, with the sign of b; 0 for an integer b of 0.
func (a Array) Mod(b any) Array { return Apply("remainder", a, b) }

// Pow returns a to the power of b. Negative integer powers of integers are errors.
func (a Array) Pow(b any) Array { return Apply("power", a, b) }

// Neg returns -a.
func (a Array) Neg() Array { return Apply("negative", a) }

// Abs returns the absolute value; the modulus, a float, of complex numbers.
func (a Array) Abs() Array { return Apply("absolute", a) }

// Sign returns -1, 0 or 1; NaN for NaN.
func (a Array) Sign() Array { return Apply("sign", a) }

// Square returns a * a.
func (a Array) Square() Array { return Apply("square", a) }

// Sqrt returns the square root; NaN below 0.
func (a Array) Sqrt() Array { return Apply("sqrt", a) }

// Exp returns e to the power of a.
func (a Array) Exp() Array { return Apply("exp", a) }

// Log returns the natural logarithm.
func (a Array) Log() Array { return Apply("log", a) }

// Log10 returns the logarithm to base 10.
func (a Array) Log10() Array { return Apply("log10", a) }

// Sin returns the sine of an angle in radians.
func (a Array) Sin() Array { return Apply("sin", a) }

// Cos returns the cosine of an angle in radians.
func (a Array) Cos() Array { return Apply("cos", a) }

// Tan returns the tangent of an angle in radians.
func (a Array) Tan() Array { return Apply("tan", a) }

// Arctan2 returns the angle, in radians, of the point (b, a).
func (a Array) Arctan2(b any) Array { return Apply("arctan2", a, b) }

// Deg2Rad returns degrees as radians.
func (a Array) Deg2Rad() Array { return Apply("deg2rad", a) }

// Hypot returns the length of the vector (a, b).
func (a Array) Hypot(b any) Array { return Apply("hypot", a, b) }

// Minimum returns the smaller of a and b; NaN where one is NaN.
func (a Array) Minimum(b any) Array { return Apply("minimum", a, b) }

// Maximum returns the larger of a and b; NaN where one is NaN.
func (a Array) Maximum(b any) Array { return Apply("maximum", a, b) }

// Clip returns a, at least lo and at most hi; integer bounds saturate at the ends of an integer dtype.
func (a Array) Clip(lo, hi any) Array { return Apply("clip", a, lo, hi) }

// Floor rounds down.
func (a Array) Floor() Array { return Apply("floor", a) }

// Ceil rounds up.
func (a Array) Ceil() Array { return Apply("ceil", a) }

// Trunc rounds towards 0.
func (a Array) Trunc() Array { return Apply("trunc", a) }

// Rint rounds to the nearest integer, halves to even.
func (a Array) Rint() Array { return Apply("rint", a) }

// Less returns a < b.
func (a Array) Less(b any) Array { return Apply("less", a, b) }

// LessEqual returns a <= b.
func (a Array) LessEqual(b any) Array { return Apply("less_equal", a, b) }

// Greater returns a > b.
func (a Array) Greater(b any) Array { return Apply("greater", a, b) }

// GreaterEqual returns a >= b.
func (a Array) GreaterEqual(b any) Array { return Apply("greater_equal", a, b) }

// Equal returns a == b, element by element.
func (a Array) Equal(b any) Array { return Apply("equal", a, b) }

// NotEqual returns a != b, element by element.
func (a Array) NotEqual(b any) Array { return Apply("not_equal", a, b) }

// And returns a & b: truth of bools, bits of integers.
func (a Array) And(b any) Array { return Apply("bitwise_and", a, b) }

// Or returns a | b.
func (a Array) Or(b any) Array { return Apply("bitwise_or", a, b) }

// Xor returns a ^ b.
func (a Array) Xor(b any) Array { return Apply("bitwise_xor", a, b) }

// Not returns ~a: the negation of bools, the complement of integers.
func (a Array) Not() Array { return Apply("invert", a) }

// IsNaN returns whether an element is NaN.
func (a Array) IsNaN() Array { return Apply("isnan", a) }

// IsFinite returns whether an element is neither NaN nor infinite.
func (a Array) IsFinite() Array { return Apply("isfinite", a) }
