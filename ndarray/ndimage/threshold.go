// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Otsu returns the threshold of ThresholdOtsu for all elements of v: a variable without dimensions.
func Otsu(v ndarray.Variable) ndarray.Variable {
	if v.Err() != nil {
		return v
	}
	return ndarray.NewVariable(v.Name(), ThresholdOtsu(v.Array(), 256), nil, v.Attrs())
}

// ThresholdOtsu returns the threshold for which the variance between elements up to it and those above is largest: skimage.filters.threshold_otsu, of rank 0.
//
// Integers have a bin of the histogram for each value from the smallest to the largest, which must fit a quarter of the engine's budget, and give int64. Floats have bins of one
// width between the two, and give the middle of one, in their dtype. An element that is NaN or infinite is an error of the run, as is an array without elements.
func ThresholdOtsu(a ndarray.Array, bins int64) ndarray.Array {
	return thresholdBy("threshold_otsu", a, bins, otsu[float32], otsu[float64])
}

// ThresholdYen returns the threshold of Yen's criterion of correlation, as ThresholdOtsu does: skimage.filters.threshold_yen.
func ThresholdYen(a ndarray.Array, bins int64) ndarray.Array {
	return thresholdBy("threshold_yen", a, bins, yen[float32], yen[float64])
}

// ThresholdIsodata returns the lowest threshold that lies half way between the means of the elements up to it and of those above, as ThresholdOtsu does: skimage.filters.threshold_isodata.
func ThresholdIsodata(a ndarray.Array, bins int64) ndarray.Array {
	return thresholdBy("threshold_isodata", a, bins, isodata[float32], isodata[float64])
}

// ThresholdTriangle returns the threshold that lies farthest from the line between the peak of the histogram and the end of its longer tail, as ThresholdOtsu does:
// skimage.filters.threshold_triangle.
func ThresholdTriangle(a ndarray.Array, bins int64) ndarray.Array {
	return thresholdBy("threshold_triangle", a, bins, triangle[float32], triangle[float64])
}

// mostThresholdBins bounds the bins of thresholds.
const mostThresholdBins = 1 << 16

// narrow and wide are functions of a histogram whose middles of bins are float32 or float64; they return a bin, which is below 0 where there is none.
type (
	narrow func(counts []float32, centers []float32) int
	wide   func(counts []float32, centers []float64) int
)

// thresholdBy returns the middle of the bin that a function finds.
func thresholdBy(fn string, a ndarray.Array, bins int64, of narrow, ofWide wide) ndarray.Array {
	switch {
	case a.Err() != nil:
		return a
	case !a.DType().IsNumeric() || a.DType().IsComplex():
		return failed(fmt.Errorf("ndimage: %s: operand: got %v, want real numbers: %w", fn, a.DType(), dtype.ErrPromote))
	case bins < 2 || bins > mostThresholdBins:
		return failed(fmt.Errorf("ndimage: %s: nbins: got %d, want 2 to %d", fn, bins, mostThresholdBins))
	}
	if a.DType().IsFloat() {
		if a.DType().Size() < 4 {
			return thresholdBy(fn, a.AsType(dtype.Float32), bins, of, ofWide).AsType(a.DType())
		}
		if a.DType() == dtype.Float32 {
			return thresholdOfFloats(fn, a, bins, of)
		}
		return thresholdOfFloats(fn, a, bins, ofWide)
	}
	if a.DType() == dtype.Bool {
		a = a.AsType(dtype.Uint8)
	}
	return ndarray.FromNode(graph.At("").Later(graph.LaterArg{Key: fn, Sweep: valueSweep, Build: func(_ []*graph.Node, found any) *graph.Node {
		h := found.(*valueCounts)
		if h.counts == nil {
			return failed(fmt.Errorf("ndimage: %s: there are no elements", fn)).Node()
		}
		list, centers := make([]float32, len(h.counts)), make([]float64, len(h.counts))
		for i, n := range h.counts {
			list[i], centers[i] = float32(n), float64(h.low+int64(i))
		}
		k := ofWide(list, centers)
		if k < 0 {
			return failed(fmt.Errorf("ndimage: %s: the histogram has no such threshold", fn)).Node()
		}
		return ndarray.Scalar(h.low + int64(k)).Node()
	}}, dtype.Int64, chunk.Grid{Shape: chunk.Shape{}}, a.Node()))
}

// thresholdOfFloats finds the range of the elements in one sweep and the histogram in another.
func thresholdOfFloats[T float](fn string, a ndarray.Array, bins int64, of func(counts []float32, centers []T) int) ndarray.Array {
	later := func(key string, sweep *graph.Sweep, build func(in, found any) ndarray.Array) ndarray.Array {
		return ndarray.FromNode(graph.At("").Later(graph.LaterArg{Key: key, Sweep: sweep, Build: func(in []*graph.Node, found any) *graph.Node {
			return build(ndarray.FromNode(in[0]), found).Node()
		}}, a.DType(), chunk.Grid{Shape: chunk.Shape{}}, a.Node()))
	}
	fail := func(text string) ndarray.Array { return failed(fmt.Errorf("ndimage: %s: %s", fn, text)) }
	return later(fmt.Sprintf("%s %d", fn, bins), extentSweep[T](), func(in, found any) ndarray.Array {
		e := found.(*extent[T])
		switch {
		case !e.any:
			return fail("there are no elements")
		case !e.finite || math.IsInf(float64(e.hi-e.lo), 0):
			return fail("the range of the elements is not finite; replace NaN and infinities first")
		case e.lo == e.hi: // the first bin of one width would be half a bin beside it
			return ndarray.Scalar(e.lo)
		}
		edges := evenEdges(e.lo, e.hi, bins)
		if !slices.IsSortedFunc(edges, func(x, y T) int {
			if x < y {
				return -1
			}
			return 1
		}) {
			return fail(fmt.Sprintf("too many bins for the range of the elements: %d of one width are not all wider than 0", bins))
		}
		a = in.(ndarray.Array)
		return later(fmt.Sprintf("%s in %d from %v to %v", fn, bins, e.lo, e.hi), binSweep(edges), func(_, found any) ndarray.Array {
			counts := make([]float32, bins)
			for i, n := range found.([]int64) {
				counts[i] = float32(n)
			}
			m := middles(edges)
			k := of(counts, m)
			if k < 0 {
				return fail("the histogram has no such threshold")
			}
			return ndarray.Scalar(m[k])
		})
	})
}

// float are the types of the middles of bins.
type float interface{ float32 | float64 }

// middles returns the middles between edges.
func middles[T float](edges []T) []T {
	out := make([]T, len(edges)-1)
	for i := range out {
		out[i] = (edges[i] + edges[i+1]) / 2
	}
	return out
}

// otsu, and the functions after it, compute in the types in which scikit-image does: counts are float32, their products with middles of bins the middles' type.
func otsu[T float](counts []float32, centers []T) int {
	n := len(counts)
	if one := only(counts); one >= 0 {
		return one
	}
	below, under := upTo(counts, centers)
	above, over := downTo(counts, centers)
	best, at := math.Inf(-1), 0
	for i := range n - 1 {
		d := under[i]/T(below[i]) - over[i+1]/T(above[i+1])
		v := float64(T(below[i]*above[i+1]) * T(d*d))
		if v != v {
			return i // the first NaN is the largest for NumPy
		}
		if v > best {
			best, at = v, i
		}
	}
	return at
}

// only returns the bin that holds all elements, -1 for none.
func only(counts []float32) int {
	some := func(c float32) bool { return c > 0 }
	first := slices.IndexFunc(counts, some)
	if first < 0 || slices.ContainsFunc(counts[first+1:], some) {
		return -1
	}
	return first
}

// upTo returns the sums of the counts up to each bin, and of their products with the middles.
func upTo[T float](counts []float32, centers []T) (n []float32, moment []T) {
	n, moment = make([]float32, len(counts)), make([]T, len(counts))
	sum, m := float32(0), T(0)
	for i, c := range counts {
		sum += c
		m += T(T(c) * centers[i])
		n[i], moment[i] = sum, m
	}
	return n, moment
}

// downTo returns the sums from the last bin down to each.
func downTo[T float](counts []float32, centers []T) (n []float32, moment []T) {
	n, moment = make([]float32, len(counts)), make([]T, len(counts))
	sum, m := float32(0), T(0)
	for i := len(counts) - 1; i >= 0; i-- {
		sum += counts[i]
		m += T(T(counts[i]) * centers[i])
		n[i], moment[i] = sum, m
	}
	return n, moment
}

func yen[T float](counts []float32, _ []T) int {
	if one := only(counts); one >= 0 {
		return one
	}
	total := float64(0)
	for _, c := range counts {
		total += float64(c)
	}
	n := len(counts)
	share, squares, rest := make([]float32, n), make([]float32, n), make([]float32, n)
	sum, sq := float32(0), float32(0)
	for i, c := range counts {
		p := c / float32(total)
		sum += p
		sq += float32(p * p)
		share[i], squares[i] = sum, sq
	}
	sq = 0
	for i := n - 1; i >= 0; i-- {
		p := counts[i] / float32(total)
		sq += float32(p * p)
		rest[i] = sq
	}
	best, at := float32(math.Inf(-1)), 0
	for i := range n - 1 {
		p := float32(share[i] * (1 - share[i]))
		v := float32(math.Log(float64(float32(1/float32(squares[i]*rest[i+1])) * float32(p*p))))
		if v > best {
			best, at = v, i
		}
	}
	return at
}

func isodata[T float](counts []float32, centers []T) int {
	if one := only(counts); one >= 0 {
		return one
	}
	n, moment := upTo(counts, centers)
	last := len(counts) - 1
	width := centers[1] - centers[0]
	for i := range last {
		lower := moment[i] / T(n[i])
		higher := (moment[last] - moment[i]) / T(n[last]-n[i])
		if d := (lower+higher)/2 - centers[i]; d >= 0 && d < width {
			return i
		}
	}
	return -1
}

func triangle[T float](counts []float32, _ []T) int {
	n := len(counts)
	peak, low, high := 0, -1, 0
	for i, c := range counts {
		if c > counts[peak] {
			peak = i
		}
		if c > 0 {
			high = i
			if low < 0 {
				low = i
			}
		}
	}
	if low == high {
		return low
	}
	flip := peak-low < high-peak
	at := func(i int) float64 { return float64(counts[i]) }
	if flip {
		at = func(i int) float64 { return float64(counts[n-1-i]) }
		low, peak = n-high-1, n-peak-1
	}
	width := float64(peak - low)
	height := at(peak)
	norm := math.Sqrt(float64(height*height) + float64(width*width))
	height, width = height/norm, width/norm
	best, level := math.Inf(-1), low
	for x := range peak - low {
		if d := float64(height*float64(x)) - float64(width*at(x+low)); d > best {
			best, level = d, x+low
		}
	}
	if flip {
		return n - level - 1
	}
	return level
}

// LocalOptions are those of ThresholdLocal; the zero value is scikit-image's default.
type LocalOptions struct {
	Options
	Method string    // "gaussian", "mean" or "median"; "": the first
	Sigma  []float64 // of the Gaussian, along each axis or one for all; nil: a sixth of what the window reaches
	Offset float64   // taken off each threshold
}

// ThresholdLocal returns a threshold for each element: the mean, weighted by a Gaussian or not, or the median of the elements in the window of odd lengths around it, along each axis or one
// for all. Float32 and float16 give float32, all else float64: skimage.filters.threshold_local.
func ThresholdLocal(a ndarray.Array, window []int64, o LocalOptions) ndarray.Array {
	fail := func(format string, args ...any) ndarray.Array {
		return failed(fmt.Errorf("ndimage: threshold_local: "+format, args...))
	}
	if err := check("threshold_local", a); err != nil {
		return failed(err)
	}
	if len(window) == 1 {
		window = slices.Repeat(window, a.Rank())
	}
	if len(window) != a.Rank() {
		return fail("block_size: got %d lengths, want one, or one for each of %d axes: %w", len(window), a.Rank(), chunk.ErrShape)
	}
	sigma := make([]float64, len(window))
	for k, n := range window {
		if n < 1 || n%2 == 0 {
			return fail("block_size: got %v, want odd lengths", window)
		}
		sigma[k] = float64(n-1) / 6
	}
	a = a.AsType(supportedFloat(a.DType()))
	var out ndarray.Array
	switch o.Method {
	case "", "gaussian":
		if o.Sigma != nil {
			sigma = o.Sigma
		}
		out = GaussianFilter(a, sigma, GaussianOptions{Options: o.Options})
	case "mean":
		out = UniformFilter(a, window, nil, o.Options)
	case "median":
		out = MedianFilter(a, Box(a.Rank(), window...), nil, o.Options)
	default:
		return fail("method: got %q, want gaussian, mean or median", o.Method)
	}
	if o.Offset != 0 {
		out = ndarray.Apply("subtract", out, o.Offset)
	}
	return out
}

// supportedFloat returns the float in which scikit-image computes with a dtype.
func supportedFloat(d dtype.DType) dtype.DType {
	if d == dtype.Float32 || d == dtype.Float16 || d == dtype.BFloat16 {
		return dtype.Float32
	}
	return dtype.Float64
}
