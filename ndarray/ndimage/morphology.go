// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Structure returns the footprint of 3 positions along each axis whose set ones are at most connectivity axes away from the middle: 1 is a cross, the
// rank a box. It is scipy.ndimage.generate_binary_structure.
func Structure(rank, connectivity int) Footprint {
	n := 1
	p := Footprint{}
	for range rank {
		n *= 3
		p.Shape = append(p.Shape, 3)
	}
	for i := range n {
		away, rest := 0, i
		for range rank {
			if rest%3 != 1 {
				away++
			}
			rest /= 3
		}
		p.Set = append(p.Set, away <= max(connectivity, 1))
	}
	return p
}

// BinaryOptions are those of binary morphology; the zero value is SciPy's default.
type BinaryOptions struct {
	Structure  Footprint // a zero one is a cross
	Iterations int       // how often it is done; 0: once
	Border     bool      // what lies beyond the ends
	Origins    []int64   // how far the structure is moved along each axis
}

// mostIterations bounds how often a structure is applied: each time reaches further beyond a region.
const mostIterations = 1000

// BinaryErosion returns where a, and all its neighbours of the structure, are not 0: scipy.ndimage.binary_erosion.
func BinaryErosion(a ndarray.Array, o BinaryOptions) ndarray.Array {
	return binary("binary_erosion", a, o, false)
}

// BinaryDilation returns where a neighbour of the reversed structure is not 0: scipy.ndimage.binary_dilation.
func BinaryDilation(a ndarray.Array, o BinaryOptions) ndarray.Array {
	return binary("binary_dilation", a, o, true)
}

// BinaryOpening is an erosion, then a dilation, beyond the ends of which all is 0: scipy.ndimage.binary_opening.
func BinaryOpening(a ndarray.Array, o BinaryOptions) ndarray.Array {
	return binary("binary_opening", a, o, false, true)
}

// BinaryClosing is a dilation, then an erosion, beyond the ends of which all is 0: scipy.ndimage.binary_closing.
func BinaryClosing(a ndarray.Array, o BinaryOptions) ndarray.Array {
	return binary("binary_closing", a, o, true, false)
}

// binary erodes or dilates, one after another.
func binary(name string, a ndarray.Array, o BinaryOptions, dilate ...bool) ndarray.Array {
	if a.Err() != nil {
		return a
	}
	if dt := a.DType(); !dt.IsNumeric() {
		return failed(fmt.Errorf("ndimage: %s: operand: got %v, want numbers or bool: %w", name, dt, dtype.ErrPromote))
	}
	a = a.AsType(dtype.Bool)
	if o.Structure.Shape == nil {
		o.Structure = Structure(a.Rank(), 1)
	}
	if o.Iterations == 0 {
		o.Iterations = 1
	}
	if o.Iterations < 0 || o.Iterations > mostIterations {
		return failed(fmt.Errorf("ndimage: %s: iterations: got %d, want 1 to %d", name, o.Iterations, mostIterations))
	}
	f := filter{name: name, key: fmt.Sprint(o), opt: Options{Boundary: []ndarray.Boundary{ndarray.Constant}}}
	if o.Border {
		f.opt.Fill = 1
	}
	for _, d := range dilate {
		s, origins, op := o.Structure, o.Origins, kernels.OpLogicalAnd
		if d {
			s, origins = s.turned(origins)
			op = kernels.OpLogicalOr
		}
		offsets, err := s.offsets(name, a, origins)
		if err != nil {
			return failed(err)
		}
		p := foldPass(op, a, offsets)
		for range o.Iterations {
			f.passes = append(f.passes, p)
		}
	}
	if a.Rank() == 0 {
		return a
	}
	return f.apply(a)
}

// GreyErosion returns the smallest element of each window: scipy.ndimage.grey_erosion with a flat structure.
func GreyErosion(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return MinimumFilter(a, p, origins, o)
}

// GreyDilation returns the largest element of each window, its positions reversed: scipy.ndimage.grey_dilation with a flat structure.
func GreyDilation(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	p, origins = p.turned(origins)
	return MaximumFilter(a, p, origins, o)
}

// GreyOpening is a grey erosion, then a dilation: scipy.ndimage.grey_opening.
func GreyOpening(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return GreyDilation(GreyErosion(a, p, origins, o), p, origins, o)
}

// GreyClosing is a grey dilation, then an erosion: scipy.ndimage.grey_closing.
func GreyClosing(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return GreyErosion(GreyDilation(a, p, origins, o), p, origins, o)
}

// WhiteTophat returns what an opening takes away: scipy.ndimage.white_tophat.
func WhiteTophat(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return ndarray.Apply("subtract", a, GreyOpening(a, p, origins, o))
}

// BlackTophat returns what a closing adds: scipy.ndimage.black_tophat.
func BlackTophat(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return ndarray.Apply("subtract", GreyClosing(a, p, origins, o), a)
}

// MorphologicalGradient returns a dilation minus an erosion: scipy.ndimage.morphological_gradient.
func MorphologicalGradient(a ndarray.Array, p Footprint, origins []int64, o Options) ndarray.Array {
	return ndarray.Apply("subtract", GreyDilation(a, p, origins, o), GreyErosion(a, p, origins, o))
}
