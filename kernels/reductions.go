// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// ReductionID is a row of the reduction table; 0 is no reduction.
type ReductionID uint16

// Params are the arguments of a reduction that are not arrays. They are used by Aggregate only.
type Params struct {
	DDof float64 // var and std divide by the count less DDof
}

// StateType describes one component of a reduction's state.
type StateType struct {
	DType dtype.DType
	Name  string
}

// Algebra is the kind of state a reduction keeps and how states join. Devices
// have one implementation per algebra; reductions differ in the missing values
// they skip and in how they aggregate.
type Algebra uint8

// The algebras, with the components of their states. T is the dtype of the
// folded value, S the accumulator: float64, int64, uint64 or complex128.
const (
	FoldSum     Algebra = iota + 1 // S sum: +0 + x + ...
	FoldProd                       // S product
	FoldMean                       // float64 (complex128) sum, int64 count
	FoldMoments                    // int64 count, float64 mean, float64 m2 (sum of squared deviations)
	FoldMin                        // T value; -0 is below +0
	FoldMax                        // T value
	FoldAny                        // bool
	FoldAll                        // bool
	FoldCount                      // int64: values that are not NaN
	FoldNonzero                    // int64: values that are not 0; NaN is not 0
	FoldArgMin                     // T value, int64 position (-1: none)
	FoldArgMax                     // T value, int64 position
	FoldFirst                      // T value, int64 position: the lowest
	FoldLast                       // T value, int64 position: the highest
)

// Reduction is one row of the table: everything about one reduction.
type Reduction struct {
	ID      ReductionID
	Name    string
	Aliases []string
	Algebra Algebra
	// SkipNaN leaves NaN out. Twin names the same reduction with the other rule for
	// NaN; a reduction that NaN does not touch is its own twin.
	SkipNaN bool
	Twin    string
	// Indexed: the fold has two arguments, the value and its int64 position.
	Indexed bool
	// NegativeIsError: a result below 0 stands for a slice without a value to point at.
	NegativeIsError bool
	// NeedsValue: folding no elements is an error (Empty).
	NeedsValue bool
	// Sqrt takes the root of the aggregate (std).
	Sqrt bool
	// CellMethod is the CF cell method, "" where there is none.
	CellMethod string
	// KeepsUnits: the result has the units of the operand.
	KeepsUnits bool
	// NumPy is the reference, an expression over x and axis.
	NumPy string
	Doc   string
}

// reductions is the table. IDs are positions counted from 1; new rows go at the end.
var reductions = [...]Reduction{
	// Sums and products: integers wrap in int64 or uint64, floats accumulate in float64.
	{Name: "sum", Algebra: FoldSum, Twin: "nansum", CellMethod: "sum", KeepsUnits: true, NumPy: "np.sum(x, axis)", Doc: "sum of the elements; 0 for none"},
	{Name: "nansum", Algebra: FoldSum, SkipNaN: true, Twin: "sum", CellMethod: "sum", KeepsUnits: true, NumPy: "np.nansum(x, axis)", Doc: "sum of the elements that are not NaN; 0 for none"},
	{Name: "prod", Algebra: FoldProd, Twin: "nanprod", NumPy: "np.prod(x, axis)", Doc: "product of the elements; 1 for none"},
	{Name: "nanprod", Algebra: FoldProd, SkipNaN: true, Twin: "prod", NumPy: "np.nanprod(x, axis)", Doc: "product of the elements that are not NaN; 1 for none"},
	// Moments: integers give float64; NaN for none.
	{Name: "mean", Aliases: []string{"average"}, Algebra: FoldMean, Twin: "nanmean", CellMethod: "mean", KeepsUnits: true, NumPy: "np.mean(x, axis)", Doc: "arithmetic mean; NaN for none"},
	{Name: "nanmean", Algebra: FoldMean, SkipNaN: true, Twin: "mean", CellMethod: "mean", KeepsUnits: true, NumPy: "np.nanmean(x, axis)", Doc: "mean of the elements that are not NaN; NaN for none"},
	{Name: "var", Algebra: FoldMoments, Twin: "nanvar", CellMethod: "variance", NumPy: "np.var(x, axis, ddof=ddof)", Doc: "variance, divided by the count less ddof"},
	{Name: "nanvar", Algebra: FoldMoments, SkipNaN: true, Twin: "var", CellMethod: "variance", NumPy: "np.nanvar(x, axis, ddof=ddof)", Doc: "variance of the elements that are not NaN"},
	{Name: "std", Algebra: FoldMoments, Twin: "nanstd", Sqrt: true, CellMethod: "standard_deviation", KeepsUnits: true, NumPy: "np.std(x, axis, ddof=ddof)", Doc: "standard deviation: the root of var"},
	{Name: "nanstd", Algebra: FoldMoments, SkipNaN: true, Twin: "std", Sqrt: true, CellMethod: "standard_deviation", KeepsUnits: true, NumPy: "np.nanstd(x, axis, ddof=ddof)", Doc: "standard deviation of the elements that are not NaN"},
	// Extremes: the dtype stays; -0 is below +0.
	{Name: "min", Aliases: []string{"amin"}, Algebra: FoldMin, Twin: "nanmin", NeedsValue: true, CellMethod: "minimum", KeepsUnits: true, NumPy: "np.min(x, axis)", Doc: "smallest element; NaN where one is NaN; an error for none"},
	{Name: "nanmin", Algebra: FoldMin, SkipNaN: true, Twin: "min", NeedsValue: true, CellMethod: "minimum", KeepsUnits: true, NumPy: "np.nanmin(x, axis)", Doc: "smallest element that is not NaN; NaN where all are"},
	{Name: "max", Aliases: []string{"amax"}, Algebra: FoldMax, Twin: "nanmax", NeedsValue: true, CellMethod: "maximum", KeepsUnits: true, NumPy: "np.max(x, axis)", Doc: "largest element; NaN where one is NaN; an error for none"},
	{Name: "nanmax", Algebra: FoldMax, SkipNaN: true, Twin: "max", NeedsValue: true, CellMethod: "maximum", KeepsUnits: true, NumPy: "np.nanmax(x, axis)", Doc: "largest element that is not NaN; NaN where all are"},
	// Truth and counts: NaN is true.
	{Name: "any", Algebra: FoldAny, Twin: "any", NumPy: "np.any(x, axis)", Doc: "whether an element is true; False for none"},
	{Name: "all", Algebra: FoldAll, Twin: "all", NumPy: "np.all(x, axis)", Doc: "whether every element is true; True for none"},
	{Name: "count_nonzero", Algebra: FoldNonzero, Twin: "count_nonzero", NumPy: "np.count_nonzero(x, axis)", Doc: "number of elements that are not 0"},
	{Name: "count", Algebra: FoldCount, SkipNaN: true, Twin: "count", NumPy: "np.sum(x == x, axis)", Doc: "number of elements that are not NaN"},
	// Positions: the first on ties.
	{Name: "argmin", Algebra: FoldArgMin, Twin: "nanargmin", Indexed: true, NeedsValue: true, NumPy: "np.argmin(x, axis)", Doc: "position of the smallest element, of the first NaN if there is one"},
	{Name: "nanargmin", Algebra: FoldArgMin, SkipNaN: true, Twin: "argmin", Indexed: true, NegativeIsError: true, NeedsValue: true, NumPy: "np.nanargmin(x, axis)", Doc: "position of the smallest element that is not NaN; an error where all are"},
	{Name: "argmax", Algebra: FoldArgMax, Twin: "nanargmax", Indexed: true, NeedsValue: true, NumPy: "np.argmax(x, axis)", Doc: "position of the largest element, of the first NaN if there is one"},
	{Name: "nanargmax", Algebra: FoldArgMax, SkipNaN: true, Twin: "argmax", Indexed: true, NegativeIsError: true, NeedsValue: true, NumPy: "np.nanargmax(x, axis)", Doc: "position of the largest element that is not NaN; an error where all are"},
	{Name: "first", Algebra: FoldFirst, Twin: "nanfirst", Indexed: true, NeedsValue: true, KeepsUnits: true, NumPy: "x.take(0, axis)", Doc: "the element of the lowest position"},
	{Name: "nanfirst", Algebra: FoldFirst, SkipNaN: true, Twin: "first", Indexed: true, NeedsValue: true, KeepsUnits: true, NumPy: "xarray first(skipna=True)", Doc: "the element of the lowest position that is not NaN; NaN where all are"},
	{Name: "last", Algebra: FoldLast, Twin: "nanlast", Indexed: true, NeedsValue: true, KeepsUnits: true, NumPy: "x.take(-1, axis)", Doc: "the element of the highest position"},
	{Name: "nanlast", Algebra: FoldLast, SkipNaN: true, Twin: "last", Indexed: true, NeedsValue: true, KeepsUnits: true, NumPy: "xarray last(skipna=True)", Doc: "the element of the highest position that is not NaN; NaN where all are"},
}

// reductionNames maps names and aliases to rows; IDs are set while it is made.
var reductionNames = func() map[string]*Reduction {
	m := map[string]*Reduction{}
	for i := range reductions {
		r := &reductions[i]
		r.ID = ReductionID(i + 1)
		m[r.Name] = r
		for _, a := range r.Aliases {
			m[a] = r
		}
	}
	return m
}()

// ReductionByName returns the row with a name or alias.
func ReductionByName(name string) (*Reduction, bool) {
	r, ok := reductionNames[name]
	return r, ok
}

// ReductionOf returns the row of an ID, nil for an ID outside the table.
func ReductionOf(id ReductionID) *Reduction {
	if id == 0 || int(id) > len(reductions) {
		return nil
	}
	return &reductions[id-1]
}

// AllReductions returns the rows in the table's order.
func AllReductions() []*Reduction {
	out := make([]*Reduction, len(reductions))
	for i := range reductions {
		out[i] = &reductions[i]
	}
	return out
}

// TwinOf returns the row that treats NaN the other way, r itself where NaN makes no difference.
func (r *Reduction) TwinOf() *Reduction { return reductionNames[r.Twin] }

// Continues reports whether a fold over axes before the last can go on from the state of earlier numbers of its block:
// whether each accumulator takes its numbers once and in sequence.
func (r *Reduction) Continues() bool { return !algebras[r.Algebra].twice }

// Uncounted returns the reduction that can fold in r's place where the number of elements is known, and nil where there is
// none: its state is r's without the count, for values of a dtype whose Accumulator it is.
func (r *Reduction) Uncounted() *Reduction {
	if r.Algebra == FoldMean && !r.SkipNaN {
		return reductionNames["sum"]
	}
	return nil
}

// String returns the name.
func (r *Reduction) String() string { return r.Name }

// Args returns how many registers a fold of r has.
func (r *Reduction) Args() int {
	if r.Indexed {
		return 2
	}
	return 1
}

// Result returns the dtype of the result for an operand of dtype in, by NumPy
// 2's rules. An operand the reduction is not defined for gives an error wrapping ErrUnsupported.
func (r *Reduction) Result(in dtype.DType) (dtype.DType, error) {
	a := &algebras[r.Algebra]
	if !in.IsNumeric() || in.IsComplex() && !a.complex {
		return dtype.Invalid, fmt.Errorf("kernels: %s: operand: got %v, want a real number; cast it or take .real: %w", r.Name, in, ErrUnsupported)
	}
	return a.result(in), nil
}

// Input returns the dtype an operand of dtype in is cast to before it is
// folded. It is in itself: devices convert while they accumulate.
func (r *Reduction) Input(in dtype.DType) dtype.DType { return in }

// State returns the components of the state when values of dtype in are folded.
func (r *Reduction) State(in dtype.DType) []StateType {
	a := &algebras[r.Algebra]
	out := make([]StateType, len(a.state))
	for i, c := range a.state {
		out[i] = StateType{c.dtype(in), c.name}
	}
	return out
}

// Identity returns the state that changes nothing when it is joined: what a
// device writes for a group without elements. It is also the state of no
// elements at all, so that Aggregate turns it into the result of an empty fold.
func (r *Reduction) Identity(in dtype.DType) []Const {
	a := &algebras[r.Algebra]
	out := make([]Const, len(a.state))
	for i, c := range a.state {
		out[i] = constFloat(c.dtype(in), 0)
	}
	if a.identity != nil {
		a.identity(r, in, out)
	}
	return out
}

// Empty returns the error of folding no elements, nil where there is a result.
func (r *Reduction) Empty(in dtype.DType) error {
	if !r.NeedsValue {
		return nil
	}
	return fmt.Errorf("kernels: %s: of no elements: the reduced axes have length 0; %s needs at least one element", r.Name, r.Name)
}
