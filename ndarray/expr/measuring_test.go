// SPDX-License-Identifier: BSD-3-Clause

package expr_test

import (
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
)

// TestMeasuring: measurements, thresholds and tables by their names in SciPy and scikit-image; values are SciPy's 1.17 and scikit-image's 0.26.
func TestMeasuring(t *testing.T) {
	eng := engine(t)
	labels := ndarray.FromSlice([]int32{0, 1, 1, 2, 0, 2}, 2, 3)
	image := ndarray.FromSlice([]float32{1, 2, 3, 4, 5, 8}, 2, 3)
	env := expr.Env{
		"l": labels, "a": image,
		"m": ndarray.NewVariable("m", labels, []string{"y", "x"}, nil),
		"v": ndarray.NewVariable("v", image.Transpose(), []string{"x", "y"}, nil),
	}
	for _, c := range []struct{ in, want string }{
		{"ndimage.sum_labels(a, l, [1, 2, 7])", "float64[3] 5 12 0"},
		{"ndimage.sum_labels(a, l)", "float32[] 17"},
		{"ndimage.sum(a)", "float32[] 23"},
		{"ndimage.mean(a, labels=l, index=arange(1, 3))", "float64[2] 2.5 6"},
		{"ndimage.maximum(a, l, 2)", "float32[] 8"},
		{"ndimage.minimum_position(a, l, [2, 1])", "int64[2 2] 1 0 0 1"},
		{"ndimage.extrema(a, l, [1]).max_positions", "int64[1 2] 0 2"},
		{"ndimage.center_of_mass(a, l, 1)", "float64[2] 0 1.6"},
		{"ndimage.histogram(a, 0, 10, 2, l, [1, 2])", "int64[2 2] 2 0 1 1"},
		{"ndimage.find_objects(l, 1)", "int64[1 2 2] 0 1 1 3"},
		// Dimensions are matched by name.
		{"ndimage.mean(v, m, [1, 2])", "float64[2] 2.5 6"},
		{"measure.regionprops_table(m, v, properties=['intensity_mean']).intensity_mean", "float64[-1] 2.5 6"},
		{"t = measure.regionprops_table(l, a, properties=['area', 'centroid']); t['centroid-1']", "float64[-1] 1.5 1"},
		{"measure.regionprops_table(l, stack([a, 2 * a], axis=2), properties=['intensity_max'])['intensity_max-1']", "float64[-1] 6 16"},
		{"filters.threshold_mean(a)", "float32[] 3.8333333"},
		{"filters.threshold_local(a, 1)", "float32[2 3] 1 2 3 4 5 8"},
		{"exposure.rescale_intensity(a, in_range=(0, 4), out_range=(0, 1))", "float32[2 3] 0.25 0.5 0.75 1 1 1"},
		{"filters.threshold_otsu(l)", "int64[] 0"},
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
	for in, want := range map[string]string{
		"measure.regionprops_table(l, a, properties=['area']).volume": `no column "volume"`,
		"measure.regionprops_table(l, a, properties='eccentricity')":  `no property "eccentricity"`,
		"measure.regionprops_table(l, a)[0]":                          "indexed by names",
		"measure.regionprops_table(l, a).mean()":                      "a table of label",
		"ndimage.mean(a, index=[1])":                                  "no array of labels",
		"ndimage.mean(a, l, l[l > 0])":                                "known without a run",
		"filters.threshold_otsu(a, nbins=1)":                          "nbins: got 1",
		"exposure.rescale_intensity(a, in_range=3)":                   "want a name or two numbers",
	} {
		if _, err := expr.Eval(in, env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want an error with %q", in, err, want)
		}
	}
}
