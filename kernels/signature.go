// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "github.com/arrayrun/arrayrun/chunk/dtype"

// Shorthands of the rules' type.
type (
	dts  = []dtype.DType
	dt   = dtype.DType
	rule = func(o *Op, in []dtype.DType) ([]dtype.DType, dtype.DType, error)
)

// common returns the dtype all of in have together.
func (o *Op) common(in dts) (dt, error) {
	c := in[0]
	for _, d := range in[1:] {
		var err error
		if c, err = dtype.Promote(c, d); err != nil {
			return dtype.Invalid, o.reject(in, "operands need a common dtype")
		}
	}
	return c, nil
}

// repeat returns d once per operand.
func repeat(d dt, n int) dts {
	s := make(dts, n)
	for i := range s {
		s[i] = d
	}
	return s
}

// mapped builds the rules that promote the operands and look the common dtype up:
// arg gives what they are cast to (Invalid: rejected), out the result for it.
func mapped(want string, arg func(dt) dt, out func(dt) dt) rule {
	return func(o *Op, in dts) (dts, dt, error) {
		c, err := o.common(in)
		if err != nil {
			return nil, dtype.Invalid, err
		}
		a := arg(c)
		if a == dtype.Invalid {
			return nil, dtype.Invalid, o.reject(in, want)
		}
		return repeat(a, len(in)), out(a), nil
	}
}

func same(d dt) dt  { return d }
func toBool(dt) dt  { return dtype.Bool }
func toUint8(dt) dt { return dtype.Uint8 }
func boolInt8(d dt) dt {
	if d == dtype.Bool {
		return dtype.Int8
	}
	return d
}

func notBool(d dt) dt {
	if d == dtype.Bool {
		return dtype.Invalid
	}
	return d
}

func onlyInts(d dt) dt {
	if d.IsInteger() {
		return d
	}
	return dtype.Invalid
}

func intsOrBool(d dt) dt {
	if d.IsInteger() || d == dtype.Bool {
		return d
	}
	return dtype.Invalid
}

func shiftInts(d dt) dt { return onlyInts(boolInt8(d)) }

// floatOf is the float that NumPy computes a dtype in: float16 for 8 bits, float32 for 16, else float64.
func floatOf(d dt) dt {
	switch d.Kind() {
	case dtype.KindBool, dtype.KindInt, dtype.KindUint:
		switch d.Size() {
		case 1:
			return dtype.Float16
		case 2:
			return dtype.Float32
		}
		return dtype.Float64
	}
	return d
}

// trueFloat is the float of a true division: float64 for every integer.
func trueFloat(d dt) dt {
	if d == dtype.Bool || d.IsInteger() {
		return dtype.Float64
	}
	return d
}

func realOnly(f func(dt) dt) func(dt) dt {
	return func(d dt) dt {
		if d.IsComplex() {
			return dtype.Invalid
		}
		return f(d)
	}
}

func boolFloat(d dt) dt {
	if d == dtype.Bool {
		return dtype.Float16
	}
	return d
}

func wideFloat(d dt) dt {
	if d.IsComplex() {
		return dtype.Complex128
	}
	return dtype.Float64
}

// The rules of the table.
var (
	ruleAny      rule = mapped("", same, same)
	ruleNumber   rule = mapped("takes numbers, not bool; cast it or use the logical operations", notBool, same)
	ruleReal     rule = mapped("takes real numbers", realOnly(same), same)
	ruleInt8     rule = mapped("", boolInt8, same)
	ruleRealInt8 rule = mapped("takes real numbers", realOnly(boolInt8), same)
	ruleFloat    rule = mapped("", floatOf, same)
	ruleSignbit  rule = mapped("takes real numbers", realOnly(floatOf), toBool)
	ruleTrueDiv  rule = mapped("", trueFloat, same)
	ruleWide     rule = mapped("", wideFloat, same)
	ruleAbs      rule = mapped("", same, dt.Part)
	ruleTest     rule = mapped("", same, toBool)
	ruleRealTest rule = mapped("takes real numbers", realOnly(same), toBool)
	ruleLogic    rule = mapped("", toBool, toBool)
	ruleBits     rule = mapped("takes integers and bool", intsOrBool, same)
	ruleInts     rule = mapped("takes integers", onlyInts, same)
	ruleShift    rule = mapped("takes integers", shiftInts, same)
	ruleCount    rule = mapped("takes integers and bool", intsOrBool, toUint8)
	ruleRound    rule = mapped("", boolFloat, same)
	ruleRe       rule = mapped("", same, dt.Part)
	ruleAngle    rule = mapped("", floatOf, dt.Part)
	ruleComplex  rule = mapped("takes real numbers", realOnly(trueFloat), dt.Complex)
)

// ruleReFloat computes in the common float of the floats each operand would be computed in.
func ruleReFloat(o *Op, in dts) (dts, dt, error) {
	each := make(dts, len(in))
	for i, d := range in {
		if d.IsComplex() {
			return nil, dtype.Invalid, o.reject(in, "takes real numbers")
		}
		each[i] = floatOf(d)
	}
	c, err := o.common(each)
	if err != nil {
		return nil, dtype.Invalid, err
	}
	return repeat(c, len(in)), c, nil
}

// ruleCompare keeps a signed operand beside a uint64 one: the comparison goes by value.
func ruleCompare(o *Op, in dts) (dts, dt, error) {
	a, b := in[0].Kind(), in[1].Kind()
	if a == dtype.KindInt && in[1] == dtype.Uint64 {
		return dts{dtype.Int64, dtype.Uint64}, dtype.Bool, nil
	}
	if b == dtype.KindInt && in[0] == dtype.Uint64 {
		return dts{dtype.Uint64, dtype.Int64}, dtype.Bool, nil
	}
	return ruleTest(o, in)
}

// ruleOrder is ruleCompare without complex operands, which have no order here.
func ruleOrder(o *Op, in dts) (dts, dt, error) {
	if in[0].IsComplex() || in[1].IsComplex() {
		return nil, dtype.Invalid, o.reject(in, "takes real numbers")
	}
	return ruleCompare(o, in)
}

// ruleWhere is condition, value, value.
func ruleWhere(o *Op, in dts) (dts, dt, error) {
	c, err := o.common(in[1:])
	if err != nil {
		return nil, dtype.Invalid, err
	}
	return dts{dtype.Bool, c, c}, c, nil
}
