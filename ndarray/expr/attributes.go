// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// attribute evaluates x.name.
func attribute(v value, name string) (value, error) {
	switch x := v.(type) {
	case *ndarray.Dataset:
		if x.Has(name) {
			return member(x, name)
		}
		if name == "dims" || name == "variables" {
			return nil, fmt.Errorf("%s of a data set is not a value; arrayrun info lists it", name)
		}
		return nil, fmt.Errorf("no variable or attribute %q in the %s%s", name, x, suggest(name, x.Names()))
	case ndarray.Variable:
		return variableAttribute(x, name)
	case timeParts:
		return x.v.Time(name), nil
	case record:
		return x.field(name)
	case ndarray.Table:
		return x.Column(name), nil
	case facts:
		return x.get(name)
	case ndarray.GroupBy, ndarray.Weighted:
		return nil, fmt.Errorf("%s has no attribute %q: call a reduction, for instance .mean()", describe(v), name)
	case string, none, ellipsis, list, tuple, dtype.DType, slice:
		return nil, fmt.Errorf("%s has no attribute %q", describe(v), name)
	}
	a, err := asArray(v, name)
	if err != nil {
		return nil, err
	}
	return arrayAttribute(a, name)
}

func arrayAttribute(a ndarray.Array, name string) (value, error) {
	switch name {
	case "shape":
		return intTuple(a.Shape()), nil
	case "dtype":
		return a.DType(), nil
	case "ndim":
		return big.NewInt(int64(a.Rank())), nil
	case "size":
		return big.NewInt(a.Size()), nil
	case "itemsize":
		return big.NewInt(int64(a.DType().Size())), nil
	case "nbytes":
		return big.NewInt(a.Size() * int64(a.DType().Size())), nil
	case "T":
		return a.Transpose(), nil
	case "mT":
		return a.MatrixTranspose(), nil
	case "real", "imag":
		return elementwise(name, a)
	case "values", "data":
		return a, nil
	}
	if isFunction(name) {
		return nil, fmt.Errorf("%s is a method: call it, .%s()", name, name)
	}
	return nil, fmt.Errorf("an array has no attribute %q%s", name, suggest(name, []string{"shape", "dtype", "ndim", "size", "T", "mT", "real", "imag"}))
}

func intTuple(s []int64) tuple {
	out := make(tuple, len(s))
	for i, n := range s {
		out[i] = big.NewInt(n)
	}
	return out
}

func variableAttribute(v ndarray.Variable, name string) (value, error) {
	if v.HasCoord(name) || slices.Contains(v.Dims(), name) {
		return v.Coord(name), nil
	}
	switch name {
	case "T":
		return v.Transpose(), nil
	case "dims":
		var out tuple
		for _, d := range v.Dims() {
			out = append(out, d)
		}
		return out, nil
	case "name":
		return v.Name(), nil
	case "dt":
		return timeParts{v}, nil
	case "real", "imag":
		return elementwise(name, v)
	}
	a, err := arrayAttribute(v.Array(), name)
	if err != nil && strings.Contains(err.Error(), "an array has no attribute") {
		if x, ok := v.Attrs().Get(name); ok {
			return attrValue(name, x)
		}
		return nil, fmt.Errorf("%s has no coordinate or attribute %q%s", describe(v), name, suggest(name, v.Coords()))
	}
	return a, err
}

// attrValue returns an attribute of a file as a literal.
func attrValue(name string, x any) (value, error) {
	switch y := x.(type) {
	case string, bool, float64:
		return y, nil
	case int64:
		return big.NewInt(y), nil
	case int32:
		return big.NewInt(int64(y)), nil
	case int16:
		return big.NewInt(int64(y)), nil
	case float32:
		return float64(y), nil
	}
	return nil, fmt.Errorf("the attribute %q of the file, %v, is not a number or a text", name, x)
}
