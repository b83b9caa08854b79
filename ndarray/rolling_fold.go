// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import "math"

// windowState are the components of the states of many windows, component by component: a value and a count, or count, mean and sum
// of squared deviations.
type windowState [3][]float64

// at returns the states from i to i+n.
func (s *windowState) at(i, n int) windowState {
	var out windowState
	for c := range s {
		if s[c] != nil {
			out[c] = s[c][i : i+n]
		}
	}
	return out
}

// windowFold is one row of the table of folds of windows.
//
// A fold along an axis is van Herk's and Gil and Werman's: the axis is cut into blocks as long as the window, counted from its
// beginning, and a window is the end of one block joined with the start of the next. That takes three joins for each position whatever
// the window, never subtracts, and gives the same bits wherever an array is cut.
type windowFold struct {
	comps  int
	zero   [3]float64                 // the state of no values
	one    func(x float64) [3]float64 // the state of one
	join   func(d, a, b windowState)  // d may be a or b
	count  int                        // the component that is the number of values
	values func(d []float64, s windowState, ddof float64)
}

// counted returns the fold of a value and a count.
func counted(zero float64, join func(d, a, b []float64), values func(d []float64, s windowState, ddof float64)) windowFold {
	return windowFold{
		comps: 2,
		zero:  [3]float64{zero},
		one:   func(x float64) [3]float64 { return [3]float64{x, 1} },
		join: func(d, a, b windowState) {
			join(d[0], a[0], b[0])
			addTo(d[1], a[1], b[1])
		},
		count:  1,
		values: values,
	}
}

func addTo(d, a, b []float64) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] + b[i]
	}
}

func own(d []float64, s windowState, _ float64) { copy(d, s[0]) }

func means(d []float64, s windowState, _ float64) {
	x, n := s[0][:len(d)], s[1][:len(d)]
	for i := range d {
		d[i] = x[i] / n[i]
	}
}

// windowFolds is the table.
var windowFolds = map[string]windowFold{
	"sum":  counted(0, addTo, own),
	"mean": counted(0, addTo, means),
	"prod": counted(1, func(d, a, b []float64) {
		for i := range d {
			d[i] = a[i] * b[i]
		}
	}, own),
	"min": counted(math.Inf(1), func(d, a, b []float64) {
		for i := range d {
			d[i] = min(a[i], b[i])
		}
	}, own),
	"max": counted(math.Inf(-1), func(d, a, b []float64) {
		for i := range d {
			d[i] = max(a[i], b[i])
		}
	}, own),
	"count": {
		comps:  1,
		one:    func(float64) [3]float64 { return [3]float64{1} },
		join:   func(d, a, b windowState) { addTo(d[0], a[0], b[0]) },
		values: own,
	},
	"var": {comps: 3, one: oneMoment, join: joinMoments, values: variances},
	"std": {comps: 3, one: oneMoment, join: joinMoments, values: func(d []float64, s windowState, ddof float64) {
		variances(d, s, ddof)
		for i, v := range d {
			d[i] = math.Sqrt(v)
		}
	}},
	// Medians keep the values themselves.
	"median": {comps: 1, zero: [3]float64{nan}, one: func(x float64) [3]float64 { return [3]float64{x} }},
}

func oneMoment(x float64) [3]float64 { return [3]float64{1, x, 0} }

// joinMoments is Chan's formula.
func joinMoments(d, a, b windowState) {
	for i := range d[0] {
		na, nb := a[0][i], b[0][i]
		switch {
		case nb == 0:
			d[0][i], d[1][i], d[2][i] = na, a[1][i], a[2][i]
		case na == 0:
			d[0][i], d[1][i], d[2][i] = nb, b[1][i], b[2][i]
		default:
			n := na + nb
			away := b[1][i] - a[1][i]
			mean := a[1][i] + float64(away*(nb/n))
			d[2][i] = a[2][i] + b[2][i] + float64(float64(away*away)*(na*nb/n))
			d[0][i], d[1][i] = n, mean
		}
	}
}

func variances(d []float64, s windowState, ddof float64) {
	for i := range d {
		d[i] = nan
		if n := s[0][i]; n > ddof {
			d[i] = s[2][i] / (n - ddof)
		}
	}
}
