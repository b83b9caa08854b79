// SPDX-License-Identifier: BSD-3-Clause

package fft_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/ndarray/fft"
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

// elements are those of testdata/fft.py.
func elements(t *testing.T, shape chunk.Shape, name string) ndarray.Array {
	t.Helper()
	dt, err := dtype.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	x := make([]complex128, shape.Size())
	for i := range x {
		re := float64((i*37+11+i/7*5)%101)/4 - 10
		switch {
		case dt.IsComplex():
			x[i] = complex(re, float64((i*53+7)%89)/4-9)
		case dt != dtype.Bool || re > 8:
			x[i] = complex(re, 0)
		}
	}
	a := ndarray.FromSlice(x, shape...)
	if !dt.IsComplex() {
		a = ndarray.Apply("real", a)
	}
	return a.AsType(dt)
}

func evaluate(t *testing.T, src string, env expr.Env) (any, error) {
	t.Helper()
	r, err := expr.Eval(src, env)
	if err != nil {
		return nil, err
	}
	return r.Last.Value, nil
}

// values computes an array as complex numbers.
func values(t *testing.T, eng ndarray.Engine, a ndarray.Array) []complex128 {
	t.Helper()
	v, err := ndarray.Values[complex128](context.Background(), eng, a.AsType(dtype.Complex128))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTransformsEqualNumPy compares transforms of small arrays in several chunks with NumPy's in long double: within 12 eps of the dtype, relative to
// the root mean square of the result.
func TestTransformsEqualNumPy(t *testing.T) {
	b, err := os.ReadFile("testdata/fft.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Expr, DType, To string
		Shape, Result   chunk.Shape
		Chunks          []int64
		Real, Imag      []float64
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	eps := map[string]float64{"complex128": 0x1p-52, "float64": 0x1p-52, "complex64": 0x1p-23, "float32": 0x1p-23, "float16": 0x1p-10}
	engines := []*sched.Engine{newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2}), newEngine(t, sched.Options{Memory: 32 << 20, Workers: 1, CPU: "generic", NoFuse: true})}
	for _, c := range cases {
		whole := elements(t, c.Shape, c.DType)
		var first []complex128
		for i, a := range []ndarray.Array{whole.Rechunk(c.Chunks...), whole} {
			r, err := evaluate(t, c.Expr, expr.Env{"a": a})
			if err != nil {
				t.Fatalf("%s of %s%v: %v", c.Expr, c.DType, c.Shape, err)
			}
			out := r.(ndarray.Array)
			if out.DType().String() != c.To || !out.Shape().Equal(c.Result) {
				t.Fatalf("%s of %s%v: got %v, want %s%v", c.Expr, c.DType, c.Shape, out, c.To, c.Result)
			}
			got := values(t, engines[i], out)
			sum := 0.0
			for _, v := range append(slices.Clone(c.Real), c.Imag...) {
				sum += v * v
			}
			most := 12 * eps[c.To] * math.Sqrt(sum/float64(max(1, len(c.Real))))
			for k, w := range c.Real {
				im := 0.0
				if c.Imag != nil {
					im = c.Imag[k]
				}
				if d := math.Hypot(real(got[k])-w, imag(got[k])-im); !(d <= most) {
					t.Errorf("%s of %s%v: element %d is %v, want (%v, %v)", c.Expr, c.DType, c.Shape, k, got[k], w, im)
					break
				}
			}
			if first == nil {
				first = got
			}
			if !slices.Equal(got, first) {
				t.Errorf("%s of %s%v: other bits in other chunks", c.Expr, c.DType, c.Shape)
			}
		}
	}
}

// TestBudgets transforms an image along both axes and back, alone in memory and in so little that what lies between goes to disk: the same bits, and
// the image again.
func TestBudgets(t *testing.T) {
	shape := chunk.Shape{1200, 900}
	a := elements(t, shape, "float32").Rechunk(100, 128)
	back := fft.IRFFTN(fft.RFFTN(a, nil, nil, fft.Ortho), shape, []int{0, 1}, fft.Ortho)
	many := fft.FFTN(elements(t, chunk.Shape{40, 16, 20}, "complex64").Rechunk(7, 5, 20), nil, []int{1, 2}, fft.Forward)
	var want [][]complex128
	for _, o := range []sched.Options{{Memory: 256 << 20, Workers: 3}, {Memory: 14 << 20, Workers: 1}, {Memory: 24 << 20, Workers: 2, NoRewrite: true}} {
		o.TmpDir = t.TempDir()
		eng := newEngine(t, o)
		var got [][]complex128
		for _, x := range []ndarray.Array{back, many} {
			got = append(got, values(t, eng, x))
		}
		if want == nil {
			want = got
			for i, v := range values(t, eng, a) {
				if d := math.Abs(real(got[0][i]) - real(v)); d > 2e-5 {
					t.Fatalf("back: element %d is %v, want %v", i, got[0][i], v)
				}
			}
		}
		for k := range got {
			if !slices.Equal(got[k], want[k]) {
				t.Errorf("memory %d, %d workers: result %d has other bits", o.Memory, o.Workers, k)
			}
		}
	}
}

// TestLinesThatDoNotFit: an axis that is longer than the budget is refused before anything runs.
func TestLinesThatDoNotFit(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 16 << 20, Workers: 1})
	a := ndarray.Ones(chunk.Shape{8 << 20}, dtype.Float64, ndarray.Chunked(1<<16))
	if _, err := ndarray.Compute(context.Background(), eng, fft.FFT(a, 0, 0, fft.Backward)); !errors.Is(err, sched.ErrBudget) || !strings.Contains(err.Error(), "select a part of axis 0, of which a task needs all 8388608, or raise --memory") {
		t.Errorf("got %v, want sched.ErrBudget and what to do", err)
	}
}

// TestSelectedLines: the length of what a mask selects is known after a run.
func TestSelectedLines(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	a := ndarray.FromSlice([]float64{1, -1, 2, -5, 3, 4})
	r, err := evaluate(t, "fft.ifft(fft.fft(a[a > 0])).real", expr.Env{"a": a})
	if err != nil {
		t.Fatal(err)
	}
	got := values(t, eng, r.(ndarray.Array))
	for i, w := range []float64{1, 2, 3, 4} {
		if len(got) != 4 || math.Abs(real(got[i])-w) > 1e-14 {
			t.Fatalf("got %v, want 1 2 3 4", got)
		}
	}
}

// TestNames: a labelled result has the dimensions of its operand, and coordinates along those that were not transformed.
func TestNames(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	v := ndarray.NewVariable("tas", elements(t, chunk.Shape{6, 4}, "float64"), []string{"time", "lat"}, nil)
	v = v.WithCoord(ndarray.NewVariable("time", ndarray.Arange(0, 6, 1, dtype.Int64), []string{"time"}, nil))
	v = v.WithCoord(ndarray.NewVariable("lat", ndarray.Arange(0, 4, 1, dtype.Int64), []string{"lat"}, nil))
	for src, dims := range map[string][]string{
		"fft.rfft(v, axis='time')": {"lat"}, "fft.rfft(v, dim='time')": {"lat"}, "fft.fft(v, axis=0)": {"lat"}, "fft.fftn(v, axes=['time'])": {"lat"}, "fft.fft2(v)": nil, "fft.fftshift(v, dim='time')": {"lat"},
	} {
		r, err := evaluate(t, src, expr.Env{"v": v})
		if err != nil {
			t.Fatal(err)
		}
		out := r.(ndarray.Variable)
		if !slices.Equal(out.Dims(), v.Dims()) || !slices.Equal(out.Coords(), dims) {
			t.Errorf("%s: got dimensions %v and coordinates %v, want %v and %v", src, out.Dims(), out.Coords(), v.Dims(), dims)
		}
		values(t, eng, out.Array())
	}
}

// TestErrors: what cannot be transformed is said to be.
func TestErrors(t *testing.T) {
	env := expr.Env{"a": elements(t, chunk.Shape{3, 4}, "float64"), "c": elements(t, chunk.Shape{3, 4}, "complex64"), "e": ndarray.Zeros(chunk.Shape{0, 3}, dtype.Float64)}
	for src, want := range map[string]string{
		"fft.fft(a, n=0)":                 "n: got 0, want 1 or more",
		"fft.fft(a, axis=2)":              "axis 2 is outside rank 2",
		"fft.fft(a, norm='none')":         "want 'backward', 'ortho' or 'forward'",
		"fft.rfft(c)":                     "want real numbers",
		"fft.ihfft(c)":                    "want real numbers",
		"fft.fft(e, axis=0)":              "nothing to transform",
		"fft.irfft(ones(1))":              "nothing to transform",
		"fft.fft2(ones(3))":               "axis -2 is outside rank 1",
		"fft.fftn(a, s=(3,), axes=(0,1))": "got 1 lengths for 2 axes",
		"fft.fft(1.5)":                    "outside rank 0",
		"fft.rfftn(a, axes=[])":           "want one at least",
		"fft.fft(a, axis='x')":            "no dimension",
		"fft.fftfreq(0)":                  "want 1 or more",
		"fft.fftshift(a, axes=3)":         "outside rank 2",
	} {
		r, err := evaluate(t, src, env)
		if a, ok := r.(ndarray.Array); err == nil && ok {
			err = a.Err()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q in it", src, err, want)
		}
	}
}
