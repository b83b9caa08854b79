// SPDX-License-Identifier: BSD-3-Clause

package regrid

import "math"

// Rule says what missing values do.
type Rule struct {
	SkipNA   bool    // they are left out, and the other weights grow to 1; otherwise one among a target's source points makes it missing
	Least    float64 // the part of the weights that must be left, 0 to 1: targets with less, or nothing, are missing
	DestArea bool    // sums are divided by what all of the target cell measures, and not by its part that has values
}

// Box is rows and columns of a level of a field.
type Box struct{ Row, Col, Rows, Cols int64 }

// Need returns the source points that a box of targets needs, possibly none. A box that begins at an end of the grid may be given
// more than it needs: as much as any box of its size does.
func (m *Map) Need(at Box) Box {
	if at.Rows <= 0 || at.Cols <= 0 {
		return Box{}
	}
	var b Box
	b.Col, b.Cols = 0, m.Source.Cols
	if m.Points != nil {
		b.Row, b.Rows = m.Points.reach.extent(at.Row, at.Rows, m.Source.Rows)
	} else {
		b.Row, b.Rows = m.Y.reach.extent(at.Row, at.Rows, m.Source.Rows)
		if !m.caps(at.Row, at.Rows) {
			b.Col, b.Cols = m.X.reach.extent(at.Col, at.Cols, m.Source.Cols)
		}
	}
	if b.Rows == 0 || b.Cols == 0 {
		return Box{}
	}
	return b
}

// caps reports whether targets need whole rows. Boxes at the first row stand for all.
func (m *Map) caps(row, rows int64) bool {
	if m.Y.Cap == nil {
		return false
	}
	list := m.Y.Cap[row:][:rows]
	if row == 0 {
		list = m.Y.Cap
	}
	for _, w := range list {
		if w > 0 {
			return true
		}
	}
	return false
}

// Scratch returns how many float64 Apply needs for a box of targets.
func (m *Map) Scratch(at Box) int64 {
	if m.Points != nil {
		return 0
	}
	if m.wide {
		return at.Cols * (1 + m.Y.most)
	}
	return at.Cols + m.Need(Box{Rows: at.Rows, Cols: at.Cols}).Cols
}

// Level is a level of a field, or the box of one: the element of row r and column c is Data[r*Row+c*Col].
type Level[T float32 | float64] struct {
	Data     []T
	Row, Col int64
}

// Apply computes a box of targets from the box of source points that Need says, whose rows and columns are in C order. Sums are made in float64, in one order for
// each target whatever the box, and rounded once. scratch holds as many elements as Scratch says.
func Apply[T float32 | float64](m *Map, rule Rule, at Box, out Level[T], in []T, scratch []float64) {
	need := m.Need(at)
	if m.Points != nil {
		each[T](m, rule, at, need, out, in)
		return
	}
	l := level[T]{m: m, rule: rule, at: at, need: need, in: in, sums: scratch[:at.Cols], rows: scratch[at.Cols:]}
	for k := range l.held {
		l.held[k] = -1
	}
	for r := range at.Rows {
		row := out.Data[r*out.Row:]
		if m.Y.First[at.Row+r] == m.Y.First[at.Row+r+1] || need.Rows == 0 {
			for c := range at.Cols {
				row[c*out.Col] = T(math.NaN())
			}
			continue
		}
		l.row(at.Row+r, row, out.Col)
	}
}

// level applies products of weights.
type level[T float32 | float64] struct {
	m        *Map
	rule     Rule
	at, need Box
	in       []T
	sums     []float64       // of a row of targets
	rows     []float64       // the source's columns of one row of targets; or rows of the source at the targets' columns, where the map is wide
	held     [mostHeld]int32 // which rows those are
	mean     float64         // of the row at a pole
}

// source returns a row of the source.
func (l *level[T]) source(row int32) []T {
	return l.in[(int64(row)-l.need.Row)*l.need.Cols:][:l.need.Cols]
}

// row computes the targets of one row.
func (l *level[T]) row(j int64, out []T, step int64) {
	y := l.m.Y
	index, weights := y.Index[y.First[j]:y.First[j+1]], y.Weight[y.First[j]:y.First[j+1]]
	if l.m.wide {
		l.sums = weighted(l.sums, l.across(index[0]), weights[0])
		for k := 1; k < len(index); k++ {
			addWeighted(l.sums, l.across(index[k]), weights[k])
		}
	} else {
		acc := weighted(l.rows[:l.need.Cols], l.source(index[0]), weights[0])
		for k := 1; k < len(index); k++ {
			addWeighted(acc, l.source(index[k]), weights[k])
		}
		gather(l.m.X, l.at.Col, int32(l.need.Col), acc, l.sums)
	}
	if w := y.cap(j); w > 0 {
		l.mean = meanOf(l.source(index[0]))
		for i := range l.sums {
			l.sums[i] += float64(w * l.mean)
		}
	}
	l.finish(j, out, step)
}

// across returns a row of the source at the targets' columns.
func (l *level[T]) across(row int32) []float64 {
	k := int64(row) % l.m.Y.most
	to := l.rows[k*l.at.Cols:][:l.at.Cols]
	if l.held[k] != row {
		l.held[k] = row
		gather(l.m.X, l.at.Col, int32(l.need.Col), l.source(row), to)
	}
	return to
}

// gather is the weighted sums of a row for the targets from col on; those without links are 0.
func gather[T float32 | float64](x *Links, col int64, base int32, row []T, to []float64) {
	first := x.First[col:][:len(to)+1]
	k := first[0]
	for i := range to {
		v := 0.0
		for ; k < first[i+1]; k++ {
			v += float64(x.Weight[k] * float64(row[x.Index[k]-base]))
		}
		to[i] = v
	}
}

// finish stores the sums of a row of targets as the rule has it.
func (l *level[T]) finish(j int64, out []T, step int64) {
	part, parts := l.m.Y.Part[j], l.m.X.Part[l.at.Col:][:len(l.sums)]
	for i, v := range l.sums {
		switch p := part * parts[i]; {
		case p == 1 && v == v:
		case p == 0 || p < l.rule.Least-tiny:
			v = math.NaN()
		case v != v && l.rule.SkipNA:
			v = l.valid(j, l.at.Col+int64(i), p)
		case l.rule.DestArea:
			v *= p
		}
		out[int64(i)*step] = T(v)
	}
}

// tiny is the part of a target cell that is nothing.
const tiny = 1e-9

// valid returns the value of a target of which some source points may be missing; part is what of it the source covers.
func (l *level[T]) valid(j, i int64, part float64) float64 {
	y, x := l.m.Y, l.m.X
	sum, weight := 0.0, 0.0
	for a := y.First[j]; a < y.First[j+1]; a++ {
		row := l.source(y.Index[a])
		for b := x.First[i]; b < x.First[i+1]; b++ {
			if v := float64(row[int64(x.Index[b])-l.need.Col]); v == v {
				w := y.Weight[a] * x.Weight[b]
				sum += float64(w * v)
				weight += w
			}
		}
	}
	if w := y.cap(j); w > 0 && l.mean == l.mean {
		sum += float64(w * l.mean)
		weight += w
	}
	return l.rule.of(sum, weight, part)
}

// of returns the value of a target whose valid source points have the weight and the weighted sum.
func (r Rule) of(sum, weight, part float64) float64 {
	left := weight * part
	switch {
	case left <= tiny || left < r.Least-tiny:
		return math.NaN()
	case r.DestArea:
		return sum * part
	}
	return sum / weight
}

// meanOf returns the mean of a row without its missing values.
func meanOf[T float32 | float64](row []T) float64 {
	sum, n := 0.0, 0
	for _, x := range row {
		if x == x {
			sum += float64(x)
			n++
		}
	}
	return sum / float64(n)
}

// weighted is
//
//	for i := range d { d[i] = w * x[i] }
//
// and returns d.
func weighted[T float32 | float64](d []float64, x []T, w float64) []float64 {
	x = x[:len(d)]
	for i := range d {
		d[i] = float64(w * float64(x[i]))
	}
	return d
}

// addWeighted is
//
//	for i := range d { d[i] += w * x[i] }
func addWeighted[T float32 | float64](d []float64, x []T, w float64) {
	x = x[:len(d)]
	for i := range d {
		d[i] += float64(w * float64(x[i]))
	}
}

// each applies the links of points.
func each[T float32 | float64](m *Map, rule Rule, at, need Box, out Level[T], in []T) {
	p := m.Points
	base := need.Row * m.Source.Cols
	for r := range at.Rows {
		row := out.Data[r*out.Row:]
		for c := range at.Cols {
			i := ((at.Row+r)*m.toCols + at.Col + c) * int64(p.Each)
			index := p.Index[i:][:p.Each]
			v := math.NaN()
			switch {
			case index[0] < 0:
			case p.Weight == nil:
				v = float64(in[int64(index[0])-base])
			default:
				v = average(rule, in, base, index, p.Weight[i:][:p.Each])
			}
			row[c*out.Col] = T(v)
		}
	}
}

// average returns the weighted mean of source points.
func average[T float32 | float64](r Rule, in []T, base int64, index []int32, weights []float64) float64 {
	sum, weight := 0.0, 0.0
	for k, i := range index {
		if i < 0 {
			break
		}
		x := float64(in[int64(i)-base])
		w := weights[k]
		switch {
		case w == 0:
		case x == x:
			sum += float64(w * x)
			weight += w
		case !r.SkipNA:
			return math.NaN()
		}
	}
	if math.Abs(weight-1) < tiny {
		return sum
	}
	return r.of(sum, weight, 1)
}
