// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/ndimage"
)

// images are SciPy's filters of the sub-module ndimage, with its parameters. Results keep names and coordinates.
var images = map[string]function{
	"ndimage.correlate1d":                 {"a weights axis= mode= cval= origin=", line1D(ndimage.Correlate1D)},
	"ndimage.convolve1d":                  {"a weights axis= mode= cval= origin=", line1D(ndimage.Convolve1D)},
	"ndimage.correlate":                   {"a weights mode= cval= origin=", weighing(ndimage.Correlate)},
	"ndimage.convolve":                    {"a weights mode= cval= origin=", weighing(ndimage.Convolve)},
	"ndimage.gaussian_filter":             {"a sigma order= mode= cval= truncate= radius= axes=", gaussian(ndimage.GaussianFilter)},
	"ndimage.gaussian_laplace":            {"a sigma mode= cval= truncate= radius=", gaussian(ndimage.GaussianLaplace)},
	"ndimage.gaussian_gradient_magnitude": {"a sigma mode= cval= truncate= radius=", gaussian(ndimage.GaussianGradientMagnitude)},
	"ndimage.gaussian_filter1d":           {"a sigma axis= order= mode= cval= truncate= radius=", gaussian1D},
	"ndimage.sobel":                       {"a axis= mode= cval=", edges(ndimage.Sobel)},
	"ndimage.prewitt":                     {"a axis= mode= cval=", edges(ndimage.Prewitt)},
	"ndimage.laplace":                     {"a mode= cval=", func(b params) (value, error) { return filtered(b, laplace) }},
	"ndimage.uniform_filter":              {"a size= mode= cval= origin=", func(b params) (value, error) { return filtered(b, uniform) }},
	"ndimage.minimum_filter":              {"a size= footprint= mode= cval= origin=", windowed(ndimage.MinimumFilter)},
	"ndimage.maximum_filter":              {"a size= footprint= mode= cval= origin=", windowed(ndimage.MaximumFilter)},
	"ndimage.median_filter":               {"a size= footprint= mode= cval= origin=", windowed(ndimage.MedianFilter)},
	"ndimage.rank_filter":                 {"a rank size= footprint= mode= cval= origin=", ranks},
	"ndimage.percentile_filter":           {"a percentile size= footprint= mode= cval= origin=", percentiles},
	"ndimage.grey_erosion":                {"a size= footprint= mode= cval= origin=", windowed(ndimage.GreyErosion)},
	"ndimage.grey_dilation":               {"a size= footprint= mode= cval= origin=", windowed(ndimage.GreyDilation)},
	"ndimage.grey_opening":                {"a size= footprint= mode= cval= origin=", windowed(ndimage.GreyOpening)},
	"ndimage.grey_closing":                {"a size= footprint= mode= cval= origin=", windowed(ndimage.GreyClosing)},
	"ndimage.white_tophat":                {"a size= footprint= mode= cval= origin=", windowed(ndimage.WhiteTophat)},
	"ndimage.black_tophat":                {"a size= footprint= mode= cval= origin=", windowed(ndimage.BlackTophat)},
	"ndimage.morphological_gradient":      {"a size= footprint= mode= cval= origin=", windowed(ndimage.MorphologicalGradient)},
	"ndimage.binary_erosion":              {"a structure= iterations= border_value= origin=", morphology(ndimage.BinaryErosion)},
	"ndimage.binary_dilation":             {"a structure= iterations= border_value= origin=", morphology(ndimage.BinaryDilation)},
	"ndimage.binary_opening":              {"a structure= iterations= origin=", morphology(ndimage.BinaryOpening)},
	"ndimage.binary_closing":              {"a structure= iterations= origin=", morphology(ndimage.BinaryClosing)},
	"ndimage.generate_binary_structure":   {"rank connectivity", structure},
	"ndimage.label":                       {"a structure=", label},
}

// modes are SciPy's names of boundaries.
var modes = map[string]ndarray.Boundary{
	"reflect": ndarray.Reflect, "grid-mirror": ndarray.Reflect,
	"mirror":  ndarray.Mirror,
	"nearest": ndarray.Edge,
	"wrap":    ndarray.Periodic, "grid-wrap": ndarray.Periodic,
	"constant": ndarray.Constant, "grid-constant": ndarray.Constant,
}

// filtered calls f with the operand and the options that all filters have.
func filtered(b params, f func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error)) (value, error) {
	return filteredOf(b, "a", f)
}

// filteredOf is filtered for an operand of that name.
func filteredOf(b params, operand string, f func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error)) (value, error) {
	a, err := asArray(b.vals[operand], b.fn)
	if err != nil {
		return nil, err
	}
	var o ndimage.Options
	if b.has("mode") {
		names, ok := textsOf(b.vals["mode"])
		if !ok {
			return nil, fmt.Errorf("%s: mode: got %s, want a text, or one for each axis", b.fn, describe(b.vals["mode"]))
		}
		for _, n := range names {
			m, ok := modes[n]
			if !ok {
				return nil, fmt.Errorf("%s: mode: got %q, want reflect, constant, nearest, mirror or wrap", b.fn, n)
			}
			o.Boundary = append(o.Boundary, m)
		}
	}
	if o.Fill, err = b.float("cval", 0); err != nil {
		return nil, err
	}
	out, err := f(b, a, o)
	if err != nil {
		return nil, err
	}
	if v, ok := b.vals[operand].(ndarray.Variable); ok {
		return v.WithArray(out), nil
	}
	return out, nil
}

// line reads an axis, a number or the name of a dimension; the last one where there is none.
func (b params) line(name string) (int, error) {
	if d, ok := b.vals[name].(string); ok {
		v, isVar := b.vals["a"].(ndarray.Variable)
		if k := -1; isVar {
			if k = slices.Index(v.Dims(), d); k >= 0 {
				return k, nil
			}
		}
		return 0, fmt.Errorf("%s: %s: %s has no dimension %q", b.fn, name, describe(b.vals["a"]), d)
	}
	return b.axis(name, -1)
}

// ints reads an integer or a list of them; nil where there is none.
func (b params) ints(name string) ([]int64, error) {
	if !b.has(name) {
		return nil, nil
	}
	ids, _, err := intsOf(b.vals[name], b.fn+": "+name)
	return ids, err
}

// floats reads a number or a list of them.
func (b params) floats(name string) ([]float64, error) {
	list, _, err := floatsOf(b.vals[name], b.fn+": "+name)
	return list, err
}

// weights reads an array of numbers that is known before a run.
func (b params) weights(name string) (ndimage.Weights, error) {
	a, err := asPlain(b.vals[name], b.fn+": "+name)
	if err != nil {
		return ndimage.Weights{}, err
	}
	x, err := ndarray.ReadFloats(a)
	if err != nil {
		return ndimage.Weights{}, fmt.Errorf("%s: %s: %w", b.fn, name, err)
	}
	return ndimage.Weights{Shape: a.Shape(), Values: x}, nil
}

func line1D(f func(a ndarray.Array, w []float64, axis int, origin int64, o ndimage.Options) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		return filtered(b, func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
			w, err := b.weights("weights")
			if err != nil {
				return a, err
			}
			if len(w.Shape) != 1 {
				return a, fmt.Errorf("%s: weights: got shape %v, want a list of numbers", b.fn, w.Shape)
			}
			k, err := b.line("axis")
			if err != nil {
				return a, err
			}
			origin, err := b.int("origin", 0)
			return f(a, w.Values, k, origin, o), err
		})
	}
}

// origins reads how far a window is moved: one number for all axes or one for each.
func origins(b params, rank int) ([]int64, error) {
	list, err := b.ints("origin")
	if len(list) == 1 {
		list = slices.Repeat(list, rank)
	}
	return list, err
}

func weighing(f func(a ndarray.Array, w ndimage.Weights, origins []int64, o ndimage.Options) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		return filtered(b, func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
			w, err := b.weights("weights")
			if err != nil {
				return a, err
			}
			from, err := origins(b, a.Rank())
			return f(a, w, from, o), err
		})
	}
}

// gaussianOptions reads what Gaussian filters have in common.
func gaussianOptions(b params, o ndimage.Options) (g ndimage.GaussianOptions, err error) {
	g.Options = o
	if g.Order, err = b.ints("order"); err != nil {
		return g, err
	}
	if g.Radius, err = b.ints("radius"); err != nil {
		return g, err
	}
	g.Truncate, err = b.float("truncate", 4)
	if err == nil && !(g.Truncate > 0) {
		err = fmt.Errorf("%s: truncate: got %v, want a number above 0", b.fn, g.Truncate)
	}
	return g, err
}

func gaussian(f func(a ndarray.Array, sigma []float64, o ndimage.GaussianOptions) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		return filtered(b, func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
			g, err := gaussianOptions(b, o)
			if err != nil {
				return a, err
			}
			sigma, err := b.floats("sigma")
			if err != nil || !b.has("axes") {
				return f(a, sigma, g), err
			}
			axes, err := axesOf(b.vals["axes"], b.fn+": axes")
			if err != nil {
				return a, err
			}
			if len(sigma) == 1 {
				sigma = slices.Repeat(sigma, len(axes))
			}
			if len(sigma) != len(axes) {
				return a, fmt.Errorf("%s: sigma: got %d numbers for %d axes", b.fn, len(sigma), len(axes))
			}
			all := make([]float64, a.Rank())
			for i, k := range axes {
				if k < 0 {
					k += a.Rank()
				}
				if k < 0 || k >= a.Rank() {
					return a, fmt.Errorf("%s: axes: axis %d is outside rank %d", b.fn, axes[i], a.Rank())
				}
				all[k] = sigma[i]
			}
			return f(a, all, g), nil
		})
	}
}

func gaussian1D(b params) (value, error) {
	return filtered(b, func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
		g, err := gaussianOptions(b, o)
		if err != nil {
			return a, err
		}
		sigma, err := b.float("sigma", 0)
		if err != nil {
			return a, err
		}
		k, err := b.line("axis")
		return ndimage.GaussianFilter1D(a, sigma, k, g), err
	})
}

func edges(f func(a ndarray.Array, axis int, o ndimage.Options) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		return filtered(b, func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
			k, err := b.line("axis")
			return f(a, k, o), err
		})
	}
}

func laplace(_ params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
	return ndimage.Laplace(a, o), nil
}

func uniform(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
	size, err := b.ints("size")
	if err != nil {
		return a, err
	}
	from, err := origins(b, a.Rank())
	return ndimage.UniformFilter(a, size, from, o), err
}

// window reads a footprint, or the size of a box.
func window(b params, rank int) (ndimage.Footprint, error) {
	if b.has("footprint") {
		return footprint(b, "footprint")
	}
	size, err := b.ints("size")
	if err == nil && size == nil {
		err = fmt.Errorf("%s: want size or footprint", b.fn)
	}
	return ndimage.Box(rank, size...), err
}

func footprint(b params, name string) (ndimage.Footprint, error) {
	w, err := b.weights(name)
	p := ndimage.Footprint{Shape: w.Shape, Set: make([]bool, len(w.Values))}
	for i, x := range w.Values {
		p.Set[i] = x != 0
	}
	return p, err
}

func windowed(f func(a ndarray.Array, p ndimage.Footprint, origins []int64, o ndimage.Options) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		return filtered(b, func(b params, a ndarray.Array, o ndimage.Options) (ndarray.Array, error) {
			p, err := window(b, a.Rank())
			if err != nil {
				return a, err
			}
			from, err := origins(b, a.Rank())
			return f(a, p, from, o), err
		})
	}
}

func ranks(b params) (value, error) {
	n, err := b.int("rank", 0)
	if err != nil {
		return nil, err
	}
	return windowed(func(a ndarray.Array, p ndimage.Footprint, origins []int64, o ndimage.Options) ndarray.Array {
		return ndimage.RankFilter(a, int(n), p, origins, o)
	})(b)
}

func percentiles(b params) (value, error) {
	x, err := b.float("percentile", 0)
	if err != nil {
		return nil, err
	}
	return windowed(func(a ndarray.Array, p ndimage.Footprint, origins []int64, o ndimage.Options) ndarray.Array {
		return ndimage.PercentileFilter(a, x, p, origins, o)
	})(b)
}

func morphology(f func(a ndarray.Array, o ndimage.BinaryOptions) ndarray.Array) func(b params) (value, error) {
	return func(b params) (value, error) {
		return filtered(b, func(b params, a ndarray.Array, _ ndimage.Options) (ndarray.Array, error) {
			var o ndimage.BinaryOptions
			var err error
			if b.has("structure") {
				if o.Structure, err = footprint(b, "structure"); err != nil {
					return a, err
				}
			}
			n, err := b.int("iterations", 1)
			if err != nil {
				return a, err
			}
			if n < 1 {
				return a, fmt.Errorf("%s: iterations: got %d, want 1 or more: how often it takes until nothing changes is known after a run only", b.fn, n)
			}
			if o.Border, err = b.bool("border_value", false); err != nil {
				return a, err
			}
			o.Iterations = int(min(n, 1<<20))
			o.Origins, err = origins(b, a.Rank())
			return f(a, o), err
		})
	}
}

// mostStructure bounds the rank of generate_binary_structure.
const mostStructure = 8

func structure(b params) (value, error) {
	rank, err := b.int("rank", 0)
	if err != nil {
		return nil, err
	}
	n, err := b.int("connectivity", 0)
	if err != nil {
		return nil, err
	}
	if rank < 1 || rank > mostStructure {
		return nil, fmt.Errorf("%s: rank: got %d, want 1 to %d", b.fn, rank, mostStructure)
	}
	p := ndimage.Structure(int(rank), int(min(n, rank)))
	return ndarray.FromSlice(p.Set, p.Shape...), nil
}

// label returns the labels and how many there are.
func label(b params) (value, error) {
	a, err := asArray(b.vals["a"], b.fn)
	if err != nil {
		return nil, err
	}
	var p ndimage.Footprint
	if b.has("structure") {
		if p, err = footprint(b, "structure"); err != nil {
			return nil, err
		}
	}
	l := ndimage.LabelArray(a, p)
	out := record{tuple: tuple{l.Array, l.Count}, names: []string{"labels", "num_features"}}
	if v, ok := b.vals["a"].(ndarray.Variable); ok {
		out.tuple[0] = v.WithArray(l.Array)
	}
	return out, nil
}
