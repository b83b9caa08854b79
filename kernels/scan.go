// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// ScanID is a row of the table of scans; 0 is no scan.
type ScanID uint8

// The scans, in the table's order.
const (
	ScanSum ScanID = iota + 1
	ScanProd
	ScanPush
)

// ScanOp is one row of the table of scans: running folds that keep every step. Element i along the axis of the result is
// Step of element i-1 of the result and of element i of the operand; the first is the operand's own. Each step
// rounds to the dtype of the result, as NumPy's accumulate does.
type ScanOp struct {
	ID      ScanID
	Name    string
	Aliases []string
	// Twin names the scan that takes NaN for Missing; "" where NaN is a value like others, or is what the scan is about.
	Twin    string
	Missing float64
	// Widens: integers and truth values give int64 or uint64.
	Widens bool
	// KeepsUnits: the result has the units of the operand.
	KeepsUnits bool
	step       func(b *Builder, before, x Reg) Reg
	NumPy      string
	Doc        string
}

// scans is the table. IDs are positions counted from 1.
var scans = [...]ScanOp{
	{ID: ScanSum, Name: "cumulative_sum", Aliases: []string{"cumsum"}, Twin: "nancumsum", Missing: 0, Widens: true, KeepsUnits: true,
		step:  func(b *Builder, before, x Reg) Reg { return b.Apply(OpAdd, before, x) },
		NumPy: "np.cumsum(x, axis)", Doc: "sums of the elements up to each one"},
	{ID: ScanProd, Name: "cumulative_prod", Aliases: []string{"cumprod"}, Twin: "nancumprod", Missing: 1, Widens: true,
		step:  func(b *Builder, before, x Reg) Reg { return b.Apply(OpMultiply, before, x) },
		NumPy: "np.cumprod(x, axis)", Doc: "products of the elements up to each one"},
	{ID: ScanPush, Name: "ffill", KeepsUnits: true,
		step:  func(b *Builder, before, x Reg) Reg { return b.Apply(OpWhere, b.Apply(OpIsNaN, x), before, x) },
		NumPy: "xarray ffill", Doc: "the elements, NaN replaced by the last one before it that is none"},
}

// ScanOf returns the row of an ID, nil for an ID outside the table.
func ScanOf(id ScanID) *ScanOp {
	if id == 0 || int(id) > len(scans) {
		return nil
	}
	return &scans[id-1]
}

// AllScans returns the rows in the table's order.
func AllScans() []*ScanOp {
	out := make([]*ScanOp, len(scans))
	for i := range scans {
		out[i] = &scans[i]
	}
	return out
}

// Result returns the dtype of the result for an operand of dtype in, which is the dtype that the operand is cast to:
// that of NumPy 2's accumulate. An operand that the scan is not defined for gives an error wrapping ErrUnsupported.
func (o *ScanOp) Result(in dtype.DType) (dtype.DType, error) {
	if !in.IsNumeric() {
		return dtype.Invalid, fmt.Errorf("kernels: %s: operand: got %v, want numbers: %w", o.Name, in, ErrUnsupported)
	}
	if !o.Widens || in.IsFloat() || in.IsComplex() {
		return in, nil
	}
	if in.Kind() == dtype.KindUint {
		return dtype.Uint64, nil
	}
	return dtype.Int64, nil
}

// Scan is a running fold along one axis of a loop of Rank axes, in sequence; lines along the axis do not depend on each other.
// Operand and result have one dtype.
//
// A call has one input, of the loop's shape, and two outputs: the result, of that shape, and the carry, with length 1 along
// the axis: what the result ends with. With Continue set the call goes on from the carry, as if its elements followed those of earlier calls.
// Input and result may not share memory.
type Scan struct {
	Op    ScanID
	DType dtype.DType
	Rank  int
	Axis  int
}

// String returns the canonical text: scan cumulative_sum float32 rank=3 axis=0.
func (s *Scan) String() string {
	name := ""
	if o := ScanOf(s.Op); o != nil {
		name = o.Name
	}
	return fmt.Sprintf("scan %s %v rank=%d axis=%d", name, s.DType, s.Rank, s.Axis)
}

// Key returns the canonical text, which is short.
func (s *Scan) Key() string { return s.String() }

// Hash returns a hash of Key.
func (s *Scan) Hash() uint64 { return hashKey(s.Key()) }

// Step returns the program of one step of the scan over a loop of its rank: from the result before (input 0) and the operand (input 1) to
// the result. A scan whose axis is outside its loop, or that is not in the table, gives an error.
func (s *Scan) Step() (*Program, error) {
	o := ScanOf(s.Op)
	if o == nil {
		return nil, fmt.Errorf("kernels: scan: row %d is not in the table", s.Op)
	}
	if s.Rank < 1 || s.Rank > MaxAxes || s.Axis < 0 || s.Axis >= s.Rank {
		return nil, fmt.Errorf("kernels: %s: axis %d is outside rank %d, want at most %d axes", o.Name, s.Axis, s.Rank, MaxAxes)
	}
	if out, err := o.Result(s.DType); err != nil || out != s.DType {
		return nil, fmt.Errorf("kernels: %s: got %v, want a dtype that is its own result: %w", o.Name, s.DType, ErrUnsupported)
	}
	b := NewBuilder(s.Rank)
	before := b.Input(In(s.DType))
	x := b.Input(In(s.DType))
	b.Ret(b.Cast(o.step(b, before, x), s.DType))
	return b.Build()
}

// Check returns an error for a call whose chunks do not fit the scan.
func (s *Scan) Check(c *Call) error {
	if len(c.In) != 1 || len(c.Out) != 2 || len(c.Shape) != s.Rank {
		return fmt.Errorf("kernels: run %v: got %d inputs, %d outputs and a loop of shape %v, want 1, 2 and rank %d", s, len(c.In), len(c.Out), c.Shape, s.Rank)
	}
	carry := c.Shape.Clone()
	carry[s.Axis] = 1
	switch in, out, to := c.In[0], c.Out[0], c.Out[1]; {
	case in.DType != s.DType || !in.Shape.Equal(c.Shape):
		return fmt.Errorf("kernels: run %v: operand: got %v%v, want %v%v", s, in.DType, in.Shape, s.DType, c.Shape)
	case out.DType != s.DType || !out.Shape.Equal(c.Shape):
		return fmt.Errorf("kernels: run %v: result: got %v%v, want %v%v", s, out.DType, out.Shape, s.DType, c.Shape)
	case to.DType != s.DType || !to.Shape.Equal(carry):
		return fmt.Errorf("kernels: run %v: carry: got %v%v, want %v%v", s, to.DType, to.Shape, s.DType, carry)
	}
	return nil
}

// ScanByName returns the row with a name, alias or twin's name; skip tells a twin's: NaN is taken for Missing.
func ScanByName(name string) (o *ScanOp, skip, ok bool) {
	for i := range scans {
		o := &scans[i]
		if name == o.Name || slices.Contains(o.Aliases, name) {
			return o, false, true
		}
		if name == o.Twin && name != "" {
			return o, true, true
		}
	}
	return nil, false, false
}
