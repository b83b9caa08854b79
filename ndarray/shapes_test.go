// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// goldenArray is an array of testdata/shapes.json: complex numbers are pairs, null is NaN, texts are infinities and -0.
type goldenArray struct {
	DType  string
	Shape  []int64
	Values []any
}

// parts returns the numbers of a golden array.
func (g goldenArray) parts() []float64 {
	out := make([]float64, len(g.Values))
	for i, v := range g.Values {
		switch x := v.(type) {
		case json.Number:
			out[i], _ = x.Float64()
		case string:
			out[i] = map[string]float64{"inf": math.Inf(1), "-inf": math.Inf(-1), "-0": math.Copysign(0, -1)}[x]
		default:
			out[i] = nan
		}
	}
	return out
}

func (g goldenArray) dtype(t *testing.T) dtype.DType {
	t.Helper()
	d, err := dtype.Parse(g.DType)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// array returns the array in chunks of some length.
func (g goldenArray) array(t *testing.T, step int64) ndarray.Array {
	t.Helper()
	d, x := g.dtype(t), g.parts()
	grid := chunk.Regular(g.Shape, slices.Repeat([]int64{step}, len(g.Shape))...)
	var a ndarray.Array
	if d.IsComplex() {
		z := make([]complex128, len(x)/2)
		for i := range z {
			z[i] = complex(x[2*i], x[2*i+1])
		}
		a = ndarray.FromSliceOn(z, grid)
	} else {
		a = ndarray.FromSliceOn(x, grid)
	}
	return a.AsType(d)
}

// elements returns the numbers of a computed array as parts does, integers as text.
func elements(t *testing.T, eng *sched.Engine, a ndarray.Array) ([]float64, []string, error) {
	t.Helper()
	d := a.DType()
	switch {
	case d.IsInteger() && d == dtype.Uint64:
		v, err := ndarray.Values[uint64](context.Background(), eng, a)
		return nil, printed(v), err
	case d.IsInteger() || d == dtype.Bool:
		v, err := ndarray.Values[int64](context.Background(), eng, a.AsType(dtype.Int64))
		return nil, printed(v), err
	case d.IsComplex():
		z, err := ndarray.Values[complex128](context.Background(), eng, a.AsType(dtype.Complex128))
		var out []float64
		for _, x := range z {
			out = append(out, real(x), imag(x))
		}
		return out, nil, err
	}
	v, err := ndarray.Values[float64](context.Background(), eng, a.AsType(dtype.Float64))
	return v, nil, err
}

func printed[T any](list []T) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = fmt.Sprint(x)
	}
	return out
}

// differs says how a computed array differs from a golden one, "" where it does not: dtype, shape, integers exactly, floats by a few units in
// the last place of the largest.
func (g goldenArray) differs(t *testing.T, eng *sched.Engine, a ndarray.Array) string {
	t.Helper()
	if a.DType() != g.dtype(t) || !slices.Equal(a.Shape(), g.Shape) {
		return fmt.Sprintf("got %v, want %s%v", a, g.DType, g.Shape)
	}
	got, whole, err := elements(t, eng, a)
	if err != nil {
		return err.Error()
	}
	for i, w := range whole {
		if want := fmt.Sprint(g.Values[i]); w != want {
			return fmt.Sprintf("element %d is %s, want %s", i, w, want)
		}
	}
	if whole != nil {
		return ""
	}
	want := g.parts()
	tol := map[string]float64{"float16": 2e-3, "float32": 1e-6, "complex64": 1e-6}[g.DType]
	if i := near(got, want, max(tol, 1e-14)); i >= 0 {
		return fmt.Sprintf("element %d is %v, want %v", i, got[i], want[i])
	}
	for i, w := range want {
		if a.DType().IsFloat() && w == 0 && math.Signbit(w) != math.Signbit(got[i]) && got[i] == 0 && math.Signbit(w) {
			return fmt.Sprintf("element %d is 0, want -0", i)
		}
	}
	return ""
}

// TestShapesEqualNumPy evaluates the expressions of testdata/shapes.json over arrays in several chunks and compares with what NumPy gave.
func TestShapesEqualNumPy(t *testing.T) {
	f, err := os.Open("testdata/shapes.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var file struct {
		Arrays map[string]goldenArray
		Cases  []struct {
			Expr    string
			Several bool
			Results []goldenArray
		}
	}
	d := json.NewDecoder(f)
	d.UseNumber()
	if err := d.Decode(&file); err != nil {
		t.Fatal(err)
	}
	eng := newEngine(t)
	for _, step := range []int64{100, 2} {
		env := expr.Env{}
		for n, g := range file.Arrays {
			env[n] = g.array(t, step)
		}
		for _, c := range file.Cases {
			for i, want := range c.Results {
				src := c.Expr
				if c.Several {
					src = fmt.Sprintf("(%s)[%d]", c.Expr, i)
				}
				r, err := expr.Eval(src, env)
				if err != nil {
					t.Errorf("%s: %v", src, err)
					continue
				}
				a, ok := r.Last.Value.(ndarray.Array)
				if !ok {
					t.Errorf("%s is a %T, want an array", src, r.Last.Value)
					continue
				}
				if why := want.differs(t, eng, a); why != "" {
					t.Errorf("%s in chunks of %d: %s", src, step, why)
				}
			}
		}
	}
}
