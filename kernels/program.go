// SPDX-License-Identifier: BSD-3-Clause

package kernels

import "github.com/arrayrun/arrayrun/chunk/dtype"

// Reg names a value of a Program: inputs first, then constants, then one per Inst.
type Reg int32

// NoReg marks an unused operand.
const NoReg Reg = -1

// MaxAxes is the highest rank of a Program's loop.
const MaxAxes = 16

// AxisSet is a set of loop axes, bit i for axis i.
type AxisSet uint32

// Has reports whether axis i is in the set.
func (s AxisSet) Has(i int) bool { return s>>uint(i)&1 == 1 }

// Axes returns the set of the given axes.
func Axes(list ...int) AxisSet {
	var s AxisSet
	for _, i := range list {
		s |= 1 << uint(i)
	}
	return s
}

// Port is an input of a Program. At run time the input chunk has the rank of
// the loop: an axis it does not vary along has stride 0, any other strides are
// legal. Access is what the compiler may count on.
//
// With Gather >= 0 the chunk's axis Gather is longer or shorter than the loop's:
// element i of the loop reads the chunk at ids[i], where ids is input GatherIDs,
// an int32 chunk that varies along that axis only. An id below 0 reads as
// NaN for floats and as 0 for other dtypes.
type Port struct {
	DType     dtype.DType
	Access    Access
	Gather    int8 // loop axis, or -1
	GatherIDs int8 // index of the input that holds the ids
}

// Access is how an input follows the innermost loop axis.
type Access uint8

// The access classes: any strides, unit stride inside, or one value for the whole loop.
const (
	Strided Access = iota
	Contiguous
	Broadcast
)

// In returns a plain port of a dtype.
func In(dt dtype.DType) Port { return Port{DType: dt, Gather: -1} }

// Const is a constant of a Program: Bits holds the value's bytes as a
// little-endian number (a float32 in the low half, a float16 in the low quarter, bool as 0 or 1).
type Const struct {
	DType dtype.DType
	Bits  uint64
}

// Inst is one operation on registers. DType is the dtype of its result; the
// operands' dtypes are those of their registers.
type Inst struct {
	Op    OpID
	DType dtype.DType
	Args  [3]Reg
	Aux   int32 // OpIndex: the axis; OpCold: index of the slow program; OpLookup: the table
}

// Fold is a reduction over some loop axes, evaluated beside the elementwise results.
// It produces one output for each component of the reduction's state.
//
// Group >= 0 names the input (int32) that holds each element's group id; ids outside
// [0, groups) are left out. groups is the first length of the fold's outputs.
type Fold struct {
	Op    ReductionID
	Args  []Reg
	Axes  AxisSet
	Group int16 // index of an input, or -1
}

// Program is a fused computation in SSA form over one loop nest. It is a pure
// description: verified, printable, hashable, the same for every device.
type Program struct {
	Rank   int // loop axes
	In     []Port
	Consts []Const
	Body   []Inst
	Ret    []Reg
	Folds  []Fold
	Slow   []*Program // programs that OpCold runs on single lanes
}

// RegType returns the dtype of register r.
func (p *Program) RegType(r Reg) dtype.DType {
	switch i := int(r); {
	case i < 0:
		return dtype.Invalid
	case i < len(p.In):
		return p.In[i].DType
	case i < len(p.In)+len(p.Consts):
		return p.Consts[i-len(p.In)].DType
	case i < len(p.In)+len(p.Consts)+len(p.Body):
		return p.Body[i-len(p.In)-len(p.Consts)].DType
	}
	return dtype.Invalid
}
