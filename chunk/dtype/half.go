// SPDX-License-Identifier: BSD-3-Clause

package dtype

import "math"

// F16Of returns x rounded once to binary16: to nearest, ties to even; too large
// a value is an infinity, a NaN stays a NaN with its sign and leading payload bits.
func F16Of(x float64) F16 {
	b := math.Float64bits(x)
	sign := uint16(b>>48) & 0x8000
	mant := b & (1<<52 - 1)
	exp := int(b>>52) & 0x7ff
	switch {
	case exp == 0x7ff:
		if mant != 0 {
			return F16{sign | 0x7e00 | uint16(mant>>42)}
		}
		return F16{sign | 0x7c00}
	case exp == 0: // far below the smallest binary16
		return F16{sign}
	}
	e := exp - 1023
	if e < -14 { // subnormal in binary16: units of 2^-24
		shift := uint(42 + -14 - e)
		if shift > 53 {
			return F16{sign}
		}
		return F16{sign | uint16(roundShift(mant|1<<52, shift))}
	}
	if e > 15 {
		return F16{sign | 0x7c00}
	}
	// A carry out of the mantissa moves the exponent up, at the end to infinity.
	return F16{sign | uint16(roundShift(uint64(e+15)<<52|mant, 42))}
}

// roundShift returns v / 2^s to nearest, ties to even; 1 <= s <= 63.
func roundShift(v uint64, s uint) uint64 {
	q := v >> s
	rest, half := v&(1<<s-1), uint64(1)<<(s-1)
	if rest > half || rest == half && q&1 == 1 {
		q++
	}
	return q
}

// Float32 returns the value, exactly.
func (h F16) Float32() float32 {
	sign := uint32(h.Bits&0x8000) << 16
	exp := uint32(h.Bits>>10) & 0x1f
	mant := uint32(h.Bits & 0x3ff)
	switch exp {
	case 0:
		if sign != 0 {
			return -float32(mant) * 0x1p-24
		}
		return float32(mant) * 0x1p-24
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | mant<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | mant<<13)
}

// Float64 returns the value, exactly.
func (h F16) Float64() float64 { return float64(h.Float32()) }

// BF16Of returns x rounded once to bfloat16: to nearest, ties to even; too large
// a value is an infinity, a NaN stays a NaN.
func BF16Of(x float64) BF16 {
	b := math.Float32bits(oddFloat32(x))
	if b&0x7fffffff > 0x7f800000 {
		return BF16{uint16(b>>16) | 0x40}
	}
	return BF16{uint16(roundShift(uint64(b), 16))}
}

// oddFloat32 rounds x to float32 to odd: what is inexact gets an odd last bit, so
// that a second rounding to a shorter format gives what one rounding would.
func oddFloat32(x float64) float32 {
	f := float32(x)
	d := float64(f)
	if d == x || x != x {
		return f
	}
	b := math.Float32bits(f)
	if math.Abs(d) > math.Abs(x) {
		b-- // towards zero; an infinity becomes the largest finite number, which is odd
	}
	return math.Float32frombits(b | 1)
}

// Float32 returns the value, exactly.
func (h BF16) Float32() float32 { return math.Float32frombits(uint32(h.Bits) << 16) }

// Float64 returns the value, exactly.
func (h BF16) Float64() float64 { return float64(h.Float32()) }
