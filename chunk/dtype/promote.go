// SPDX-License-Identifier: BSD-3-Clause

package dtype

import (
	"errors"
	"fmt"
)

// ErrPromote is wrapped by every error about dtypes that an operation cannot combine.
var ErrPromote = errors.New("dtype: no common dtype")

// Short names that keep the promotion table readable.
const (
	bo  = Bool
	i1  = Int8
	i2  = Int16
	i4  = Int32
	i8  = Int64
	u1  = Uint8
	u2  = Uint16
	u4  = Uint32
	u8  = Uint64
	f2  = Float16
	bf  = BFloat16
	f4  = Float32
	f8  = Float64
	c8  = Complex64
	c16 = Complex128
)

// promotion is NumPy 2's table of common dtypes, row and column Bool to Complex128.
// bfloat16, which NumPy lacks, follows float16's rule with its own 8 bits of
// precision: integers of 8 bits fit, longer ones ask for float32 and float64; with float16 it gives float32.
var promotion = [Complex128][Complex128]DType{
	//    bo   i1   i2   i4   i8   u1   u2   u4   u8   f2   bf   f4   f8   c8   c16
	{ /*b*/ bo, i1, i2, i4, i8, u1, u2, u4, u8, f2, bf, f4, f8, c8, c16},
	{ /*i1*/ i1, i1, i2, i4, i8, i2, i4, i8, f8, f2, bf, f4, f8, c8, c16},
	{ /*i2*/ i2, i2, i2, i4, i8, i2, i4, i8, f8, f4, f4, f4, f8, c8, c16},
	{ /*i4*/ i4, i4, i4, i4, i8, i4, i4, i8, f8, f8, f8, f8, f8, c16, c16},
	{ /*i8*/ i8, i8, i8, i8, i8, i8, i8, i8, f8, f8, f8, f8, f8, c16, c16},
	{ /*u1*/ u1, i2, i2, i4, i8, u1, u2, u4, u8, f2, bf, f4, f8, c8, c16},
	{ /*u2*/ u2, i4, i4, i4, i8, u2, u2, u4, u8, f4, f4, f4, f8, c8, c16},
	{ /*u4*/ u4, i8, i8, i8, i8, u4, u4, u4, u8, f8, f8, f8, f8, c16, c16},
	{ /*u8*/ u8, f8, f8, f8, f8, u8, u8, u8, u8, f8, f8, f8, f8, c16, c16},
	{ /*f2*/ f2, f2, f4, f8, f8, f2, f4, f8, f8, f2, f4, f4, f8, c8, c16},
	{ /*bf*/ bf, bf, f4, f8, f8, bf, f4, f8, f8, f4, bf, f4, f8, c8, c16},
	{ /*f4*/ f4, f4, f4, f8, f8, f4, f4, f8, f8, f4, f4, f4, f8, c8, c16},
	{ /*f8*/ f8, f8, f8, f8, f8, f8, f8, f8, f8, f8, f8, f8, f8, c16, c16},
	{ /*c8*/ c8, c8, c8, c16, c16, c8, c8, c16, c16, c8, c8, c8, c16, c8, c16},
	{ /*c16*/ c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16, c16},
}

// Promote returns the smallest dtype that holds the values of both a and b by
// NumPy 2's table (numpy.promote_types). Raw and String combine only with
// themselves; every other pair without a common dtype gives an error wrapping ErrPromote.
func Promote(a, b DType) (DType, error) {
	if a == b && a != Invalid && int(a) < Count {
		return a, nil
	}
	if a.IsNumeric() && b.IsNumeric() {
		return promotion[a-Bool][b-Bool], nil
	}
	return Invalid, fmt.Errorf("dtype: promote: %v and %v have no common dtype; cast one of them: %w", a, b, ErrPromote)
}
