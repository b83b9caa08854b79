// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestComplexVariance compares with numpy 2.4.6: z = np.array([[1+2j, 3-1j, .5+.25j], [nan+1j, 2+2j, -4j]], 'c8'); np.nanstd(z, axis=1, ddof=1) ...
func TestComplexVariance(t *testing.T) {
	eng := newEngine(t)
	z := ndarray.FromSlice([]complex64{1 + 2i, 3 - 1i, 0.5 + 0.25i, complex(float32(nan), 1), 2 + 2i, -4i}, 2, 3).Rechunk(1, 2)
	for _, c := range []struct {
		op   string
		opt  ndarray.ReduceOptions
		want []float64
	}{
		{"var", ndarray.ReduceOptions{Axes: []int{0}}, []float64{nan, 2.5, 4.578125}},
		{"std", ndarray.ReduceOptions{Axes: []int{0}}, []float64{nan, 1.5811388, 2.1396554}},
		{"var", ndarray.ReduceOptions{Axes: []int{1}, DDof: 1}, []float64{4.0208335, nan}},
		{"nanvar", ndarray.ReduceOptions{Axes: []int{0}}, []float64{0, 2.5, 4.578125}},
		{"nanvar", ndarray.ReduceOptions{Axes: []int{1}, DDof: 1}, []float64{4.0208335, 20}},
		{"nanstd", ndarray.ReduceOptions{Axes: []int{1}, DDof: 1}, []float64{2.0052016, 4.472136}},
	} {
		out := z.Reduce(c.op, c.opt)
		if out.DType() != dtype.Float32 {
			t.Errorf("%s: dtype %v, want float32", c.op, out.DType())
		}
		got := floats(t, eng, out)
		for i, w := range c.want {
			if !(math.Abs(got[i]-w) <= 1e-6) && !(got[i] != got[i] && w != w) {
				t.Errorf("%s %+v: element %d is %v, want %v", c.op, c.opt, i, got[i], w)
			}
		}
	}
}
