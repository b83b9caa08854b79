// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"cmp"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// Elementwise returns the operation of the kernels table applied to args: Variables, Arrays, and Go
// numbers, which are weak. Variables broadcast by dimension name, in order of first appearance; shared
// dimensions must hold the same labels (in another order they are put into the first one's); a month, season, year,
// dayofyear, day or hour dimension that the other operand lacks is looked up through its time.
// An Array's axes are the last dimensions of the result.
//
// Name, coordinates and attributes are the first Variable's (for where, the first value's), units and
// standard_name only where the operation keeps them.
func Elementwise(op string, args ...any) Variable {
	o, ok := kernels.OpByName(op)
	if !ok {
		return Variable{}.fail("ndarray: %q is not an operation", op)
	}
	al := align(args)
	if al.err != nil {
		return *al.err
	}
	out := al.result
	out.array = Apply(op, al.args...)
	out.host = nil
	if o.Name == "where" {
		// The condition's name and attributes say nothing about the values.
		out.name, out.attrs = "", nil
		for _, x := range args[1:] {
			if v, ok := x.(Variable); ok {
				out.name, out.attrs, out.global, out.mappings = v.name, v.attrs, v.global, v.mappings
				break
			}
		}
	}
	if o.Unit != kernels.UnitKeep && o.Unit != kernels.UnitFirst {
		out.attrs = out.attrs.Without("units", "standard_name")
	}
	return out
}

// Align returns the arrays of variables as elementwise operations match them: the axes of all are dims, in the order in which these first appear, with a length of 1 where a
// variable has none. Labels that differ are an error, other orders of them are undone.
func Align(vars ...Variable) (arrays []Array, dims []string, err error) {
	args := make([]any, len(vars))
	for i, v := range vars {
		args[i] = v
	}
	al := align(args)
	if al.err != nil {
		return nil, nil, al.err.Err()
	}
	for _, x := range al.args {
		arrays = append(arrays, x.(Array))
	}
	return arrays, al.result.dims, nil
}

// aligned is what align made of the operands of an operation.
type aligned struct {
	args   []any    // Arrays and numbers, ready for Apply
	result Variable // name, dims, coords and attributes of the result; its array is not set
	err    *Variable
}

// align brings operands to common dimensions.
func align(args []any) aligned {
	vars := make([]Variable, 0, len(args))
	index := make([]int, len(args))
	for i, x := range args {
		index[i] = -1
		if v, ok := x.(Variable); ok {
			if v.Err() != nil {
				return aligned{err: &v}
			}
			index[i] = len(vars)
			vars = append(vars, v)
		}
	}
	if len(vars) == 0 {
		v := Variable{}.fail("ndarray: an operation by name needs a Variable among its operands; use Apply for arrays")
		return aligned{err: &v}
	}
	for i := range vars {
		for j := range vars {
			if i == j {
				continue
			}
			vars[j] = vars[j].lookUp(vars[i])
			if vars[j].Err() != nil {
				return aligned{err: &vars[j]}
			}
		}
	}
	res := vars[0]
	res.dims = slices.Clone(res.dims)
	res.coords = slices.Clone(res.coords)
	for i := 1; i < len(vars); i++ {
		v, bad := vars[i].matched(vars[:i])
		if bad != nil {
			return aligned{err: bad}
		}
		vars[i] = v
		for _, d := range v.dims {
			if !slices.Contains(res.dims, d) {
				res.dims = append(res.dims, d)
			}
		}
		res.coords = mergeCoords(res.coords, v.coords)
		for _, d := range v.unlimited {
			if !slices.Contains(res.unlimited, d) {
				res.unlimited = append(slices.Clone(res.unlimited), d)
			}
		}
	}
	out := aligned{args: make([]any, len(args)), result: res}
	for i, x := range args {
		if k := index[i]; k >= 0 {
			out.args[i] = vars[k].spread(res.dims)
			continue
		}
		if a, ok := x.(Array); ok {
			if a.Err() != nil {
				v := res.failed(a)
				return aligned{err: &v}
			}
			if bad := res.fits(a, vars); bad != nil {
				return aligned{err: bad}
			}
		}
		out.args[i] = x
	}
	return out
}

// fits checks that a's axes are the last dimensions of the result, of length 1 or the same.
func (v Variable) fits(a Array, vars []Variable) *Variable {
	sizes := make([]int64, len(v.dims))
	for i, d := range v.dims {
		for _, x := range vars {
			if n := x.dimLen(d); n >= 0 {
				sizes[i] = n
			}
		}
	}
	shape := a.Shape()
	ok := len(shape) <= len(sizes)
	for i := range shape {
		if ok {
			n := sizes[len(sizes)-len(shape)+i]
			ok = shape[i] == n || shape[i] == 1
		}
	}
	if ok {
		return nil
	}
	bad := v.fail("ndarray: an array of shape %v without dimension names does not fit %s of shape %v; name its dimensions", shape, v.label(), sizes)
	return &bad
}

// matched returns v with shared dimensions in the order of the earlier operands' labels.
func (v Variable) matched(earlier []Variable) (Variable, *Variable) {
	for _, d := range v.dims {
		for _, e := range earlier {
			if e.axis(d) < 0 {
				continue
			}
			a, b := e.CoordOf(d), v.CoordOf(d)
			if a != nil && b != nil && a != b {
				var errA, errB error
				a, errA = a.held()
				b, errB = b.held()
				if err := cmp.Or(errA, errB); err != nil {
					bad := v.fail("ndarray: compare the labels of dimension %q: %w", d, err)
					return v, &bad
				}
			}
			if a != nil && b != nil && a != b && a.host != nil && b.host != nil {
				same, order, diff := sameLabels(a, b)
				switch {
				case same:
				case order != nil:
					v = v.take(d, order)
				case diff >= a.host.Len() || diff >= b.host.Len():
					bad := v.fail("ndarray: labels of dimension %q differ: %s has %d, %s has %d; select the same part of both", d, e.label(), a.host.Len(), v.label(), b.host.Len())
					return v, &bad
				default:
					bad := v.fail("ndarray: labels of dimension %q differ: at position %d %s has %s, %s has %s; select the same part of both",
						d, diff, e.label(), a.text(diff), v.label(), b.text(diff))
					return v, &bad
				}
			}
			if n, m := e.dimLen(d), v.dimLen(d); n != m {
				bad := v.fail("ndarray: dimension %q has length %d in %s and %d in %s", d, n, e.label(), m, v.label())
				return v, &bad
			}
			break
		}
	}
	return v, nil
}

// spread returns v's values with the axes of dims, in that order, of length 1 where v lacks one.
func (v Variable) spread(dims []string) Array {
	var order []string
	for _, d := range dims {
		if v.axis(d) >= 0 {
			order = append(order, d)
		}
	}
	a := v.array
	if !slices.Equal(order, v.dims) {
		a = v.Transpose(order...).array
	}
	// Leading axes need no inserting: NumPy's rule adds them.
	var idx []Index
	inserted := false
	for _, d := range dims {
		if v.axis(d) >= 0 {
			idx = append(idx, All())
		} else if len(idx) > 0 {
			idx = append(idx, NewAxis())
			inserted = true
		}
	}
	if inserted {
		return a.Index(idx...)
	}
	return a
}

// mergeCoords returns a's coordinates and those of b that a lacks. Coordinates of one name that are not a
// dimension's and are known to hold different values are left out; of those not read, a's stay.
func mergeCoords(a, b []*Coord) []*Coord {
	out := a
	for _, c := range b {
		old := findCoord(out, c.name)
		if old == nil {
			out = append(out, c)
			continue
		}
		if old.isDimension() || equalCoords(old, c) {
			continue
		}
		out = slices.DeleteFunc(slices.Clone(out), func(x *Coord) bool { return x.name == c.name })
	}
	return out
}

func equalCoords(a, b *Coord) bool {
	if a == b {
		return true
	}
	if !slices.Equal(a.dims, b.dims) {
		return false
	}
	if a.host == nil || b.host == nil {
		return a.shape().Equal(b.shape())
	}
	if !a.host.Shape.Equal(b.host.Shape) {
		return false
	}
	for i := range a.host.Len() {
		if a.host.key(i) != b.host.key(i) {
			return false
		}
	}
	return true
}

// Op returns op of v, others and numbers, by name as Elementwise does.
func (v Variable) Op(op string, args ...any) Variable {
	return Elementwise(op, append([]any{v}, args...)...)
}

// Add returns v + x.
func (v Variable) Add(x any) Variable { return Elementwise("add", v, x) }

// Sub returns v - x. With x a climatology by month, season ... it is the anomaly.
func (v Variable) Sub(x any) Variable { return Elementwise("subtract", v, x) }

// Mul returns v * x.
func (v Variable) Mul(x any) Variable { return Elementwise("multiply", v, x) }

// Div returns v / x.
func (v Variable) Div(x any) Variable { return Elementwise("divide", v, x) }

// Pow returns v to the power x.
func (v Variable) Pow(x any) Variable { return Elementwise("power", v, x) }

// Neg returns -v.
func (v Variable) Neg() Variable { return Elementwise("negative", v) }

// Abs returns the absolute values of v.
func (v Variable) Abs() Variable { return Elementwise("abs", v) }

// Square returns v * v.
func (v Variable) Square() Variable { return Elementwise("square", v) }

// Sqrt returns the square roots of v.
func (v Variable) Sqrt() Variable { return Elementwise("sqrt", v) }

// Exp returns e to the power v.
func (v Variable) Exp() Variable { return Elementwise("exp", v) }

// Log returns the natural logarithms of v.
func (v Variable) Log() Variable { return Elementwise("log", v) }

// Sin returns the sines of v in radians.
func (v Variable) Sin() Variable { return Elementwise("sin", v) }

// Cos returns the cosines of v in radians.
func (v Variable) Cos() Variable { return Elementwise("cos", v) }

// Deg2Rad returns v, in degrees, in radians.
func (v Variable) Deg2Rad() Variable { return Elementwise("deg2rad", v) }

// Less returns v < x.
func (v Variable) Less(x any) Variable { return Elementwise("less", v, x) }

// LessEqual returns v <= x.
func (v Variable) LessEqual(x any) Variable { return Elementwise("less_equal", v, x) }

// Greater returns v > x.
func (v Variable) Greater(x any) Variable { return Elementwise("greater", v, x) }

// GreaterEqual returns v >= x.
func (v Variable) GreaterEqual(x any) Variable { return Elementwise("greater_equal", v, x) }

// Equal returns v == x.
func (v Variable) Equal(x any) Variable { return Elementwise("equal", v, x) }

// IsNull returns where v is missing; integers never are.
func (v Variable) IsNull() Variable { return Elementwise("isnull", v) }

// NotNull returns where v is not missing.
func (v Variable) NotNull() Variable { return Elementwise("notnull", v) }

// Where returns v where cond is true and other elsewhere; without other it is NaN, and
// integers become float64.
func (v Variable) Where(cond any, other ...any) Variable {
	var x any = nan
	if len(other) > 0 {
		x = other[0]
	} else if !v.DType().IsFloat() && v.Err() == nil && v.DType() != dtype.Complex64 && v.DType() != dtype.Complex128 {
		v = v.AsType(dtype.Float64)
	}
	// v comes first: its dimensions lead.
	al := align([]any{v, cond, x})
	if al.err != nil {
		return *al.err
	}
	out := al.result
	out.array = Where(al.args[1], al.args[0], al.args[2])
	out.host = nil
	return out
}

// FillNA returns v with x where it is missing.
func (v Variable) FillNA(x any) Variable {
	if v.Err() != nil || !v.DType().IsFloat() {
		return v
	}
	return v.Where(v.NotNull(), x)
}
