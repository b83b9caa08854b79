// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"math"
	"sort"
)

// Links are the weights along one axis: target position i is made of the source positions Index[First[i]:First[i+1]], whose
// weights add up to 1, and Part says how much of it they cover: 1 for all of it, 0 where it has none.
type Links struct {
	First  []int32
	Index  []int32
	Weight []float64
	Part   []float64
	// Cap is for each target latitude beyond the last row of a grid that goes round the pole how much of the pole is in it, the mean
	// over the row of Index[First[i]]; nil for none.
	Cap []float64

	reach reach
	most  int64 // source positions of any target
}

// cap returns how much of the pole is in a target.
func (l *Links) cap(i int64) float64 {
	if l.Cap == nil {
		return 0
	}
	return l.Cap[i]
}

// begin returns Links without positions.
func begin(n int) *Links {
	return &Links{First: make([]int32, 1, n+1), Part: make([]float64, 0, n)}
}

// add adds a source position of the target position that is being made.
func (l *Links) add(i int32, w float64) {
	l.Index = append(l.Index, i)
	l.Weight = append(l.Weight, w)
}

// end ends the target position, whose cell measures size: 0 if the weights are as they are to be.
func (l *Links) end(size float64) {
	first := int(l.First[len(l.First)-1])
	sum := 0.0
	for _, w := range l.Weight[first:] {
		sum += w
	}
	part := min(sum, 1)
	if size > 0 {
		part = sum / size
		if math.Abs(part-1) < 1e-9 {
			part = 1
		}
		for i := range l.Weight[first:] {
			l.Weight[first+i] /= sum
		}
	}
	l.First = append(l.First, int32(len(l.Index)))
	l.Part = append(l.Part, part)
	l.reach.add(l.Index[first:])
	l.most = max(l.most, int64(len(l.Index)-first))
}

// crop counts source positions from the first that is needed, and returns that and how many there are from it to the last: one at least.
func (l *Links) crop() (from, many int64) {
	from, until := l.reach.of(0, int64(len(l.Part)))
	for k := range l.Index {
		l.Index[k] -= int32(from)
	}
	for i := range l.reach.first {
		if l.reach.last[i] > 0 {
			l.reach.first[i] -= int32(from)
			l.reach.last[i] -= int32(from)
		}
	}
	return from, max(until-from, 1)
}

// linear returns links to the neighbours of places on an axis; a longitude is on it at any turn. Places beyond its ends have none.
// A neighbour of weight 0 is left out, so that what it holds does not matter.
func (a *axis) linear(to []float64, turns bool) *Links {
	l := begin(len(to))
	for _, x := range to {
		k, w, ok := a.between(x, turns)
		if ok {
			if w < 1 {
				l.add(a.order[k], 1-w)
			}
			if w > 0 {
				l.add(a.order[(k+1)%len(a.at)], w)
			}
		}
		l.end(0)
	}
	return l
}

// between returns the centre before a place and how far the place is on the way to the next, 0 to 1. A place
// that misses an end by rounding is at it.
func (a *axis) between(x float64, turns bool) (k int, w float64, ok bool) {
	n := len(a.at)
	if turns {
		x = a.at[0] + turn(x-a.at[0])
	}
	k = sort.SearchFloat64s(a.at, x) // the first that is not before x
	switch {
	case k < n && a.at[k] == x:
		return k, 0, true
	case k > 0 && k < n:
		k--
		w = (x - a.at[k]) / (a.at[k+1] - a.at[k])
	case turns && a.cyclic: // between the last and the first
		k = n - 1
		w = (x - a.at[k]) / (a.at[0] + 360 - a.at[k])
	}
	switch { // turns round, and a centre is to be found all the same
	case w > 1-1e-10:
		return (k + 1) % n, 0, true
	case w > 0:
		if w < 1e-10 {
			w = 0
		}
		return k, w, true
	}
	near := 1e-5
	if n > 1 {
		near *= (a.at[n-1] - a.at[0]) / float64(n-1)
	}
	switch {
	case math.Abs(x-a.at[0]) <= near || turns && math.Abs(x-360-a.at[0]) <= near:
		return 0, 0, true
	case math.Abs(x-a.at[n-1]) <= near:
		return n - 1, 0, true
	}
	return 0, 0, false
}

// caps adds to links along latitude those of places between the last rows and the poles, if the rows go round.
func (l *Links) caps(a *axis, to []float64) *Links {
	n := len(a.at)
	out := begin(len(to))
	out.Cap = make([]float64, len(to))
	for i, x := range to {
		for k := l.First[i]; k < l.First[i+1]; k++ {
			out.add(l.Index[k], l.Weight[k])
		}
		row, pole := -1, 0.0
		switch {
		case len(out.Index) > int(out.First[i]):
		case x < a.at[0] && a.poles[0]:
			row, pole = 0, -90
		case x > a.at[n-1] && a.poles[1]:
			row, pole = n-1, 90
		}
		if row >= 0 {
			w := (x - a.at[row]) / (pole - a.at[row])
			out.Cap[i] = min(w, 1)
			out.add(a.order[row], 1-out.Cap[i])
		}
		out.end(0)
		if row >= 0 {
			out.Part[i] = 1
		}
	}
	return out
}

// overlaps returns links to the cells that share something with each target cell, by how much: measure is that of a strip between
// two edges. Longitudes are compared at any turn.
func (a *axis) overlaps(to *axis, turns bool, measure func(lo, hi float64) float64) *Links {
	n := len(to.at)
	place := make([]int, n) // where each target position is on its axis
	for k, i := range to.order {
		place[i] = k
	}
	l := begin(n)
	for _, k := range place {
		lo, hi := to.lo[k], to.hi[k]
		first, last := 0.0, 0.0
		if turns {
			first, last = math.Floor((lo-a.hi[len(a.hi)-1])/360), math.Ceil((hi-a.lo[0])/360)
		}
		for turn := first; turn <= last; turn++ {
			from, until := lo-360*turn, hi-360*turn
			for c := sort.Search(len(a.hi), func(c int) bool { return a.hi[c] > from }); c < len(a.lo) && a.lo[c] < until; c++ {
				b, e := max(from, a.lo[c]), min(until, a.hi[c])
				// What is shared by rounding alone is nothing.
				if w := measure(b, e); e > b && w > 1e-11*measure(lo, hi) {
					l.add(a.order[c], w)
				}
			}
		}
		l.end(measure(lo, hi))
	}
	return l
}

// degrees is the measure of longitudes.
func degrees(lo, hi float64) float64 { return hi - lo }

// sines is the measure of latitudes, the area between them: sin hi - sin lo, without cancellation.
func sines(lo, hi float64) float64 {
	const half = math.Pi / 360
	return 2 * math.Cos((lo+hi)*half) * math.Sin((hi-lo)*half)
}
