// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
)

// property is what RegionProps can measure of a part.
type property struct {
	name   string
	alias  string // its name in older versions of scikit-image; "": none
	dt     dtype.DType
	needs  wants
	image  bool // it is measured of each image
	values int  // how many it has for each axis; 0: it is one number
	of     func(p *part, k int) float64
	count  func(p *part, k int) int64 // instead of of, where dt is int64
}

// part is one row, with what properties are made of: im is the image, nil where they are of labels alone.
type part struct {
	*groups
	row     int
	im      image
	spacing []float64
}

// properties are those of skimage.measure.regionprops_table that one sweep finds out, and two sums beside them.
var properties = []property{
	{name: "label", dt: dtype.Int64, count: func(p *part, _ int) int64 { return p.labels[p.row] }},
	{name: "num_pixels", dt: dtype.Int64, count: func(p *part, _ int) int64 { return p.count[p.row] }},
	{name: "area", dt: dtype.Float64, of: func(p *part, _ int) float64 { return p.area() }},
	{name: "area_bbox", alias: "bbox_area", dt: dtype.Float64, of: func(p *part, _ int) float64 { return p.boxArea() }},
	{name: "bbox", dt: dtype.Int64, values: 2, count: func(p *part, k int) int64 { return p.box[p.row*2*p.rank+k] }},
	{name: "centroid", dt: dtype.Float64, needs: wants{axes: true}, values: 1, of: func(p *part, k int) float64 {
		return p.axes[k].total(p.row) / float64(p.count[p.row]) * p.spacing[k]
	}},
	{name: "equivalent_diameter_area", alias: "equivalent_diameter", dt: dtype.Float64, of: func(p *part, _ int) float64 {
		return math.Pow(2*float64(p.rank)*p.area()/math.Pi, 1/float64(p.rank))
	}},
	{name: "extent", dt: dtype.Float64, of: func(p *part, _ int) float64 { return p.area() / p.boxArea() }},
	{name: "intensity_sum", dt: dtype.Float64, image: true, needs: wants{sum: true}, of: func(p *part, _ int) float64 { return p.im.total(p.row) }},
	{name: "intensity_mean", alias: "mean_intensity", dt: dtype.Float64, image: true, needs: wants{sum: true}, of: func(p *part, _ int) float64 {
		return p.im.total(p.row) / float64(p.count[p.row])
	}},
	{name: "intensity_std", alias: "std_intensity", dt: dtype.Float64, image: true, needs: wants{sum: true, squares: true}, of: func(p *part, _ int) float64 {
		return math.Sqrt(p.im.variance(p.row, p.count[p.row]))
	}},
	{name: "intensity_min", alias: "min_intensity", dt: dtype.Float64, image: true, needs: wants{extremes: true}, of: func(p *part, _ int) float64 { return p.extreme(false) }},
	{name: "intensity_max", alias: "max_intensity", dt: dtype.Float64, image: true, needs: wants{extremes: true}, of: func(p *part, _ int) float64 { return p.extreme(true) }},
	{name: "intensity_median", dt: dtype.Float64, image: true, needs: wants{values: true}, of: func(p *part, _ int) float64 { return p.im.median(p.row) }},
	{name: "centroid_weighted", alias: "weighted_centroid", dt: dtype.Float64, image: true, needs: wants{sum: true, weighted: true}, values: 1, of: func(p *part, k int) float64 {
		return p.im.moment(p.row, k) / p.im.total(p.row) * p.spacing[k]
	}},
}

// area returns the elements of the part, each as large as spacing says.
func (p *part) area() float64 { return float64(p.count[p.row]) * p.element() }

// boxArea returns the area of the box around the part.
func (p *part) boxArea() float64 {
	n := 1.0
	for k := range p.rank {
		n *= float64(p.box[(p.row*2+1)*p.rank+k] - p.box[p.row*2*p.rank+k])
	}
	return n * p.element()
}

// element returns the area of one element.
func (p *part) element() float64 {
	n := 1.0
	for _, s := range p.spacing {
		n *= s
	}
	return n
}

// extreme returns the smallest or the largest element; NaN where one is.
func (p *part) extreme(largest bool) float64 {
	if nan, _, _ := p.im.irregular(p.row); nan {
		return math.NaN()
	}
	v, _ := p.im.extreme(p.row, largest)
	return v
}

// PropsOptions are those of RegionProps; the zero value is scikit-image's default.
type PropsOptions struct {
	Spacing   []float64 // of positions along each axis, or one number for all: what areas and centroids are multiplied by. nil: 1
	Separator string    // between the name of a property and the number of its value; "": "-"
	Dims      []string  // names of the axes, which go into attributes of columns; nil: none
}

// Measure returns a table of what the parts of an image are like: a row for each label above 0 of labels, in ascending order, with the named properties of RegionProps. Those that begin
// with intensity_ and centroid_weighted are of im's elements; a zero Variable is none. Dimensions of the two are matched by name, as in all operations on variables.
//
// Columns are called as scikit-image calls them whatever the dimensions: centroid-0 for the first one. Their attribute dimension says its name. Positions are counted from 0; coordinates
// are not looked at. The column label is always there and is the first.
func Measure(labels, im ndarray.Variable, names ...string) ndarray.Table {
	o := PropsOptions{Dims: labels.Dims()}
	if !slices.Contains(names, "label") {
		names = append([]string{"label"}, names...)
	}
	if labels.Err() != nil {
		return ndarray.FailedTable(labels.Err())
	}
	if im.Err() != nil {
		return ndarray.FailedTable(im.Err())
	}
	if im.Dims() == nil && im.Rank() == 0 {
		return RegionProps(labels.Array(), nil, names, o)
	}
	on, dims, err := ndarray.Align(labels, im)
	if err != nil {
		return ndarray.FailedTable(err)
	}
	if len(dims) != len(o.Dims) {
		return ndarray.FailedTable(fmt.Errorf("ndimage: measure: the image has the dimensions %v, the labels %v: want none beside these", im.Dims(), o.Dims))
	}
	return RegionProps(on[0], []ndarray.Array{on[1].BroadcastTo(on[0].Shape()...)}, names, o)
}

// RegionProps returns a table with a row for each label above 0, in ascending order, and the named properties in the order of the names: skimage.measure.regionprops_table.
//
// Of labels alone: label, num_pixels, area, area_bbox, bbox, centroid, equivalent_diameter_area, extent. Of images of labels' shape: intensity_sum,
// intensity_mean, intensity_std, intensity_min, intensity_max, intensity_median, centroid_weighted. A property of several values has a column for each: bbox-0, bbox-1 ...; those of
// several images one for each of them, the number of the image last. num_pixels, label and bbox are int64, all others float64.
//
// Labels are integers; where an element of a part is NaN, what is measured of these elements is NaN for that part alone. Sums are exact, so that results have the same bits
// however arrays are cut, and are rounded once where scikit-image rounds at every step. Everything is found out in one sweep; what it keeps, for each label
// some hundred bytes, and all elements of parts for intensity_median, must fit a quarter of the engine's budget.
func RegionProps(labels ndarray.Array, images []ndarray.Array, names []string, o PropsOptions) ndarray.Table {
	fail := func(format string, args ...any) ndarray.Table {
		return ndarray.FailedTable(fmt.Errorf("ndimage: regionprops_table: "+format, args...))
	}
	if labels.Err() != nil {
		return ndarray.FailedTable(labels.Err())
	}
	if !labels.DType().IsInteger() {
		return fail("labels: got %v, want integers; label numbers the connected parts of a mask: %w", labels.DType(), dtype.ErrPromote)
	}
	rank := labels.Rank()
	if rank == 0 {
		return fail("labels: got rank 0, want one axis at least: %w", chunk.ErrShape)
	}
	spacing := o.Spacing
	switch len(spacing) {
	case 0:
		spacing = slices.Repeat([]float64{1}, rank)
	case 1:
		spacing = slices.Repeat(spacing, rank)
	case rank:
	default:
		return fail("spacing: got %d numbers, want one, or one for each of %d axes", len(spacing), rank)
	}
	for _, s := range spacing {
		if !(s > 0) || math.IsInf(s, 0) {
			return fail("spacing: got %v, want numbers above 0", spacing)
		}
	}
	if o.Separator == "" {
		o.Separator = "-"
	}
	images, err := measurable(images)
	if err != nil {
		return fail("%w", err)
	}
	var want wants
	var columns []ndarray.TableColumn
	for _, name := range names {
		p := propertyOf(name)
		switch {
		case p == nil:
			return fail("%w", unknownProperty(name))
		case p.image && len(images) == 0:
			return fail("%s is measured of an image: got labels only", name)
		}
		want = want.with(p.needs)
		columns = append(columns, p.columns(name, len(images), rank, spacing, o)...)
	}
	if columns == nil {
		return fail("properties: got none, want one at least")
	}
	return ndarray.NewTable("label", columns, groupSweep(want, grouping{}), append([]ndarray.Array{labels}, images...)...)
}

// measurable returns images in dtypes that can be measured, or an error.
func measurable(images []ndarray.Array) ([]ndarray.Array, error) {
	images = slices.Clone(images)
	for i, a := range images {
		if a.Err() != nil {
			return nil, a.Err()
		}
		switch d := a.DType(); {
		case !d.IsNumeric() || d.IsComplex():
			return nil, fmt.Errorf("image: got %v, want real numbers: %w", d, dtype.ErrPromote)
		case d.IsFloat() && d.Size() < 4:
			images[i] = a.AsType(dtype.Float32)
		case d == dtype.Bool:
			images[i] = a.AsType(dtype.Uint8)
		}
	}
	return images, nil
}

// propertyOf returns the property of a name, nil for none.
func propertyOf(name string) *property {
	for i := range properties {
		if p := &properties[i]; p.name == name || p.alias != "" && p.alias == name {
			return p
		}
	}
	return nil
}

// unknownProperty says which there are.
func unknownProperty(name string) error {
	var list []string
	for _, p := range properties {
		list = append(list, p.name)
	}
	return fmt.Errorf("there is no property %q; there are %s", name, strings.Join(list, ", "))
}

// columns returns the columns of a property.
func (p *property) columns(name string, images, rank int, spacing []float64, o PropsOptions) (list []ndarray.TableColumn) {
	column := func(name string, im, k int, attrs formats.Attrs) {
		list = append(list, ndarray.TableColumn{Name: name, DType: p.dt, Attrs: attrs, Of: func(found any) ndarray.Array {
			return p.column(found.(*groups), im, k, spacing)
		}})
	}
	if !p.image || images == 1 {
		images = 1
	}
	for k := range max(p.values*rank, 1) {
		name, attrs := name, formats.Attrs(nil)
		if p.values > 0 {
			name += o.Separator + strconv.Itoa(k)
			if o.Dims != nil {
				attrs = attrs.With("dimension", o.Dims[k%rank])
			}
		}
		for im := range images {
			if images > 1 {
				column(name+o.Separator+strconv.Itoa(im), im, k, attrs)
			} else {
				column(name, im, k, attrs)
			}
		}
	}
	return list
}

// column returns the values of a property, one for each row.
func (p *property) column(g *groups, im, k int, spacing []float64) ndarray.Array {
	one := part{groups: g, spacing: spacing}
	if p.image {
		one.im = g.images[im]
	}
	if p.count != nil {
		list := make([]int64, len(g.order))
		for i, row := range g.order {
			one.row = row
			list[i] = p.count(&one, k)
		}
		return ndarray.FromSlice(list)
	}
	list := make([]float64, len(g.order))
	for i, row := range g.order {
		one.row = row
		list[i] = p.of(&one, k)
	}
	return ndarray.FromSlice(list)
}
