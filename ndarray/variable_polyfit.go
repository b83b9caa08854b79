// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// mostDegrees bounds the degree of fitted polynomials: beyond it float64 cannot tell powers apart.
const mostDegrees = 12

// sinceEpoch returns the values of a coordinate as numbers; times are nanoseconds since 1970 in their calendar, as xarray fits them.
func (c *Coord) sinceEpoch() ([]float64, error) {
	if !c.isTime() {
		return c.numbersOf("")
	}
	times, u, err := c.times()
	if err != nil {
		return nil, err
	}
	to, err := cf.ParseUnits("nanoseconds since 1970-01-01", u.Calendar.String())
	if err != nil {
		return nil, err
	}
	return convert(times, func(t cf.Instant) float64 {
		if t == noTime {
			return nan
		}
		return to.Number(t)
	}), nil
}

// PolyFit returns the coefficients of the polynomials of degree deg in the labels of a dimension that come nearest to v, by least squares, missing
// values left out. Their dimension, the first, is "degree", from the highest power down to 0; its labels are the powers. The labels of a time are
// nanoseconds since 1970. DType: float64. Where fewer values are there than coefficients they are NaN.
//
// A degree below 0 or above 12, and labels that are missing, are errors.
func (v Variable) PolyFit(dim string, deg int64) Variable {
	if v.Err() != nil {
		return v
	}
	k := v.axis(dim)
	switch {
	case k < 0:
		return v.noDim("polyfit", dim)
	case deg < 0 || deg > mostDegrees:
		return v.fail("ndarray: polyfit: degree: got %d, want 0 to %d", deg, mostDegrees)
	case !v.DType().IsNumeric() || v.DType().IsComplex():
		return v.fail("ndarray: polyfit: %s holds %v, want real numbers", v.label(), v.DType())
	}
	c := v.CoordOf(dim)
	if c == nil {
		c = newCoord(dim, []string{dim}, nil, positions(v.dimLen(dim)))
	}
	x, err := c.sinceEpoch()
	if err != nil {
		return v.fail("ndarray: polyfit: %w", err)
	}
	if i := slices.IndexFunc(x, func(f float64) bool { return math.IsNaN(f) || math.IsInf(f, 0) }); i >= 0 {
		return v.fail("ndarray: polyfit: label %d of %q is not a number", i, dim)
	}
	out := v
	out.array = v.array.polyFit(k, x, int(deg))
	out.host, out.values = nil, nil
	out.name, out.attrs = "polyfit_coefficients", nil
	out.dims, out.unlimited = append([]string{"degree"}, without(v.dims, dim)...), without(v.unlimited, dim)
	powers := make([]int64, deg+1)
	for i := range powers {
		powers[i] = deg - int64(i)
	}
	out.coords = putCoord(dropCoords(v.coords, []string{dim}), newCoord("degree", []string{"degree"}, nil, intLabels(powers)))
	return out
}

// polyFit fits along axis k, whose places are x. The sums are those of Legendre polynomials on the places' range, which do not lose digits as sums of
// powers do; they are turned into powers of x at the end.
func (a Array) polyFit(k int, x []float64, deg int) Array {
	a = a.AsType(dtype.Float64).MoveAxis(k, -1)
	there := a.IsNaN().Not()
	zeroed := Where(there, a, 0.0)
	weight := there.AsType(dtype.Float64)
	mid, half := rangeOf(x)
	basis := legendre(x, mid, half, deg)
	line := func(list []float64) Array { return FromSlice(list) }
	right := make([]Array, deg+1)
	for i := range right {
		right[i] = zeroed.Mul(line(basis[i])).Sum(-1)
	}
	m := make([][]Array, deg+1)
	for i := range m {
		m[i] = make([]Array, i+1)
		for j := range m[i] {
			products := make([]float64, len(x))
			for p := range products {
				products[p] = basis[i][p] * basis[j][p]
			}
			m[i][j] = weight.Mul(line(products)).Sum(-1)
		}
	}
	coef := solveSymmetric(m, right)
	rows := powersOf(mid, half, deg)
	few := weight.Sum(-1).Less(deg + 1)
	out := make([]Array, deg+1)
	for p := range out {
		sum := Where(few, nan, 0.0)
		for i := range coef {
			sum = sum.Add(coef[i].Mul(rows[i][deg-p]))
		}
		out[p] = sum
	}
	return Stack(0, out...)
}

// rangeOf returns the middle of numbers and half of what they span, 1 for one.
func rangeOf(x []float64) (mid, half float64) {
	if len(x) == 0 {
		return 0, 1
	}
	lo, hi := slices.Min(x), slices.Max(x)
	if mid, half = lo+(hi-lo)/2, (hi-lo)/2; half == 0 {
		half = 1
	}
	return mid, half
}

// legendre returns the values of the Legendre polynomials 0 to n at (x-mid)/half.
func legendre(x []float64, mid, half float64, n int) [][]float64 {
	out := make([][]float64, n+1)
	for i := range out {
		out[i] = make([]float64, len(x))
		for p := range x {
			t := (x[p] - mid) / half
			switch i {
			case 0:
				out[i][p] = 1
			case 1:
				out[i][p] = t
			default:
				out[i][p] = (float64(float64(2*i-1)*t*out[i-1][p]) - float64(float64(i-1)*out[i-2][p])) / float64(i)
			}
		}
	}
	return out
}

// powersOf returns, for each Legendre polynomial of (x-mid)/half up to n, the factors of the powers of x.
func powersOf(mid, half float64, n int) [][]float64 {
	inT := make([][]float64, n+1) // factors of the powers of t
	for i := range inT {
		inT[i] = make([]float64, n+1)
		switch i {
		case 0:
			inT[i][0] = 1
		case 1:
			inT[i][1] = 1
		default:
			for p := range n + 1 {
				if p > 0 {
					inT[i][p] += float64(float64(2*i-1) * inT[i-1][p-1] / float64(i))
				}
				inT[i][p] -= float64(float64(i-1) * inT[i-2][p] / float64(i))
			}
		}
	}
	out := make([][]float64, n+1)
	for i := range out {
		out[i] = make([]float64, n+1)
		for p, f := range inT[i] {
			// ((x - mid) / half)^p
			binomial := 1.0
			for q := p; q >= 0; q-- {
				out[i][q] += float64(f * binomial * math.Pow(-mid, float64(p-q)) / math.Pow(half, float64(p)))
				binomial = binomial * float64(q) / float64(p-q+1)
			}
		}
	}
	return out
}

// solveSymmetric returns the solutions of systems whose matrices are positive, given by their lower triangles: each entry is an array of one element for
// each system. m and right are used up.
func solveSymmetric(m [][]Array, right []Array) []Array {
	n := len(right)
	// m becomes L and D of L D Lt.
	for j := range n {
		for k := range j {
			m[j][j] = m[j][j].Sub(m[j][k].Square().Mul(m[k][k]))
		}
		for i := j + 1; i < n; i++ {
			for k := range j {
				m[i][j] = m[i][j].Sub(m[i][k].Mul(m[j][k]).Mul(m[k][k]))
			}
			m[i][j] = m[i][j].Div(m[j][j])
		}
	}
	for i := range n {
		for k := range i {
			right[i] = right[i].Sub(m[i][k].Mul(right[k]))
		}
	}
	for i := n - 1; i >= 0; i-- {
		right[i] = right[i].Div(m[i][i])
		for k := i + 1; k < n; k++ {
			right[i] = right[i].Sub(m[k][i].Mul(right[k]))
		}
	}
	return right
}

// PolyVal returns the polynomials whose coefficients v has along dimension "degree", labelled by powers, at the values of a coordinate; times count as
// in PolyFit. The coordinate's dimensions lead. Powers that are not there have the coefficient 0.
func (v Variable) PolyVal(at Variable) Variable {
	for _, x := range []Variable{v, at} {
		if x.Err() != nil {
			return x
		}
	}
	c := v.CoordOf("degree")
	if c == nil || v.axis("degree") < 0 || c.host == nil || c.host.Int == nil {
		return v.fail("ndarray: polyval: %s has no dimension \"degree\" whose labels are powers", v.label())
	}
	most := slices.Max(append([]int64{0}, c.host.Int...))
	if most > 1<<10 {
		return v.fail("ndarray: polyval: degree: got %d, want at most 1024", most)
	}
	x := at
	if k := at.asCoord(); k.isTime() {
		list, err := k.sinceEpoch()
		if err != nil {
			return v.fail("ndarray: polyval: %w", err)
		}
		x = at.WithArray(FromSlice(list, at.Shape()...).shaped(at.Shape()))
	}
	out := x.WithArray(Zeros(chunk.Shape{}, dtype.Float64).BroadcastTo(x.Shape()...))
	for p := most; p >= 0; p-- {
		if p < most {
			out = out.Mul(x)
		}
		if i := slices.Index(c.host.Int, p); i >= 0 {
			term := v.at("degree", int64(i))
			term.coords = dropScalar(term.coords, "degree")
			out = out.Add(term)
		}
	}
	if out.Err() == nil {
		out.name, out.attrs = v.name, nil
	}
	return out
}

// dropScalar returns the coordinates without one.
func dropScalar(list []*Coord, name string) []*Coord {
	return slices.DeleteFunc(slices.Clone(list), func(c *Coord) bool { return c.name == name })
}
