// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// OpID names a row of the operation table; 0 is no operation.
type OpID uint16

// The operations, in the order of the families that hold their rows.
const (
	_ OpID = iota
	// Arithmetic, ops_arith.go.
	OpAdd
	OpSubtract
	OpMultiply
	OpDivide
	OpFloorDivide
	OpRemainder
	OpFmod
	OpNegative
	OpPositive
	OpAbsolute
	OpFabs
	OpSign
	OpSquare
	OpSqrt
	OpReciprocal
	OpPower
	OpFloatPower
	OpFma
	OpHypot
	OpMinimum
	OpMaximum
	OpFmin
	OpFmax
	OpClip
	OpHeaviside
	OpGcd
	OpLcm
	// Comparison and logic, ops_logic.go.
	OpEqual
	OpNotEqual
	OpLess
	OpLessEqual
	OpGreater
	OpGreaterEqual
	OpLogicalAnd
	OpLogicalOr
	OpLogicalXor
	OpLogicalNot
	OpWhere
	OpIsNaN
	OpIsInf
	OpIsFinite
	OpIsPosInf
	OpIsNegInf
	OpIsNull
	OpNotNull
	OpSignbit
	// Bits and moves, ops_bits.go.
	OpBitwiseAnd
	OpBitwiseOr
	OpBitwiseXor
	OpInvert
	OpLeftShift
	OpRightShift
	OpBitwiseCount
	OpCopysign
	OpNextafter
	OpSpacing
	OpCast
	OpBitcast
	OpReal
	OpImag
	OpConjugate
	OpComplex
	OpAngle
	// Rounding, ops_round.go.
	OpFloor
	OpCeil
	OpTrunc
	OpRint
	OpRound
	// Exponentials and logarithms, ops_exp.go.
	OpExp
	OpExp2
	OpExpm1
	OpLog
	OpLog2
	OpLog10
	OpLog1p
	OpLogaddexp
	OpLogaddexp2
	OpCbrt
	// Angles and hyperbolic functions, ops_trig.go.
	OpSin
	OpCos
	OpTan
	OpArcsin
	OpArccos
	OpArctan
	OpArctan2
	OpSinh
	OpCosh
	OpTanh
	OpArcsinh
	OpArccosh
	OpArctanh
	OpDeg2rad
	OpRad2deg
	OpSinc
	// Distributions, ops_special.go.
	OpNdtri
	// Program structure, ops_bits.go.
	OpIndex
	OpCold
	OpLookup
	OpExponent
	OpSignificand
	opCount
)

// UnitRule says what unit a result has, given its operands' units.
type UnitRule uint8

// The unit rules.
const (
	UnitDrop     UnitRule = iota // none: truth values, bit patterns, counts
	UnitKeep                     // the operands' common unit
	UnitFirst                    // the first operand's
	UnitProduct                  // the product of the operands'
	UnitQuotient                 // the first divided by the second
	UnitSquare                   // the operand's, squared
	UnitRoot                     // its square root
	UnitInverse                  // 1 divided by it
	UnitPower                    // it to the power of the second operand, when that is a constant
	UnitOne                      // dimensionless
	UnitRadian                   // radians
	UnitDegree                   // degrees
)

// Types is a set of dtypes, bit d for dtype d.
type Types uint32

// Has reports whether d is in the set.
func (t Types) Has(d dtype.DType) bool { return t>>d&1 == 1 }

// The sets that the rows use.
const (
	tBool    Types = 1 << dtype.Bool
	tSigned  Types = 1<<dtype.Int8 | 1<<dtype.Int16 | 1<<dtype.Int32 | 1<<dtype.Int64
	tUns     Types = 1<<dtype.Uint8 | 1<<dtype.Uint16 | 1<<dtype.Uint32 | 1<<dtype.Uint64
	tInts          = tSigned | tUns
	tHalf    Types = 1<<dtype.Float16 | 1<<dtype.BFloat16
	tFloat   Types = 1<<dtype.Float32 | 1<<dtype.Float64
	tComplex Types = 1<<dtype.Complex64 | 1<<dtype.Complex128
	tReal          = tBool | tInts | tHalf | tFloat
)

// Op is a row of the operation table: everything there is to know about an
// elementwise operation. Rows are shared and read only.
type Op struct {
	Name      string
	Aliases   []string // other names the array API, NumPy and xarray have for it
	ID        OpID
	Arity     int
	Family    string
	Doc       string // one sentence: what it gives, special values
	NumPy     string // the NumPy (or array API) expression it equals
	Ulp       float64
	Unit      UnitRule
	Commutes  bool  // both operands of two can be exchanged
	Primitive bool  // some dtype has no lowering: devices implement it
	Prim      Types // dtypes of the first operand (for where: the second) that devices implement
	Internal  bool  // not callable by name: part of programs only

	rule  func(o *Op, in []dtype.DType) (args []dtype.DType, out dtype.DType, err error)
	lower func(b *Builder, a []Reg) Reg // for the dtypes not in Prim
	// simplify may replace the operation for particular constants.
	simplify func(b *Builder, a []Reg) (Reg, bool)
	via64    bool                          // operands shorter than float64 compute in float64 and round once, unless
	lower32  func(b *Builder, a []Reg) Reg // ... they compute in float32 by this one
	cplx     func(b *Builder, a []Reg) Reg // the lowering on complex operands
	half     bool                          // lower handles float16 and bfloat16 itself
	eval     evaluator                     // the meaning of the primitive
}

// families lists the rows of the table, one slice for each ops_*.go file.
var families = [][]Op{arithOps, logicOps, bitOps, roundOps, expOps, trigOps, specialOps}

// table and byName index the rows. They are filled when the package starts,
// because rows name functions that look rows up.
var (
	table  [opCount]Op
	sorted []*Op
	byName map[string]*Op
)

func init() {
	byName = make(map[string]*Op, 2*int(opCount))
	for _, rows := range families {
		for _, row := range rows {
			row.Primitive = row.Prim != 0
			table[row.ID] = row
		}
	}
	for id := range table {
		o := &table[id]
		if o.ID == 0 {
			continue
		}
		sorted = append(sorted, o)
		if o.Internal {
			continue
		}
		byName[o.Name] = o
		for _, a := range o.Aliases {
			byName[a] = o
		}
	}
}

// OpByName returns the row with a name or alias.
func OpByName(name string) (*Op, bool) {
	o, ok := byName[name]
	return o, ok
}

// OpOf returns the row of an id, or nil for an id without one.
func OpOf(id OpID) *Op {
	if int(id) >= len(table) || table[id].ID == 0 {
		return nil
	}
	return &table[id]
}

// AllOps returns every row in the table's order, internal ones included.
func AllOps() []*Op { return sorted }

// String returns the operation's name.
func (id OpID) String() string {
	if o := OpOf(id); o != nil {
		return o.Name
	}
	return fmt.Sprintf("op(%d)", uint16(id))
}

// Signature applies the operation's NumPy 2 dtype rule to the dtypes of strong
// operands: args is what each operand is to be cast to, out the result's dtype.
// For cast and bitcast out is the operand's own dtype: their target is the caller's.
//
// An operand the operation does not take gives an error that names operation and
// dtypes and wraps dtype.ErrPromote; complex operands of an operation without a
// complex form give one that wraps ErrUnsupported.
func (o *Op) Signature(in []dtype.DType) (args []dtype.DType, out dtype.DType, err error) {
	if len(in) != o.Arity {
		return nil, dtype.Invalid, fmt.Errorf("kernels: %s: got %d operands, want %d: %w", o.Name, len(in), o.Arity, dtype.ErrPromote)
	}
	for _, d := range in {
		if !d.IsNumeric() {
			return nil, dtype.Invalid, o.reject(in, "takes numbers")
		}
	}
	args, out, err = o.rule(o, in)
	if err != nil {
		return nil, dtype.Invalid, err
	}
	for _, d := range args {
		if d.IsComplex() && !o.takesComplex() {
			return nil, dtype.Invalid, fmt.Errorf("kernels: %s: no form for dtypes %v: %w; use real() and imag()", o.Name, in, ErrUnsupported)
		}
	}
	return args, out, nil
}

// takesComplex reports whether devices compute the operation on complex operands.
func (o *Op) takesComplex() bool { return o.cplx != nil || o.Prim.Has(dtype.Complex64) }

// reject returns the error of an operand the operation does not take.
func (o *Op) reject(in []dtype.DType, want string) error {
	return fmt.Errorf("kernels: %s: %s: got %v: %w", o.Name, want, in, dtype.ErrPromote)
}
