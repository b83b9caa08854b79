// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// TestShapesRefuse: calls that mean nothing say what is wrong, while the expression is built.
func TestShapesRefuse(t *testing.T) {
	env := expr.Env{
		"m": ndarray.FromSlice([]float64{1, 2, 3, 4, 5, 6}, 2, 3), "v": ndarray.FromSlice([]float64{1, 2, 3, 4}), "z": ndarray.FromSlice([]complex128{1i, 2}),
		"u": ndarray.FromSlice([]uint8{1, 2}), "k": ndarray.Scalar(3.0), "o": ndarray.FromSlice([]float64{}, 0, 3), "text": ndarray.TextVariable("text", []string{"a", "b"}, "x").Array(),
	}
	for _, c := range []struct{ src, want string }{
		{"pad(m, -1)", "want 0 or more"}, {"pad(m, ((1, 2), (3, 4), (5, 6)))", "pairs of 3 axes for an array of rank 2"}, {"pad(m, (1, 2, 3))", "want (before, after)"}, {"pad(m, 1, 'mirror')", "mode: got \"mirror\""},
		{"pad(o, 1, 'edge')", "axis 0 has no elements to repeat"}, {"pad(m, 1, 'edge', constant_values=3)", "constant_values: got mode"}, {"pad(u, 1, constant_values=300)", "does not fit uint8"},
		{"pad(m, 9000000000000000000)", "63 bits"}, {"pad(m, 1.5)", "want an integer"}, {"pad(m, 1, constant_values='a')", "want numbers"},
		{"tril(k)", "want two axes or more"}, {"diag(o.reshape(1, 0, 3))", "want one or two axes"}, {"diagonal(m, axis1=0, axis2=0)", "want two"}, {"diagonal(m, axis1=2)", "outside rank 2"}, {"trace(v)", "outside rank 1"},
		{"diag(v, 5000000000000000000)", "diag"}, {"tri(-1)", "tri"}, {"tril(m, 1.5)", "want an integer"},
		{"tensordot(m, m.T)", "want one length"}, {"tensordot(m, m, 3)", "want a number of axes that both have"}, {"tensordot(m, m, ([0, 0], [0, 0]))", "an axis is given twice"}, {"tensordot(m, m, ([0], [0, 1]))", "want as many of both"},
		{"tensordot(m, v, (0, 4))", "outside rank 1"}, {"matmul(m, m)", "the last axis of the first is 3, want 2"}, {"k @ m", "at least one axis"}, {"inner(m, v)", "want one length"}, {"vecdot(m, v)", "want one length"}, {"vecdot(k, v)", "outside rank 0"},
		{"cross(m, v)", "has length 4, want 3"}, {"cross(v, v)", "has length 4, want 3"}, {"einsum('ij,jk', m)", "subscripts of 2 operands and 1 operands"}, {"einsum('ij', v)", "want as many as axes"}, {"einsum('ij->k', m)", "none of the operands'"},
		{"einsum('ij->ii', m)", "twice"}, {"einsum('i1', m)", "want letters"}, {"einsum('ij,jk->ik', m, m)", "lengths 3 and 2"}, {"einsum('ii', m)", "lengths 2 and 3"}, {"einsum('i...->i', m)", "want it in both"}, {"einsum(m, m)", "want a text"}, {"einsum('ij')", "no arrays"},
		{"linalg.norm(m, 'x')", "want 'fro'"}, {"linalg.norm(o.reshape(1, 0, 3), 1)", "got 3 axes"}, {"linalg.matrix_norm(v)", "outside rank 1"},
		{"linalg.norm(m, axis=(0, 0))", "want two"}, {"linalg.norm(o, inf, axis=0)", "max"},
		{"rot90(v)", "outside rank 1"}, {"rot90(m, 1, (0, 0))", "want two"}, {"split(v, 3)", "not cut evenly"}, {"split(v, 0)", "want 1 to"}, {"split(v, 2, axis=1)", "outside rank 1"}, {"vsplit(v, 2)", "want at least 2"}, {"array_split(v, -1)", "want 1 to"},
		{"unstack(k)", "outside rank 0"}, {"unstack(zeros(100000))", "want at most 65536"}, {"vstack([])", "got no arrays"}, {"vstack(([1, 2], [1, 2, 3]))", "shape"}, {"block([[m], m])", "want one depth"}, {"block([])", "empty list"},
		{"delete(m, 2, axis=0)", "outside axis 0 of length 2"}, {"delete(m, [True], axis=0)", "a mask of length 1"}, {"insert(v, 5, 1)", "want -4 to 4"}, {"insert(m, 0, [1, 2], axis=0)", "does not broadcast"}, {"insert(v, [0, 1], [1, 2, 3])", "does not broadcast"},
		{"insert(m, 0, 1, axis=2)", "outside rank 2"}, {"append(m, v, axis=0)", "shape"}, {"select([m > 1], [m, m])", "1 conditions and 2 choices"}, {"select([m], [m])", "want bool"}, {"select([u > 1], [u], default=300)", "does not fit uint8"}, {"choose(m, [1, 2])", "got float64"},
		{"choose(u, [])", "0 choices"}, {"choose(u, [1], mode='x')", "want 'raise'"}, {"frexp(z)", "want real numbers"}, {"modf(z)", "want real numbers"}, {"ldexp(m, 1.5)", "want integers"}, {"gradient(v, edge_order=3)", "want 1 or 2"}, {"gradient(v[:1])", "want at least 2"},
		{"gradient(v[:2], edge_order=2)", "want at least 3"}, {"gradient(m, 1, 2, 3)", "3 spacings for 2 axes"}, {"gradient(v, [1, 2, 3])", "want a number or 4 places"}, {"gradient(m, [1, 2, 3])", "want those of each"}, {"trapezoid(m, v)", "places along axis"}, {"trapezoid(k)", "outside rank 0"},
		{"interp(v, [1, 2], [1])", "want as many"}, {"interp(v, [], [])", "at least 1"}, {"interp(z, [1], [1])", "want real numbers"}, {"interp(v, [1], [1], period=0)", "not 0"}, {"interp(v, m, [1])", "known before running"}, {"polyval(m, v)", "want one axis"}, {"ediff1d(u, to_end=1.5)", "does not fit uint8"},
		{"cov(o.reshape(1, 0, 3))", "at most two axes"}, {"cov(v, m)", "shape"}, {"convolve(m, v)", "want a vector with elements"}, {"convolve(v, [])", "want a vector with elements"}, {"correlate(v, v, 'half')", "want full, same or valid"}, {"convolve(text, v)", "want numbers"},
		{"finfo('int32')", "iinfo is that of integers"}, {"iinfo('float32')", "finfo is that of floats"}, {"finfo('float32').foo", "no attribute \"foo\""}, {"finfo('float32') + 1", "finfo"},
		{"isdtype(float32, 'real')", "want a dtype"}, {"can_cast(3, 'int8')", "got the number 3"}, {"can_cast('int8', 'int16', casting='x')", "want 'no'"}, {"result_type()", "at least one"}, {"kron(text, m)", "no common dtype"}, {"pad(text, 1)", "full"}, {"tril(text)", "does not fit str"},
	} {
		_, err := expr.Eval(c.src, env)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.src, err, c.want)
		}
	}
	eng := newEngine(t)
	r, err := expr.Eval("choose(u, [m[0, 0], 2])", env)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ndarray.Compute(context.Background(), eng, r.Last.Value.(ndarray.Array)); err == nil || !strings.Contains(err.Error(), "position 2 is outside 2 choices") {
		t.Errorf("choose of a position outside: error %v", err)
	}
}

// TestShapesOutOfCore computes results of arrays more than twice the budget, and larger ones, whose pieces lie far apart: the peak stays inside it.
func TestShapesOutOfCore(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	const budget = 14 << 20
	small, err := sched.New(sched.Options{Memory: budget, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer small.Close()
	large, err := sched.New(sched.Options{Memory: 1 << 30, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer large.Close()
	rows := ndarray.IndexOf([]int64{2100, 2100}, 0, ndarray.Chunked(250, 300)).AsType(dtype.Float64)
	cols := ndarray.IndexOf([]int64{2100, 2100}, 1, ndarray.Chunked(250, 300)).AsType(dtype.Float64)
	env := expr.Env{"a": rows.Mul(0.37).Sin().Add(cols.Mul(0.11).Cos())} // 35 MB
	for _, src := range []string{
		"pad(a, 100, 'reflect')", "pad(a, ((5000, 0), (1, 4000)), 'wrap')", "pad(a, (3, 70), 'symmetric')", "pad(a, 200, constant_values=7)", "pad(a, (10, 2000), 'edge')",
		"gradient(a, axis=0)", "gradient(a, arange(2100) ** 2, axis=1, edge_order=2)", "trapezoid(a, axis=0)", "interp(a, [-2, 0, 1, 2], [0, 1, 4, 9])", "tril(a)", "triu(a, 7) - a", "rot90(a, 3)", "kron(a, [[1, 2], [3, 4]])",
		"delete(a, [5, 2000], axis=1)", "insert(a, [0, 1500], 9, axis=0)", "hstack((a, a[:, ::-1]))", "block([[a, a + 1], [a * 2, a]])", "frexp(a)[0]", "modf(a * 9)[0]", "ldexp(a, 3)", "select([a > 1, a < 0], [a, -a])",
		"diagonal(a, 17)", "trace(a)", "diag(a[0])", "linalg.norm(a)", "linalg.norm(a, 1)", "vecdot(a, a)", "einsum('ij,ij->i', a, a)", "einsum('ii->', a)", "outer(a[0], a[1])", "cov(a[:40])", "a[:40] @ a[:, :30]", "choose(a > 0, [a, 1])", "convolve(a.ravel(), [1, 2, 4, 2, 1], 'same')", "correlate(a.ravel(), a[:50, 3])[::7]", "polyval([1, 2, 3], a)",
	} {
		r, err := expr.Eval(src, env)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		out := r.Last.Value.(ndarray.Array)
		if out.Rank() == 0 {
			out = out.ExpandDims(0)
		}
		sums := make([]float64, 2)
		for i, eng := range []*sched.Engine{small, large} {
			v, err := ndarray.Values[float64](context.Background(), eng, out.Mul(ndarray.IndexOf(out.Shape(), out.Rank()-1).Mod(97).Add(1)).Sum())
			if err != nil {
				t.Errorf("%s: %v", src, err)
				break
			}
			sums[i] = v[0]
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: sum %v in %d bytes, %v in 1 GiB", src, sums[0], budget, sums[1])
		}
	}
}
