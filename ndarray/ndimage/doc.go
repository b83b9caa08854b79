// SPDX-License-Identifier: BSD-3-Clause

// Package ndimage filters images of any rank: what scipy.ndimage calls gaussian_filter, uniform_filter, median_filter,
// minimum_filter, sobel, convolve, binary_erosion and so on, over arrays larger than memory.
//
// A filter is a list of passes. A pass computes each position from its neighbours at fixed offsets, by programs (kernels.Program) with
// one input for each neighbour: all of them are the same chunk, seen from elsewhere. So filters run as the machine code
// that elementwise operations run as, a vector of neighbours at once. Separable filters are one pass along each axis, as SciPy's are.
//
// A task filters a region of the result. It reads that region and what the passes reach beyond it, once, whatever chunks that comes from;
// what lies beyond the ends of the array is made by the boundary before the pass that needs it, as SciPy does. The bits of a result do not
// depend on regions or workers.
//
// Results have the operand's dtype, and sums are made in float64 in SciPy's order and rounded to it after each pass, so that an integer image
// gives SciPy's integers. NaN goes wherever a window has one. Complex numbers are refused.
//
// Label numbers the connected parts of a mask, Otsu finds the threshold that makes one, and Measure tells in a table what the parts are like: a row for each, whose number is known
// after a run. Measuring is one sweep over labels and images (groupSweep), of which tables, SciPy's measurements by labels and find_objects are made alike. A property is a row of
// properties in measure.go.
package ndimage
