// SPDX-License-Identifier: BSD-3-Clause

package expr_test

import (
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

// TestValues holds results at the edges: what NumPy 2.4 gives, or expressions.md where it decides otherwise.
func TestValues(t *testing.T) {
	eng := engine(t)
	inf, nan := math.Inf(1), math.NaN()
	env := expr.Env{
		"v": ndarray.FromSlice([]float64{2, inf, 1, inf, nan}),
		"h": ndarray.FromSlice([]int64{-4611686018427387904, 4611686018427380736}),
	}
	for _, c := range []struct{ in, want string }{
		// The median takes no differences, the quantile does.
		{"median(v[:3])", "float64[] 2"},
		{"nanmedian(v)", "float64[] +Inf"},
		{"median(v)", "float64[] NaN"},
		{"median(v[1::2])", "float64[] +Inf"},
		{"v[:3].quantile(0.5)", "float64[] NaN"},
		{"median(h)", "float64[] -3584"},
		// Modules of modules.
		{"np.linalg.norm([3, 4])", "float64[] 5"},
		{"numpy.linalg.matrix_norm([[3, 0], [0, 4]])", "float64[] 5"},
		{"v[:3].median(axis=0, keepdims=True)", "float64[1] 2"},
	} {
		r, err := expr.Eval(c.in, env)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if got := compute(t, eng, arrayOf(t, r.Last.Value)); got != c.want {
			t.Errorf("%s = %s, want %s", c.in, got, c.want)
		}
	}
}
