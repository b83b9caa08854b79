// SPDX-License-Identifier: BSD-3-Clause

package expr_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// engine returns an engine for one test.
func engine(t *testing.T) *sched.Engine {
	t.Helper()
	eng, err := sched.New(sched.Options{Memory: 256 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng
}

// arrayOf returns the array of a result.
func arrayOf(t *testing.T, v any) ndarray.Array {
	t.Helper()
	switch x := v.(type) {
	case ndarray.Array:
		return x
	case ndarray.Variable:
		return x.Array()
	}
	t.Fatalf("result is a %T", v)
	return ndarray.Array{}
}

// compute returns dtype, shape and values of an array as text: "float64[2] 1 2.5".
func compute(t *testing.T, eng *sched.Engine, a ndarray.Array) string {
	t.Helper()
	s := a.String()
	c, err := ndarray.Compute(context.Background(), eng, a)
	if err != nil {
		return "error: " + err.Error()
	}
	return s + values(c)
}

func values(c *chunk.Chunk) string {
	n := int(c.Shape.Size())
	var b strings.Builder
	for i := range n {
		b.WriteString(" " + element(c, i))
	}
	return b.String()
}

func element(c *chunk.Chunk, i int) string {
	switch c.DType.String() {
	case "bool":
		return fmt.Sprint(chunk.Slice[bool](c)[i])
	case "int8":
		return fmt.Sprint(chunk.Slice[int8](c)[i])
	case "int16":
		return fmt.Sprint(chunk.Slice[int16](c)[i])
	case "int32":
		return fmt.Sprint(chunk.Slice[int32](c)[i])
	case "int64":
		return fmt.Sprint(chunk.Slice[int64](c)[i])
	case "uint8":
		return fmt.Sprint(chunk.Slice[uint8](c)[i])
	case "uint64":
		return fmt.Sprint(chunk.Slice[uint64](c)[i])
	case "float32":
		return fmt.Sprint(chunk.Slice[float32](c)[i])
	case "float64":
		return fmt.Sprint(chunk.Slice[float64](c)[i])
	}
	return "?"
}

func TestEvalArrays(t *testing.T) {
	eng := engine(t)
	nan := math.NaN()
	env := expr.Env{
		"a": ndarray.FromSlice([]float64{1, 2, 3, 4, 5, 6}, 2, 3),
		"i": ndarray.FromSlice([]int32{1, -2, 3}),
		"u": ndarray.FromSlice([]uint8{250, 3}),
		"f": ndarray.FromSlice([]float32{0.5, 1.5}),
		"n": ndarray.FromSlice([]float64{1, nan, 3}),
		"z": ndarray.Arange(int64(0), int64(120), int64(1), 0).Reshape(4, 5, 6),
		"e": ndarray.FromSlice([]int64{7}),
	}
	for _, c := range []struct{ in, want string }{
		{"a + 1", "float64[2 3] 2 3 4 5 6 7"},
		{"10**-3", "float64[] 0.001"},
		{"7 // 2, 1", "int64[2] 3 1"},
		{"2**70 / 2**69", "float64[] 2"},
		{"-7 % 3", "int64[] 2"},
		{"True + True", "int64[] 2"},
		{"1 < 2", "bool[] true"},
		{"0.1 + 0.2", "float64[] 0.30000000000000004"},
		{"f * sqrt(2)", "float64[2] 0.7071067811865476 2.121320343559643"},
		{"f * 2", "float32[2] 1 3"},
		{"i / 2", "float64[3] 0.5 -1 1.5"},
		{"i ** 2", "int32[3] 1 4 9"},
		{"~(i > 0)", "bool[3] false true false"},
		{"(i > 0) & (i < 3)", "bool[3] true false false"},
		{"u < 300", "bool[2] true true"},
		{"u < 2**80", "bool[2] true true"},
		{"u / 300", "float64[2] 0.8333333333333334 0.01"},
		{"clip(u, 5, 300)", "uint8[2] 250 5"},
		{"clip(u, 2**70, 2**71)", "uint8[2] 255 255"},
		{"clip(a, None, 2)", "float64[2 3] 1 2 2 2 2 2"},
		{"a.clip(max=2)", "float64[2 3] 1 2 2 2 2 2"},
		{"mean(a, axis=0)", "float64[3] 2.5 3.5 4.5"},
		{"a.mean(axis=(0, 1), keepdims=True)", "float64[1 1] 3.5"},
		{"sum(i)", "int64[] 2"},
		{"cumsum(a)", "float64[6] 1 3 6 10 15 21"},
		{"a.cumsum(axis=1)", "float64[2 3] 1 3 6 4 9 15"},
		{"cumulative_sum(i, include_initial=True)", "int64[4] 0 1 -1 2"},
		{"cumulative_prod(i)", "int64[3] 1 -2 -6"},
		{"cumsum(u)", "uint64[2] 250 253"},
		{"cumsum(n)", "float64[3] 1 NaN NaN"},
		{"nancumsum(n)", "float64[3] 1 1 4"},
		{"nancumprod(n)", "float64[3] 1 1 3"},
		{"cumsum(f, dtype='float64')[-1]", "float64[] 2"},
		{"ffill(n, 0)", "float64[3] 1 1 3"},
		{"n.bfill(0)", "float64[3] 1 3 3"},
		{"n.sum()", "float64[] NaN"},
		{"nansum(n)", "float64[] 4"},
		{"n.sum(skipna=True)", "float64[] 4"},
		{"std(a, ddof=1)", "float64[] 1.8708286933869707"},
		{"argmax(a, axis=1)", "int64[2] 2 2"},
		{"a[1:, ::-1]", "float64[1 3] 6 5 4"},
		{"a[..., None].shape", "int64[3] 2 3 1"},
		{"a.shape[0] * 2", "int64[] 4"},
		{"z[0, :, [0, 2]].shape", "int64[2] 5 2"},
		{"z[[0, 2], 1, [0, 3]]", "int64[2 2] 6 9 66 69"},
		{"vindex(z, [0, 2], [1, 1], [0, 3])", "int64[2] 6 69"},
		{"a[:, [True, False, True]]", "float64[2 2] 1 3 4 6"},
		{"a.T[0]", "float64[2] 1 4"},
		{"where(a > 3, a, 0)", "float64[2 3] 0 0 0 4 5 6"},
		{"x = a * 2; y = x + 1; y[0, 0]", "float64[] 3"},
		{"astype(a, 'int8')[0]", "int8[3] 1 2 3"},
		{"float32(3)", "float32[] 3"},
		{"concat([a, a], axis=1).shape", "int64[2] 2 6"},
		{"stack([i, i]).shape", "int64[2] 2 3"},
		{"arange(3)", "int64[3] 0 1 2"},
		{"arange(1, 2, 0.25)", "float64[4] 1 1.25 1.5 1.75"},
		{"linspace(0, 1, 3)", "float64[3] 0 0.5 1"},
		{"eye(2)", "float64[2 2] 1 0 0 1"},
		{"ones((2, 2), dtype=int32).sum()", "int64[] 4"},
		{"(ones((100, 100), chunks=(32, 32)) + 1).sum()", "float64[] 20000"},
		{"full((2,), 7)", "int64[2] 7 7"},
		{"zeros_like(i)", "int32[3] 0 0 0"},
		{"full_like(f, 2)", "float32[2] 2 2"},
		{"[1, 2.5]", "float64[2] 1 2.5"},
		{"[[1, 2], [3, 4]]", "int64[2 2] 1 2 3 4"},
		{"i + [1, 2, 3]", "int64[3] 2 0 6"},
		{"a @ a.T", "float64[2 2] 14 32 32 77"},
		{"i @ i", "int32[] 14"},
		{"median(a)", "float64[] 3.5"},
		{"quantile(a, 0.25, axis=1)", "float64[2] 1.5 4.5"},
		{"quantile(f, [0, 1])", "float64[2] 0.5 1.5"},
		{"median(f)", "float32[] 1"},
		{"nanmedian(n)", "float64[] 2"},
		{"median(n)", "float64[] NaN"},
		{"percentile(a, 50, axis=0, keepdims=True)", "float64[1 3] 2.5 3.5 4.5"},
		{"round(f * 1.25, 1)", "float32[2] 0.6 1.9"},
		{"round(a * 33, -1)[0]", "float64[3] 30 70 100"},
		{"hypot(3, 4)", "float64[] 5"},
		{"pi", "float64[] 3.141592653589793"},
		{"e", "int64[1] 7"},
		{"flip(i)", "int32[3] 3 -2 1"},
		{"roll(i, 1)", "int32[3] 3 1 -2"},
		{"reshape(a, 3, -1)[2]", "float64[2] 5 6"},
		{"expand_dims(i, axis=0).shape", "int64[2] 1 3"},
		{"diff(a, axis=1)[0]", "float64[2] 1 1"},
		{"isin(i, [1, 3])", "bool[3] true false true"},
		{"take(a, [0, 2], axis=1)[1]", "float64[2] 4 6"},
		{"isnull(n)", "bool[3] false true false"},
		{"fillna(n, 0)", "float64[3] 1 0 3"},
		{"n.fillna(0)", "float64[3] 1 0 3"},
		{"a.real[0, 0]", "float64[] 1"},
		{"a.dtype == 'float64'", "bool[] true"},
		{"ptp(a, axis=1)", "float64[2] 2 2"},
		{"i[i > 0]", "int32[-1] 1 3"},
		{"np.sqrt(4)", "float64[] 2"},
		{"broadcast_to([1, 2], (2, 2))", "int64[2 2] 1 2 1 2"},
		{"allclose(a, a + 1e-12)", "bool[] true"},
		{"7 >> 1 | 8", "int64[] 11"},
	} {
		r, err := expr.Eval(c.in, env)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		got := compute(t, eng, arrayOf(t, r.Last.Value))
		if got != c.want {
			t.Errorf("%s = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestEvalErrors(t *testing.T) {
	env := expr.Env{
		"a": ndarray.FromSlice([]float64{1, 2, 3, 4, 5, 6}, 2, 3),
		"u": ndarray.FromSlice([]uint8{250, 3}),
	}
	for _, c := range []struct{ in, want string }{
		{"b", `expression 1:1: name "b" is not defined; did you mean "a"?`},
		{"1 / 0", "expression 1:3: division by zero"},
		{"u + 300", "expression 1:3: ndarray: add:"},
		{"where(u > 3, u, 300)", "expression 1:1: ndarray: where:"},
		{"a + [1, 2]", "expression 1:3: ndarray: add: shapes [2 3] and [2] do not broadcast"},
		{"cumulative_sum(a)", "expression 1:1: cumulative_sum: got an array of rank 2 and no axis: name one"},
		{"cumsum(a, axis=(0, 1))", "expression 1:1: cumsum: axis: got [0 1], want one axis"},
		{"cumsum(a, axis=2)", "expression 1:1: ndarray: cumulative_sum: axis 2 is outside rank 2"},
		{"cumsum(a, 'x')", "expression 1:1: cumsum: the array has no dimension names; give axis a number"},
		{"ffill(a, 0, limit=0)", "expression 1:1: ffill: limit: got 0, want 1 or more, or None"},
		{"a.bfill('x')", `expression 1:3: bfill: an array float64[2 3] has no dimension names`},
		{"mean(a, axis=5)", "expression 1:1: ndarray: mean: axis 5 is outside rank 2"},
		{"maen(a)", `expression 1:1: no function "maen"; did you mean "mean"?`},
		{"a.maen()", `expression 1:3: an array float64[2 3] has no method "maen"; did you mean "mean"?`},
		{"mean(a, ax=1)", `expression 1:1: mean: unknown keyword "ax"`},
		{"mean", "expression 1:1: mean is a function: call it, for instance mean(a)"},
		{"a[5]", "expression 1:2: ndarray: index"},
		{"a.foo", `expression 1:3: an array has no attribute "foo"`},
		{"a['x']", `expression 1:2: the index "x" is a text`},
		{"'x'", `expression 1:1: array: "x" is not an array`},
		{"None", "expression 1:1: array: None is not an array"},
		{"a.mean('time')", "expression 1:3: mean: the array has no dimension names; give axis a number"},
		{"u ** -1", "expression 1:3: ndarray: power"},
		{"x = 1\nx + y", `expression 2:5: name "y" is not defined`},
		{"min(a), max(a)", "expression 1:1: the result is 2 values: name them"},
		{"a.shape.foo", `expression 1:9: a tuple of 2 has no attribute "foo"`},
		{"linalg.lu(a)", `no function "linalg.lu"`},
		{"linalg.svd(ones((2, 2)))", "the result is 3 values: take one, for instance .U"},
		{"a.sel(x=1)", "has no dimension names"},
		{"2**100000000", "the integer is too large"},
	} {
		r, err := expr.Eval(c.in, env)
		if err == nil {
			t.Errorf("%s: no error (%v), want %s", c.in, r.Last.Value, c.want)
			continue
		}
		if !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.in, err, c.want)
		}
		if _, ok := err.(*expr.Error); !ok {
			t.Errorf("%s: error is a %T", c.in, err)
		}
	}
}
