// SPDX-License-Identifier: BSD-3-Clause

package linalg_test

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
	"github.com/arrayrun/arrayrun/ndarray/linalg"
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

// elements are those of testdata/linalg.py.
func elements(t *testing.T, shape chunk.Shape, plus float64, definite bool, name string) []complex128 {
	t.Helper()
	x := make([]complex128, shape.Size())
	for i := range x {
		re, im := float64((i*37+11+i/7*5)%101)/25-2, 0.0
		switch {
		case strings.HasPrefix(name, "complex"):
			im = float64((i*53+7)%89)/25 - 1.5
		case strings.HasPrefix(name, "int"):
			re = math.Floor(re)
		}
		x[i] = complex(re, im)
	}
	if len(shape) < 2 {
		return x
	}
	n := int(shape[len(shape)-1])
	size := n * int(shape[len(shape)-2])
	for at := 0; at < len(x); at += size {
		m := x[at : at+size]
		if definite {
			was := slices.Clone(m)
			for i := range n {
				for j := range n {
					m[i*n+j] = 0
					for k := range n {
						v := was[j*n+k]
						m[i*n+j] += was[i*n+k] * complex(real(v), -imag(v))
					}
				}
			}
		}
		for i := 0; plus != 0 && i < n; i++ {
			m[i*n+i] += complex(plus, 0)
		}
	}
	return x
}

// arrayOf returns elements as an array of a dtype.
func arrayOf(t *testing.T, x []complex128, shape chunk.Shape, name string) ndarray.Array {
	t.Helper()
	dt, err := dtype.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	a := ndarray.FromSlice(x, shape...)
	if !dt.IsComplex() {
		a = ndarray.Apply("real", a)
	}
	if dt.IsInteger() {
		a = a.Rint()
	}
	return a.AsType(dt)
}

func evaluate(src string, env expr.Env) (ndarray.Array, error) {
	r, err := expr.Eval(src, env)
	if err != nil {
		return ndarray.Array{}, err
	}
	a := r.Last.Value.(ndarray.Array)
	return a, a.Err()
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

// TestEqualsNumPy compares results for small matrices in several chunks with NumPy's.
func TestEqualsNumPy(t *testing.T) {
	b, err := os.ReadFile("testdata/linalg.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Expr, DType, To string
		Shape, Result   chunk.Shape
		Plus, Scale     float64
		Definite        bool
		Real, Imag      []float64
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	engines := []*sched.Engine{newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2}), newEngine(t, sched.Options{Memory: 32 << 20, Workers: 1, CPU: "generic", NoFuse: true})}
	for _, c := range cases {
		whole := arrayOf(t, elements(t, c.Shape, c.Plus, c.Definite, c.DType), c.Shape, c.DType)
		most := c.Scale * 1e-10
		if c.DType == "float32" || c.DType == "complex64" {
			most = c.Scale * 5e-5
		}
		if strings.Contains(c.Expr, "power(a, -2)") || strings.Contains(c.Expr, "cond") {
			most *= 10
		}
		for i, a := range []ndarray.Array{whole.Rechunk(slices.Repeat([]int64{2 + int64(len(c.Expr)%5)}, len(c.Shape))...), whole} {
			out, err := evaluate(c.Expr, expr.Env{"a": a})
			if err != nil {
				t.Fatalf("%s of %s%v: %v", c.Expr, c.DType, c.Shape, err)
			}
			if out.DType().String() != c.To || !out.Shape().Equal(c.Result) {
				t.Fatalf("%s of %s%v: got %v, want %s%v", c.Expr, c.DType, c.Shape, out, c.To, c.Result)
			}
			got := values(t, engines[i], out)
			for k, w := range c.Real {
				im := 0.0
				if c.Imag != nil {
					im = c.Imag[k]
				}
				if d := math.Hypot(real(got[k])-w, imag(got[k])-im); !(d <= most) && real(got[k]) != w {
					t.Errorf("%s of %s%v: element %d is %v, want (%v, %v)", c.Expr, c.DType, c.Shape, k, got[k], w, im)
					break
				}
			}
		}
	}
}

// TestErrors: what cannot be computed is said to be, while the graph is built or, with the position of the matrix, when it runs.
func TestErrors(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	unit := arrayOf(t, elements(t, chunk.Shape{2, 3, 4, 4}, 9, false, "float64"), chunk.Shape{2, 3, 4, 4}, "float64")
	mark := func(v float64) ndarray.Array { // matrix (1, 2) holds v everywhere
		i := ndarray.IndexOf(chunk.Shape{2, 3, 4, 4}, 0).Mul(3).Add(ndarray.IndexOf(chunk.Shape{2, 3, 4, 4}, 1))
		return ndarray.Where(i.Equal(5), v, unit).Rechunk(1, 2, 3, 4)
	}
	env := expr.Env{"a": unit, "zero": mark(0), "nan": mark(math.NaN()), "v": ndarray.Ones(chunk.Shape{3}, dtype.Float64), "h": ndarray.Ones(chunk.Shape{2, 2}, dtype.Float16),
		"c": ndarray.Ones(chunk.Shape{2, 2}, dtype.Complex64), "flat": ndarray.Ones(chunk.Shape{2, 3}, dtype.Float64)}
	for src, want := range map[string]string{
		"linalg.inv(zero)":                    "matrix (1, 2) is singular",
		"linalg.solve(zero, zero)":            "matrix (1, 2) is singular",
		"linalg.matrix_power(zero, -1)":       "matrix (1, 2) is singular",
		"linalg.inv(zeros((2, 2)))":           "the matrix is singular",
		"linalg.inv(c)":                       "the matrix is singular",
		"linalg.cholesky(zero @ zero.mT)":     "matrix (1, 2) is not positive definite",
		"linalg.cholesky(-c)":                 "the matrix is not positive definite",
		"linalg.svd(nan).U":                   "matrix (1, 2) holds NaN or infinities",
		"linalg.svdvals(nan)":                 "matrix (1, 2) holds NaN or infinities",
		"linalg.pinv(nan)":                    "matrix (1, 2) holds NaN or infinities",
		"linalg.eigh(nan)[0]":                 "matrix (1, 2) holds NaN or infinities",
		"linalg.eigvals(nan)":                 "matrix (1, 2) holds NaN or infinities",
		"linalg.cholesky(nan)":                "is not positive definite",
		"linalg.inv(flat)":                    "want square matrices",
		"linalg.det(flat)":                    "want square matrices",
		"linalg.matrix_power(flat, 2)":        "want square matrices",
		"linalg.inv(v)":                       "want two axes",
		"linalg.inv(h)":                       "got float16",
		"linalg.eig(c)":                       "want real numbers",
		"linalg.eigh(c)":                      "eigvalsh takes them",
		"linalg.svd(c)":                       "svdvals takes them",
		"linalg.qr(c)":                        "want real numbers",
		"linalg.lstsq(c, c)":                  "want real numbers",
		"linalg.lstsq(a, a)":                  "want two axes",
		"linalg.lstsq(flat, v)":               "got 3 rows on the right side, want 2",
		"linalg.solve(ones((2, 2)), v)":       "got 3 rows on the right side, want 2",
		"linalg.solve(a, ones((5, 1, 4, 1)))": "axes before the last two",
		"linalg.qr(flat, mode='raw')":         "want 'reduced'",
		"linalg.eigh(flat, UPLO='X')":         "want 'L' or 'U'",
		"linalg.matrix_norm(flat, ord=3)":     "want 'fro'",
		"linalg.pinv(flat, rtol=-1)":          "want 0 or more",
		"linalg.inv(v[v > 0].reshape(1, 3))":  "known",
		"linalg.multi_dot([flat])":            "want two at least",
	} {
		a, err := evaluate(src, env)
		if err == nil {
			_, err = ndarray.Compute(context.Background(), eng, a)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q in it", src, err, want)
		}
	}
}

// TestNaN goes through what does not iterate, and other matrices have their results.
func TestNaN(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	a := ndarray.FromSlice([]float64{1, math.NaN(), 2, 3, 2, 0, 0, 4}, 2, 2, 2)
	for src, at := range map[string]int{"linalg.det(a)": 0, "linalg.slogdet(a)[1]": 0, "linalg.inv(a)": 0, "linalg.solve(a, a)": 0, "linalg.qr(a).R": 1, "linalg.cond(a, 1)": 0} {
		x, err := evaluate(src, expr.Env{"a": a})
		if err != nil {
			t.Fatal(err)
		}
		got := values(t, eng, x)
		if last := real(got[len(got)-1]); !math.IsNaN(real(got[at])) || math.IsNaN(last) {
			t.Errorf("%s: got %v, want NaN at %d and none at the end", src, got, at)
		}
	}
}

// TestSingularCondition: a matrix without an inverse has an infinite condition, of whatever norm.
func TestSingularCondition(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	a := ndarray.Zeros(chunk.Shape{2, 2}, dtype.Float64)
	for _, src := range []string{"linalg.cond(a)", "linalg.cond(a, 1)", "linalg.cond(a, 'fro')", "linalg.cond(a, -2)"} {
		x, err := evaluate(src, expr.Env{"a": a})
		if err != nil {
			t.Fatal(err)
		}
		if got := values(t, eng, x); !math.IsInf(real(got[0]), 1) {
			t.Errorf("%s: got %v, want +Inf", src, got[0])
		}
	}
}

// TestBudgets: the same bits in much memory and in so little that a tall matrix is decomposed block by block, the triangles in several levels, or by parts
// of its chunks.
func TestBudgets(t *testing.T) {
	shape := chunk.Shape{17000, 32} // 133 blocks, the triangles of which are two
	matrix := arrayOf(t, elements(t, shape, 0, false, "float64"), shape, "float64").Add(ndarray.IndexOf(shape, 0).Mul(1e-3))
	tall, parts := matrix.Rechunk(128, 20), matrix.Rechunk(8500, 32) // parts of 850 rows
	many := chunk.Shape{20, 20, 12}
	u, s, vh := linalg.SVD(tall, false)
	_, s2, _ := linalg.SVD(arrayOf(t, elements(t, many, 0, false, "float32"), many, "float32").Rechunk(7, 5, 12), true)
	u3, s3, vh3 := linalg.SVD(parts, false)
	back := ndarray.Apply("maximum", ndarray.MatMul(u.Mul(s), vh).Sub(tall).Abs().Max(), ndarray.MatMul(u3.Mul(s3), vh3).Sub(parts).Abs().Max())
	list := []ndarray.Array{u, s, vh, s2, linalg.QRFactor(tall), u3, s3, vh3}
	var want [][]complex128
	for _, o := range []sched.Options{{Memory: 512 << 20, Workers: 3}, {Memory: 20 << 20, Workers: 1}, {Memory: 24 << 20, Workers: 2, NoRewrite: true}} {
		o.TmpDir = t.TempDir()
		eng := newEngine(t, o)
		if d := values(t, eng, back); real(d[0]) > 1e-9 {
			t.Errorf("memory %d: U S Vh is %v from the matrix", o.Memory, d[0])
		}
		for k, x := range list {
			got := values(t, eng, x)
			if len(want) <= k {
				want = append(want, got)
			}
			if !slices.Equal(got, want[k]) {
				t.Errorf("memory %d, %d workers: result %d has other bits", o.Memory, o.Workers, k)
			}
		}
	}
}
