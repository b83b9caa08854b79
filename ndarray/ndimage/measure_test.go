// SPDX-License-Identifier: BSD-3-Clause

package ndimage_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
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

// numbers are those of testdata/measure.json, null being NaN.
type numbers []*float64

// floats returns them.
func (n numbers) floats() []float64 {
	out := make([]float64, len(n))
	for i, x := range n {
		out[i] = math.NaN()
		if x != nil {
			out[i] = *x
		}
	}
	return out
}

// array returns them in a shape, of a dtype by name.
func (n numbers) array(t *testing.T, name string, shape chunk.Shape) ndarray.Array {
	t.Helper()
	dt, err := dtype.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	if shape == nil {
		shape = chunk.Shape{int64(len(n))}
	}
	return ndarray.FromSlice(n.floats(), shape...).AsType(dt)
}

// measurements are the cases of testdata/measure.json.
type measurements struct {
	Props []struct {
		Shape            chunk.Shape
		DType, LabelType string
		Image, Labels    numbers
		Spacing          []float64
		Columns          []string
		Values           []numbers
	}
	By []struct {
		Function         string
		Shape            chunk.Shape
		DType, LabelType string
		Image, Labels    numbers
		Index            []int64
		Single           bool
		Want             numbers
		WantShape        chunk.Shape
		WantType         string
	}
	Thresholds []struct {
		Function, DType string
		Image           numbers
		Want            float64
	}
	Ranges []struct {
		DType    string
		Image    numbers
		In, Out  any
		Want     numbers
		WantType string
	}
}

func readMeasurements(t *testing.T) (m measurements) {
	t.Helper()
	b, err := os.ReadFile("testdata/measure.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// near reports whether two lists are equal to a relative difference, or to an absolute one of tol times scale.
func near(a, b []float64, tol, scale float64) bool {
	return slices.EqualFunc(a, b, func(x, y float64) bool {
		return x == y || x != x && y != y || math.Abs(x-y) <= tol*max(math.Abs(y), scale)
	})
}

// tolerance is how close a result is to that of a peer, who rounds at every step in the image's type.
func tolerance(dt string) float64 {
	if dt == "float32" {
		return 2e-6
	}
	return 1e-13
}

// most returns the largest magnitude.
func most(list []float64) (m float64) {
	for _, x := range list {
		if x == x {
			m = max(m, math.Abs(x))
		}
	}
	return m
}

// TestTableEqualsScikitImage measures parts in several chunks and compares columns and values with what scikit-image gave.
func TestTableEqualsScikitImage(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	for n, c := range readMeasurements(t).Props {
		for _, step := range []int64{-1, 3, 1} {
			steps := slices.Repeat([]int64{step}, len(c.Shape))
			labels, im := c.Labels.array(t, c.LabelType, c.Shape).Rechunk(steps...), c.Image.array(t, c.DType, c.Shape).Rechunk(steps...)
			var names []string
			for _, name := range c.Columns {
				name, _, _ = strings.Cut(name, "-")
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			table := ndimage.RegionProps(labels, []ndarray.Array{im}, names, ndimage.PropsOptions{Spacing: c.Spacing})
			if got := table.Columns(); !slices.Equal(got, c.Columns) {
				t.Fatalf("%d: columns %v (%v), want %v", n, got, table.Err(), c.Columns)
			}
			for i, name := range c.Columns {
				scale := 0.0
				if strings.HasPrefix(name, "intensity_std") {
					scale = most(c.Image.floats())
				}
				if got := values(t, eng, table.Column(name)); !near(got, c.Values[i].floats(), tolerance(c.DType), scale) {
					t.Errorf("%d %s of %v in chunks of %d: %v, want %v", n, name, c.DType, step, got, c.Values[i].floats())
				}
			}
		}
	}
}

// TestByLabelsEqualsSciPy compares measurements by labels with what SciPy gave: values, shapes and dtypes.
func TestByLabelsEqualsSciPy(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	for n, c := range readMeasurements(t).By {
		src := "ndimage." + c.Function + "(a"
		if c.Function == "histogram" {
			src += ", -20, 90, 5"
		}
		env := expr.Env{"a": c.Image.array(t, c.DType, c.Shape).Rechunk(slices.Repeat([]int64{2}, len(c.Shape))...)}
		if c.Labels != nil {
			src += ", labels=l"
			env["l"] = c.Labels.array(t, c.LabelType, c.Shape)
		}
		switch {
		case c.Single:
			src += fmt.Sprintf(", index=%d", c.Index[0])
		case c.Index != nil:
			src += ", index=" + strings.ReplaceAll(fmt.Sprint(c.Index), " ", ", ")
		}
		r, err := expr.Eval(src+")", env)
		if err != nil {
			t.Fatalf("%d %s: %v", n, src, err)
		}
		got := r.Last.Value.(ndarray.Array)
		if got.DType().String() != c.WantType || !got.Shape().Equal(c.WantShape) {
			t.Errorf("%d %s of %s is %v, want %s %v", n, src, c.DType, got, c.WantType, c.WantShape)
		}
		scale := most(c.Image.floats())
		if c.Function == "variance" {
			scale *= scale
		}
		if strings.HasSuffix(c.Function, "imum") {
			scale = 0
		}
		if v := values(t, eng, got); !near(v, c.Want.floats(), tolerance(c.DType), scale) {
			t.Errorf("%d %s of %s: %v, want %v", n, src, c.DType, v, c.Want.floats())
		}
	}
}

// TestThresholdsEqualScikitImage compares thresholds: the very same numbers.
func TestThresholdsEqualScikitImage(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	for n, c := range readMeasurements(t).Thresholds {
		got := values(t, eng, evalArray(t, "filters."+c.Function+"(a)", c.Image.array(t, c.DType, nil).Rechunk(7)))
		if len(got) != 1 || got[0] != c.Want {
			t.Errorf("%d %s of %s: %v, want %v", n, c.Function, c.DType, got, c.Want)
		}
	}
}

// intensities returns a range of testdata/measure.json.
func intensities(x any) (r ndimage.Intensities) {
	switch v := x.(type) {
	case string:
		r.Name = v
	case []any:
		r.Lo, r.Hi = v[0].(float64), v[1].(float64)
	}
	return r
}

// TestRescaleEqualsScikitImage compares ranges of intensities: values and dtypes.
func TestRescaleEqualsScikitImage(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	for n, c := range readMeasurements(t).Ranges {
		out := ndimage.RescaleIntensity(c.Image.array(t, c.DType, nil).Rechunk(5), intensities(c.In), intensities(c.Out))
		if out.DType().String() != c.WantType {
			t.Errorf("%d %v to %v of %s is %v, want %s", n, c.In, c.Out, c.DType, out, c.WantType)
		}
		if got := values(t, eng, out); !near(got, c.Want.floats(), 1e-6, 0) {
			t.Errorf("%d %v to %v of %s: %v, want %v", n, c.In, c.Out, c.DType, got, c.Want.floats())
		}
	}
}

// TestMeasuresHaveOneValue: results have the same bits however arrays are cut, whatever the budget and how many work, for images whose sums depend on their order when they are rounded.
func TestMeasuresHaveOneValue(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	const n = 60
	labels, wide, narrow := make([]int32, n*n), make([]float64, n*n), make([]float32, n*n)
	for i := range labels {
		labels[i] = r.Int32N(9)
		wide[i] = math.Ldexp(r.NormFloat64(), r.IntN(120)-60)
		narrow[i] = float32(math.Ldexp(r.NormFloat64(), r.IntN(60)-30))
	}
	names := []string{"intensity_sum", "intensity_mean", "intensity_std", "intensity_min", "intensity_median", "centroid_weighted", "centroid"}
	var want [][]float64
	for trial := range 8 {
		eng := newEngine(t, sched.Options{Memory: 32 << 20 << (trial % 3), Workers: 1 + trial%4})
		cut := func() []int64 { return []int64{1 + r.Int64N(n), 1 + r.Int64N(n)} }
		l := ndarray.FromSlice(labels, n, n).Rechunk(cut()...)
		images := []ndarray.Array{ndarray.FromSlice(wide, n, n).Rechunk(cut()...), ndarray.FromSlice(narrow, n, n).Rechunk(cut()...)}
		table := ndimage.RegionProps(l, images, names, ndimage.PropsOptions{})
		var got [][]float64
		for _, name := range table.Columns() {
			got = append(got, values(t, eng, table.Column(name)))
		}
		if want == nil {
			want = got
		}
		for i, name := range table.Columns() {
			if !slices.Equal(got[i], want[i]) {
				t.Errorf("trial %d: %s is %v, was %v", trial, name, got[i], want[i])
			}
		}
	}
}

// TestFindObjects: boxes by label, with empty ones for labels that do not occur, of a length that is known before a run or after it.
func TestFindObjects(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	l := ndarray.FromSlice([]int32{0, 1, 0, 4, 1, 1, 0, 0, 0}, 3, 3).Rechunk(2, 2)
	boxes := ndimage.FindObjects(l, 0)
	c, err := ndarray.Compute(context.Background(), eng, boxes)
	if err != nil || !c.Shape.Equal(chunk.Shape{4, 2, 2}) {
		t.Fatalf("boxes of labels up to 4 have shape %v (%v), want [4 2 2]", c.Shape, err)
	}
	// 1 is at (0, 1), (1, 1) and (1, 2); 4 at (1, 0).
	want := []float64{0, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 1}
	if got := values(t, eng, boxes); !slices.Equal(got, want) {
		t.Errorf("boxes are %v, want %v", got, want)
	}
	if got := values(t, eng, ndimage.FindObjects(l, 2)); !slices.Equal(got, want[:8]) {
		t.Errorf("boxes up to label 2 are %v, want %v", got, want[:8])
	}
}

func TestMeasureErrors(t *testing.T) {
	ctx := context.Background()
	eng := newEngine(t, sched.Options{Memory: 32 << 20, Workers: 2})
	l := ndarray.FromSlice([]int32{0, 1, 2, 2}, 2, 2)
	im := ndarray.FromSlice([]float32{1, 2, 3, 4}, 2, 2)
	for want, table := range map[string]ndarray.Table{
		"want integers":              ndimage.RegionProps(im, nil, []string{"area"}, ndimage.PropsOptions{}),
		`no property "volume"`:       ndimage.RegionProps(l, nil, []string{"volume"}, ndimage.PropsOptions{}),
		"is measured of an image":    ndimage.RegionProps(l, nil, []string{"intensity_mean"}, ndimage.PropsOptions{}),
		"got shape [4]":              ndimage.RegionProps(l, []ndarray.Array{im.Reshape(4)}, []string{"intensity_mean"}, ndimage.PropsOptions{}),
		`column "area" occurs twice`: ndimage.RegionProps(l, nil, []string{"area", "area"}, ndimage.PropsOptions{}),
		"one, or one for each":       ndimage.RegionProps(l, nil, []string{"area"}, ndimage.PropsOptions{Spacing: []float64{1, 2, 3}}),
	} {
		if err := table.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
		if err := table.Column("area").Err(); err == nil {
			t.Errorf("a column of a table that failed has no error")
		}
		if err := eng.Store(ctx, ndarray.To(t.TempDir()+"/t.parquet", table)); err == nil {
			t.Errorf("a table that failed was stored")
		}
	}
	for want, a := range map[string]ndarray.Array{
		"no array of labels":            ndimage.MeanLabels(im, ndimage.ByLabels{Index: []int64{1}}),
		"there is no element with such": ndimage.MinimumLabels(im, ndimage.ByLabels{Labels: &l, Index: []int64{7}, Shape: chunk.Shape{}}),
		"do not broadcast":              ndimage.SumLabels(ndarray.Zeros(chunk.Shape{3}, dtype.Int8), ndimage.ByLabels{Labels: &l}),
		"want real numbers":             ndimage.ThresholdOtsu(im.AsType(dtype.Complex64), 256),
		"there are no elements":         ndimage.ThresholdOtsu(ndarray.Zeros(chunk.Shape{0}, dtype.Int16), 256),
		"is not finite":                 ndimage.ThresholdOtsu(ndarray.FromSlice([]float32{1, float32(math.NaN())}), 256),
		"two finite numbers":            ndimage.HistogramLabels(im, 3, 1, 4, ndimage.ByLabels{}),
		"want odd lengths":              ndimage.ThresholdLocal(im, []int64{4}, ndimage.LocalOptions{}),
		`got "huge"`:                    ndimage.RescaleIntensity(im, ndimage.Intensities{}, ndimage.Intensities{Name: "huge"}),
	} {
		if _, err := ndarray.Values[float64](ctx, eng, a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	// What does not fit a quarter of the budget says so, and leaves no output behind.
	many := ndarray.Arange(1, 1<<20, 1, dtype.Int64)
	path := t.TempDir() + "/many.parquet"
	err := eng.Store(ctx, ndarray.To(path, ndimage.RegionProps(many, nil, []string{"label", "centroid"}, ndimage.PropsOptions{})))
	if !errors.Is(err, sched.ErrBudget) || !strings.Contains(err.Error(), "--memory") {
		t.Errorf("a million labels in 32 MiB: got %v, want an error that names a budget", err)
	}
	_, err = ndarray.Values[int64](ctx, eng, ndimage.ThresholdOtsu(ndarray.FromSlice([]int64{0, 1 << 40}), 256))
	if !errors.Is(err, sched.ErrBudget) {
		t.Errorf("counts of 2^40 values: got %v, want an error that names a budget", err)
	}
	if left, _ := os.ReadDir(path[:len(path)-len("/many.parquet")]); len(left) != 0 {
		t.Errorf("%v were left behind", left)
	}
}
