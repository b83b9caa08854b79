// SPDX-License-Identifier: BSD-3-Clause

package expr_test

import (
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

// FuzzEval builds graphs of any text; it must end in a result or an *Error.
func FuzzEval(f *testing.F) {
	for _, s := range []string{
		"a.mean(axis=0, keepdims=True)[..., None] ** -1", "v.sel(t='2000-01', x=slice(1, 2)).groupby('t.month').mean()",
		"ds.v - ds.v.groupby('t.season').quantile([0.1, 0.9], dim='x')", "concat([a, a], axis=-1).T @ a", "clip(i, None, 2**70) // 0 + (5 << 3)",
		"v.weighted(v.x).std('x'); where(a > 1, a, nan)", "roll(a, (1, 2), axis=(0, 1)).reshape(-1)", "[1, [2, 3]][1][0] % -3.5", "v.groupby_bins('x', 3).sum().rename(x_bins='z')",
		"v.assign_coords(z=('x', ['a', 'b', 'a'])).groupby('z').first()", "round(a, 3), arange(5)[::-1].shape", "v.t.dt.season == 'DJF'", "a[i > 1]",
	} {
		f.Add(s)
	}
	t0 := ndarray.NewVariable("t", ndarray.FromSlice([]int32{0, 40}), []string{"t"}, nil)
	t0 = t0.WithAttrs(t0.Attrs().With("units", "days since 2000-01-01"))
	v := ndarray.NewVariable("v", ndarray.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3), []string{"t", "x"}, nil).
		WithCoord(t0).WithCoord(ndarray.NewVariable("x", ndarray.FromSlice([]float64{1, 2, 3}), []string{"x"}, nil))
	env := expr.Env{
		"a": ndarray.FromSlice([]float64{1, 2, 3, 4, 5, 6}, 2, 3), "i": ndarray.FromSlice([]int16{1, -2, 3}),
		"v": v, "ds": ndarray.NewDataset(nil, v),
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Count(s, "0") > 5 || len(s) > 300 {
			return // sizes of arrays that only take time
		}
		_, err := expr.Eval(s, env)
		if _, ok := err.(*expr.Error); err != nil && !ok {
			t.Fatalf("%q: error is a %T: %v", s, err, err)
		}
	})
}
