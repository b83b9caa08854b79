// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"math"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Intensities are a range of the elements of an image: one by name, or from Lo to Hi where Name is "". Names are "image", from the smallest to the largest element, "dtype", what the image's
// dtype is meant to hold, and those of dtypes: 0 and 1 for floats, -1 and 1 where elements are below 0, all values for integers; uint10, uint12 and uint14 too.
type Intensities struct {
	Name   string
	Lo, Hi float64
}

// RescaleIntensity returns the image with the range in stretched or shrunk to out, what is beyond the first cut off: skimage.exposure.rescale_intensity. By a name the result has the dtype that the name
// says, image's own for "image" and "dtype", and ranges begin at 0 where the first does not begin below it; by numbers it is float64, or float32 of float32 and float16. Values that are
// stored as integers are truncated. The zero Intensities of in are "image", those of out "dtype". Where an element is NaN and the range is the image's, all of the result is.
func RescaleIntensity(a ndarray.Array, in, out Intensities) ndarray.Array {
	fail := func(format string, args ...any) ndarray.Array {
		return failed(fmt.Errorf("ndimage: rescale_intensity: "+format, args...))
	}
	if a.Err() != nil {
		return a
	}
	d := a.DType()
	if !d.IsNumeric() || d.IsComplex() {
		return fail("operand: got %v, want real numbers: %w", d, dtype.ErrPromote)
	}
	if in == (Intensities{}) {
		in.Name = "image"
	}
	if out == (Intensities{}) {
		out.Name = "dtype"
	}
	store := d
	switch out.Name {
	case "image", "dtype":
	case "":
		store = supportedFloat(d)
	default:
		var err error
		if store, _, _, err = intensities(out.Name); err != nil {
			return fail("out_range: %w", err)
		}
	}
	from, to, err := rangeOf(a, in, nil)
	if err != nil {
		return fail("in_range: %w", err)
	}
	low, high, err := rangeOf(a, out, &from)
	if err != nil {
		return fail("out_range: %w", err)
	}
	work := d
	if !d.IsFloat() {
		work = dtype.Float64
	}
	as := func(x ndarray.Array) ndarray.Array { return x.AsType(work) }
	minus := func(a, b ndarray.Array) ndarray.Array { return ndarray.Apply("subtract", a, b) }
	cut := ndarray.Apply("clip", a.AsType(work), as(from), as(to))
	scaled := ndarray.Apply("divide", minus(cut, as(from)), as(minus(to, from)))
	scaled = ndarray.Apply("add", ndarray.Apply("multiply", scaled, as(minus(high, low))), as(low))
	flat := ndarray.Apply("clip", cut, as(low), as(high))
	return ndarray.Where(ndarray.Apply("equal", from, to), flat, scaled).AsType(store)
}

// rangeOf returns the ends of a range, float64 of rank 0. from, where it is not nil, is where the range that is stretched begins: the other begins at 0 unless that is below.
func rangeOf(a ndarray.Array, r Intensities, from *ndarray.Array) (lo, hi ndarray.Array, err error) {
	switch r.Name {
	case "":
		if math.IsNaN(r.Lo) || math.IsNaN(r.Hi) {
			return lo, hi, fmt.Errorf("got %v to %v, want numbers", r.Lo, r.Hi)
		}
		return ndarray.Scalar(r.Lo), ndarray.Scalar(r.Hi), nil
	case "image":
		if a.DType() == dtype.Bool {
			a = a.AsType(dtype.Uint8)
		}
		return a.Min().AsType(dtype.Float64), a.Max().AsType(dtype.Float64), nil
	case "dtype":
		r.Name = a.DType().String()
	}
	_, l, h, err := intensities(r.Name)
	if err != nil {
		return lo, hi, err
	}
	lo, hi = ndarray.Scalar(l), ndarray.Scalar(h)
	if from != nil && l < 0 {
		lo = ndarray.Where(ndarray.Apply("greater_equal", *from, ndarray.Scalar(0.0)), ndarray.Scalar(0.0), lo)
	}
	return lo, hi, nil
}

// intensities returns the dtype of a name and the range that it is meant to hold.
func intensities(name string) (d dtype.DType, lo, hi float64, err error) {
	switch name {
	case "uint10", "uint12", "uint14":
		bits := map[string]float64{"uint10": 1 << 10, "uint12": 1 << 12, "uint14": 1 << 14}[name]
		return dtype.Uint16, 0, bits - 1, nil
	case "float":
		name = "float64"
	}
	d, err = dtype.Parse(name)
	if err != nil || !d.IsNumeric() || d.IsComplex() {
		return d, 0, 0, fmt.Errorf("got %q, want image, dtype, the name of a dtype of real numbers, or two numbers", name)
	}
	switch size := 8 * d.Size(); {
	case d.IsFloat():
		return d, -1, 1, nil
	case d == dtype.Bool:
		return d, 0, 1, nil
	case strings.HasPrefix(d.String(), "u"):
		return d, 0, math.Ldexp(1, size) - 1, nil
	default:
		return d, -math.Ldexp(1, size-1), math.Ldexp(1, size-1) - 1, nil
	}
}
