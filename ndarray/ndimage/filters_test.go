// SPDX-License-Identifier: BSD-3-Clause

package ndimage_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/ndarray/ndimage"
	"github.com/arrayrun/arrayrun/sched"
)

func newEngine(t *testing.T, o sched.Options) *sched.Engine {
	t.Helper()
	eng, err := sched.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { eng.Close() })
	return eng
}

// values computes an array as float64.
func values(t *testing.T, eng ndarray.Engine, a ndarray.Array) []float64 {
	t.Helper()
	v, err := ndarray.Values[float64](context.Background(), eng, a.AsType(dtype.Float64))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// elements are those of testdata/filters.py.
func elements(t *testing.T, shape chunk.Shape, name string) ndarray.Array {
	t.Helper()
	dt, err := dtype.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]float64, shape.Size())
	for i := range x {
		x[i] = float64((i*37+11+i/7*5)%101) / 4
		if dt != dtype.Uint8 && dt != dtype.Uint16 {
			x[i] -= 10
		}
		if dt == dtype.Bool {
			x[i] = map[bool]float64{true: 1}[x[i] > 8]
		}
	}
	return ndarray.FromSlice(x, shape...).AsType(dt)
}

func evalArray(t *testing.T, src string, a any) ndarray.Array {
	t.Helper()
	r, err := expr.Eval(src, expr.Env{"a": a})
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	switch v := r.Last.Value.(type) {
	case ndarray.Array:
		return v
	case ndarray.Variable:
		return v.Array()
	}
	t.Fatalf("%s: result is a %T", src, r.Last.Value)
	return ndarray.Array{}
}

// TestFiltersEqualSciPy computes filters of small arrays in several chunks, by machine code and by the block machine, and compares with what
// SciPy gave: the very same numbers, but where exponentials or running sums have other roundings.
func TestFiltersEqualSciPy(t *testing.T) {
	b, err := os.ReadFile("testdata/filters.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Expr, DType, Result string
		Shape               chunk.Shape
		Exact               bool
		Values              []float64
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	engines := []*sched.Engine{newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2}), newEngine(t, sched.Options{Memory: 64 << 20, Workers: 1, CPU: "generic"})}
	for _, c := range cases {
		var first []float64
		for i, steps := range []int64{-1, 3, 1} {
			a := elements(t, c.Shape, c.DType).Rechunk(slices.Repeat([]int64{steps}, len(c.Shape))...)
			out := evalArray(t, c.Expr, a)
			if out.DType().String() != c.Result || !out.Shape().Equal(c.Shape) {
				t.Fatalf("%s of %s%v: got %v, want %s", c.Expr, c.DType, c.Shape, out, c.Result)
			}
			got := values(t, engines[i%2], out)
			if first == nil {
				first = got
			}
			for k, w := range c.Values {
				tol := 0.0
				if !c.Exact {
					tol = map[string]float64{"float32": 1e-5, "float64": 1e-11}[c.Result]
					if tol == 0 {
						tol = 1 // a whole number, cut off
					}
				}
				if math.Abs(got[k]-w) > tol {
					t.Errorf("%s of %s%v in chunks of %d: element %d is %v, want %v", c.Expr, c.DType, c.Shape, steps, k, got[k], w)
					break
				}
				if got[k] != first[k] {
					t.Errorf("%s of %s%v in chunks of %d: element %d is %v, in one chunk %v", c.Expr, c.DType, c.Shape, steps, k, got[k], first[k])
					break
				}
			}
		}
	}
}

// TestNaNGoesThroughWindows: a window with NaN has no other result, whatever the filter.
func TestNaNGoesThroughWindows(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	x := make([]float32, 81)
	for i := range x {
		x[i] = float32(i * 7 % 13)
	}
	x[4*9+4] = float32(math.NaN())
	a := ndarray.FromSlice(x, 9, 9).Rechunk(4, 5)
	for _, e := range []string{"median_filter(a, size=3)", "minimum_filter(a, size=3)", "maximum_filter(a, size=3)", "uniform_filter(a, size=3)",
		"percentile_filter(a, 30, size=3)", "gaussian_filter(a, 1, radius=1)", "correlate(a, [[1,1,1],[1,1,1],[1,1,1]])"} {
		got := values(t, eng, evalArray(t, "ndimage."+e, a))
		for i, g := range got {
			y, z := i/9, i%9
			if near := y >= 3 && y <= 5 && z >= 3 && z <= 5; near != math.IsNaN(g) {
				t.Errorf("%s: element (%d, %d) is %v, want NaN beside (4, 4) only", e, y, z, g)
			}
		}
	}
}

// TestFiltersFollowMasks: a filter of what a mask selects waits until its length is known.
func TestFiltersFollowMasks(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	a := elements(t, chunk.Shape{9, 6}, "float64").Rechunk(4, 6)
	got := values(t, eng, evalArray(t, `ndimage.median_filter(a[a[:, 0] > 0], size=3)`, a))
	x := values(t, eng, a)
	var rows []float64
	for i := range 9 {
		if x[i*6] > 0 {
			rows = append(rows, x[i*6:i*6+6]...)
		}
	}
	n := int64(len(rows) / 6)
	if n < 2 || n == 9 {
		t.Fatalf("the mask selects %d rows, want some of 9", n)
	}
	if want := values(t, eng, ndimage.MedianFilter(ndarray.FromSlice(rows, n, 6), ndimage.Box(2, 3), nil, ndimage.Options{})); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestFiltersKeepNames: variables keep dimensions, coordinates and attributes, and an axis may be named.
func TestFiltersKeepNames(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	v := ndarray.NewVariable("z", elements(t, chunk.Shape{6, 8}, "float64"), []string{"lat", "lon"}, nil)
	r, err := expr.Eval(`ndimage.sobel(a, axis="lat", mode=["nearest", "wrap"])`, expr.Env{"a": v})
	if err != nil {
		t.Fatal(err)
	}
	out := r.Last.Value.(ndarray.Variable)
	if !slices.Equal(out.Dims(), v.Dims()) || out.Name() != "z" {
		t.Errorf("got %v, want the names of %v", out, v)
	}
	want := values(t, eng, ndimage.Sobel(v.Array(), 0, ndimage.Options{Boundary: []ndarray.Boundary{ndarray.Edge, ndarray.Periodic}}))
	if !slices.Equal(values(t, eng, out.Array()), want) {
		t.Error("the filter along \"lat\" differs from that along axis 0")
	}
	smooth := ndimage.Gaussian(v, ndimage.Sigma{"lon": 1.5})
	if !slices.Equal(values(t, eng, smooth.Array()), values(t, eng, ndimage.GaussianFilter(v.Array(), []float64{0, 1.5}, ndimage.GaussianOptions{}))) {
		t.Error("Gaussian along lon differs from GaussianFilter along axis 1")
	}
	if err := ndimage.Gaussian(v, ndimage.Sigma{"x": 1}).Err(); err == nil || !strings.Contains(err.Error(), `no dimension "x"`) {
		t.Errorf("a dimension that is not there: got %v, want an error that names it", err)
	}
}

func TestFilterErrors(t *testing.T) {
	a := elements(t, chunk.Shape{5, 6}, "float32")
	for src, want := range map[string]string{
		`ndimage.gaussian_filter(a, [1, 2, 3])`:                                        "got 3 numbers, want one, or one for each of 2 axes",
		`ndimage.gaussian_filter(a, -1)`:                                               "want a number of 0 or more",
		`ndimage.gaussian_filter(a, 1e9)`:                                              "want at most",
		`ndimage.gaussian_filter(a, 1, order=20)`:                                      "want 0 to 16",
		`ndimage.gaussian_filter(a > 0, 1)`:                                            "got bool, want real numbers",
		`ndimage.gaussian_filter(a, 1, mode="around")`:                                 `got "around", want reflect`,
		`ndimage.gaussian_filter(a, 1, mode=["wrap", "wrap", "wrap"])`:                 "got 3, want one, or one for each of 2 axes",
		`ndimage.correlate1d(a, [])`:                                                   "window of 0 positions",
		`ndimage.correlate1d(a, [1, 2], origin=1)`:                                     "want -1 to 0",
		`ndimage.correlate1d(a, [1, 2], axis=2)`:                                       "axis 2 is outside rank 2",
		`ndimage.correlate(a, [1, 2])`:                                                 "window of rank 1, want 2",
		`ndimage.correlate(a, a.sum(0))`:                                               "known without a run",
		`ndimage.median_filter(a)`:                                                     "want size or footprint",
		`ndimage.median_filter(a, size=[3, 3, 3])`:                                     "window of rank 3, want 2",
		`ndimage.median_filter(a, size=21)`:                                            "at most 343",
		`ndimage.median_filter(a, footprint=[[0, 0]])`:                                 "got no position",
		`ndimage.rank_filter(a, 9, size=3)`:                                            "rank 9 lies outside a window of 9 positions",
		`ndimage.percentile_filter(a, 101, size=3)`:                                    "want -100 to 100",
		`ndimage.binary_erosion(a > 0, iterations=0)`:                                  "want 1 or more",
		`ndimage.minimum_filter(a.astype("int32"), size=3, mode="constant", cval=0.5)`: "fill",
		`ndimage.minimum_filter(a.astype("complex64"), size=3)`:                        "want real numbers",
		`ndimage.generate_binary_structure(99, 1)`:                                     "want 1 to 8",
		`ndimage.sobel(a, axis="lat")`:                                                 `no dimension "lat"`,
	} {
		r, err := expr.Eval(src, expr.Env{"a": a})
		if err == nil {
			if x, ok := r.Last.Value.(ndarray.Array); ok {
				err = x.Err()
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", src, err, want)
		}
	}
}
