// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/ndarray"
)

// GaussianOptions are those of Gaussian filters; the zero value is SciPy's default.
type GaussianOptions struct {
	Options
	Order    []int64 // derivatives along each axis, or one number for all: 0 smooths, 1 is the first derivative
	Truncate float64 // standard deviations after which the weights end; 0: 4
	Radius   []int64 // where they end instead, in positions, along each axis or one for all
}

// Sigma are standard deviations in positions by dimension name. Along other dimensions nothing is filtered.
type Sigma map[string]float64

// Gaussian returns v smoothed along the dimensions of sigma. Name, coordinates and attributes stay. More than one GaussianOptions is an error.
func Gaussian(v ndarray.Variable, sigma Sigma, opt ...GaussianOptions) ndarray.Variable {
	if v.Err() != nil {
		return v
	}
	list := make([]float64, len(v.Dims()))
	for d, s := range sigma {
		k := slices.Index(v.Dims(), d)
		if k < 0 {
			return v.WithArray(failed(fmt.Errorf("ndimage: gaussian_filter: sigma: %s has no dimension %q; it has %v", v.Name(), d, v.Dims())))
		}
		list[k] = s
	}
	var o GaussianOptions
	switch len(opt) {
	case 0:
	case 1:
		o = opt[0]
	default:
		return v.WithArray(failed(fmt.Errorf("ndimage: gaussian_filter: got options %d times, want once", len(opt))))
	}
	return v.WithArray(GaussianFilter(v.Array(), list, o))
}

// GaussianFilter returns a correlated with a Gaussian of standard deviation sigma, in positions, one for each axis or one for all; axes
// where it is 0 are not filtered. It is scipy.ndimage.gaussian_filter.
func GaussianFilter(a ndarray.Array, sigma []float64, o GaussianOptions) ndarray.Array {
	return gaussian("gaussian_filter", a, sigma, o)
}

// GaussianFilter1D is GaussianFilter along one axis: scipy.ndimage.gaussian_filter1d.
func GaussianFilter1D(a ndarray.Array, sigma float64, axis int, o GaussianOptions) ndarray.Array {
	if err := check("gaussian_filter1d", a); err != nil {
		return failed(err)
	}
	k, err := axisOf("gaussian_filter1d", axis, a)
	if err != nil {
		return failed(err)
	}
	list := make([]float64, a.Rank())
	list[k] = sigma
	return gaussian("gaussian_filter1d", a, list, o)
}

func gaussian(name string, a ndarray.Array, sigma []float64, o GaussianOptions) ndarray.Array {
	if err := check(name, a); err != nil {
		return failed(err)
	}
	rank := a.Rank()
	sigma, err := each(name, "sigma", sigma, rank, 0)
	if err != nil {
		return failed(err)
	}
	orders, err := each(name, "order", o.Order, rank, 0)
	if err != nil {
		return failed(err)
	}
	radii, err := each(name, "radius", o.Radius, rank, -1)
	if err != nil {
		return failed(err)
	}
	if o.Truncate == 0 {
		o.Truncate = 4
	}
	f := filter{name: name, key: fmt.Sprint(sigma, orders, o.Truncate, radii), opt: o.Options}
	for k, s := range sigma {
		if s <= 1e-15 {
			continue
		}
		n := radii[k]
		if len(o.Radius) == 0 {
			n = int64(math.Min(o.Truncate*s+0.5, mostWeights))
		}
		switch {
		case orders[k] < 0 || orders[k] > 16:
			return failed(fmt.Errorf("ndimage: %s: order of axis %d: got %d, want 0 to 16", name, k, orders[k]))
		case n < 0:
			return failed(fmt.Errorf("ndimage: %s: radius of axis %d: got %d, want 0 or more", name, k, n))
		}
		if err := window(name, 2*n+1, 0); err != nil {
			return failed(err)
		}
		f.passes = append(f.passes, sumPass(line(gaussianWeights(s, orders[k], n), k, rank, 0), rank, 1, a.DType()))
	}
	return f.apply(a)
}

// each returns one number for each axis, of a list of as many or of one; of an empty list none.
func each[T int64 | float64](name, what string, list []T, rank int, none T) ([]T, error) {
	switch {
	case len(list) == rank:
	case len(list) == 0:
		list = slices.Repeat([]T{none}, rank)
	case len(list) == 1:
		list = slices.Repeat(list, rank)
	default:
		return nil, fmt.Errorf("ndimage: %s: %s: got %d numbers, want one, or one for each of %d axes", name, what, len(list), rank)
	}
	for k, x := range list {
		if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) || f < 0 && x != none {
			return nil, fmt.Errorf("ndimage: %s: %s of axis %d: got %v, want a number of 0 or more", name, what, k, x)
		}
	}
	return list, nil
}

// gaussianWeights returns the weights of a Gaussian, or of its derivative of the order, at -radius to radius, in the order of a correlation.
// A derivative of q(x) exp(-x²/2σ²) is (q'(x) - q(x) x/σ²) exp(-x²/2σ²), so that it is a polynomial times the Gaussian.
func gaussianWeights(sigma float64, order, radius int64) []float64 {
	w := make([]float64, 2*radius+1)
	variance := sigma * sigma
	sum := 0.0
	for i := range w {
		x := float64(int64(i) - radius)
		w[i] = math.Exp(float64(-0.5/variance) * float64(x*x))
		sum += w[i]
	}
	q := make([]float64, order+1)
	q[0] = 1
	for range order {
		next := make([]float64, order+1)
		for i, c := range q {
			if i > 0 {
				next[i-1] += float64(float64(i) * c)
			}
			if i < len(q)-1 {
				next[i+1] -= c / variance
			}
		}
		q = next
	}
	for i := range w {
		x := float64(int64(i) - radius)
		v, power := 0.0, 1.0
		for _, c := range q {
			v += float64(c * power)
			power *= x
		}
		w[i] = v * (w[i] / sum)
	}
	slices.Reverse(w)
	return w
}

// GaussianLaplace returns the Laplacian of a made by Gaussian second derivatives: scipy.ndimage.gaussian_laplace.
func GaussianLaplace(a ndarray.Array, sigma []float64, o GaussianOptions) ndarray.Array {
	return derivatives("gaussian_laplace", a, sigma, 2, o)
}

// GaussianGradientMagnitude returns the length of the gradient of a made by Gaussian first derivatives: scipy.ndimage.gaussian_gradient_magnitude.
func GaussianGradientMagnitude(a ndarray.Array, sigma []float64, o GaussianOptions) ndarray.Array {
	return derivatives("gaussian_gradient_magnitude", a, sigma, 1, o)
}

// derivatives returns the sum of the second derivatives along each axis, or the root of the sum of the squared first ones.
func derivatives(name string, a ndarray.Array, sigma []float64, order int64, o GaussianOptions) ndarray.Array {
	if err := check(name, a); err != nil {
		return failed(err)
	}
	if len(o.Order) > 0 {
		return failed(fmt.Errorf("ndimage: %s: order: got %v, want none: it is that of the derivatives", name, o.Order))
	}
	out := a
	for k := range a.Rank() {
		o.Order = along(k, a.Rank(), order)
		d := gaussian(name, a, sigma, o)
		if order == 1 {
			d = ndarray.Apply("multiply", d, d)
		}
		if k > 0 {
			d = ndarray.Apply("add", out, d)
		}
		out = d
	}
	if order == 1 && a.Rank() > 0 {
		out = ndarray.Apply("sqrt", out).AsType(a.DType())
	}
	return out
}
