// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/ndimage"
)

// measuring are SciPy's measurements by labels, under its names, and scikit-image's thresholds, ranges of intensities and tables of properties under the names of its sub-modules.
var measuring = map[string]function{
	"ndimage.sum_labels":         {byLabels, measured(ndimage.SumLabels)},
	"ndimage.sum":                {byLabels, measured(ndimage.SumLabels)},
	"ndimage.mean":               {byLabels, measured(ndimage.MeanLabels)},
	"ndimage.variance":           {byLabels, measured(ndimage.VarianceLabels)},
	"ndimage.standard_deviation": {byLabels, measured(ndimage.StandardDeviationLabels)},
	"ndimage.median":             {byLabels, measured(ndimage.MedianLabels)},
	"ndimage.minimum":            {byLabels, measured(ndimage.MinimumLabels)},
	"ndimage.maximum":            {byLabels, measured(ndimage.MaximumLabels)},
	"ndimage.minimum_position":   {byLabels, measured(ndimage.MinimumPosition)},
	"ndimage.maximum_position":   {byLabels, measured(ndimage.MaximumPosition)},
	"ndimage.center_of_mass":     {byLabels, measured(ndimage.CenterOfMass)},
	"ndimage.extrema":            {byLabels, extrema},
	"ndimage.histogram":          {"input min max bins labels= index=", labelHistogram},
	"ndimage.find_objects":       {"input max_label=", findObjects},
	"measure.regionprops_table":  {"label_image intensity_image= properties= separator= spacing=", regionProps},
	"filters.threshold_otsu":     {"image nbins=", threshold(ndimage.ThresholdOtsu)},
	"filters.threshold_yen":      {"image nbins=", threshold(ndimage.ThresholdYen)},
	"filters.threshold_isodata":  {"image nbins=", threshold(ndimage.ThresholdIsodata)},
	"filters.threshold_triangle": {"image nbins=", threshold(ndimage.ThresholdTriangle)},
	"filters.threshold_mean":     {"image", thresholdMean},
	"filters.threshold_local":    {"image block_size method= offset= mode= param= cval=", thresholdLocal},
	"exposure.rescale_intensity": {"image in_range= out_range=", rescaleIntensity},
}

// byLabels are the parameters of measurements by labels.
const byLabels = "input labels= index="

// grouped reads what is measured and which elements of it belong together.
func grouped(b params) (a ndarray.Array, by ndimage.ByLabels, err error) {
	if a, err = asArray(b.vals["input"], b.fn); err != nil {
		return a, by, err
	}
	if b.has("labels") {
		labels, err := asArray(b.vals["labels"], b.fn+": labels")
		if err != nil {
			return a, by, err
		}
		if a, labels, err = matched(b, "input", "labels", a, labels); err != nil {
			return a, by, err
		}
		by.Labels = &labels
	}
	if b.has("index") {
		by.Index, by.Shape, err = wantedLabels(b)
	}
	return a, by, err
}

// matched returns the arrays of two arguments, matched by the names of their dimensions where both have them.
func matched(b params, one, other string, a, c ndarray.Array) (ndarray.Array, ndarray.Array, error) {
	x, named := b.vals[one].(ndarray.Variable)
	y, too := b.vals[other].(ndarray.Variable)
	if !named || !too {
		return a, c, nil
	}
	list, _, err := ndarray.Align(x, y)
	if err != nil {
		return a, c, fmt.Errorf("%s: %w", b.fn, plainErr(err))
	}
	return list[0], list[1], nil
}

// wantedLabels reads the labels that are asked for: one, a list, or an array that is known before a run.
func wantedLabels(b params) ([]int64, chunk.Shape, error) {
	v := b.vals["index"]
	if isNumber(v) {
		n, err := intOf(v, b.fn+": index")
		return []int64{n}, chunk.Shape{}, err
	}
	a, err := asArray(v, b.fn+": index")
	if err != nil {
		return nil, nil, err
	}
	if !a.DType().IsInteger() && a.Size() != 0 {
		return nil, nil, fmt.Errorf("%s: index: got %v, want integers", b.fn, a.DType())
	}
	list, err := ndarray.ReadInts(a)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: index: %w", b.fn, err)
	}
	if list == nil {
		list = []int64{}
	}
	return list, a.Shape(), nil
}

func measured(f func(a ndarray.Array, by ndimage.ByLabels) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, by, err := grouped(b)
		if err != nil {
			return nil, err
		}
		return f(a, by), nil
	}
}

// extrema returns the smallest and the largest elements and where they are.
func extrema(b params) (value, error) {
	a, by, err := grouped(b)
	if err != nil {
		return nil, err
	}
	lo, hi, loAt, hiAt := ndimage.ExtremaLabels(a, by)
	if lo.Err() != nil {
		return nil, lo.Err()
	}
	return record{tuple: tuple{lo, hi, loAt, hiAt}, names: []string{"minimums", "maximums", "min_positions", "max_positions"}}, nil
}

func labelHistogram(b params) (value, error) {
	a, by, err := grouped(b)
	if err != nil {
		return nil, err
	}
	lo, err := b.float("min", 0)
	if err != nil {
		return nil, err
	}
	hi, err := b.float("max", 0)
	if err != nil {
		return nil, err
	}
	bins, err := b.int("bins", 0)
	return ndimage.HistogramLabels(a, lo, hi, bins, by), err
}

func findObjects(b params) (value, error) {
	a, err := asArray(b.vals["input"], b.fn)
	if err != nil {
		return nil, err
	}
	most, err := b.int("max_label", 0)
	return ndimage.FindObjects(a, most), err
}

// regionProps returns a table. An intensity image with an axis more than the labels has a channel for each position along the last one.
func regionProps(b params) (value, error) {
	labels, err := asArray(b.vals["label_image"], b.fn)
	if err != nil {
		return nil, err
	}
	var o ndimage.PropsOptions
	if v, ok := b.vals["label_image"].(ndarray.Variable); ok {
		o.Dims = v.Dims()
	}
	var images []ndarray.Array
	if b.has("intensity_image") {
		im, err := asArray(b.vals["intensity_image"], b.fn+": intensity_image")
		if err != nil {
			return nil, err
		}
		if im.Rank() == labels.Rank()+1 {
			last := im.Rank() - 1
			for c := range im.Shape()[last] {
				at := make([]ndarray.Index, im.Rank())
				for k := range at {
					at[k] = ndarray.All()
				}
				at[last] = ndarray.At(c)
				images = append(images, im.Index(at...))
			}
		} else {
			if labels, im, err = matched(b, "label_image", "intensity_image", labels, im); err != nil {
				return nil, err
			}
			images = append(images, im)
		}
	}
	names := []string{"label", "bbox"}
	if b.has("properties") {
		var ok bool
		if names, ok = textsOf(b.vals["properties"]); !ok {
			return nil, fmt.Errorf("%s: properties: got %s, want a list of names", b.fn, describe(b.vals["properties"]))
		}
	}
	if o.Separator, err = b.text("separator"); err != nil {
		return nil, err
	}
	if b.has("spacing") {
		if o.Spacing, err = b.floats("spacing"); err != nil {
			return nil, err
		}
	}
	t := ndimage.RegionProps(labels, images, names, o)
	return t, t.Err()
}

func threshold(f func(a ndarray.Array, bins int64) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, err := asArray(b.vals["image"], b.fn)
		if err != nil {
			return nil, err
		}
		bins, err := b.int("nbins", 256)
		return f(a, bins), err
	}
}

func thresholdMean(b params) (value, error) {
	a, err := asArray(b.vals["image"], b.fn)
	if err != nil || a.Err() != nil {
		return a, err
	}
	return a.Mean(), nil
}

func thresholdLocal(b params) (value, error) {
	return filteredOf(b, "image", func(b params, a ndarray.Array, opt ndimage.Options) (ndarray.Array, error) {
		o := ndimage.LocalOptions{Options: opt}
		window, err := b.ints("block_size")
		if err != nil {
			return a, err
		}
		if o.Method, err = b.text("method"); err != nil {
			return a, err
		}
		if b.has("param") {
			if o.Sigma, err = b.floats("param"); err != nil {
				return a, err
			}
		}
		o.Offset, err = b.float("offset", 0)
		return ndimage.ThresholdLocal(a, window, o), err
	})
}

func rescaleIntensity(b params) (value, error) {
	a, err := asArray(b.vals["image"], b.fn)
	if err != nil {
		return nil, err
	}
	in, err := b.intensities("in_range")
	if err != nil {
		return nil, err
	}
	to, err := b.intensities("out_range")
	if err != nil {
		return nil, err
	}
	out := ndimage.RescaleIntensity(a, in, to)
	if v, ok := b.vals["image"].(ndarray.Variable); ok && out.Err() == nil {
		return v.WithArray(out), nil
	}
	return out, nil
}

// intensities reads a range: a name or two numbers.
func (b params) intensities(name string) (r ndimage.Intensities, err error) {
	if !b.has(name) {
		return r, nil
	}
	if s, ok := b.vals[name].(string); ok {
		return ndimage.Intensities{Name: s}, nil
	}
	if list, isList, err := floatsOf(b.vals[name], b.fn+": "+name); err == nil && isList && len(list) == 2 {
		if slices.Equal(list, []float64{0, 0}) {
			return r, fmt.Errorf("%s: %s: got 0 to 0, want two numbers", b.fn, name)
		}
		return ndimage.Intensities{Lo: list[0], Hi: list[1]}, nil
	}
	return r, fmt.Errorf("%s: %s: got %s, want a name or two numbers", b.fn, name, describe(b.vals[name]))
}
