// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/fft"
)

// fourier are the functions of NumPy's sub-module fft. An axis of a labelled array may be the name of a dimension; results keep the names, but have no
// coordinates along what was transformed.
var fourier = map[string]function{
	"fft.fft":       {lineSig, transformed(fft.FFT)},
	"fft.ifft":      {lineSig, transformed(fft.IFFT)},
	"fft.rfft":      {lineSig, transformed(fft.RFFT)},
	"fft.irfft":     {lineSig, transformed(fft.IRFFT)},
	"fft.hfft":      {lineSig, transformed(fft.HFFT)},
	"fft.ihfft":     {lineSig, transformed(fft.IHFFT)},
	"fft.fft2":      {axesSig, transformedAlong(fft.FFTN, -2, -1)},
	"fft.ifft2":     {axesSig, transformedAlong(fft.IFFTN, -2, -1)},
	"fft.rfft2":     {axesSig, transformedAlong(fft.RFFTN, -2, -1)},
	"fft.irfft2":    {axesSig, transformedAlong(fft.IRFFTN, -2, -1)},
	"fft.fftn":      {axesSig, transformedAlong(fft.FFTN)},
	"fft.ifftn":     {axesSig, transformedAlong(fft.IFFTN)},
	"fft.rfftn":     {axesSig, transformedAlong(fft.RFFTN)},
	"fft.irfftn":    {axesSig, transformedAlong(fft.IRFFTN)},
	"fft.fftfreq":   {"n d= dtype=", frequencies(fft.FFTFreq)},
	"fft.rfftfreq":  {"n d= dtype=", frequencies(fft.RFFTFreq)},
	"fft.fftshift":  {"a axes= dim=", shifted(fft.Shift)},
	"fft.ifftshift": {"a axes= dim=", shifted(fft.IShift)},
}

// The parameters of transforms along one axis and along several.
const (
	lineSig = "a n= axis= norm= dim="
	axesSig = "a s= axes= norm= dim="
)

// norms are NumPy's names of scales.
var norms = map[string]fft.Norm{"backward": fft.Backward, "ortho": fft.Ortho, "forward": fft.Forward}

// norm reads how a transform is scaled.
func (b params) norm() (fft.Norm, error) {
	if !b.has("norm") {
		return fft.Backward, nil
	}
	s, _ := b.vals["norm"].(string)
	m, ok := norms[s]
	if !ok {
		return m, fmt.Errorf("%s: norm: got %s, want 'backward', 'ortho' or 'forward'", b.fn, describe(b.vals["norm"]))
	}
	return m, nil
}

// lines reads the axes of a transform, numbers or names: def where neither is given.
func (b params) lines(name string, def ...int) ([]int, error) {
	v := b.vals[name]
	if b.has("dim") {
		if b.has(name) {
			return nil, fmt.Errorf("%s: got both %s and dim, want one of them", b.fn, name)
		}
		v = b.vals["dim"]
	}
	names, ok := textsOf(v)
	if _, isNone := v.(none); v == nil || isNone {
		return def, nil
	}
	if !ok {
		return axesOf(v, b.fn+": "+name)
	}
	axes := make([]int, len(names))
	for i, n := range names {
		k, err := params{fn: b.fn, vals: map[string]value{"a": b.vals["a"], name: n}}.line(name)
		if err != nil {
			return nil, err
		}
		axes[i] = k
	}
	return axes, nil
}

// along gives a result the names of a labelled operand; axes of nil are all.
func (b params) along(out ndarray.Array, axes []int) value {
	v, ok := b.vals["a"].(ndarray.Variable)
	if !ok || out.Err() != nil {
		return out
	}
	dims := v.Dims()
	if axes == nil {
		return v.WithLines(out, dims...)
	}
	var gone []string
	for _, k := range axes {
		gone = append(gone, dims[(k+len(dims))%len(dims)])
	}
	return v.WithLines(out, gone...)
}

// lengthsOf reads lengths, 0 for -1 and None: as long as the axis.
func (b params) lengthsOf(name string) ([]int64, error) {
	list, err := b.ints(name)
	for i, n := range list {
		switch {
		case n == -1 && name == "s":
			list[i] = 0
		case n < 1:
			return nil, fmt.Errorf("%s: %s: got %d, want 1 or more", b.fn, name, n)
		}
	}
	return list, err
}

// operand reads what all transforms are given: an array, the norm, and the axes by their parameter's name.
func (b params) operand(name string, def ...int) (a ndarray.Array, norm fft.Norm, axes []int, err error) {
	if a, err = asArray(b.vals["a"], b.fn); err != nil {
		return a, norm, nil, err
	}
	if norm, err = b.norm(); err != nil {
		return a, norm, nil, err
	}
	axes, err = b.lines(name, def...)
	return a, norm, axes, err
}

func transformed(f func(a ndarray.Array, n int64, axis int, norm fft.Norm) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, norm, axes, err := b.operand("axis", -1)
		if err != nil {
			return nil, err
		}
		if len(axes) != 1 {
			return nil, fmt.Errorf("%s: got %d axes, want one; fftn and its kin take several", b.fn, len(axes))
		}
		n, err := b.lengthsOf("n")
		if err != nil {
			return nil, err
		}
		if len(n) > 1 {
			return nil, fmt.Errorf("%s: n: got %d lengths, want one", b.fn, len(n))
		}
		return b.along(f(a, append(n, 0)[0], axes[0], norm), axes), nil
	}
}

func transformedAlong(f func(a ndarray.Array, s []int64, axes []int, norm fft.Norm) ndarray.Array, def ...int) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, norm, axes, err := b.operand("axes", def...)
		if err != nil {
			return nil, err
		}
		s, err := b.lengthsOf("s")
		if err != nil {
			return nil, err
		}
		if axes == nil && s != nil {
			for k := range s {
				axes = append(axes, k-len(s))
			}
		}
		return b.along(f(a, s, axes, norm), axes), nil
	}
}

func frequencies(f func(n int64, d float64, dt dtype.DType) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		n, err := b.int("n", 0)
		if err != nil {
			return nil, err
		}
		d, err := b.float("d", 1)
		if err != nil {
			return nil, err
		}
		dt, err := b.dtype("dtype", dtype.Float64)
		if err != nil {
			return nil, err
		}
		return f(n, d, dt), nil
	}
}

func shifted(f func(a ndarray.Array, axes []int) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		a, err := asArray(b.vals["a"], b.fn)
		if err != nil {
			return nil, err
		}
		axes, err := b.lines("axes")
		if err != nil {
			return nil, err
		}
		return b.along(f(a, axes), axes), nil
	}
}
